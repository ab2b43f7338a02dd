"""What keeps the generated pictures of a class apart from one another."""

import torch
from torch import Tensor
from torch.nn import functional as F

from zeuxis.losses.elbo import Mean

_NONE = 1e-4
"""A variance that counts as none, where those of standardised maps are near 1."""


def too_alike(fake: Tensor, real: Tensor, target: Tensor | None, classes: int, least: float, mean: Mean) -> Tensor:
    """max(0, log(least V(real)) - log V(fake)), a scalar; V the variance within classes, summed over all numbers.

    fake, real: [B, ...], standardised; row i of both is of class target[i], of one and the same class where there are
    none. Nothing where generated pictures of a class differ by `least` of the variance of real ones, or more.

    Own. Pictures of a condition are kept apart, up to a bound, by Yang et al. 2019 (arXiv 1901.09024, eq. 2), who
    measure distances by those of the latents; here the real pictures say how far apart.
    """
    label = torch.zeros(len(fake), dtype=torch.long, device=fake.device) if target is None else target
    member = F.one_hot(label, max(classes, 1)).to(fake)
    ours, theirs = (_variance_within(x.reshape(len(x), -1), member, mean) for x in (fake, real))
    return F.relu(torch.log(least * theirs + _NONE) - torch.log(ours + _NONE))


def _variance_within(x: Tensor, member: Tensor, mean: Mean) -> Tensor:
    """[B, D] and members [B, K], 0 or 1, to a scalar; x is centred first, so that little is lost to rounding."""
    x = x - mean(x).detach()
    share = mean(member)[0]
    sums = mean(member[:, :, None] * x[:, None, :])[0]
    between = (sums.square().sum(1) / share.clamp_min(1e-12)).sum()
    return (mean(x.square().sum(1, keepdim=True))[0, 0] - between).clamp_min(0)
