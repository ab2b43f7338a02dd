"""Processes side by side: which shard is ours, and what all of them must agree on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


class _GlobalMean(torch.autograd.Function):
    """All-reduced mean whose gradient is all-reduced too, so each rank's share counts once."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        out = x.clone()
        dist.all_reduce(out)
        return out / dist.get_world_size()

    @staticmethod
    def backward(ctx: object, grad: Tensor) -> Tensor:
        out = grad.contiguous().clone()
        dist.all_reduce(out)
        return out / dist.get_world_size()


@dataclass(frozen=True)
class Ranks:
    """This process among all that train one run; one process alone is rank 0 of 1."""

    rank: int = 0
    world: int = 1
    local: int = 0

    @property
    def first(self) -> bool:
        return self.rank == 0

    def mean(self, x: Tensor) -> Tensor:
        """Mean over dimension 0 of the global batch, [1, ...], with gradient."""
        mean = x.mean(0, keepdim=True)
        return mean if self.world == 1 else _GlobalMean.apply(mean)

    def average_(self, tensors: list[Tensor]) -> None:
        """Replaces tensors by their means over the processes, in one flat reduction."""
        if self.world == 1 or not tensors:
            return
        flat = torch.cat(
            [t.detach().reshape(-1).to(torch.float64 if t.dtype == torch.float64 else torch.float32) for t in tensors]
        )
        dist.all_reduce(flat)
        flat /= self.world
        for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.detach().copy_(part.view_as(tensor))

    def agree(self, *flags: int) -> tuple[int, ...]:
        """The largest value of each flag over all processes."""
        if self.world == 1:
            return flags
        device = f"cuda:{self.local}" if dist.get_backend() == "nccl" else "cpu"
        tensor = torch.tensor(flags, dtype=torch.int64, device=device)
        dist.all_reduce(tensor, op=dist.ReduceOp.MAX)
        return tuple(tensor.tolist())

    def broadcast(self, value: object) -> object:
        """The first process's value, a plain JSON-like object, in every process."""
        if self.world == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box)
        return box[0]


@contextmanager
def ranks(device: str) -> Iterator[Ranks]:
    """The process group that torchrun's environment describes, or one process alone."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Ranks()
        return
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if device.startswith("cuda"):
        torch.cuda.set_device(local)  # "cuda" then means this process's own
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield Ranks(dist.get_rank(), world, local)
    finally:
        dist.destroy_process_group()
