"""The idx format of MNIST: big-endian magic, sizes, then one byte per pixel or label.

Layout: http://yann.lecun.com/exdb/mnist (LeCun, Cortes, Burges). Plain or gzipped.
"""

import gzip
import hashlib
import math
import re
import struct
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np

from zeuxis.errors import BadInput

FASHION = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot")
"""The ten classes of Fashion-MNIST in their official order (Xiao, Rasul, Vollgraf 2017, arXiv 1708.07747)."""

_NAMED = {
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9": FASHION,
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34": FASHION,
}
"""Class names by the sha256 of the unpacked label file, which itself holds numbers only."""

MOST = 1 << 33
"""Bytes beyond which a header is taken for damage."""


def read_idx(path: Path) -> np.ndarray:
    """uint8 array of 1 to 4 dimensions from one idx file, memory-mapped where it is not gzipped.

    Raises BadInput when the file is damaged, cut short, or holds something else than bytes.
    """
    try:
        shape, data = _gzipped(path) if first_bytes(path, 2) == b"\x1f\x8b" else _plain(path)
    except (OSError, EOFError, struct.error, zlib.error) as error:
        raise BadInput("this idx file cannot be read", str(path), "fetch it again") from error
    wanted = math.prod(shape)
    if len(data) < wanted:
        raise BadInput(f"this idx file is cut short: {len(data)} of {wanted} bytes", str(path), "fetch it again")
    return data[:wanted].reshape(shape)


def first_bytes(path: Path, n: int) -> bytes:
    with open(path, "rb") as file:
        return file.read(n)


def _plain(path: Path) -> tuple[tuple[int, ...], np.ndarray]:
    with open(path, "rb") as file:
        shape = _shape(file, path)
        start = file.tell()
    if path.stat().st_size <= start:
        return shape, np.zeros(0, np.uint8)
    return shape, np.memmap(path, np.uint8, "r", start)


def _gzipped(path: Path) -> tuple[tuple[int, ...], np.ndarray]:
    with gzip.open(path) as file:
        shape = _shape(cast(IO[bytes], file), path)
        return shape, np.frombuffer(file.read(math.prod(shape)), np.uint8)


def _shape(file: IO[bytes], path: Path) -> tuple[int, ...]:
    zero, kind, dimensions = struct.unpack(">HBB", file.read(4))
    if zero or kind != 8 or not 1 <= dimensions <= 4:
        raise BadInput("this is no idx file of bytes", str(path))
    shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
    if math.prod(shape) > MOST:
        raise BadInput(f"this idx file claims {math.prod(shape)} bytes", str(path), "fetch it again")
    return tuple(shape)


def is_idx(path: Path, dimensions: int = 3) -> bool:
    """Whether the (gzipped) file begins as an idx file of bytes with this many dimensions."""
    try:
        head = first_bytes(path, 2)
        if head == b"\x1f\x8b":
            with gzip.open(path) as file:
                head = file.read(4)
        else:
            head = first_bytes(path, 4)
    except (OSError, EOFError, zlib.error):
        return False
    return head == bytes([0, 0, 8, dimensions])


def labels_beside(images: Path) -> Path | None:
    """The label file that belongs to an image file by name, packed or not."""
    name = images.name.replace("images", "labels").replace("idx3", "idx1")
    stem = name.removesuffix(".gz")
    inner = images.parent.with_name(stem)  # where each file lies in a folder of its own name
    places = [images.parent / one for one in (name, stem, stem + ".gz")] + [inner / stem, inner / (stem + ".gz")]
    return next((path for path in places if path != images and path.is_file()), None)


def image_files(folder: Path) -> list[Path]:
    """The idx image files of a folder, or one or two folders down, training files first.

    Of a file that lies there packed and unpacked there is one. Raises BadInput for the files of several sets.
    """
    for pattern in ("*idx3*", "*/*idx3*", "*/*/*idx3*"):
        files: dict[str, Path] = {}
        for path in sorted(folder.glob(pattern)):
            if path.is_file() and is_idx(path):
                files.setdefault(path.name.removesuffix(".gz"), path)
        parts = [part_of(path) for path in files.values()]
        if len(set(parts)) < len(parts):
            names = ", ".join(sorted(files))
            mend = "put the files of one into a folder of their own, or give one file"
            raise BadInput(f"these are the files of several sets: {names[:200]}", str(folder), mend)
        if files:
            return sorted(files.values(), key=lambda p: (part_of(p) != "train", p.name))
    return []


def part_of(path: Path) -> str:
    """The word test for t10k and test files, wherever it stands in the name, else train."""
    return "test" if {"t10k", "test"} & set(re.split(r"[^a-z0-9]+", path.name.lower())) else "train"


def class_names(labels: np.ndarray) -> tuple[str, ...]:
    """Names known for exactly these labels; () where there are none."""
    head = struct.pack(">HBBI", 0, 8, 1, len(labels))
    return _NAMED.get(hashlib.sha256(head + labels.tobytes()).hexdigest(), ())
