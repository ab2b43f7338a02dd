"""How a tree of folders is read: which folder names a part, a class or a group. Nothing is opened here.

Outer folders that hold nothing but one other folder are passed over. Folders that are called train and test, val or
alike, whatever case, prefix or ending they have, are parts; they may lie above the classes or inside each of them.
Below them every folder that holds pictures is a class, at any depth. A tree that looks like something else than a
folder per class is asked about: pictures with masks or boxes, a folder per patient.

Levels are counted from 1, the folders that lie directly in the source.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from zeuxis.data.parts import PARTS, part_folders, part_name
from zeuxis.errors import BadInput, counted

_IMAGES = {"images", "image", "imgs", "img", "pictures", "photos", "jpegimages", "input", "inputs", "originals"}
_IMAGES |= {"leftimg8bit"}
_MASKS = {"mask", "masks", "label", "labels", "annotation", "annotations", "gt", "gts", "seg", "segs", "segmentation"}
_MASKS |= {"segmentations", "target", "targets", "trimap", "trimaps", "groundtruths", "mattes", "matte"}
_MASKS |= {"annot", "annots"}
_SURE = {
    "groundtruth",
    "gtfine",
    "gtcoarse",
    "segmentationclass",
    "segmentationobject",
    "segmentationclassaug",
    "trimaps",
}
_BOXES = {"label", "labels", "annotation", "annotations", "bbox", "bboxes", "boxes", "xml", "xmls"}
_JSON_READ = 50
_NOTES = {".txt", ".xml", ".json"}
_SUBJECT = re.compile(
    r"(patients?|pat|subjects?|subj|cases?|persons?|participants?|donors?|slides?|p)[-_ ]*\d+"
    r"|(scenes?|sessions?|sequences?|seq|videos?|clips?)[-_ ]*\d+|(19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d.*"
)

Folders = tuple[str, ...]


@dataclass(frozen=True)
class Where:
    """What a person says of where classes, groups and parts are told: a level of folders, or a column of a table.

    classes 0: the pictures carry no labels; parts 0: no folder is a part. None: by the rules of this module.
    labels False: they are left aside, so that nothing is asked about them.
    """

    classes: int | str | None = None
    groups: int | str | None = None
    parts: int | str | None = None
    labels: bool = True

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
class Place:
    """What the folders say of one picture. out: why this one file is not used; away: a remark says why it is not."""

    label: str | None = None
    group: str | None = None
    part: str | None = None
    out: str = ""
    away: bool = False


@dataclass
class Layout:
    """The place of each picture, in order, and what a person should know of how the tree was read, line by line."""

    places: list[Place]
    remarks: list[str] = field(default_factory=list)


# ------------------------------------------------------------------ the tree


@dataclass(frozen=True)
class _Tree:
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


def _tree(folders: list[Folders], where: Where) -> _Tree:
    """The parts of a tree: above the classes, else inside each of them, else none."""
    given, classes, level = where.level("parts"), where.level("classes"), 0
    while len(_names(folders, level)) == 1:  # pictures beside the outer folders do not hide what is in them
        level += 1
    level = given - 1 if given else level
    names, below = _names(folders, level), _names(folders, level + 1)
    by = part_folders(names)
    if given and not by:
        raise BadInput(
            f"the folders of level {given} are no parts: {_some(names) or 'there are none'}",
            "--part-at",
            f"parts are called {', '.join(PARTS)}",
        )
    if by and given != 0 and classes != level + 1:
        others = {name for name in names - set(by) if part_name(name)}
        if others and classes is None:
            what = f"{_some(by)} look like parts of one set, and {_some(others)} of another"
            raise _ask(what, f"give one set alone; `--classes-at {level + 1}` takes the folders as classes")
        return _parts_above(folders, level, by)
    inside = part_folders(below)
    if given is None and classes is None:
        _ask_parts(folders, level, names, inside)
    if len(inside) == len(below) > 1 and len(names) > 1 and given is None and classes != level + 2:
        parts = [inside[f[level + 1]] if len(f) > level + 1 else None for f in folders]
        inner = [(f[level], *f[level + 2 :]) if len(f) > level + 1 else None for f in folders]
        return _Tree(parts, inner, (level + 1, level + 3), level + 2)
    outer = _wrappers(folders)
    return _Tree([None] * len(folders), [f[outer:] for f in folders], (outer + 1, outer + 2))


def _ask_parts(folders: list[Folders], level: int, names: set[str], inside: dict[str, str]) -> None:
    """Raises BadInput for parts without one for training, and for parts in one of several folders."""
    told = {part_name(name) for name in names}
    if len(told) > 1 and None not in told and len({one[1] for one in told if one}) == 1:
        raise _ask(
            f"{_some(names)} look like parts, and none is for training", f"`--classes-at {level + 1}` says otherwise"
        )
    holding = {f[level] for f in folders if len(f) > level + 1 and f[level + 1] in inside}
    if len(holding) == 1 and len(names) > 1:
        raise _ask(f"one of its folders, {_some(holding)}, holds {_some(inside)}", "give that folder alone")


def _parts_above(folders: list[Folders], level: int, by: dict[str, str]) -> _Tree:
    def inside(f: Folders) -> tuple[int, Folders]:
        """The folders inside a part, without one of the part's own name that holds all of it."""
        at = level + 1
        while len(f) > at and f[at].casefold() == f[level].casefold():
            at += 1
        return at, f[at:]

    parts = [by.get(f[level]) if len(f) > level else None for f in folders]
    found = [inside(f) if part in PARTS else None for f, part in zip(folders, parts, strict=True)]
    outer = _wrappers(one[1] for one in found if one)
    start = Counter(one[0] for one in found if one).most_common(1)[0][0] + outer
    inner = [one[1][outer:] if one else None for one in found]
    return _Tree(parts, inner, (start + 1, start + 2), level + 1)


