"""From datasets to batches: which pictures a step sees is a pure function of seed, feed, turn and step."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from zeuxis.data.dataset import Dataset
from zeuxis.data.memory import read_ahead
from zeuxis.draw import Stream, key_of
from zeuxis.errors import BadInput
from zeuxis.recipes.recipe import Batch, Feed


def order(seed: int, feed: str, turn: str, epoch: int, n: int) -> Tensor:
    """The order in which one epoch goes through n pictures, int64 [n]."""
    return Stream(key_of("order", seed, feed, turn, epoch)).permutation(n)


def moved(tensor: Tensor, device: str) -> Tensor:
    """The tensor on the device; to a CUDA device from pinned memory, so that the host need not wait."""
    if not device.startswith("cuda"):
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def to_image(pixels: Tensor, device: str = "cpu") -> Tensor:
    """uint8 [B, C, H, W] to float32 in [-1, 1] on the device."""
    return moved(pixels, device).to(torch.float32).mul_(1 / 127.5).sub_(1.0)


class Feeder:
    """Batches of one dataset for one feed; keeps the order of the epochs at hand, nothing else."""

    def __init__(self, dataset: Dataset, feed: Feed, name: str, seed: int, device: str, conditional: bool) -> None:
        self.dataset, self.feed, self.name = dataset, feed, name
        self.seed, self.device = seed, device
        self.labels = (
            torch.from_numpy(np.asarray(dataset.labels, dtype=np.int64))
            if conditional and dataset.labels is not None
            else None
        )
        self._orders: dict[tuple[str, int], Tensor] = {}

    def _order(self, turn: str, epoch: int) -> Tensor:
        if (turn, epoch) not in self._orders:
            self._orders = {k: v for k, v in self._orders.items() if k[0] != turn or k[1] == epoch - 1}
            self._orders[turn, epoch] = order(self.seed, self.name, turn, epoch, len(self.dataset))
        return self._orders[turn, epoch]

    def positions(self, turn: str, step: int) -> Tensor:
        """Positions of the whole (global) batch of a step, int64 [size]."""
        n, size = len(self.dataset), self.feed.size
        place = torch.arange(step * size, (step + 1) * size)
        epoch, within = place // n, place % n
        parts = [self._order(turn, int(e))[within[epoch == e]] for e in range(int(epoch[0]), int(epoch[-1]) + 1)]
        return torch.cat(parts)

    def batch(self, turn: str, step: int, rank: int = 0, world: int = 1) -> Batch:
        """This process's strided rows of a step's batch."""
        now = self.at(self.positions(turn, step)[rank::world])
        read_ahead(self.dataset, self.positions(turn, step + 1)[rank::world])
        return now

    def at(self, positions: Tensor) -> Batch:
        label = None if self.labels is None else moved(self.labels[positions], self.device)
        return Batch(to_image(self.dataset.images(positions), self.device), label, index=positions)


def check(feeds: Mapping[str, Feed], streams: Mapping[str, Dataset], world: int, micro: int = 1) -> None:
    """Raises BadInput where a stream is missing or empty, or a batch does not divide over processes and parts."""
    for feed in feeds.values():
        if feed.stream not in streams:
            raise BadInput(f"the recipe needs a stream of pictures named `{feed.stream}`")
        if not len(streams[feed.stream]):
            raise BadInput(f"the stream `{feed.stream}` has no pictures")
        if feed.size % (world * micro):
            shares = " and ".join(f"{n} {what}" for n, what in ((world, "processes"), (micro, "parts")) if n > 1)
            raise BadInput(
                f"a batch of {feed.size} does not divide over {shares}",
                "",
                f"use `--batch {-(-feed.size // (world * micro)) * world * micro}`",
            )


def feeders(
    feeds: Mapping[str, Feed], streams: Mapping[str, Dataset], seed: int, device: str, conditional: bool
) -> dict[str, Feeder]:
    """One feeder per feed; `check` has seen that the streams are there."""
    return {name: Feeder(streams[feed.stream], feed, name, seed, device, conditional) for name, feed in feeds.items()}
