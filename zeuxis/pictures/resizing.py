"""Pictures at another size."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import interpolate


def resized(image: Tensor, size: Sequence[int]) -> Tensor:
    """[n, C, *size] of [n, C, H, W]: bicubic, smoothed before it is made smaller; it may swing over at edges."""
    if tuple(image.shape[2:]) == tuple(size):
        return image
    return interpolate(image, size=tuple(size), mode="bicubic", antialias=True, align_corners=False)
