"""Candidates of a source to pixels: in parallel, with decoders kept quiet, and no more held than was asked for."""

import logging
import math
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from PIL import Image

from zeuxis.data.decode import Decoded, Shape, decode, frames_of, is_grey, shaped, with_channels
from zeuxis.data.listing import Entry
from zeuxis.data.memory import item_digest
from zeuxis.data.origin import PLAIN, Origin
from zeuxis.data.ranges import BELOW, Deep, white_for
from zeuxis.data.signatures import Unreadable
from zeuxis.errors import BadInput, counted
from zeuxis.platform import cores

_OURS = "(?#zeuxis)"
"""A pattern that every message matches, and that no filter of others has."""
_AT_ONCE = 256
"""Files handed to the pool at a time, so that decoded pictures do not pile up."""


class _Quiet:
    """Counts who decodes; while anybody does, decoders' remarks are kept back."""

    def __init__(self) -> None:
        self._lock, self._count, self._level = threading.Lock(), 0, logging.NOTSET

    def __enter__(self) -> None:
        with self._lock:
            self._count += 1
            if self._count > 1:
                return
            Image.init()
            # an entry of our own, added and removed, so that filters set by others meanwhile stay as they are
            warnings.filterwarnings("ignore", message=_OURS)
            log = logging.getLogger("PIL")
            self._level = log.level
            log.setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1
            if self._count:
                return
            mine = [x for x in warnings.filters if getattr(x[1], "pattern", None) == _OURS]
            for entry in mine:
                warnings.filters.remove(entry)  # type: ignore[attr-defined]
            logging.getLogger("PIL").setLevel(self._level)


_QUIET = _Quiet()


def quiet() -> AbstractContextManager[None]:
    """Keeps decoders' remarks on odd files out of the way while pictures are decoded, by as many threads as there are.

    Warning filters and loggers are the process's: what others set of them meanwhile stays.
    """
    return _QUIET


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
    origin: Origin = PLAIN
    frames: int = 1
    deep: Deep | None = None
    laid: bool = False
    aspect: float = 0.0


Loader = Callable[[Shape], Decoded]


def _load(loader: Loader, shape: Shape) -> Loaded | str:
    """The picture, or in words why there is none."""
    try:
        decoded = loader(shape)
    except Unreadable as error:
        return str(error)
    pixels, flags = decoded.pixels, (decoded.origin, decoded.frames, decoded.deep, decoded.laid, decoded.aspect)
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
        loaded = _load(candidate.load, shape)
        if isinstance(loaded, str) or loaded.pixels is None:
            return loaded
        with lock:
            used += loaded.pixels.nbytes
            return loaded if used <= limit else replace(loaded, pixels=None)

    return load


def _opened(entry: Entry) -> IO[bytes] | Path:
    try:
        return entry.open()
    except Exception as error:  # zip members fail in many ways: passwords, methods, damage
        raise Unreadable(f"cannot be unpacked: {' '.join(str(error).split())[:120]}") from error


def file_loader(entry: Entry, frame: int = 0) -> Loader:
    """Decodes a file; what a list says of it holds, unless its own note says that a model made it."""

    def load(shape: Shape) -> Decoded:
        decoded = decode(_opened(entry), shape, frame)
        if not entry.kind or decoded.origin.kind == "made":
            return decoded
        return replace(decoded, origin=replace(decoded.origin, kind=entry.kind))

    return load


def frame_count(entry: Entry) -> int:
    """How many frames or pages a file has; 1 where it cannot be read, which is told when it is decoded."""
    try:
        return frames_of(_opened(entry))
    except Unreadable:
        return 1


def row_loader(row: np.ndarray) -> Loader:
    """Brings one picture of an array, uint8 [H, W, C], to a shape as if it were a file."""

    def load(shape: Shape) -> Decoded:
        image = Image.fromarray(np.ascontiguousarray(row[..., 0] if row.shape[2] == 1 else row))
        pixels = np.asarray(shaped(image, shape))
        return Decoded(pixels[:, :, None] if pixels.ndim == 2 else pixels)

    return load


@dataclass(frozen=True)
class Candidate:
    """A loader and what its source says of the picture; frame: whether it is one of all frames of a file."""

    name: str
    load: Loader
    label: str | None = None
    group: str | None = None
    part: str | None = None
    frame: bool = False


