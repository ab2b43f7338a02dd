"""Terms of the evidence lower bound, in nats per picture: log p(x) >= E_q log p(x given z) - KL(q(z given x), p(z)).

Everything is summed over channels, pixels and latent units: a mean over pixels would
multiply the weight of the KL term by their number.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Mean = Callable[[Tensor], Tensor]
"""Mean over dimension 0 of the global batch, kept as [1, ...]."""

LEAST_VARIANCE = 1e-6
"""Below this mean square error, a standard deviation of 0.13 grey levels of 255, a fit is called perfect."""


def kl_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL of N(mean, exp(log_variance)) to N(0, 1), per unit: (m^2 + s^2 - 1 - log s^2) / 2, shape as given.

    Kingma and Welling 2014, arXiv 1312.6114, appendix B.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def free_bits(kl: Tensor, least: float, mean: Mean) -> Tensor:
    """sum_j max(least, mean over the batch of kl_j): [B, latent] to a scalar, in nats.

    Units may carry `least` nats for nothing (Kingma et al. 2016, arXiv 1606.04934, appendix C.8).
    """
    return mean(kl).clamp(min=least).sum()


def squared_error(raw: Tensor, image: Tensor) -> Tensor:
    """Sum of squared differences per picture [B]; raw and image [B, C, H, W], the picture is tanh(raw / 2)."""
    return (torch.tanh(raw / 2) - image).square().flatten(1).sum(1)


def sigma_nll(raw: Tensor, image: Tensor, mean: Mean) -> Tensor:
    """-log p of a Gaussian decoder at its best shared variance, mean per picture, in nats: scalar.

    With MSE the mean square error over the whole batch, D / 2 (log(2 pi MSE) + 1), that is
    (D / 2) log MSE and a constant (Rybkin et al. 2021, arXiv 2006.13202, eq. 5).
    """
    size = image[0].numel()
    mse = mean(squared_error(raw, image) / size).sum().clamp(min=LEAST_VARIANCE)
    return 0.5 * size * (torch.log(2 * math.pi * mse) + 1)


def gaussian_nll(raw: Tensor, image: Tensor, mean: Mean) -> Tensor:
    """-log p of a Gaussian decoder of variance 1, mean per picture, in nats: scalar."""
    return mean(0.5 * squared_error(raw, image)).sum() + 0.5 * image[0].numel() * math.log(2 * math.pi)


def bernoulli_nll(raw: Tensor, image: Tensor, mean: Mean) -> Tensor:
    """-log p of pixels (image + 1) / 2 under chances sigmoid(raw), mean per picture, in nats: scalar."""
    pixels = F.binary_cross_entropy_with_logits(raw, (image + 1) / 2, reduction="none")
    return mean(pixels.flatten(1).sum(1)).sum()


LIKELIHOODS: dict[str, Callable[[Tensor, Tensor, Mean], Tensor]] = {
    "sigma": sigma_nll,
    "gaussian": gaussian_nll,
    "bernoulli": bernoulli_nll,
}


def active_units(mean: Tensor, least: float = 0.01) -> Tensor:
    """Share of latent units whose posterior mean varies over the pictures, Var_x(mean_j) > least: scalar.

    mean: [B, latent]. Burda et al. 2016, arXiv 1509.00519, section 5.2.
    """
    return (mean.var(0, unbiased=False) > least).to(mean.dtype).mean()
