"""Options of computing that change the speed and no more than rounding: threads, memory layout, fused steps."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from zeuxis import platform
from zeuxis.errors import BadInput


@dataclass(frozen=True)
class ComputeOptions:
    """device: "cpu", "cuda" or "mps"; threads of this process; layout; fused optimizer steps; bfloat16 products.

    `micro` splits a batch into as many parts whose gradients are averaged, for
    machines with little memory; recipes that tie the samples of a batch refuse it.
    """

    device: str = "cpu"
    threads: int = 1
    channels_last: bool = False
    fused: bool = False
    micro: int = 1
    bf16: bool = False

    def apply(self) -> None:
        """Sets the number of threads of this process, the one option that is the process's own."""
        platform.keep_freed_memory()
        torch.set_num_threads(self.threads)

    def products(self) -> AbstractContextManager[object]:
        """Where a loss is evaluated: convolutions and matrix products in bfloat16, weights and steps in float32."""
        return torch.autocast(self.device.split(":")[0], torch.bfloat16) if self.bf16 else nullcontext()

    @property
    def exact(self) -> bool:
        """Whether the same seed gives the same bits again; kernels of other devices add in any order."""
        return self.device == "cpu"

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def plain(device: str | None = None) -> ComputeOptions:
    """One thread, eager, no option taken: what laws, kill tests and hashes use."""
    return ComputeOptions(device or "cpu")


def starting(device: str | None = None, threads: int | None = None) -> ComputeOptions:
    """Before anything was measured: fused steps and all free cores. Raises BadInput for a missing device."""
    device = device or best_device()
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise BadInput("this machine has no CUDA device that torch can use", "", "use `--device cpu`")
    return ComputeOptions(device, threads or platform.cores(), fused=device != "mps")


def has_bf16(device: str) -> bool:
    """Whether the processor multiplies bfloat16 numbers itself; elsewhere they are only slower."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    read: Any = getattr(torch.cpu, "get_capabilities", dict)  # younger than torch 2.11
    known: dict[str, Any] = read() if device == "cpu" else {}
    return any(known.get(unit) for unit in ("avx512_bf16", "amx_bf16", "arm_bf16"))


def candidates(first: ComputeOptions, fixed_threads: bool, half: bool = False) -> list[ComputeOptions]:
    """What is worth measuring beside `first`; half: the recipe bears products in bfloat16."""
    others = [first] + ([replace(first, threads=1)] if first.threads > 1 and not fixed_threads else [])
    if half and has_bf16(first.device):  # first, since it pays most and patience may end
        others = [replace(compute, bf16=True) for compute in others] + others
    # one thread before what gains less: beside other programs several may be so slow that patience ends with them
    every = [replace(compute, channels_last=last) for last in (False, True) for compute in others]
    return [compute for compute in every if compute != first]