def _some(names: Iterable[str], most: int = 3) -> str:
    """`a`, `b`, `c` and 4 more."""
    listed = sorted(set(names))
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(f"`{name}`" for name in listed[:most]) + more


# ------------------------------------------------------------------ what is no folder per class


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())


def masks_of(folders: list[Folders], level: int | None = None) -> list[bool]:
    """Which pictures lie in a folder of masks: one that is called so for sure, or beside one of images.

    level: of the classes where a person said so; a folder of that level is none.
    """
    beside: dict[Folders, set[str]] = {}
    for f in set(folders):
        for i, name in enumerate(f):
            beside.setdefault(f[:i], set()).add(_plain(name))
    loose = set(folders)

    def is_mask(f: Folders, i: int) -> bool:
        name, around = _plain(f[i]), beside[f[:i]]
        named = name in _MASKS and (bool(around & _IMAGES) or (f[:i] in loose and around == {name}))
        return i + 1 != level and (name in _SURE or named or _mask_beside(name, around))

    known = {f: any(is_mask(f, i) for i in range(len(f))) for f in set(folders)}
    return [known[f] for f in folders]


def _mask_beside(name: str, around: set[str]) -> bool:
    """Whether it is called as another folder is, with a word for masks behind: train_masks, train_images."""
    stems = {name.removesuffix(ending) for ending in _MASKS | _SURE if name.endswith(ending)} - {"", name}
    return any(one == stem or one.removeprefix(stem) in _IMAGES for stem in stems for one in around - {name})


def _mask_names(folders: Iterable[Folders]) -> set[str]:
    return {name for f in folders for name in f if _plain(name).endswith(tuple(_SURE | _MASKS))}


def _ask(what: str, mend: str) -> BadInput:
    return BadInput(f"this is no folder per class: {what}", "", mend)


def _ask_masks(folders: list[Folders], masks: list[bool], tree: _Tree) -> None:
    found = _mask_names(f for f, mask in zip(folders, masks, strict=True) if mask)
    if not found:
        return
    classes = {f[0] for f in tree.inner if f}
    level = tree.levels[0] if len(classes) > 1 else 0
    way = f"by the folders of level {level}" if level else "without labels"
    raise _ask(
        f"it looks like pictures with masks in {_some(found)}",
        f"`--classes-at {level}` reads the pictures {way} and leaves the masks out",
    )


