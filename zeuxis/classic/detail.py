"""Whether a picture holds anything at the finest scale: what a blurred one has lost."""

import torch
from torch import Tensor

from zeuxis.classic.decorrelation import luma
from zeuxis.classic.jpeg_traces import ORDER, cosine_transform

ROUNDING = 1 / 12
"""Variance, in grey levels, of rounding to 8 bits."""
_LUMA = 0.299**2 + 0.587**2 + 0.114**2  # what is left of it in the luma of three channels
_STEP = 9  # pixels between blocks; odd, so that all places of a JPEG grid come up
_MOST = 24_000  # blocks that are looked at
_HIGH = (ORDER >= 11).nonzero()[:, 0]
_MIDDLE = ((ORDER >= 3) & (ORDER <= 6)).nonzero()[:, 0]
_LEAKED = 1.5e-4
"""Own: how much of the energy at middle frequencies shows at the highest, since a block's ends do not meet. A Gaussian
of 1.2 pixels leaves no other there; sharp pictures hold 4e-3 and more."""


def rounding_of(channels: int) -> float:
    """Variance, in grey levels, that rounding to 8 bits leaves in the luma of pictures with 1 or 3 channels."""
    return ROUNDING * (_LUMA if channels == 3 else 1.0)


def fine_detail(image: Tensor) -> Tensor:
    """[N]: energy at the highest frequencies of pictures [N, C, H, W] in [-1, 1], in units of what a blurred one holds.

    The mean square of the DCT coefficients of 8x8 blocks of luma with row + column >= 11, by that of rounding to 8
    bits, or by what leaks from those of 3 to 6 where that is more, as in writing. About 1 for a picture that was
    blurred by 1.2 pixels or more and then rounded; photographs, soft ones too, hold 4 and more, and so does any noise
    of half a grey level. Pictures under 16 px give infinity: nothing can be said.
    """
    if min(image.shape[2:]) < 16:
        return torch.full((len(image),), torch.inf)
    floor = rounding_of(image.shape[1])
    step = _STEP
    while (image.shape[2] // step) * (image.shape[3] // step) > _MOST:
        step += 2
    blocks = (luma(image) * 127.5).unfold(2, 8, step).unfold(3, 8, step).flatten(1, 3).flatten(2)
    coefficients = blocks @ cosine_transform().T.to(blocks)
    high, middle = (coefficients[..., there].square().mean((1, 2)) for there in (_HIGH, _MIDDLE))
    return high / (_LEAKED * middle).clamp_min(floor)
