"""Pictures that already lie in one array, as the idx and CIFAR formats give them."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zeuxis.data import cifar, idx
from zeuxis.errors import BadInput, counted


@dataclass(frozen=True, eq=False)
class Arrays:
    """pixels: uint8 [N, H, W, C], perhaps memory-mapped; labels: int64 [N] or None; sources and parts: one per picture.

    remarks: how it was read.
    """

    pixels: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    sources: list[str]
    parts: list[str] | None
    remarks: list[str] = field(default_factory=list)


def from_idx(files: list[Path]) -> Arrays:
    """The pictures of idx image files, labelled where a label file lies beside one; then those without are left out.

    Raises BadInput for damage.
    """
    labelled = [path for path in files if idx.labels_beside(path) is not None]
    remarks = []
    if 0 < len(labelled) < len(files):
        for path in sorted(set(files) - set(labelled)):
            remarks.append(f"left out: {counted(len(idx.read_idx(path)), 'picture')} of `{path.name}`, unlabelled")
        files = labelled
    pixels = [idx.read_idx(path) for path in files]
    for path, array in zip(files, pixels, strict=True):
        if array.ndim != 3 or 0 in array.shape:
            raise BadInput("this idx file holds no pictures", str(path), "give the file of the images")
    if len({array.shape[1:] for array in pixels}) > 1:
        raise BadInput("the idx files hold pictures of different sizes", str(files[0].parent), "give one of the files")
    labels = [_labels(path, len(array)) for path, array in zip(files, pixels, strict=True)]
    known = [array for array in labels if array is not None]
    sources = [f"{path.name}:{i}" for path, array in zip(files, pixels, strict=True) for i in range(len(array))]
    parts = [idx.part_of(path) for path, array in zip(files, pixels, strict=True) for _ in range(len(array))]
    joined = pixels[0] if len(pixels) == 1 else np.concatenate(pixels)
    official = parts if len(set(parts)) == 2 else None
    if not known:
        return Arrays(joined[..., None], None, (), sources, official)
    together = np.concatenate(known).astype(np.int64)
    named = max((idx.class_names(array) for array in known), key=len)
    if not named:  # numbers of their own, such as EMNIST's letters from 1: a number that no picture has is no class
        numbers, together = np.unique(together, return_inverse=True)
        named = tuple(str(i) for i in numbers)
    return Arrays(joined[..., None], together, named, sources, official, remarks)


def _labels(images: Path, n: int) -> np.ndarray | None:
    beside = idx.labels_beside(images)
    if beside is None:
        return None
    labels = idx.read_idx(beside)
    if labels.shape != (n,):
        raise BadInput(
            f"{counted(labels.size, 'label')} for {counted(n, 'picture')}", str(beside), "fetch both files again"
        )
    return labels


def from_cifar(files: list[Path]) -> Arrays:
    """The pictures of CIFAR-10 or CIFAR-100 binary files. Raises BadInput for damage."""
    read = [cifar.read_records(path) for path in files]
    pixels, labels = np.concatenate([p for p, _ in read]), np.concatenate([k for _, k in read])
    sources = [f"{path.name}:{i}" for path, (p, _) in zip(files, read, strict=True) for i in range(len(p))]
    parts = [idx.part_of(path) for path, (p, _) in zip(files, read, strict=True) for _ in range(len(p))]
    classes = cifar.class_names(files[0].parent, int(labels.max()) + 1)
    return Arrays(pixels, labels, classes, sources, parts if len(set(parts)) == 2 else None)
