"""The binary format of CIFAR-10 and CIFAR-100 (Krizhevsky 2009, cs.toronto.edu/~kriz/cifar.html).

A record is one label byte (CIFAR-100: the coarse, then the fine label) and 3,072 bytes: the
red, the green and the blue plane of 32x32 pixels, row by row.
"""

from pathlib import Path

import numpy as np

from zeuxis.errors import BadInput

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_PIXELS = 3 * 32 * 32
_TRAIN = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["train.bin"]
_TEST = ["test_batch.bin", "test.bin"]
_NAME_FILES = ("batches.meta.txt", "fine_label_names.txt")


def record_files(folder: Path) -> list[Path]:
    """The record files of a folder by their official names, training files first."""
    return [folder / name for name in _TRAIN + _TEST if (folder / name).is_file()]


def label_bytes(path: Path) -> int:
    """1 for CIFAR-10, 2 for CIFAR-100, 0 where the size of the file fits neither."""
    size = path.stat().st_size
    if not size:
        return 0
    fits = [n for n in (1, 2) if size % (_PIXELS + n) == 0]
    return fits[0] if fits else 0


def read_records(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [N, 32, 32, 3] and int64 labels [N]. Raises BadInput when the size is not that of whole records."""
    extra = label_bytes(path)
    if not extra:
        raise BadInput("this is not a whole CIFAR binary file", str(path), "fetch it again")
    records = np.fromfile(path, np.uint8).reshape(-1, _PIXELS + extra)
    pixels = records[:, extra:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return pixels, records[:, extra - 1].astype(np.int64)


def class_names(folder: Path, count: int) -> tuple[str, ...]:
    """Names from the text file beside the records; else those of CIFAR-10 for up to ten classes, else numbers."""
    for name in _NAME_FILES:
        if (folder / name).is_file():
            names = [line.strip() for line in (folder / name).read_text("utf-8", "replace").splitlines()]
            if len(nonempty := tuple(n for n in names if n)) >= count:
                return nonempty
    return CIFAR10 if count <= 10 else tuple(str(i) for i in range(count))
