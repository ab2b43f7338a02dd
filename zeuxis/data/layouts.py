"""How a tree of folders is read: which folder names a part, a class or a group. Nothing is opened here.

Outer folders that hold nothing but one other folder are passed over. Folders that are called train and test, val or
alike, whatever case, prefix or ending they have, are parts; they may lie above the classes or inside each of them.
Below them every folder that holds pictures is a class, at any depth. A tree that looks like something else than a
folder per class is asked about: pictures with masks or boxes, a folder per patient.

Levels are counted from 1, the folders that lie directly in the source.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from zeuxis.data.asked import ask_boxes, ask_masks, ask_pairs, ask_subjects, mask_names, masks_of, plain
from zeuxis.data.parts import part_name
from zeuxis.data.trees import BY_RULE, Folders, Tree, Where, alike_in_case, one_part, some, tree_of, without_unlabelled
from zeuxis.errors import BadInput, counted


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
    tree = tree_of([folders[i] for i in used], where)
    remarks = []
    if wanted is None:
        tree = without_unlabelled(tree)
        ask_pairs(paths, folders)
        ask_masks(folders, masks, tree)
        if len({f[0] for f in tree.inner if f}) < 2 or any(plain(name) == "jpegimages" for f in folders for name in f):
            remarks += ask_boxes(paths, list(beside), tree, coco)
        else:
            remarks += ask_subjects(tree)
    places = [Place(away=True)] * len(paths)
    away: Counter[tuple[str, str]] = Counter()
    for i, place in zip(used, _places([folders[i] for i in used], tree, where, away), strict=True):
        places[i] = place
    _levels_are_there(places, where)
    if any(masks):
        away[(some(mask_names(f for f, mask in zip(folders, masks, strict=True) if mask)), "masks")] = sum(masks)
    remarks += [f"left out: {counted(n, 'picture')} in {name}, {why}" for (name, why), n in away.items()]
    at = tree.top - 1
    named = [(part, f[at]) for i, part in zip(used, tree.parts, strict=True) if len(f := folders[i]) > at >= 0]
    return Layout(places, remarks + one_part(named, "the folders") + _other_words(tree))


def _places(folders: list[Folders], tree: Tree, where: Where, away: Counter[tuple[str, str]]) -> list[Place]:
    wanted, groups = where.level("classes"), where.level("groups")
    several = len({inner[0] for inner in tree.inner if inner}) > 1
    own = [_label(f, inner, wanted, several) for f, inner in zip(folders, tree.inner, strict=True)]
    labelled = any(own)
    full = {part for part, label in zip(tree.parts, own, strict=True) if label}  # parts with classes in them
    if labelled and tree.top and "train" not in full:
        mend = "`--classes-at 0` reads no labels"
        raise BadInput("the training folder holds no folder per class, others do", "", mend)
    places = []
    for f, part, label in zip(folders, tree.parts, own, strict=True):
        group = f[groups - 1] if groups and len(f) >= groups else None
        if tree.top and part is None:
            if len(f) < tree.top:
                places.append(Place(out="lies beside the folders of the parts"))
                continue
            away[(f"`{f[tree.top - 1]}`", "beside the parts")] += 1
        elif part == "unlabelled":
            away[(some(name for name in f if (part_name(name) or [""])[0] == part), part)] += 1
        elif labelled and not label and tree.top and part not in full:
            away[(f"`{f[tree.top - 1]}`", "unlabelled")] += 1
        elif labelled and not label:
            places.append(Place(out="lies beside the class folders, so it has no class"))
            continue
        else:
            places.append(Place(label, group, part))
            continue
        places.append(Place(away=True))
    return places


def _label(f: Folders, inner: Folders | None, wanted: int | None, several: bool) -> str | None:
    if wanted is not None:
        return f[wanted - 1] if 0 < wanted <= len(f) and inner is not None else None
    return inner[0] if inner and several else None


def _levels_are_there(places: list[Place], where: Where) -> None:
    for flag, level, present in (
        ("--classes-at", where.level("classes"), any(p.label for p in places)),
        ("--group-at", where.level("groups"), any(p.group for p in places)),
    ):
        if level and places and not present:
            raise BadInput(
                f"no picture lies {counted(int(level), 'folder')} deep",
                f"{flag} {level}",
                "1: the folders in the data itself",
            )


def _other_words(tree: Tree) -> list[str]:
    """A word on a class that is called like a part, and on classes that differ in case alone."""
    classes = {f[0] for f in tree.inner if f}
    if len(classes) < 2:
        return []
    odd = {name for name in classes if part_name(name) and not tree.top}
    lines = [f"{some(odd)} is read as a class, as no other folder makes it a part"] * bool(odd)
    return lines + alike_in_case(classes)
