"""Conformal risk control: how much wider intervals must be so that few truths lie outside, on pictures never seen."""

from math import ceil

import torch
from torch import Tensor

from zeuxis.errors import BadInput, counted

FACTORS = torch.linspace(0.0, 12.0, 2401)
"""The factors that are looked through."""


def missed(truth: Tensor, middle: Tensor, lower: Tensor, upper: Tensor, factors: Tensor = FACTORS) -> Tensor:
    """Share of the values of each picture that lie outside [middle - f lower, middle + f upper], for each factor f.

    truth, middle: [B, C, H, W]; lower, upper: widths of the same shape, above zero. Returns float64 [B, factors],
    falling along the factors.
    """
    apart = (truth - middle).double()
    needed = torch.where(apart < 0, -apart / lower.double(), apart / upper.double()).flatten(1)
    ranked = needed.sort(1).values
    inside = torch.searchsorted(ranked, factors.double().expand(len(ranked), -1).contiguous(), right=True)
    return 1 - inside.double() / needed.shape[1]


def controlled(losses: Tensor, alpha: float, factors: Tensor = FACTORS) -> float:
    """The smallest factor that keeps the expected share of misses on a new picture at `alpha` or below.

    losses: [n, factors] of n pictures that nothing was learned from, each in [0, 1] and falling along the factors.
    The smallest f with n / (n + 1) mean(loss(f)) + 1 / (n + 1) <= alpha (Angelopoulos et al. 2022, Conformal Risk
    Control, arXiv 2208.02814, eq. 4 with B = 1). It holds on average over exchangeable pictures; it says nothing of
    one pixel, nor of other kinds of pictures. Raises BadInput for too few pictures, and where no factor suffices.
    """
    n = len(losses)
    if 1 / (n + 1) > alpha:
        least = ceil(1 / alpha) - 1
        mend = f"hold out {counted(least, 'picture')} or more"
        raise BadInput(f"{counted(n, 'picture')} cannot vouch for misses of {alpha:g}", "", mend)
    bound = (n * losses.mean(0) + 1) / (n + 1)
    good = (bound <= alpha).nonzero()
    if not len(good):
        raise BadInput(f"no factor up to {float(factors[-1]):g} keeps the misses at {alpha:g}", "", "train it longer")
    return float(factors[int(good[0])])
