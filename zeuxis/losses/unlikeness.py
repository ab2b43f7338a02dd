"""How unlike two pictures are in what a net sees in them."""

import torch
from torch import Tensor

from zeuxis.losses.elbo import Mean

_LEAST = 1e-6
"""Variance under which real features count as constant, and weight under which no row counts."""


def unlikeness(fake: Tensor, real: Tensor, weight: Tensor, mean: Mean) -> Tensor:
    """Mean squared distance between rows of fake and real, as a share of the variance of real ones; a scalar.

    fake, real: [B, ...], features of the same pictures; weight: [B], 0 to 1, how far each row counts. 1 is what the
    mean of all real pictures would reach. 0 where no row counts, and where real ones are all alike.
    """
    ours, theirs = fake.reshape(len(fake), -1), real.reshape(len(real), -1)
    off = (ours - theirs).square().mean(1, keepdim=True)
    spread = (theirs - mean(theirs)).square().mean(1, keepdim=True)
    missed = mean(off * weight[:, None]) / mean(weight[:, None]).clamp_min(_LEAST)
    variance = mean(spread)
    return torch.where(variance > _LEAST, missed / variance.clamp_min(_LEAST), 0.0).sum()
