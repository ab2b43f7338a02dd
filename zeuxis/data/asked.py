"""Trees that look like something else than a folder per class: pictures with masks or boxes, patients, pairs.

They are asked about: what is found is named, with the flag that says how to read it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from zeuxis.data.trees import Folders, Tree, ask, some
from zeuxis.errors import counted

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


def plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())


def masks_of(folders: list[Folders], level: int | None = None) -> list[bool]:
    """Which pictures lie in a folder of masks: one that is called so for sure, or beside one of images.

    level: of the classes where a person said so; a folder of that level is none.
    """
    beside: dict[Folders, set[str]] = {}
    for f in set(folders):
        for i, name in enumerate(f):
            beside.setdefault(f[:i], set()).add(plain(name))
    loose = set(folders)

    def is_mask(f: Folders, i: int) -> bool:
        name, around = plain(f[i]), beside[f[:i]]
        named = name in _MASKS and (bool(around & _IMAGES) or (f[:i] in loose and around == {name}))
        return i + 1 != level and (name in _SURE or named or _mask_beside(name, around))

    known = {f: any(is_mask(f, i) for i in range(len(f))) for f in set(folders)}
    return [known[f] for f in folders]


def _mask_beside(name: str, around: set[str]) -> bool:
    """Whether it is called as another folder is, with a word for masks behind: train_masks, train_images."""
    stems = {name.removesuffix(ending) for ending in _MASKS | _SURE if name.endswith(ending)} - {"", name}
    return any(one == stem or one.removeprefix(stem) in _IMAGES for stem in stems for one in around - {name})


def mask_names(folders: Iterable[Folders]) -> set[str]:
    return {name for f in folders for name in f if plain(name).endswith(tuple(_SURE | _MASKS))}


def ask_masks(folders: list[Folders], masks: list[bool], tree: Tree) -> None:
    mask_folders = mask_names(f for f, mask in zip(folders, masks, strict=True) if mask)
    if not mask_folders:
        return
    classes = {f[0] for f in tree.inner if f}
    level = tree.levels[0] if len(classes) > 1 else 0
    way = f"by the folders of level {level}" if level else "without labels"
    raise ask(
        f"it looks like pictures with masks in {some(mask_folders)}",
        f"`--classes-at {level}` reads the pictures {way} and leaves the masks out",
    )


_WORSE = set(
    "lr lq low lowres lowresolution lowquality small bicubic noisy noise blur blurred blurry hazy rainy rain dark "
    "degraded damaged distorted corrupted compressed jpeg input inputs source before x2 x3 x4 x8".split()
)
_BETTER = set(
    "hr hq high highres highresolution highquality gt groundtruth sharp clean target targets original originals truth "
    "reference references output outputs after".split()
)
_BESIDES = {"res", "resolution", "quality", "ground", "images", "image", "img", "imgs", "pictures", "data", "set"}


def ask_pairs(paths: list[PurePosixPath], folders: list[Folders]) -> None:
    """Raises BadInput where two folders side by side are called as the two sides of pairs and hold equal file names."""
    names: dict[Folders, dict[str, set[str]]] = {}
    for path, f in zip(paths, folders, strict=True):
        stem = re.sub(r"[_-]?x[2348]$", "", path.stem.casefold())  # as the smaller ones are called in super-resolution
        for i, name in enumerate(f):
            names.setdefault(f[:i], {}).setdefault(name, set()).add(stem)
    for above, beside in names.items():
        better: dict[frozenset[str], list[str]] = {}
        for name in sorted(beside):
            for rest in _beyond(name, _BETTER):
                better.setdefault(rest, []).append(name)
        for one in sorted(beside):
            for other in [name for rest in _beyond(one, _WORSE) for name in better.get(rest, []) if name != one]:
                if 2 * len(beside[one] & beside[other]) > len(beside[other]):
                    way = f"`--classes-at {len(above) + 1}` takes the folders as classes"
                    what = f"`{one}` and `{other}` look like the two sides of pairs, not classes"
                    raise ask(what, f"give one side alone, such as the folder `{other}`; {way}")


def _beyond(name: str, side: set[str]) -> list[frozenset[str]]:
    """The words of a folder's name beyond those for this side of pairs; [] where it has none of these."""
    words = set(re.split(r"[\W_]+", re.sub("(?<=[a-z])(?=[A-Z])", " ", name).casefold()))
    return [frozenset(words - side - _BESIDES)] if words & side else []


def ask_boxes(
    paths: list[PurePosixPath], beside: list[PurePosixPath], tree: Tree, coco: Callable[[PurePosixPath], bool]
) -> list[str]:
    """Raises BadInput where unlabelled pictures have files of boxes beside them, as in VOC, YOLO and COCO trees.

    Else a remark on other files that are called as the pictures are.
    """
    annotations = {x for p in beside if p.suffix.lower() in _NOTES for x in p.parts[:-1] if plain(x) in _BOXES}
    annotations |= {str(p) for p in [p for p in beside if p.suffix.lower() == ".json"][:_JSON_READ] if coco(p)}
    stems = {(p.parent, p.stem) for p in beside if p.suffix.lower() == ".xml"}
    yolo = tree.top > 1 and any(plain(p.parts[tree.top - 2]) in _IMAGES for p in paths if len(p.parts) > tree.top)
    voc = any(plain(name) == "jpegimages" for p in paths for name in p.parts)
    if annotations or yolo or voc or sum((p.parent, p.stem) in stems for p in paths) * 2 > len(paths):
        what = (
            f"boxes in {some(annotations)}"
            if annotations
            else "boxes, as YOLO has them"
            if yolo
            else "boxes, as VOC has them"
        )
        raise ask(
            f"it looks like pictures with {what}, which are not read",
            "`--classes-at 0` reads the pictures alone, without labels",
        )
    known = {(p.parent, p.stem) for p in paths}
    notes = sorted(str(p) for p in beside if p.suffix.lower() in _NOTES and (p.parent, p.stem) in known)
    verb = "is" if len(notes) == 1 else "are"
    return [f"{counted(len(notes), 'file')} beside the pictures {verb} not read, such as {notes[0]}"] if notes else []


def ask_subjects(tree: Tree) -> list[str]:
    """Raises BadInput where folders look like patients or scenes; else a remark on folders inside the classes."""
    nested = [f for f in tree.inner if f and len(f) > 1]
    outer, inner = {f[0] for f in tree.inner if f}, {f[1] for f in nested}
    first, second = tree.levels
    if all(_SUBJECT.fullmatch(name.casefold()) for name in outer) and len(inner) < 2:
        raise ask(
            f"folders such as {some(outer)} look like patients or scenes",
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
        raise ask(
            f"the folders in {some(outer, 2)} are {some(inner)}, so one level may be patients or scenes",
            f"`--classes-at {one} --group-at {other}` keeps each of these together, `--classes-at {other}` does not",
        )
    return [
        f"the folders inside the classes, {some({'/'.join(p) for p in pairs})}, are not told apart; "
        f"`--classes-at {second}` makes them the classes, `--group-at {second}` keeps each together"
    ]
