"""How different two pictures look to a network: LPIPS (Zhang et al. 2018, arXiv 1801.03924), version 0.1.

The network is handed in as its feature function, so that any trunk can be tried; the published
distances need the published trunk and heads.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from zeuxis.errors import BadInput
from zeuxis.metrics.result import Result

Features = Callable[[Tensor], Sequence[Tensor]]
"""RGB [B, 3, H, W] in [-1, 1] to maps [B, C_i, H_i, W_i], one per tap; it normalises its input itself."""

LEAST = 32
"""The least side of a picture; AlexNet's last map has a single pixel there."""
_TINY = 1e-10


def _unit(maps: Tensor) -> Tensor:
    """Every pixel's channels divided by their length."""
    return maps / (maps.square().sum(1, keepdim=True).sqrt() + _TINY)


def _coloured(image: Tensor) -> Tensor:
    return image.expand(-1, 3, -1, -1) if image.shape[1] == 1 else image


def lpips_each(image: Tensor, target: Tensor, features: Features, heads: Sequence[Tensor]) -> Tensor:
    """Distances [B], 0 for equal pictures, with gradient: the sum over taps of mean_xy sum_c w_c (f_c - g_c)^2.

    image, target: [B, 1 or 3, H, W] in [-1, 1], grey ones are repeated; nothing is resized.
    features: the trunk; heads: per tap the weights of its channels, [1, C_i, 1, 1] or [C_i].
    Raises BadInput for pictures of two sizes or below 32 pixels.
    """
    if image.shape != target.shape or image.ndim != 4 or image.shape[1] not in (1, 3):
        raise BadInput("a picture and its original must be of one size", f"{tuple(image.shape)}, {tuple(target.shape)}")
    if min(image.shape[-2:]) < LEAST:
        raise BadInput(
            f"LPIPS needs pictures of {LEAST} pixels and more a side", f"{image.shape[-1]}x{image.shape[-2]}"
        )
    total = torch.zeros(len(image), device=image.device)
    pairs = zip(features(_coloured(image)), features(_coloured(target)), heads, strict=True)
    for first, second, head in pairs:
        apart = (_unit(first) - _unit(second)).square()
        total = total + (apart * head.reshape(1, -1, 1, 1)).sum(1).mean((1, 2))
    return total


@torch.no_grad()
def lpips(
    image: Tensor, target: Tensor, features: Features, heads: Sequence[Tensor], name: str = "", weights_hash: str = ""
) -> Result:
    """Mean LPIPS of the pictures, clamped and rounded to 8 bits, whole, in RGB; arguments as in `lpips_each`.

    name: the trunk for the words of the result, such as "Alex". Raises BadInput.
    """
    first, second = (((x.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1 for x in (image, target))
    each = lpips_each(first, second, features, heads)
    protocol = f"LPIPS 0.1 {name}".strip() + ", RGB, crop 0, 8-bit"
    return Result(float(each.mean()), len(each), features=protocol, weights_hash=weights_hash)
