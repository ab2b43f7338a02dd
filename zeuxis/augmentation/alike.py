"""A random part of a picture, mirrored or not: the same for pictures that belong together."""

from collections.abc import Sequence

import torch
from torch import Tensor

from zeuxis.augmentation.geometry import spread_flag
from zeuxis.augmentation.rolls import rolls
from zeuxis.draw import Draw


def parts_alike(images: Sequence[Tensor], draw: Draw, size: tuple[int, int], flip: bool) -> list[Tensor]:
    """[B, C, *size] of each [B, C, H, W]: row i of all is cut at one place, and mirrored or not as one.

    size: height and width, no more than those of the pictures.
    """
    dice, sides = rolls(draw, images[0]), images[0].shape[-2:]
    starts = [dice.integers(name, high=side - part + 1) for name, side, part in zip(("top", "left"), sides, size)]
    rows, columns = (at[:, None] + torch.arange(n, device=at.device) for at, n in zip(starts, size, strict=True))
    mirrored = dice.integers("mirrored", high=2) == 1 if flip else None
    return [_part(image, rows, columns, mirrored) for image in images]


def _part(image: Tensor, rows: Tensor, columns: Tensor, mirrored: Tensor | None) -> Tensor:
    if (rows.shape[1], columns.shape[1]) != image.shape[-2:]:
        image = image.gather(2, rows[:, None, :, None].expand(-1, image.shape[1], -1, image.shape[3]))
        image = image.gather(3, columns[:, None, None, :].expand(-1, image.shape[1], image.shape[2], -1))
    return image if mirrored is None else torch.where(spread_flag(mirrored, image), image.flip(3), image)