@dataclass(frozen=True)
class Taken:
    """What of the files is taken. made: the pictures that a model made, too; frames: "first" or "all" of a file.

    white: the number that is white in files of more than 8 bits; None for the end of the range that the set uses.
    half: of two pictures side by side in each file. exact: no colours are mixed, see `zeuxis.data.label_maps`.
    """

    made: bool = True
    frames: str = "first"
    white: float | None = None
    half: Literal["", "left", "right"] = ""
    exact: bool = False

    def __post_init__(self) -> None:
        if self.frames not in ("first", "all"):
            raise BadInput(f"--frames cannot be `{self.frames}`", "", "say first or all")
        if self.white is not None and not 0 < self.white < math.inf:
            raise BadInput(f"--range must be above zero, not {self.white:g}", "", "say 4095 for 12 bits")

    def shaped(self, shape: Shape) -> Shape:
        whites = None if self.white is None else (self.white, self.white)
        return replace(shape, whites=whites, half=self.half, exact=self.exact)

    def leaves_out(self, loaded: Loaded) -> str:
        """Why a picture is not taken: "made" by a model, or a "sheet" of several; empty for one that is."""
        kind = loaded.origin.kind
        return kind if kind == "sheet" or (kind == "made" and not self.made) else ""


ALL = Taken()


def whites_in_use(loaded: Sequence[Loaded | Decoded]) -> tuple[float, float] | None:
    """White of whole numbers and of floats over all pictures; None where all were decoded with these already."""
    deep = [one.deep for one in loaded if one.deep is not None]
    tops = {kind: max((one.top for one in deep if one.kind == kind), default=0.0) for kind in ("int", "float")}
    whites = {kind: white_for(kind, top) for kind, top in tops.items()}
    return (whites["int"], whites["float"]) if any(one.white != whites[one.kind] for one in deep) else None


def content_remarks(loaded: Sequence[Loaded], left: Mapping[str, int], taken: Taken) -> list[str]:
    """What is to be said of the content: frames left out, the range of numbers, pictures of models, sets of studies.

    left: how many were left out, by what `Taken.leaves_out` says.
    """
    remarks = []
    if sheets := left.get("sheet", 0):
        remarks.append(f"left out: {counted(sheets, 'sheet')} of several pictures that Zeuxis wrote, such as grid.png")
    n_generated = left.get("made", 0)
    if n_generated:
        remarks.append(
            f"{counted(n_generated, 'picture')} made by a model {'are' if n_generated > 1 else 'is'} left out, "
            "and never in a part that is held out; `--generated train` trains on them too"
        )
    remarks += unused(taken, any(one.deep for one in loaded), any(one.frames > 1 for one in loaded))
    more = [one.frames - 1 for one in loaded if one.frames > 1]
    if more and taken.frames == "first":
        remarks.append(
            f"the first frame or page of {counted(len(more), 'file')} is taken, {sum(more)} more are left out; "
            "`--frames all` takes them"
        )
    if laid := sum(one.laid for one in loaded):
        remarks.append(
            f"{counted(laid, 'picture')} with transparency: laid on white; `--channels 4` keeps what is transparent"
        )
    for kind in ("int", "float"):
        deep = [one.deep for one in loaded if one.deep is not None and one.deep.kind == kind]
        dark = [one.top for one in deep if 0 < one.top * 4 < one.white and one.low >= -BELOW * one.top]
        if deep and (dark or kind == "float" or deep[0].white != 65535):
            top, over = max(one.top for one in deep), sum(one.top > one.white for one in deep)
            cut = f", which cuts off numbers of {counted(over, 'picture')}" if over else "; --range sets another"
            remarks.append(
                f"{counted(len(deep), 'picture')} with numbers up to {top:g}: {deep[0].white:g} is white{cut}"
            )
        elif deep:
            remarks.append(f"{counted(len(deep), 'picture')} of 16 bits {'are' if len(deep) > 1 else 'is'} read as 8")
        if below := [one.low for one in deep if one.low < 0]:
            remarks.append(
                f"{counted(len(below), 'picture')} with numbers below zero, down to {min(below):g}: they become black"
            )
        if dark:
            stay = "stay" if len(dark) > 1 else "stays"
            remarks.append(
                f"{counted(len(dark), 'picture')} of these {stay} dark, with numbers up to {max(dark):g} alone; "
                f"`--range {white_for(kind, max(dark)):g}` makes that white"
            )
    studies = sorted({one.origin.study for one in loaded if one.origin.study})
    for study in studies:
        with_made = any(one.origin.kind == "made" for one in loaded if one.origin.study == study)
        learned = "its generated pictures were learned from its real ones"
        what = learned if with_made else "none of those taken is a generated one"
        remarks.append(f"pictures of the set that the study `{study}` wrote: {what}")
    return remarks


def unused(taken: Taken, deep: bool, several: bool) -> list[str]:
    """A line on each flag that changes nothing. deep: there are files of more than 8 bits; several: of more frames."""
    lines = []
    if taken.white is not None and not deep:
        lines.append(f"`--range {taken.white:g}` changes nothing: no file here has more than 8 bits")
    if taken.frames == "all" and not several:
        lines.append("`--frames all` changes nothing: every file here has one frame or page")
    return lines