def _ask_boxes(
    paths: list[PurePosixPath], beside: list[PurePosixPath], tree: _Tree, coco: Callable[[PurePosixPath], bool]
) -> list[str]:
    """Raises BadInput where unlabelled pictures have files of boxes beside them, as in VOC, YOLO and COCO trees.

    Else a remark on other files that are called as the pictures are.
    """
    told = {x for p in beside if p.suffix.lower() in _NOTES for x in p.parts[:-1] if _plain(x) in _BOXES}
    told |= {str(p) for p in [p for p in beside if p.suffix.lower() == ".json"][:_JSON_READ] if coco(p)}
    stems = {(p.parent, p.stem) for p in beside if p.suffix.lower() == ".xml"}
    yolo = tree.top > 1 and any(_plain(p.parts[tree.top - 2]) in _IMAGES for p in paths if len(p.parts) > tree.top)
    voc = any(_plain(name) == "jpegimages" for p in paths for name in p.parts)
    if told or yolo or voc or sum((p.parent, p.stem) in stems for p in paths) * 2 > len(paths):
        what = f"boxes in {_some(told)}" if told else "boxes, as YOLO has them" if yolo else "boxes, as VOC has them"
        raise _ask(
            f"it looks like pictures with {what}, which are not read",
            "`--classes-at 0` reads the pictures alone, without labels",
        )
    known = {(p.parent, p.stem) for p in paths}
    notes = sorted(str(p) for p in beside if p.suffix.lower() in _NOTES and (p.parent, p.stem) in known)
    return [f"{len(notes):,} files beside the pictures are not read, such as {notes[0]}"] if notes else []


def _ask_subjects(tree: _Tree) -> list[str]:
    """Raises BadInput where folders look like patients or scenes; else a remark on folders inside the classes."""
    nested = [f for f in tree.inner if f and len(f) > 1]
    outer, inner = {f[0] for f in tree.inner if f}, {f[1] for f in nested}
    first, second = tree.levels
    if all(_SUBJECT.fullmatch(name.casefold()) for name in outer) and len(inner) < 2:
        raise _ask(
            f"folders such as {_some(outer)} look like patients or scenes",
            f"`--classes-at 0 --group-at {first}` keeps each together, `--classes-at {first}` takes them as classes",
        )
    if len(inner) < 2:
        return []
    pairs = {f[:2] for f in nested}
    shared = {name for name, n in Counter(b for _, b in pairs).items() if n > 1}
    numbered = all(re.search(r"\d", name) for name in inner) and max(Counter(a for a, _ in pairs).values()) > 1
    inner_groups = numbered and not all(re.search(r"\d", name) for name in outer)
    if sum(f[1] in shared for f in nested) * 2 >= len(nested) or inner_groups:
        one, other = (first, second) if inner_groups else (second, first)
        raise _ask(
            f"the folders in {_some(outer, 2)} are {_some(inner)}, so one level may be patients or scenes",
            f"`--classes-at {one} --group-at {other}` keeps each of these together, `--classes-at {other}` does not",
        )
    return [
        f"the folders inside the classes, {_some({'/'.join(p) for p in pairs})}, are not told apart; "
        f"`--classes-at {second}` makes them the classes, `--group-at {second}` keeps each together"
    ]


# ------------------------------------------------------------------ reading


def layout(
    paths: list[PurePosixPath],
    beside: Iterable[PurePosixPath] = (),
    where: Where = BY_RULE,
    coco: Callable[[PurePosixPath], bool] = lambda path: False,
) -> Layout:
    """What the folders say of each picture. beside: the other files there, which may tell what the tree is.

    coco: whether a JSON file beside the pictures holds boxes; asked only where the folders tell no classes.

    Raises BadInput where the tree looks like something else than a folder per class and `where` does not say how to
    read it, or where `where` names levels that are not there.
    """
    wanted, folders = where.level("classes"), [p.parts[:-1] for p in paths]
    masks = masks_of(folders, wanted)
    used = [i for i, mask in enumerate(masks) if not mask]
    tree = _tree([folders[i] for i in used], where)
    remarks = []
    if wanted is None:
        tree = _without_unlabelled(tree)
        _ask_masks(folders, masks, tree)
        if len({f[0] for f in tree.inner if f}) < 2 or any(_plain(name) == "jpegimages" for f in folders for name in f):
            remarks += _ask_boxes(paths, list(beside), tree, coco)
        else:
            remarks += _ask_subjects(tree)
    places = [Place(away=True)] * len(paths)
    away: Counter[tuple[str, str]] = Counter()
    for i, place in zip(used, _places([folders[i] for i in used], tree, where, away), strict=True):
        places[i] = place
    _levels_are_there(places, where)
    if any(masks):
        away[(_some(_mask_names(f for f, mask in zip(folders, masks, strict=True) if mask)), "masks")] = sum(masks)
    remarks += [f"left out: {counted(n, 'picture')} in {name}, {why}" for (name, why), n in away.items()]
    return Layout(places, remarks + _other_words(tree))


