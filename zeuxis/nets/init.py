"""First weights, drawn from the global generator: the engine builds networks under a forked, seeded one."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from zeuxis.draw import key_of

SLOPE = 0.2
"""Negative slope of every leaky ReLU here, as in the sources of the recipes."""

LEAKY_GAIN = math.sqrt(2 / (1 + SLOPE**2))
"""Keeps the variance through a leaky ReLU of slope 0.2 (He et al. 2015, arXiv 1502.01852, eq. 15)."""

SILU_GAIN = 1.6765
"""Keeps the mean square through a SiLU of standard normal numbers: E[silu(x)^2] = 0.35578."""


@contextmanager
def seeded(name: str, seed: int) -> Iterator[None]:
    """Networks built meanwhile begin by this seed; the process-wide generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(key_of(name, seed) & 0x7FFFFFFFFFFFFFFF)
        yield


def weighted(module: nn.Module) -> Iterable[nn.Module]:
    """The dense and convolutional layers inside `module`, in order."""
    kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    return (m for m in module.modules() if isinstance(m, kinds))


def zero_bias_(layer: nn.Module) -> None:
    if isinstance(getattr(layer, "bias", None), Tensor):
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def normal_(module: nn.Module, std: float = 0.02) -> None:
    """Every dense and convolutional weight N(0, std^2), biases 0 (Radford et al. 2016, arXiv 1511.06434)."""
    for layer in weighted(module):
        nn.init.normal_(layer.weight, std=std)  # type: ignore[arg-type]
        zero_bias_(layer)


def fan_in(weight: Tensor) -> int:
    """Inputs that one output sums: weight is [out, in / groups, ...]."""
    return weight[0].numel()


def scaled_(layer: nn.Module, gain: float) -> None:
    """Weight N(0, gain^2 / fan in), bias 0 (He et al. 2015, arXiv 1502.01852)."""
    nn.init.normal_(layer.weight, std=gain / math.sqrt(fan_in(layer.weight)))  # type: ignore[arg-type]
    zero_bias_(layer)


def glorot_(layer: nn.Module, gain: float = 1.0) -> None:
    """Weight uniform with variance 2 gain^2 / (fan in + fan out), bias 0 (Glorot and Bengio 2010)."""
    nn.init.xavier_uniform_(layer.weight, gain)  # type: ignore[arg-type]
    zero_bias_(layer)


def norm_gains_(module: nn.Module, std: float = 0.02) -> None:
    """Gains of ordinary batch norms N(1, std^2) (pytorch/examples dcgan)."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) and layer.affine:
            nn.init.normal_(layer.weight, 1.0, std)
