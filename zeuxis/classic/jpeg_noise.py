"""Noise that went through JPEG: fine frequencies are mostly rounded to 0, but how often they are not tells how much."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from zeuxis.classic.decorrelation import luma
from zeuxis.classic.jpeg_traces import ORDER, blocks_of, cosine_transform

CALM, MORE, FEWEST, MOST = 0.05, 0.25, 100, 20_000
"""Own: the shares of the blocks that count as calm and as calmer, how few are too few, and how many are looked at."""
OPEN = 0.8
"""Own: the share of a block's pixels that must not be clipped; clipping makes noise seem less, never more."""
_LOW = (ORDER >= 1) & (ORDER <= 3)
_GROUPS = tuple((ORDER >= low) & (ORDER <= high) for low, high in ((4, 6), (7, 8), (9, 14)))
_FEWEST_SEEN = 30  # coefficients that were not rounded to 0, of a group that says anything


@dataclass(frozen=True)
class CodedNoise:
    """sigma: standard deviation of the luma in grey levels before JPEG, if it is white noise; alike: 0 to 1, how alike
    it is in fine and middle frequencies and in calm and calmer blocks: 1 for white noise, less for detail. uneven: how
    far single frequencies are off, squared, in units of chance: about 1 for white noise, more for patterns."""

    sigma: float
    alike: float
    uneven: float


def coded_noise(
    image: Tensor, table: Sequence[int], grid: tuple[int, int] = (0, 0), seen: Tensor | None = None
) -> CodedNoise | None:
    """Of one picture [1, C, H, W] in [-1, 1] as decoded; table: 64 luma steps, row by row; grid: where blocks start.

    seen: bool [1, 1, H, W], the pixels that count; None: all. None is returned where too few blocks can tell. A normal
    value of deviation s is rounded to 0 by a step q with probability erf(q / (2 sqrt 2 s)). Own: s is solved for by
    the number of coefficients that are not 0, in the blocks with the least energy in the lowest frequencies.
    """
    open_ = ((image > -1 + 1e-3) & (image < 1 - 1e-3)).all(1)[0].float()
    there = _blocks(open_, grid).mean(1) > OPEN
    if seen is not None:
        there &= _blocks(seen[0, 0].float(), grid).amin(1) > 0
    places = there.nonzero()[:, 0]
    places = places[:: max(1, len(places) // MOST)]
    own = _blocks(luma(image)[0, 0] * 127.5, grid)[places] @ cosine_transform().T
    if len(own) * MORE < FEWEST:
        return None
    steps = torch.tensor(table, dtype=torch.float32)
    rank = own[:, _LOW].square().sum(1).argsort()
    calm, more = (own[rank[: max(FEWEST, int(share * len(own)))]].abs() > steps / 2 for share in (CALM, MORE))
    groups = [_sigma(calm, steps, which) for which in _GROUPS if int(calm[:, which].sum()) >= _FEWEST_SEEN]
    sigma, wide = (_sigma(x, steps, ORDER >= 4) for x in (calm, more))
    if len(groups) < 2 or not sigma:
        return CodedNoise(sigma, 0.0, math.inf)
    alike = min(min(groups) / max(groups), sigma / max(wide, sigma))
    return CodedNoise(sigma, alike, _uneven(calm[:FEWEST, ORDER >= 4], _chance(steps[ORDER >= 4], sigma)))


def _chance(steps: Tensor, sigma: float) -> Tensor:
    """Of a normal value not to be rounded to 0."""
    return 1 - torch.erf(steps / (2 * math.sqrt(2) * sigma))


def _uneven(nonzero: Tensor, chance: Tensor) -> float:
    """Mean square of what the counts of single frequencies are off, in deviations of chance."""
    n = len(nonzero)
    off = (nonzero.float().sum(0) - n * chance).square() / (n * chance * (1 - chance)).clamp_min(1.0)
    return float(off.mean())


def _blocks(plane: Tensor, grid: tuple[int, int]) -> Tensor:
    """[H, W] to whole blocks [n, 64]."""
    return blocks_of(plane, grid).flatten(2).flatten(0, 1)


def _sigma(nonzero: Tensor, steps: Tensor, which: Tensor) -> float:
    """The deviation by which so many of the coefficients `which` of blocks [n, 64] are not 0."""
    share, some = float(nonzero[:, which].float().mean()), steps[which]
    low, high = 0.01, 200.0
    for _ in range(30):
        middle = math.sqrt(low * high)
        more = float(_chance(some, middle).mean()) > share
        low, high = (low, middle) if more else (middle, high)
    return low if share else 0.0
