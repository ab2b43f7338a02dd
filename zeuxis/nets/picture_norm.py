"""Normalisation by the statistics of each picture, which can be those of a larger one that it is a part of."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import instance_norm


class _Reached(Exception):
    """Carries what came to a norm, so that nothing behind it is computed."""

    def __init__(self, maps: Tensor) -> None:
        super().__init__()
        self.maps = maps


class PictureNorm(nn.Module):
    """Instance norm (Ulyanov et al. 2016, arXiv 1607.08022): every map of a picture to mean 0 and variance 1.

    [B, C, H, W] to the same. affine: a gain and a shift per map follow. Nothing is kept from training, so that a
    picture gives the same alone, in a batch, in training and afterwards.
    """

    def __init__(self, channels: int, affine: bool = False, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None
        self.of_whole: tuple[Tensor, Tensor] | None = None
        self.stops = False

    def forward(self, x: Tensor) -> Tensor:
        if self.stops:
            raise _Reached(x)
        if self.of_whole is None and x.shape[2] * x.shape[3] == 1:
            mean, variance = x, torch.zeros_like(x)
        elif self.of_whole is None:
            return instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)
        else:
            mean, variance = self.of_whole
        normal = (x - mean) * (variance + self.eps).rsqrt()
        if self.weight is None or self.bias is None:
            return normal
        return normal * self.weight[:, None, None] + self.bias[:, None, None]


def _maps_at(norm: PictureNorm, run: Callable[[], object]) -> Tensor:
    """What comes to a norm when the network runs."""
    norm.stops = True
    try:
        run()
    except _Reached as reached:
        return reached.maps
    finally:
        norm.stops = False
    raise ValueError("the network has a norm that it does not use")


def _in_turn(network: nn.Module, run: Callable[[], object]) -> list[PictureNorm]:
    """The norms that a run of the network comes to, in the order in which it does."""
    norms = [module for module in network.modules() if isinstance(module, PictureNorm)]
    order: list[PictureNorm] = []
    handles = [norm.register_forward_pre_hook(lambda module, _: order.append(module)) for norm in norms]
    try:
        run() if norms else None
    finally:
        for handle in handles:
            handle.remove()
    return order


Part = Callable[[], tuple[Tensor, Callable[[Tensor], Tensor]]]
"""Gives a part [1, C, h, w] of a picture, and what of a map [1, c, h', w'] of it counts."""


@contextmanager
def statistics_of(
    network: nn.Module,
    function: Callable[[Tensor], Tensor],
    parts: Sequence[Part],
) -> Iterator[None]:
    """Within it all norms in `network` use the statistics of one large picture, one after another measured over parts.

    function: runs the network on a part. Then a part gives what it gives in the whole, and two parts meet with no edge.
    """
    order: list[PictureNorm] = []
    try:
        order = _in_turn(network, lambda: function(parts[0]()[0]))
        for norm in order:
            sums, squares, count = torch.zeros(()), torch.zeros(()), 0
            for give in parts:
                part, counts = give()
                maps = counts(_maps_at(norm, partial(function, part))).double()
                sums = sums + maps.sum((0, 2, 3), keepdim=True)
                squares = squares + maps.square().sum((0, 2, 3), keepdim=True)
                count += maps.shape[2] * maps.shape[3]
            mean = sums / count
            norm.of_whole = mean.float(), (squares / count - mean.square()).clamp_min(0).float()
        yield
    finally:
        for norm in order:
            norm.of_whole = None
