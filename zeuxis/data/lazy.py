"""Pictures that are decoded when asked for, by one pool of threads that also reads ahead."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from zeuxis.data.dataset import Item, Spec
from zeuxis.data.decode import Shape, with_channels
from zeuxis.data.listing import Skipped
from zeuxis.data.loading import Loader, quiet
from zeuxis.data.memory import Index, item_digest, positions_of
from zeuxis.data.origin import Origin
from zeuxis.data.signatures import Unreadable
from zeuxis.errors import BadInput
from zeuxis.platform import cores

_HELD = 256 << 20
"""Bytes of pixels that may lie decoded ahead."""
_AT_ONCE = 256


class Ahead:
    """work(i) by threads that live as long as this does; what was announced is worked on before it is asked for.

    most: how many announced results are held; beyond, the oldest are let go. A forked process gets threads of its own.
    """

    def __init__(self, work: Callable[[int], np.ndarray], most: int) -> None:
        self._work, self._most = work, most
        self._pending: dict[int, Future[np.ndarray]] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None or self._process != os.getpid():
            self._pool, self._process = ThreadPoolExecutor(min(cores(), 32), "zeuxis-read"), os.getpid()
            self._pending.clear()
        return self._pool

    def announce(self, positions: list[int]) -> None:
        """Begins to work on these, which will be asked for."""
        pool = self._threads()
        for i in positions[: self._most]:
            if i not in self._pending:
                self._pending[i] = pool.submit(self._work, i)
        while len(self._pending) > self._most:
            self._pending.pop(next(iter(self._pending))).cancel()

    def take(self, positions: list[int]) -> list[np.ndarray]:
        """The results of these positions, in their order. Raises what the work raised."""
        pool = self._threads()
        waiting = [self._pending.pop(i) if i in self._pending else pool.submit(self._work, i) for i in positions]
        return [one.result() for one in waiting]


@dataclass(eq=False)
class FileDataset:
    """Pictures that are decoded when asked for, because together they are larger than the memory limit."""

    loaders: list[Loader]
    shape: Shape
    spec: Spec
    digest: str
    hashes: list[bytes]
    labels: np.ndarray | None
    groups: list[str] | None
    sources: list[str]
    parts: list[str] | None
    generated: list[bool] | None
    origins: list[Origin] | None
    aspects: list[float]
    skipped: Skipped
    notes: Skipped
    remarks: list[str]
    _reading: Ahead = field(init=False, repr=False)

    def __post_init__(self) -> None:
        bytes_each = max(1, self.spec.channels * self.spec.height * self.spec.width)
        self._reading = Ahead(self._pixels, max(1, min(4096, _HELD // bytes_each)))

    def __len__(self) -> int:
        return len(self.loaders)

    def _pixels(self, i: int) -> np.ndarray:
        try:
            with quiet():  # remarks on odd files were heard when they were opened
                pixels = with_channels(self.loaders[i](self.shape).pixels, self.spec.channels)
        except Unreadable as error:
            raise BadInput(f"a picture can no longer be read: it {error}", self.sources[i], "start again") from error
        if item_digest(pixels) != self.hashes[i]:
            raise BadInput("a picture has changed since the data was opened", self.sources[i], "start again")
        return pixels

    def item(self, i: int) -> Item:
        return Item(
            image=self._reading.take([i])[0],
            label=None if self.labels is None else int(self.labels[i]),
            group=None if self.groups is None else self.groups[i],
            source=self.sources[i],
        )

    def ahead(self, index: Index) -> None:
        """Begins to decode the pictures at these positions, which will be asked for next."""
        self._reading.announce(positions_of(index).tolist())

    def images(self, index: Index) -> Tensor:
        """uint8 [B, C, H, W] for the given positions, in their order, decoded in parallel."""
        positions = positions_of(index).tolist()
        batch = torch.empty(len(positions), self.spec.channels, self.spec.height, self.spec.width, dtype=torch.uint8)
        for start in range(0, len(positions), _AT_ONCE):  # so that the pictures and the batch are never both whole
            for k, pixels in enumerate(self._reading.take(positions[start : start + _AT_ONCE]), start):
                batch[k] = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
        return batch
