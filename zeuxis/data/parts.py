"""What the parts of a collection are called: training, validation, test, and what carries no label."""

import re

PARTS = ("train", "val", "test")
"""What the parts of a collection are called, whatever its folders or columns call them."""

_WORDS = {
    "train": ("train", "training", "trn", "trainval", "learn", "learning"),
    "val": ("val", "valid", "validation", "validate", "dev", "devel", "development"),
    "test": ("test", "tests", "testing", "tst", "eval", "evaluation", "heldout", "holdout"),
    "unlabelled": ("unlabelled", "unlabeled", "nolabel", "nolabels", "unsup", "unsupervised", "unannotated")
    + ("pred", "predict", "prediction", "predictions", "inference"),
}
_PART_OF = {word: part for part, words in _WORDS.items() for word in words}
_FILLERS = {"set", "sets", "data", "dataset", "image", "images", "img", "imgs", "picture", "pictures", "photo"}
_FILLERS |= {"photos", "pic", "pics", "folder", "dir", "split", "part", "subset", "sample", "samples", "files"}
_GLUED = re.compile(f"({'|'.join(sorted(_PART_OF, key=len, reverse=True))})({'|'.join(sorted(_FILLERS))})")


def part_name(name: str) -> tuple[str, tuple[str, ...]] | None:
    """The part that a folder or a table's value names, or "unlabelled", and the other words in it; None where none.

    `Training Data` is (train, ()), `seg_test` (test, (seg,)), `train_station` (train, (station,)).
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()
    spaced = re.sub(r"(held|hold|no|un)[-_ ]+(out|labels?|labell?ed)\b", r"\1\2", spaced)
    words = []
    for word in re.findall(r"[^\W\d_]+", spaced):
        glued = _GLUED.fullmatch(word)
        words += list(glued.groups()) if glued else [word]
    keywords = [word for word in words if word not in _FILLERS]
    parts = [word for word in keywords if word in _PART_OF]
    return (_PART_OF[parts[0]], tuple(word for word in keywords if word not in _PART_OF)) if len(parts) == 1 else None


def part_folders(names: set[str]) -> dict[str, str]:
    """Part by folder, where one is for training and another for something else; {} where these are no parts."""
    known = {name: named_part for name in names if (named_part := part_name(name))}
    for others in sorted({rest for _, rest in known.values()}, key=lambda rest: (len(rest), rest)):
        parts = {n: part for n, (part, rest) in known.items() if rest == others or (part == "unlabelled" and not rest)}
        if "train" in parts.values() and len(set(parts.values())) > 1:
            return parts
    return {}
