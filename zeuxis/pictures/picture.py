"""Pictures of people: files to pixels and back with all that must survive, and to tensors and back for nets."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from zeuxis.errors import BadInput
from zeuxis.pictures.picture_file import Metadata, Picture
from zeuxis.pictures.profiles import fill_transparent, shaped, stretched
from zeuxis.pictures.reading import read
from zeuxis.pictures.writing import SUFFIXES, encode, remarks

__all__ = [
    "SUFFIXES",
    "Metadata",
    "Picture",
    "alpha_tensor",
    "encode",
    "fill_transparent",
    "from_tensor",
    "grey_if_equal",
    "read",
    "remarks",
    "to_tensor",
]


def to_tensor(picture: Picture) -> Tensor:
    """float32 [1, C, H, W] in [-1, 1]; fully transparent pixels get the colour of the nearest that shows."""
    pixels = fill_transparent(picture.pixels, picture.alpha).astype(np.float32)
    values = torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()
    return values.mul_(2 / picture.white).sub_(1)


def grey_if_equal(image: Tensor) -> Tensor:
    """[N, 1, H, W] of [N, C, H, W] whose channels are the same in every pixel, as many a scan is kept; else as it is.

    Three copies are no three measurements: their rounding and noise do not average out, and a net of colours would
    make them differ.
    """
    first = image[:, :1]
    return first if image.shape[1] > 1 and bool((image[:, 1:] == first).all()) else image


_ROUNDED = 64  # rows that become pixels at a time


def alpha_tensor(picture: Picture) -> Tensor:
    """float32 [1, 1, H, W] in [-1, 1] of a picture that has alpha."""
    assert picture.alpha is not None
    return torch.from_numpy(picture.alpha.astype(np.float32))[None, None].mul_(2 / picture.white).sub_(1)


def from_tensor(x: Tensor, like: Picture, alpha: Tensor | None = None) -> Picture:
    """A picture with the colours x [1, C, H, W] in [-1, 1], cut at the ends, rounded to the depth of `like`.

    H and W may be other than `like`'s: `alpha` [1, 1, H, W] in [-1, 1] is then its alpha, at a whole multiple of the
    size; without it that of `like` is stretched by bicubic interpolation. At the same size, hidden pixels are those of
    `like`, and so are faint ones that did not change (see `fill_transparent`). C may be other than `like`'s (1 or 3);
    its colour profile is then left out. Raises BadInput for another shape, and for values that are not numbers.
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
    kept = like.kept
    if channels != like.pixels.shape[2]:
        kept = replace(kept, icc=None, lost=None)
    elif like.alpha is not None and like.size == (height, width):
        same = (pixels == fill_transparent(like.pixels, like.alpha)).all(2, keepdims=True)
        pixels = np.where(same | (like.alpha[..., None] == 0), like.pixels, pixels)
    return Picture(pixels, _alpha(like, height, width, alpha), kept)


def _alpha(like: Picture, height: int, width: int, enlarged: Tensor | None) -> np.ndarray | None:
    if like.alpha is None or like.size == (height, width):
        return like.alpha
    if enlarged is None:
        smooth = np.clip(np.rint(stretched(like.alpha, height, width)), 0, like.white)
        plain: np.ndarray = smooth.astype(like.pixels.dtype)
        return plain
    values = (enlarged.detach()[0, 0].to("cpu", torch.float32) + 1).mul_(like.white / 2).numpy()
    return shaped(values, like.alpha, height // like.size[0])
