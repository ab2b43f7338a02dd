"""What holds a critic smooth or near zero: one value per sample [B], with a graph for a second backward."""

from collections.abc import Callable

import torch
from torch import Tensor

from zeuxis.draw import Draw


def gradient(logits: Tensor, image: Tensor) -> Tensor:
    """d logit_i / d image_i, [B, ...], differentiable again.

    `logits` [B] must have been computed from `image` without mixing samples, and
    `image` must require a gradient: the gradient of the sum is then each sample's own.
    """
    return torch.autograd.grad(logits.sum(), image, create_graph=True)[0]


def squared_norm(x: Tensor) -> Tensor:
    """Sum of squares per sample, [B, ...] to [B]."""
    return x.square().flatten(1).sum(1)


def gradient_square(critic: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """||d critic(x) / dx||^2 at x = image, summed over channels and pixels, [B].

    R1 at real pictures (Mescheder et al. 2018, arXiv 1801.04406, eq. 9), R2 at generated
    ones. To have both from one pass of a critic without batch statistics, give the two
    concatenated. The factor gamma / 2 is the caller's.
    """
    x = image.detach().requires_grad_()
    return squared_norm(gradient(critic(x), x))


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, draw: Draw) -> Tensor:
    """(||d critic(x) / dx|| - 1)^2 at x = u * real + (1 - u) * fake, [B].

    u is uniform on [0, 1), one per sample, drawn at "penalty" (Gulrajani et al. 2017,
    arXiv 1704.00028, eq. 3). 1e-12 under the root keeps its gradient finite at zero.
    The weight (10 as published) is the caller's.
    """
    u = draw.at("penalty").uniform(len(real)).to(real.dtype).reshape(-1, *[1] * (real.dim() - 1))
    x = (u * real + (1 - u) * fake).detach().requires_grad_()
    return ((squared_norm(gradient(critic(x), x)) + 1e-12).sqrt() - 1).square()


def drift(real: Tensor) -> Tensor:
    """real^2, [B]: keeps a Wasserstein critic's logits near zero (Karras et al. 2018, arXiv 1710.10196, A.1).

    The weight (0.001 as published) is the caller's.
    """
    return real.square()
