"""What a JPEG file still says of its original: every coefficient lies within half a step of the one that it holds."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from zeuxis.classic.decorrelation import luma
from zeuxis.classic.jpeg_traces import blocks_of, cosine_transform, tables

_SLACK = 1.0  # grey levels: rounding to 8 bits and clipping moved what was decoded by about so much


def luma_table(quality: int) -> Tensor:
    """float64 [64], row by row: the luma steps of IJG's tables at a quality of 1 to 100."""
    return tables(torch.tensor([quality]))[0].double().reshape(64)


def within_cells(
    mended: Tensor, given: Tensor, table: Sequence[int] | Tensor, grid: tuple[int, int] = (0, 0)
) -> Tensor:
    """`mended` moved, as little as possible, to where its luma could have been compressed to `given`.

    mended, given: [1, C, H, W] in [-1, 1], C 1 or 3; table: 64 luma steps, row by row; grid: row and column where the
    blocks start. Each luma coefficient of a whole block is brought within half a step of the given one. The original
    lies in that convex set, so the move never leads away from it (but for rounding). Blocks cut by the border stay.
    """
    if any(n - g < 8 for n, g in zip(given.shape[2:], grid, strict=True)):
        return mended
    step = torch.as_tensor(table, dtype=torch.float32).reshape(64)
    before, now = (blocks_of(luma(x)[0] * 127.5, grid) for x in (given, mended))
    transform = cosine_transform().to(now)
    held, wanted = before.flatten(3) @ transform.T, now.flatten(3) @ transform.T
    reach = step / 2 + _SLACK
    moved = torch.minimum(torch.maximum(wanted, held - reach), held + reach) - wanted
    change = (moved @ transform).unflatten(3, (8, 8)) / 127.5
    return (mended + _placed(change, grid, (mended.shape[2], mended.shape[3]))).clamp(-1, 1)


def _placed(blocks: Tensor, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Blocks back to a plane [1, 1, H, W], zero where there is none."""
    rows, columns = blocks.shape[1:3]
    plane = blocks.permute(0, 1, 3, 2, 4).reshape(1, 1, 8 * rows, 8 * columns)
    below, right = size[0] - grid[0] - 8 * rows, size[1] - grid[1] - 8 * columns
    return F.pad(plane, (grid[1], right, grid[0], below))
