"""Pictures of any size, and the squares that are cut out of them to train on."""

import contextlib
import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zeuxis.data.arrays import Arrays
from zeuxis.data.dataset import Item, Spec
from zeuxis.data.decode import Shape, shaped, with_channels
from zeuxis.data.listing import Skipped
from zeuxis.data.loading import (
    ALL,
    Candidate,
    Loaded,
    Taken,
    content_remarks,
    metered,
    parallel,
    row_loader,
    unused,
    whites_in_use,
)
from zeuxis.data.memory import Index, MemoryDataset, item_digest, positions_of
from zeuxis.data.origin import Origin
from zeuxis.data.reader import candidates_of, check_made, check_read, found_at, frames_left_out
from zeuxis.data.trees import BY_RULE, Where
from zeuxis.draw import Stream, key_of
from zeuxis.errors import BadInput

THUMB = 64  # pixels; copies of a picture are told by these
_FLAT = 6.0  # grey levels: squares that vary less teach little, and sky and water have most of them
_HUGE = 1 << 62


@dataclass(eq=False)
class Pictures:
    """Pictures of any size in one uint8 store, in memory or on the disk.

    sizes: int64 [N, 2], height and width; channels: of all; hashes: sha256 of each one's pixels.
    """

    store: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    channels: int
    hashes: list[bytes]
    groups: list[str] | None
    sources: list[str]
    parts: list[str] | None
    generated: list[bool]
    skipped: Skipped
    notes: Skipped
    remarks: list[str]
    origins: list[Origin] | None = None

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def digest(self) -> str:
        """sha256 over the pixels of all pictures, in their order."""
        return hashlib.sha256(repr((self.channels, len(self))).encode() + b"".join(self.hashes)).hexdigest()

    def pixels(self, i: int) -> np.ndarray:
        """uint8 [H, W, C], a view."""
        height, width = self.sizes[i]
        start = self.starts[i]
        return self.store[start : start + height * width * self.channels].reshape(height, width, self.channels)

    def thumbnails(self) -> MemoryDataset:
        """Every picture at 64x64 pixels: equal enough to tell which are copies, and small enough to compare."""
        shape = Shape((THUMB, THUMB), self.channels, "stretch")
        small = torch.empty(len(self), self.channels, THUMB, THUMB, dtype=torch.uint8)
        for i in range(len(self)):
            pixels = self.pixels(i)
            image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if self.channels == 1 else pixels))
            one = np.asarray(shaped(image, shape)).reshape(THUMB, THUMB, self.channels)
            small[i] = torch.from_numpy(one.copy()).permute(2, 0, 1)
        return MemoryDataset(
            small,
            groups=self.groups,
            sources=self.sources,
            parts=self.parts,
            generated=self.generated,
            origins=self.origins,
        )


class _Store:
    """Takes pictures one after another; their pixels lie in memory, and from `limit` bytes on in an unnamed file.

    channels: of all; None for one as long as all are grey, else three.
    """

    def __init__(self, channels: int | None, limit: int, files: contextlib.ExitStack) -> None:
        self.width, self._open, self._limit, self._files = channels or 1, channels is None, limit, files
        self._parts: list[np.ndarray] = []
        self._spill: IO[bytes] | None = None
        self._size = 0

    def add(self, pixels: np.ndarray, grey: bool) -> None:
        if self._open and self.width == 1 and not grey:
            self._widen()
        part = with_channels(pixels, self.width) if self._open else pixels
        self._parts.append(np.ascontiguousarray(part).reshape(-1))
        self._size += part.size
        self._spill_over()

    def _file(self) -> IO[bytes]:
        return self._files.enter_context(tempfile.TemporaryFile())

    def _spill_over(self) -> None:
        if self._size > self._limit:
            self._spill = self._spill or self._file()
            for part in self._parts:
                self._spill.write(part.data)
            self._parts.clear()

    def _widen(self) -> None:
        """The first colours came: all that was kept as grey gets three channels."""
        self.width, self._size = 3, 3 * self._size
        self._spill_over()
        self._parts = [np.repeat(part, 3) for part in self._parts]
        if self._spill is not None:
            grey, self._spill = self._spill, self._file()
            grey.seek(0)
            while chunk := grey.read(1 << 20):
                self._spill.write(np.repeat(np.frombuffer(chunk, np.uint8), 3).data)

    def whole(self) -> np.ndarray:
        """uint8 [all bytes]: a memory map, which lives on when the file is closed, where they lie in one."""
        if self._spill is None:
            return np.concatenate(self._parts) if self._parts else np.zeros(0, np.uint8)
        self._spill.flush()
        return np.memmap(self._spill, np.uint8, "r", shape=(self._size,))


