"""Makes zeuxis/data/assets/fashion-mini.webp, its labels and its card from the four official idx files.

Usage: python tools/make_fashion_mini.py FOLDER   (FOLDER holds train-images-idx3-ubyte and the other three)
The rule: the first 400 pictures of each class of the training files and the first 100 of each class of
the t10k files, in the order of the files. Nothing is picked by eye and no pixel is changed.
"""

import hashlib
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from zeuxis.data.builtin import CLASSES, KNOWN, MINI_ACROSS, MINI_PER_CLASS
from zeuxis.data.files import sha256_of, write_bytes, write_text
from zeuxis.data.idx import read_idx

ASSETS = Path(__file__).resolve().parent.parent / "zeuxis" / "data" / "assets"


def chosen(labels: np.ndarray, per_class: int) -> np.ndarray:
    """Positions of the first `per_class` items of each class, in the order of the file."""
    return np.sort(np.concatenate([np.flatnonzero(labels == k)[:per_class] for k in range(10)]))


def sheet(pictures: np.ndarray) -> bytes:
    """A greyscale PNG with the pictures [N, 28, 28] in rows of MINI_ACROSS."""
    rows = pictures.reshape(-1, MINI_ACROSS, 28, 28).swapaxes(1, 2).reshape(-1, MINI_ACROSS * 28)
    buffer = io.BytesIO()
    Image.fromarray(rows).convert("RGB").save(buffer, "WEBP", lossless=True, quality=100, method=6, exact=True)
    return buffer.getvalue()


def main(folder: Path) -> None:
    names = list(KNOWN["fashion-mnist"])
    for name in names:
        if sha256_of(folder / name) != KNOWN["fashion-mnist"][name]:
            sys.exit(f"error: this is not the official file ({folder / name})")
    pictures, labels = [], []
    for prefix, per_class in MINI_PER_CLASS.items():
        of_file = np.asarray(read_idx(folder / f"{prefix}-labels-idx1-ubyte"))
        where = chosen(of_file, per_class)
        pictures.append(np.asarray(read_idx(folder / f"{prefix}-images-idx3-ubyte"))[where])
        labels.append("".join(map(str, of_file[where])))
    packed = sheet(np.concatenate(pictures))
    text = "\n".join(f"{part} {digits}" for part, digits in zip(("train", "test"), labels, strict=True)) + "\n"
    write_bytes(ASSETS / "fashion-mini.webp", packed)
    write_text(ASSETS / "fashion-mini.txt", text)
    for name in ("fashion-mini.webp", "fashion-mini.txt"):
        print(hashlib.sha256((ASSETS / name).read_bytes()).hexdigest(), name)
    print(len(CLASSES), "classes;", len(packed), "bytes of pictures")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/make_fashion_mini.py FOLDER")
    main(Path(sys.argv[1]))
