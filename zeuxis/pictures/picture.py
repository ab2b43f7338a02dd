"""Pictures of people: files to pixels and back with all that must survive, and to tensors and back for nets."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from zeuxis.errors import BadInput
from zeuxis.pictures.colour import fill_transparent, stretched
from zeuxis.pictures.kept import Kept, Picture
from zeuxis.pictures.reading import read
from zeuxis.pictures.writing import SUFFIXES, encode, remarks

__all__ = ["SUFFIXES", "Kept", "Picture", "encode", "fill_transparent", "from_tensor", "read", "remarks", "to_tensor"]


def to_tensor(picture: Picture) -> Tensor:
    """float32 [1, C, H, W] in [-1, 1]; fully transparent pixels get the colour of the nearest that shows."""
    pixels = fill_transparent(picture.pixels, picture.alpha).astype(np.float32)
    values = torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()
    return values.mul_(2 / picture.white).sub_(1)


_ROUNDED = 64  # rows that become pixels at a time


def from_tensor(x: Tensor, like: Picture) -> Picture:
    """A picture with the colours x [1, C, H, W] in [-1, 1], cut at the ends, rounded to the depth of `like`.

    H and W may be other than `like`'s: its alpha is stretched by bicubic interpolation. At the same size, colours
    under full transparency are those of `like`. C may be other than `like`'s (1 or 3); its colour profile is then
    left out. Raises BadInput for another shape, and for values that are not numbers.
    """
    if x.ndim != 4 or len(x) != 1 or x.shape[1] not in (1, 3) or not x.numel():
        raise BadInput(f"a picture is made from a tensor [1, 1 or 3, H, W], not {list(x.shape)}")
    channels, height, width = x.shape[1:]
    pixels = np.empty((height, width, channels), like.pixels.dtype)
    for top in range(0, height, _ROUNDED):  # a large picture as float32 is there once already
        rows = x.detach()[0, :, top : top + _ROUNDED].to("cpu", torch.float32) + 1
        if not torch.isfinite(rows).all():
            raise BadInput("the picture holds values that are not numbers")
        pixels[top : top + _ROUNDED] = rows.mul_(like.white / 2).round_().clamp_(0, like.white).permute(1, 2, 0).numpy()
    kept, alpha = like.kept, like.alpha
    if channels != like.pixels.shape[2]:
        kept = replace(kept, icc=None, lost=None)
    elif alpha is not None and like.size == (height, width):
        pixels = np.where(alpha[..., None] == 0, like.pixels, pixels)
    if alpha is not None and like.size != (height, width):
        smooth = np.clip(np.rint(stretched(alpha, height, width)), 0, like.white)
        alpha = smooth.astype(like.pixels.dtype)
    return Picture(pixels, alpha, kept)
