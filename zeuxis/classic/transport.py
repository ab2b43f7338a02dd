"""Points moved until they are spread as others are, direction by direction: colours of one picture into another's."""

import torch
from torch import Tensor

from zeuxis.draw import Draw

ROUNDS = 24
"""Of three directions each, after which colours have settled: own measurement."""
_LEVELS = 512  # quantiles of which the map along a direction is made
_READ = 1 << 14  # points that these are read from, at most


def quantiles(values: Tensor) -> Tensor:
    """[d, q], ascending, of [d, n]; of many evenly spaced ones."""
    step = max(1, values.shape[1] // _READ)
    ordered = values[:, ::step].sort(1).values
    at = torch.linspace(0, ordered.shape[1] - 1, _LEVELS, device=values.device).round().long()
    return ordered[:, at]


def along(values: Tensor, given: Tensor, wanted: Tensor) -> Tensor:
    """[d, n] with every value where its quantile lies in `wanted`: values [d, n], quantiles [d, q]; straight beyond."""
    values = values.contiguous()
    sides = [torch.searchsorted(given, values, right=right) for right in (False, True)]
    place = ((sides[0] + sides[1]) // 2).clamp(1, given.shape[1] - 1)  # a flat part goes to the middle of where it lies
    low, high, first, last = (x.gather(1, at) for x in (given, wanted) for at in (place - 1, place))
    share = ((values - low) / (high - low).clamp_min(1e-6)).clamp(0, 1)
    beyond = values - values.clamp(given[:, :1], given[:, -1:])
    return first + share * (last - first) + beyond


def transported(points: Tensor, wanted: Tensor, draw: Draw, rounds: int = ROUNDS) -> Tensor:
    """[n, d] whose distribution is near that of `wanted` [m, d]; every point moves as little as that needs.

    In each round, along d orthogonal directions, what lies at a quantile goes to where `wanted` has it (sliced optimal
    transport: Pitié, Kokaram and Dahyot 2007, "Automated colour grading using colour distribution transfer", 3).
    """
    for k in range(rounds):
        axes = basis(points.shape[1], points.shape[1], draw, f"axes/{k}").to(points)
        here, there = axes @ points.T, axes @ wanted.T
        points = points + (along(here, quantiles(here), quantiles(there)) - here).T @ axes
    return points


def basis(count: int, dim: int, draw: Draw, name: str) -> Tensor:
    """`count` orthonormal rows [count, dim] drawn by chance; no more than `dim`."""
    rows: Tensor = torch.linalg.qr(draw.at(name).normal(dim, count).double())[0].T
    return rows.float()


def recoloured(image: Tensor, colours: Tensor, draw: Draw) -> Tensor:
    """[1, C, H, W] in [-1, 1] with the colours of `colours` [m, C], pixels of what is to be looked like."""
    moved = transported(image[0].flatten(1).T, colours.to(image), draw)
    return moved.T.reshape(image.shape).clamp(-1, 1)


def colours_of(images: Tensor, draw: Draw, count: int = _READ) -> Tensor:
    """[count, C]: pixels of [n, C, H, W] drawn by chance."""
    pixels = images.movedim(1, -1).reshape(-1, images.shape[1])
    return pixels[draw.at("pixels").integers(count, high=len(pixels))]