def _stored(loaded: Iterator[Loaded], channels: int | None, limit: int) -> tuple[np.ndarray, list[Loaded], int]:
    """All pixels in one row, on the disk from `limit` bytes on; the rest of what is known; and the channels."""
    kept: list[Loaded] = []
    with contextlib.ExitStack() as files:
        store = _Store(channels, limit, files)
        for one in loaded:
            assert one.pixels is not None
            store.add(one.pixels, one.grey_hash is not None)
            kept.append(replace(one, pixels=None))
        return store.whole(), kept, store.width


def _of_arrays(arrays: Arrays, wanted: int | None, limit: int, taken: Taken) -> Pictures:
    n, height, width, channels = arrays.pixels.shape
    if wanted in (None, channels):
        store, hashes = np.ascontiguousarray(arrays.pixels).reshape(-1), [item_digest(p) for p in arrays.pixels]
    else:
        shape = metered(Shape(None, wanted), _HUGE)
        rows = [Candidate(source, row_loader(row)) for source, row in zip(arrays.sources, arrays.pixels, strict=True)]
        store, known, channels = _stored((one for one in parallel(shape, rows)), wanted, limit)
        hashes = [one.hash for one in known]
    starts, sizes = np.arange(n) * height * width * channels, np.tile([height, width], (n, 1))
    plain, remarks = [False] * n, arrays.remarks + unused(taken, deep=False, several=False)
    return Pictures(store, starts, sizes, channels, hashes, None, arrays.sources, arrays.parts, plain, [], [], remarks)


def open_pictures(
    source: str | Path,
    *,
    channels: int | None = None,
    strict: bool = False,
    where: Where = BY_RULE,
    taken: Taken = ALL,
    memory_limit: int = 2 << 30,
) -> Pictures:
    """Opens a folder, zip, table or set by name as pictures of their own sizes; labels are left aside.

    channels: 1 to 4; None is 1 where all is grey, else 3. From `memory_limit` bytes of pixels on they lie in an
    unnamed file on the disk. Raises BadInput as `open_dataset` does.
    """
    listing = found_at(source, replace(where, labels=False))
    if isinstance(listing, Arrays):
        return _of_arrays(listing, channels, memory_limit, taken)
    channels = channels or listing.channels
    candidates, skipped = candidates_of(listing, taken), list(listing.skipped)
    left: Counter[str] = Counter()
    kept: list[Candidate] = []

    def loaded(shape: Shape) -> Iterator[Loaded]:
        kept.clear()
        skipped[:] = listing.skipped
        left.clear()
        for candidate, outcome in zip(candidates, parallel(metered(shape, _HUGE), candidates), strict=True):
            if isinstance(outcome, str):
                skipped.append((candidate.name, outcome))
            elif out := taken.leaves_out(outcome):
                left[out] += 1
            else:
                kept.append(candidate)
                yield outcome

    store, known, width = _stored(loaded(taken.shaped(Shape(None, channels))), channels, memory_limit)
    whites = whites_in_use(known) if taken.white is None else None
    if whites is not None:
        store, known, width = _stored(loaded(Shape(None, channels, whites=whites)), channels, memory_limit)
    check_made(len(kept), left["made"], str(Path(source).expanduser()))
    check_read(len(kept), skipped, str(Path(source).expanduser()), strict)
    sizes = np.array([one.size for one in known], np.int64)
    ends = np.cumsum(sizes.prod(1) * width)
    return Pictures(
        store,
        np.concatenate([[0], ends[:-1]]).astype(np.int64),
        sizes,
        width,
        [one.hash for one in known],
        [c.group or c.name for c in kept] if any(c.group for c in kept) else None,
        [c.name for c in kept],
        [c.part for c in kept if c.part] if all(c.part for c in kept) else None,
        [bool(one.origin.kind) for one in known],
        skipped,
        frames_left_out(kept, known),
        listing.remarks + content_remarks(known, left, taken),
        [one.origin for one in known],
    )


