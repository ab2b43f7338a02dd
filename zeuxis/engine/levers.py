"""The levers of speed: which there are, and the word for none of them."""

from dataclasses import asdict, dataclass, replace

import torch

from zeuxis import platform
from zeuxis.errors import BadInput


@dataclass(frozen=True)
class Levers:
    """device: "cpu", "cuda" or "mps"; threads of this process; layout; fused optimizer steps.

    `micro` splits a batch into as many parts whose gradients are averaged, for
    machines with little memory; recipes that tie the samples of a batch refuse it.
    """

    device: str = "cpu"
    threads: int = 1
    channels_last: bool = False
    fused: bool = False
    micro: int = 1

    def pull(self) -> None:
        """Sets the number of threads of this process, the one lever that is the process's own."""
        torch.set_num_threads(self.threads)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def plain(device: str | None = None) -> Levers:
    """One thread, eager, no lever pulled: what laws, kill tests and hashes use."""
    return Levers(device or "cpu")


def starting(device: str | None = None, threads: int | None = None) -> Levers:
    """The levers before anything was measured: fused steps and all free cores. Raises BadInput for a missing device."""
    device = device or best_device()
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise BadInput("this machine has no CUDA device that torch can use", "", "use --device cpu")
    return Levers(device, threads or platform.cores(), fused=device != "mps")


def candidates(first: Levers, fixed_threads: bool) -> list[Levers]:
    """What is worth measuring beside `first`."""
    others = [replace(first, channels_last=True)]
    if first.threads > 1 and not fixed_threads:
        others += [replace(first, threads=1), replace(first, threads=1, channels_last=True)]
    return others
