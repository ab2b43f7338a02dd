"""Noise that nets are fed: laws of latents, and dropout whose masks come from the draw of a phase."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from zeuxis.draw import Draw, Stream


def _uniform(stream: Stream, n: int, dim: int) -> Tensor:
    return stream.uniform(n, dim, low=-1.0, high=1.0)


LATENT_LAWS: dict[str, Callable[[Stream, int, int], Tensor]] = {"normal": Stream.normal, "uniform": _uniform}
"""float32 [n, dim] by law: standard normal, or uniform on [-1, 1)."""


class Noise(nn.Module):
    """A module that needs random numbers while it trains.

    `bind` gives it the numbers of one phase; every call after that has a place of its own
    in them, so the numbers do not depend on what else was drawn, nor on the process.
    """

    def __init__(self) -> None:
        super().__init__()
        self._draw: Draw | None = None
        self._path, self._calls = "", 0

    def bind(self, path: str, draw: Draw) -> None:
        self._draw, self._path, self._calls = draw, path, 0

    def stream(self) -> Stream:
        """The numbers of the next call. Raises RuntimeError where nothing was bound."""
        if self._draw is None:
            raise RuntimeError(f"{type(self).__name__} in train mode needs the draw of a turn: call noise.bind first")
        self._calls += 1
        return self._draw.at(f"noise/{self._path}/{self._calls - 1}")


def bind(networks: nn.Module, draw: Draw) -> None:
    """Gives every noise module in `networks` the draw of this phase, keyed by its path, its calls counted from 0."""
    for path, module in networks.named_modules():
        if isinstance(module, Noise):
            module.bind(path, draw)


class Dropout(Noise):
    """Zeroes each value with probability p in train mode and scales the rest (Srivastava et al. 2014).

    p is kept to 16 bits: four masks are read from each 64-bit number.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout needs 0 <= p < 1, not {p}")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        size = x[0].numel()
        lanes = self.stream().bits(len(x), -(-size // 4)).view(torch.int16)[:, :size]
        dropped = round(self.p * 2**16)
        keep = (lanes >= dropped - 2**15).reshape(x.shape)
        return x * keep * (2**16 / (2**16 - dropped))

    def extra_repr(self) -> str:
        return f"p={self.p}"


@contextmanager
def dropping(network: nn.Module, draw: Draw) -> Iterator[None]:
    """Within it the dropout in a network that is in eval mode drops, by this draw."""
    layers = [module for module in network.modules() if isinstance(module, Dropout)]
    bind(network, draw)
    try:
        for layer in layers:
            layer.train()
        yield
    finally:
        for layer in layers:
            layer.eval()
