"""Sets by name: `fashion-mini`, which comes with the package, and `fashion-mnist`, `mnist`, `cifar10`."""

import gzip
import hashlib
import io
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from zeuxis.data import download
from zeuxis.data.arrays import Arrays, from_cifar, from_idx
from zeuxis.data.files import sha256_of
from zeuxis.data.idx import FASHION
from zeuxis.errors import BadInput
from zeuxis.platform import cache_folder

ASSETS = Path(__file__).parent / "assets"
CLASSES = FASHION
MINI_ACROSS = 100
MINI_PER_CLASS = {"train": 400, "t10k": 100}
"""How many pictures of each class come from which pair of official files: the first ones, in file order."""

_MINI_SHA256 = {
    "fashion-mini.webp": "d901cf49264efecaaecc1233d39c11e1df8452250314ca6501e17f83cac3facc",
    "fashion-mini.txt": "3e7e127ed8338fa018db0bb832eb752dc3f0bec02fd8fad59991c753a1c7ae8b",
}

KNOWN = {
    "fashion-mnist": {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    "mnist": {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "cifar10": {
        "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    },
}
"""sha256 of the unpacked official files."""


def _asset(name: str) -> bytes:
    path = ASSETS / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput("a file of the package is missing", str(path), "install zeuxis again") from error
    if hashlib.sha256(data).hexdigest() != _MINI_SHA256[name]:
        raise BadInput("a file of the package is damaged", str(path), "install zeuxis again")
    return data


def fashion_mini() -> Arrays:
    """5,000 real pictures of Fashion-MNIST, 28x28 grey, ten classes, 400 train and 100 test of each.

    Raises BadInput when the files of the package are damaged.
    """
    rows = [line.split() for line in _asset("fashion-mini.txt").decode().splitlines()]
    labels = np.array([int(digit) for _, digits in rows for digit in digits], dtype=np.int64)
    parts = [part for part, digits in rows for _ in digits]
    with Image.open(io.BytesIO(_asset("fashion-mini.webp")), formats=["WEBP"]) as sheet:
        pixels = np.asarray(sheet)[..., 0]  # grey three times, as this format has no other
    pictures = pixels.reshape(-1, 28, MINI_ACROSS, 28).swapaxes(1, 2).reshape(-1, 28, 28, 1)
    sources = [f"fashion-mini/{part}/{i:04d}" for part, digits in rows for i in range(len(digits))]
    return Arrays(pictures, labels, CLASSES, sources, parts)


def _idx_set(folder: Path, wanted: dict[str, str]) -> Arrays | None:
    """The four idx files of a folder, packed or not, in the order of `wanted`; None where one is missing."""
    for name, sha256 in wanted.items():
        path = _either(folder, name)
        if path is None:
            return None
        if _unpacked_sha256(path) != sha256:
            raise BadInput("this is not the official file", str(path), "remove it, or open its folder by its path")
    return from_idx([path for name in wanted if "images" in name and (path := _either(folder, name))])


def _either(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _unpacked_sha256(path: Path) -> str:
    try:
        if path.suffix != ".gz":
            return sha256_of(path)
        with gzip.open(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput("this file cannot be read", str(path), "remove it and fetch it again") from error


def _cifar_set(folder: Path, wanted: dict[str, str]) -> Arrays | None:
    """The six record files of a folder, or of the folder that the official archive unpacks to."""
    inner = folder / "cifar-10-batches-bin"
    folder = inner if inner.is_dir() else folder
    if not all((folder / name).is_file() for name in wanted):
        return None
    for name, sha256 in wanted.items():
        if sha256_of(folder / name) != sha256:
            raise BadInput("this is not the official file", str(folder / name), "remove it and fetch it again")
    return from_cifar([folder / name for name in wanted])


_READERS = {"fashion-mnist": _idx_set, "mnist": _idx_set, "cifar10": _cifar_set}


def find(name: str, folder: Path | None = None) -> Arrays:
    """A set of NAMES: from `folder`, else the cache, else downloaded into the cache; every file checked by sha256.

    Raises BadInput where it is nowhere, with what to put where, and for a file that is not the official one.
    """
    if name == "fashion-mini":
        return fashion_mini()
    wanted, read = KNOWN[name], _READERS[name]
    place = folder or cache_folder() / name
    arrays = read(place, wanted)
    if arrays is None and folder is not None:
        raise BadInput(f"{name} is not in this folder", str(folder), f"it needs {', '.join(wanted)}")
    if arrays is None:
        download.fetch(name, place, wanted)
        arrays = read(place, wanted)
    if arrays is None:
        raise BadInput(f"{name} was downloaded and cannot be found", str(place))
    return arrays


def is_here(name: str) -> bool:
    """Whether the set can be opened without a network; nothing is checked but that the files are there."""
    place = cache_folder() / name
    inner = place / "cifar-10-batches-bin"
    return name == "fashion-mini" or all(_either(place, file) or _either(inner, file) for file in KNOWN[name])
