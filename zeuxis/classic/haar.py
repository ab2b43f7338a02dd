"""Haar wavelets without decimation: the mean over all shifts of the orthonormal transform, in sums of two pixels."""

import torch
import torch.nn.functional as F
from torch import Tensor


def _halves(x: Tensor, axis: int, gap: int) -> tuple[Tensor, Tensor]:
    """Half sum and half difference of each pixel and the one `gap` further, around the edge."""
    next_ = x.roll(-gap, axis)
    return (x + next_) / 2, (x - next_) / 2


def _joined(low: Tensor, high: Tensor, axis: int, gap: int) -> Tensor:
    """The mean of the two ways to get a pixel back: from its own pair and from the one before."""
    return (low + high + (low - high).roll(gap, axis)) / 2


def split(x: Tensor, gap: int) -> list[Tensor]:
    """[low, and three details] of `x` [..., H, W], periodic; white noise is halved in each."""
    low, high = _halves(x, -2, gap)
    return [*_halves(low, -1, gap), *_halves(high, -1, gap)]


def join(parts: list[Tensor], gap: int) -> Tensor:
    """The inverse of `split`."""
    low, across, down, diagonal = parts
    return _joined(_joined(low, across, -1, gap), _joined(down, diagonal, -1, gap), -2, gap)


def bayes_shrink(detail: Tensor, sigma: Tensor) -> Tensor:
    """Soft threshold at sigma^2 / (deviation of the clean detail), per picture and channel.

    Chang, Yu and Vetterli (2000, doi 10.1109/83.862633); `detail` [N, C, H, W], noise `sigma` [N, 1, 1, 1].
    """
    clean = (detail.square().mean((2, 3), keepdim=True) - sigma.square()).clamp(min=1e-20).sqrt()
    threshold = sigma.square() / clean
    return detail - torch.maximum(torch.minimum(detail, threshold), -threshold)


def shrunk(image: Tensor, sigma: Tensor, scales: int) -> Tensor:
    """`image` [N, C, H, W] with its details shrunk at up to `scales` scales; white noise of `sigma` [N, 1, 1, 1].

    Mirrored beyond its edges.
    """
    height, width = image.shape[-2:]
    scales = min(scales, max(0, min(height, width).bit_length() - 2))
    margin = 2**scales
    low = F.pad(image, (margin,) * 4, "reflect") if scales else image
    details = []
    for scale in range(scales):
        low, *parts = split(low, 2**scale)
        details.append([bayes_shrink(part, sigma / 2 ** (scale + 1)) for part in parts])
    for scale, parts in reversed(list(enumerate(details))):
        low = join([low, *parts], 2**scale)
    return low[..., margin : margin + height, margin : margin + width] if scales else image
