"""Whole shifts of maps and pictures whose edge is repeated, the same for the same row and draw."""

import torch
from torch import Tensor

from zeuxis.augmentation.rolls import rolls
from zeuxis.draw import Draw


def shifted(maps: Tensor, draw: Draw, reach: int, rows: Tensor) -> Tensor:
    """[B, C, H, W], each moved by -`reach` to `reach` whole cells along both sides; the edge is repeated.

    rows: int64 [B], which samples these are. Twice differentiable in `maps`.
    """
    height, width = maps.shape[-2:]
    by = rolls(draw, maps, rows).integers("shift", 2, high=2 * reach + 1) - reach
    down, right = (torch.arange(side, device=maps.device) for side in (height, width))
    row = (down + by[:, :1]).clamp(0, height - 1)
    column = (right + by[:, 1:]).clamp(0, width - 1)
    moved = maps.gather(2, row[:, None, :, None].expand_as(maps))
    return moved.gather(3, column[:, None, None, :].expand_as(maps))
