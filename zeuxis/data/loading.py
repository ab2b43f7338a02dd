"""Candidates of a source to pixels: in parallel, with decoders kept quiet, and no more held than was asked for."""

import logging
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from zeuxis.data.decode import Decoded, Shape, Unreadable, decode, is_grey, shaped, with_channels
from zeuxis.data.memory import item_digest
from zeuxis.data.sources import Entry
from zeuxis.platform import cores

_QUIET = threading.Lock()
_AT_ONCE = 256
"""Files handed to the pool at a time, so that decoded pictures do not pile up."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps decoders' remarks on odd files out of the way; one caller at a time, as warning filters are shared."""
    log = logging.getLogger("PIL")
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        level = log.level
        log.setLevel(logging.CRITICAL)
        try:
            Image.init()
            yield
        finally:
            log.setLevel(level)


def parallel(work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
    """work(item) for each item, in order, by as many threads as there are cores (decoders leave Python's lock)."""
    with ThreadPoolExecutor(min(cores(), 32)) as pool:
        for start in range(0, len(items), _AT_ONCE):
            with quiet():
                done = list(pool.map(work, items[start : start + _AT_ONCE]))
            yield from done  # outside, so that a caller who stops halfway leaves no filter behind
            done.clear()  # else these are still there while the next ones are decoded


@dataclass(frozen=True)
class Loaded:
    """One picture: pixels uint8 HWC (one channel where it is grey and the channels are open), its hashes and flags.

    pixels is None where they were let go; size is (height, width).
    """

    pixels: np.ndarray | None
    size: tuple[int, int]
    grey_hash: bytes | None
    hash: bytes
    generated: bool
    animated: bool


Loader = Callable[[Shape], Decoded]


def _load(loader: Loader, shape: Shape) -> Loaded | str:
    """The picture, or in words why there is none."""
    try:
        found = loader(shape)
    except Unreadable as error:
        return str(error)
    pixels, flags = found.pixels, (found.generated, found.animated)
    size = (pixels.shape[0], pixels.shape[1])
    if shape.channels is not None or not is_grey(pixels):
        return Loaded(pixels, size, None, item_digest(pixels), *flags)
    grey = with_channels(pixels, 1)
    return Loaded(grey, size, item_digest(grey), item_digest(with_channels(grey, 3)), *flags)


def metered(shape: Shape, limit: int) -> Callable[["Candidate"], Loaded | str]:
    """Loads candidates; from `limit` bytes of pixels on, all told, it keeps only what is known of the pixels."""
    used, lock = 0, threading.Lock()

    def load(candidate: "Candidate") -> Loaded | str:
        nonlocal used
        found = _load(candidate.load, shape)
        if isinstance(found, str) or found.pixels is None:
            return found
        with lock:
            used += found.pixels.nbytes
            return found if used <= limit else replace(found, pixels=None)

    return load


def file_loader(entry: Entry) -> Loader:
    def load(shape: Shape) -> Decoded:
        try:
            file = entry.open()
        except Exception as error:  # zip members fail in many ways: passwords, methods, damage
            raise Unreadable(f"cannot be unpacked: {' '.join(str(error).split())[:120]}") from error
        return decode(file, shape)

    return load


def row_loader(row: np.ndarray) -> Loader:
    """Brings one picture of an array, uint8 [H, W, C], to a shape as if it were a file."""

    def load(shape: Shape) -> Decoded:
        image = Image.fromarray(np.ascontiguousarray(row[..., 0] if row.shape[2] == 1 else row))
        pixels = np.asarray(shaped(image, shape))
        return Decoded(pixels[:, :, None] if pixels.ndim == 2 else pixels)

    return load


@dataclass(frozen=True)
class Candidate:
    """A loader and what its source says of the picture."""

    name: str
    load: Loader
    label: str | None = None
    group: str | None = None
    part: str | None = None