def _places(folders: list[Folders], tree: _Tree, where: Where, away: Counter[tuple[str, str]]) -> list[Place]:
    wanted, groups = where.level("classes"), where.level("groups")
    several = len({inner[0] for inner in tree.inner if inner}) > 1
    own = [_label(f, inner, wanted, several) for f, inner in zip(folders, tree.inner, strict=True)]
    labelled = any(own)
    full = {part for part, label in zip(tree.parts, own, strict=True) if label}  # parts with classes in them
    if labelled and tree.top and "train" not in full:
        raise BadInput(
            "the training folder holds no folder per class, others do", "", "`--classes-at 0` reads no labels"
        )
    found = []
    for f, part, label in zip(folders, tree.parts, own, strict=True):
        group = f[groups - 1] if groups and len(f) >= groups else None
        if tree.top and part is None:
            if len(f) < tree.top:
                found.append(Place(out="lies beside the folders of the parts"))
                continue
            away[(f"`{f[tree.top - 1]}`", "beside the parts")] += 1
        elif part == "unlabelled":
            away[(_some(name for name in f if (part_name(name) or [""])[0] == part), part)] += 1
        elif labelled and not label and tree.top and part not in full:
            away[(f"`{f[tree.top - 1]}`", "unlabelled")] += 1
        elif labelled and not label:
            found.append(Place(out="lies beside the class folders, so it has no class"))
            continue
        else:
            found.append(Place(label, group, part))
            continue
        found.append(Place(away=True))
    return found


def _without_unlabelled(tree: _Tree) -> _Tree:
    """Where a folder beside several classes is called unlabelled, what is in it is of no class and no part."""
    classes = {f[0] for f in tree.inner if f}
    bare = {name for name in classes if part_name(name) == ("unlabelled", ())}
    if not bare or len(classes - bare) < 2:
        return tree
    here = [f is not None and f[:1] != () and f[0] in bare for f in tree.inner]
    parts = ["unlabelled" if one else part for one, part in zip(here, tree.parts, strict=True)]
    return replace(tree, parts=parts, inner=[None if one else f for one, f in zip(here, tree.inner, strict=True)])


def _label(f: Folders, inner: Folders | None, wanted: int | None, several: bool) -> str | None:
    if wanted is not None:
        return f[wanted - 1] if 0 < wanted <= len(f) and inner is not None else None
    return inner[0] if inner and several else None


def _levels_are_there(places: list[Place], where: Where) -> None:
    for flag, level, found in (
        ("--classes-at", where.level("classes"), any(p.label for p in places)),
        ("--group-at", where.level("groups"), any(p.group for p in places)),
    ):
        if level and places and not found:
            raise BadInput(
                f"no picture lies {level} folders deep", f"{flag} {level}", "1: the folders in the data itself"
            )


def _other_words(tree: _Tree) -> list[str]:
    """A word on a class that is called like a part, and on classes that differ in case alone."""
    classes = {f[0] for f in tree.inner if f}
    if len(classes) < 2:
        return []
    odd = {name for name in classes if part_name(name) and not tree.top}
    folded = Counter(name.casefold() for name in classes)
    alike = {name for name in classes if folded[name.casefold()] > 1}
    return [f"{_some(odd)} is read as a class, as no other folder makes it a part"] * bool(odd) + [
        f"the classes {_some(alike)} differ in case alone"
    ] * bool(alike)
