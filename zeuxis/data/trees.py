"""A tree of folders with its parts taken out: where training, validation and test lie, and where classes may begin."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from zeuxis.data.parts import PARTS, part_folders, part_name
from zeuxis.errors import BadInput

Folders = tuple[str, ...]


@dataclass(frozen=True)
class Where:
    """What a person says of where classes, groups and parts are told: a level of folders, or a column of a table.

    classes 0: the pictures carry no labels; parts 0: no folder is a part. None: by the rules of this module.
    labels False: they are left aside, so that nothing is asked about them. files: of a table of pairs the side
    that is taken, under the names of the first.
    """

    classes: int | str | None = None
    groups: int | str | None = None
    parts: int | str | None = None
    labels: bool = True
    files: Literal["file", "target"] | None = None

    def level(self, name: str) -> int | None:
        """The level given for classes, groups or parts. Raises BadInput where it is none."""
        value = getattr(self, name)
        if name == "classes" and value is None and not self.labels:
            return 0
        if value is None or (isinstance(value, int) and value >= (name == "groups")):
            return value
        flag = {"classes": "--classes-at", "groups": "--group-at", "parts": "--part-at"}[name]
        raise BadInput(f"folders have no column `{value}`", flag, "give a level: 1 is the folders directly in the data")


BY_RULE = Where()


@dataclass(frozen=True)
class Tree:
    """A tree with its parts taken out.

    parts: of each picture; inner: its folders from where classes may begin, None beside the parts; levels: of the first
    two of these, from 1; top: level of the parts, 0 where there are none.
    """

    parts: list[str | None]
    inner: list[Folders | None]
    levels: tuple[int, int]
    top: int = 0


def _wrappers(folders: Iterable[Folders]) -> int:
    """How many outer levels hold nothing but one folder."""
    known, level = list(folders), 0
    while known and all(len(f) > level for f in known) and len({f[level] for f in known}) == 1:
        level += 1
    return level


def _names(folders: Iterable[Folders], level: int) -> set[str]:
    return {f[level] for f in folders if len(f) > level}


def tree_of(folders: list[Folders], where: Where) -> Tree:
    """The parts of a tree: above the classes, else inside each of them, else none."""
    given, classes, level = where.level("parts"), where.level("classes"), 0
    while len(_names(folders, level)) == 1:  # pictures beside the outer folders do not hide what is in them
        level += 1
    level = given - 1 if given else level
    names, below = _names(folders, level), _names(folders, level + 1)
    by = part_folders(names)
    if given and not by:
        raise BadInput(
            f"the folders of level {given} are no parts: {some(names) or 'there are none'}",
            "--part-at",
            f"parts are called {', '.join(PARTS)}",
        )
    if by and given != 0 and classes != level + 1:
        others = {name for name in names - set(by) if part_name(name)}
        if others and classes is None:
            what = f"{some(by)} look like parts of one set, and {some(others)} of another"
            raise ask(what, f"give one set alone; `--classes-at {level + 1}` takes the folders as classes")
        return _parts_above(folders, level, by)
    inside = part_folders(below)
    if given is None and classes is None:
        _ask_parts(folders, level, names, inside)
    if len(inside) == len(below) > 1 and len(names) > 1 and given is None and classes != level + 2:
        parts = [inside[f[level + 1]] if len(f) > level + 1 else None for f in folders]
        inner = [(f[level], *f[level + 2 :]) if len(f) > level + 1 else None for f in folders]
        return Tree(parts, inner, (level + 1, level + 3), level + 2)
    outer = _wrappers(folders)
    return Tree([None] * len(folders), [f[outer:] for f in folders], (outer + 1, outer + 2))


def _ask_parts(folders: list[Folders], level: int, names: set[str], inside: dict[str, str]) -> None:
    """Raises BadInput for parts without one for training, and for parts in one of several folders."""
    parts = {part_name(name) for name in names}
    if len(parts) > 1 and None not in parts and len({one[1] for one in parts if one}) == 1:
        raise ask(
            f"{some(names)} look like parts, and none is for training", f"`--classes-at {level + 1}` says otherwise"
        )
    holding = {f[level] for f in folders if len(f) > level + 1 and f[level + 1] in inside}
    if len(holding) == 1 and len(names) > 1:
        raise ask(f"one of its folders, {some(holding)}, holds {some(inside)}", "give that folder alone")


def _parts_above(folders: list[Folders], level: int, by: dict[str, str]) -> Tree:
    def inside(f: Folders) -> tuple[int, Folders]:
        """The folders inside a part, without one of the part's own name that holds all of it."""
        at = level + 1
        while len(f) > at and f[at].casefold() == f[level].casefold():
            at += 1
        return at, f[at:]

    parts = [by.get(f[level]) if len(f) > level else None for f in folders]
    contents = [inside(f) if part in PARTS else None for f, part in zip(folders, parts, strict=True)]
    outer = _wrappers(one[1] for one in contents if one)
    start = Counter(one[0] for one in contents if one).most_common(1)[0][0] + outer
    inner = [one[1][outer:] if one else None for one in contents]
    return Tree(parts, inner, (start + 1, start + 2), level + 1)


def one_part(named: Iterable[tuple[str | None, str | None]], what: str) -> list[str]:
    """A line for each part that goes by several names: pairs of part and name, of folders or of a column."""
    names: dict[str, set[str]] = {}
    for part, name in named:
        if part is not None and name is not None:
            names.setdefault(part, set()).add(name)
    return [
        f"{what} {some(aliases)} are one part, {part}" for part, aliases in sorted(names.items()) if len(aliases) > 1
    ]


def alike_in_case(names: Iterable[str | None]) -> list[str]:
    """A line on the classes that differ in case alone, which may be one."""
    classes = {name for name in names if name is not None}
    folded = Counter(name.casefold() for name in classes)
    alike = {name for name in classes if folded[name.casefold()] > 1}
    return [f"the classes {some(alike)} differ in case alone"] * bool(alike)


def some(names: Iterable[str], most: int = 3) -> str:
    """`a`, `b`, `c` and 4 more."""
    listed = sorted(set(names))
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(f"`{name}`" for name in listed[:most]) + more


def ask(what: str, mend: str) -> BadInput:
    return BadInput(f"this is no folder per class: {what}", "", mend)


def without_unlabelled(tree: Tree) -> Tree:
    """Where a folder beside several classes is called unlabelled, what is in it is of no class and no part."""
    classes = {f[0] for f in tree.inner if f}
    bare = {name for name in classes if part_name(name) == ("unlabelled", ())}
    if not bare or len(classes - bare) < 2:
        return tree
    here = [f is not None and f[:1] != () and f[0] in bare for f in tree.inner]
    parts = ["unlabelled" if one else part for one, part in zip(here, tree.parts, strict=True)]
    return replace(tree, parts=parts, inner=[None if one else f for one, f in zip(here, tree.inner, strict=True)])