def _places(height: int, width: int, size: int, key: int) -> np.ndarray:
    """int64 [n, 2], top and left of squares half a side apart, each moved by chance within its cell."""
    if min(height, width) < size:
        return np.zeros((0, 2), np.int64)
    step = max(1, size // 2)
    tops, lefts = (np.arange(0, side - size + 1, step) for side in (height, width))
    cells = np.stack(np.meshgrid(tops, lefts, indexing="ij"), -1).reshape(-1, 2)
    moved = cells + Stream(key).integers(len(cells), 2, high=step).numpy()
    inside: np.ndarray = np.minimum(moved, [height - size, width - size])
    return inside


def _varied(pixels: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
    """bool [n]: squares whose first channel varies by more than a flat one, every second pixel looked at."""
    return np.array([pixels[t : t + size : 2, x : x + size : 2, 0].std() > _FLAT for t, x in places], bool)


@dataclass(eq=False)
class Patches:
    """Squares of pictures as a dataset: a grid of places half a side apart, flat ones left out.

    places: int64 [N, 3], picture, top, left. The same pictures and size give the same squares.
    """

    pictures: Pictures
    size: int
    places: np.ndarray
    spec: Spec
    digest: str
    sources: list[str]
    labels: np.ndarray | None = None
    groups: list[str] | None = None
    parts: list[str] | None = None

    @property
    def skipped(self) -> Skipped:
        return self.pictures.skipped

    def __len__(self) -> int:
        return len(self.places)

    def _square(self, i: int) -> np.ndarray:
        picture, top, left = self.places[i]
        return self.pictures.pixels(picture)[top : top + self.size, left : left + self.size]

    def item(self, i: int) -> Item:
        return Item(self._square(i), source=self.pictures.sources[self.places[i, 0]])

    def images(self, index: Index) -> Tensor:
        """uint8 [B, C, size, size] for the given positions, in their order."""
        squares = [self._square(i) for i in positions_of(index).tolist()]
        whole = np.stack(squares) if squares else np.zeros((0, self.size, self.size, self.pictures.channels), np.uint8)
        return torch.from_numpy(whole).permute(0, 3, 1, 2).contiguous()


def cut(pictures: Pictures, chosen: np.ndarray, size: int) -> Patches:
    """The squares of some of the pictures. Raises BadInput where none of these is as large as a square."""
    squares = []
    for i in chosen.tolist():
        height, width = pictures.sizes[i].tolist()
        places = _places(height, width, size, key_of("patches", size, pictures.hashes[i]))
        varied = _varied(pictures.pixels(i), places, size)
        places = places[varied] if varied.any() else places
        squares.append(np.column_stack([np.full(len(places), i), places]))
    places = np.concatenate(squares) if squares else np.zeros((0, 3), np.int64)
    if not len(places):
        height, width = pictures.sizes[chosen].max(0) if len(chosen) else (0, 0)
        raise BadInput(
            f"no picture is as large as a square of {size} pixels",
            f"the largest sides are {height}x{width}",
            f"use `--patch {min(height, width)}` or less",
        )
    digest = hashlib.sha256(repr(size).encode() + b"".join(pictures.hashes[i] for i in chosen.tolist())).hexdigest()
    sources = [pictures.sources[i] for i in places[:, 0].tolist()]
    return Patches(pictures, size, places.astype(np.int64), Spec(pictures.channels, size, size), digest, sources)
