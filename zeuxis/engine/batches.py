"""From datasets to batches: which pictures a step sees is a pure function of seed, feed, phase and step."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from zeuxis.data.dataset import Dataset
from zeuxis.data.memory import read_ahead
from zeuxis.draw import Stream, key_of
from zeuxis.errors import BadInput
from zeuxis.recipes.recipe import Batch, BatchSpec


def order(seed: int, batch_spec: str, phase: str, epoch: int, n: int) -> Tensor:
    """The order in which one epoch goes through n pictures, int64 [n]."""
    return Stream(key_of("order", seed, batch_spec, phase, epoch)).permutation(n)


def moved(tensor: Tensor, device: str) -> Tensor:
    """The tensor on the device; to a CUDA device from pinned memory, so that the host need not wait."""
    if not device.startswith("cuda"):
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def to_image(pixels: Tensor, device: str = "cpu") -> Tensor:
    """uint8 [B, C, H, W] to float32 in [-1, 1] on the device; maps, which are float32, as they are."""
    if pixels.is_floating_point():
        return moved(pixels, device)
    return moved(pixels, device).to(torch.float32).mul_(1 / 127.5).sub_(1.0)


class BatchSampler:
    """Batches of one dataset for one feed; keeps the order of the epochs at hand, nothing else."""

    def __init__(
        self,
        dataset: Dataset,
        batch_spec: BatchSpec,
        name: str,
        seed: int,
        device: str,
        conditional: bool,
        targets: Dataset | None = None,
    ) -> None:
        self.dataset, self.targets, self.batch_spec, self.name = dataset, targets, batch_spec, name
        self.seed, self.device = seed, device
        self.labels = (
            torch.from_numpy(np.asarray(dataset.labels, dtype=np.int64))
            if conditional and dataset.labels is not None
            else None
        )
        self._orders: dict[tuple[str, int], Tensor] = {}

    def _order(self, phase: str, epoch: int) -> Tensor:
        if (phase, epoch) not in self._orders:
            self._orders = {k: v for k, v in self._orders.items() if k[0] != phase or k[1] == epoch - 1}
            self._orders[phase, epoch] = order(self.seed, self.name, phase, epoch, len(self.dataset))
        return self._orders[phase, epoch]

    def positions(self, phase: str, step: int) -> Tensor:
        """Positions of the whole (global) batch of a step, int64 [size]."""
        n, size = len(self.dataset), self.batch_spec.size
        place = torch.arange(step * size, (step + 1) * size)
        epoch, within = place // n, place % n
        parts = [self._order(phase, int(e))[within[epoch == e]] for e in range(int(epoch[0]), int(epoch[-1]) + 1)]
        return torch.cat(parts)

    def batch(self, phase: str, step: int, rank: int = 0, world: int = 1) -> Batch:
        """This process's strided rows of a step's batch."""
        now = self.at(self.positions(phase, step)[rank::world])
        for dataset in (self.dataset, self.targets):
            if dataset is not None:
                read_ahead(dataset, self.positions(phase, step + 1)[rank::world])
        return now

    def at(self, positions: Tensor) -> Batch:
        label = None if self.labels is None else moved(self.labels[positions], self.device)
        target = None if self.targets is None else to_image(self.targets.images(positions), self.device)
        return Batch(to_image(self.dataset.images(positions), self.device), label, target, positions)


def check(samplers: Mapping[str, BatchSpec], streams: Mapping[str, Dataset], world: int, micro: int = 1) -> None:
    """Raises BadInput where a stream is missing or empty, a target is, or a batch does not divide over processes and
    parts."""
    for batch_spec in samplers.values():
        for stream in filter(None, (batch_spec.stream, batch_spec.target)):
            if stream not in streams:
                raise BadInput(f"the recipe needs a stream of pictures named `{stream}`")
            if not len(streams[stream]):
                raise BadInput(f"the stream `{stream}` has no pictures")
        if batch_spec.target and len(streams[batch_spec.target]) != len(streams[batch_spec.stream]):
            counts = " and ".join(f"{len(streams[n]):,} in `{n}`" for n in (batch_spec.stream, batch_spec.target))
            raise BadInput(f"each picture needs its target: there are {counts}")
        if batch_spec.size % (world * micro):
            shares = " and ".join(f"{n} {what}" for n, what in ((world, "processes"), (micro, "parts")) if n > 1)
            raise BadInput(
                f"a batch of {batch_spec.size} does not divide over {shares}",
                "",
                f"use `--batch {-(-batch_spec.size // (world * micro)) * world * micro}`",
            )


def sampler_of(
    name: str, batch_spec: BatchSpec, streams: Mapping[str, Dataset], seed: int, device: str, conditional: bool
) -> BatchSampler:
    targets = streams[batch_spec.target] if batch_spec.target else None
    return BatchSampler(streams[batch_spec.stream], batch_spec, name, seed, device, conditional, targets)


def batch_samplers(
    samplers: Mapping[str, BatchSpec], streams: Mapping[str, Dataset], seed: int, device: str, conditional: bool
) -> dict[str, BatchSampler]:
    """One sampler for each batch spec; `check` has seen that the streams are there."""
    return {
        name: sampler_of(name, batch_spec, streams, seed, device, conditional) for name, batch_spec in samplers.items()
    }
