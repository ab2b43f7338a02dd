"""Affine geometry: matrices that compose, one resampling, and masks and boxes that move with the image.

An affine map is a tensor [B, 2, 3] in pixels, with the origin in the middle of the image, x to
the right, y down; it says where a point of the input goes. `compose` joins maps so that a whole
chain costs one resampling. Products are written out by hand: a matrix product could be run in
bfloat16 or TF32 by the caller's settings, and a grid of pixels cannot bear that.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from zeuxis.draw import Stream

LEAST_VISIBLE = 0.1
"""A box of which less than this share stays inside the frame is absent."""


def affine(a: Tensor, b: Tensor, tx: Tensor, c: Tensor, d: Tensor, ty: Tensor) -> Tensor:
    """x' = a x + b y + tx, y' = c x + d y + ty; each [B], result [B, 2, 3]."""
    return torch.stack([a, b, tx, c, d, ty], -1).reshape(-1, 2, 3)


def identity(n: int, like: Tensor) -> Tensor:
    """[n, 2, 3] with the dtype and device of `like`."""
    return torch.eye(2, 3, dtype=like.dtype, device=like.device).expand(n, 2, 3)


def rotation(degrees: Tensor) -> Tensor:
    """Counter-clockwise as seen, by `degrees` [B]: rotation(90) equals torch.rot90 on a square."""
    angle = degrees * (math.pi / 180)
    cos, sin, zero = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)
    return affine(cos, sin, zero, -sin, cos, zero)


def scaling(x: Tensor, y: Tensor) -> Tensor:
    """Enlarges by the factors x, y [B] about the middle; -1 flips."""
    zero = torch.zeros_like(x)
    return affine(x, zero, zero, zero, y, zero)


def shearing(x: Tensor, y: Tensor) -> Tensor:
    """x' = x + x_factor y, y' = y + y_factor x, factors [B]."""
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    return affine(one, x, zero, y, one, zero)


def translation(x: Tensor, y: Tensor) -> Tensor:
    """Moves the content x pixels to the right and y down, [B] each."""
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    return affine(one, zero, x, zero, one, y)


def compose(outer: Tensor, inner: Tensor) -> Tensor:
    """The map that does `inner` first, then `outer`; [B, 2, 3] each."""
    linear = (outer[:, :, :2, None] * inner[:, None, :, :]).sum(2)
    return torch.cat([linear[..., :2], linear[..., 2:] + outer[..., 2:]], -1)


def inverse(matrix: Tensor) -> Tensor:
    """The map back; [B, 2, 3], whose 2x2 part must be regular."""
    (a, b, tx), (c, d, ty) = (row.unbind(-1) for row in matrix.unbind(1))
    det = a * d - b * c
    a, b, c, d = d / det, -b / det, -c / det, a / det
    return affine(a, b, -(a * tx + b * ty), c, d, -(c * tx + d * ty))


def is_identity(matrix: Tensor) -> Tensor:
    """bool [B]: the map is exactly the identity."""
    return (matrix == identity(len(matrix), matrix)).flatten(1).all(1)


def _origins(matrix: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Where each pixel of the output comes from: centred x and y, [B, H, W] each."""
    back = inverse(matrix)
    x = torch.arange(width, device=matrix.device, dtype=matrix.dtype) + 0.5 - width / 2
    y = torch.arange(height, device=matrix.device, dtype=matrix.dtype)[:, None] + 0.5 - height / 2
    (a, b, tx), (c, d, ty) = (row[..., None, None].unbind(1) for row in back.unbind(1))
    return a * x + b * y + tx, c * x + d * y + ty


def warp(image: Tensor, matrix: Tensor, fill: float = -1.0, padding: str = "zeros") -> Tensor:
    """Moves `image` [B, C, H, W] by `matrix` [B, 2, 3], bilinear; the size stays.

    padding: "zeros" shows the value `fill` beyond the frame, "reflection" and "border" the image's
    own. A sample with the identity map keeps its bits. Twice differentiable in `image`.
    """
    matrix = matrix.to(image.dtype)
    height, width = image.shape[-2:]
    x, y = _origins(matrix, height, width)
    grid = torch.stack([x * (2 / width), y * (2 / height)], -1)
    shift = fill if padding == "zeros" else 0.0
    moved = F.grid_sample(image - shift, grid, mode="bilinear", padding_mode=padding, align_corners=False) + shift
    return torch.where(spread_flag(is_identity(matrix), image), image, moved)


def warp_nearest(image: Tensor, matrix: Tensor, fill: float = 0.0) -> Tensor:
    """Moves `image` [B, C, H, W] of any dtype by `matrix` [B, 2, 3] without interpolation.

    Exact for flips, quarter turns of squares and whole shifts; the nearest pixel elsewhere, as label
    masks need. Twice differentiable in a floating `image`. Beyond the frame: `fill`.
    """
    height, width = image.shape[-2:]
    x, y = _origins(matrix.to(torch.float32), height, width)
    column, row = torch.round(x + (width / 2 - 0.5)).long(), torch.round(y + (height / 2 - 0.5)).long()
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    place = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
    flat = image.reshape(*image.shape[:2], -1)
    moved = flat.gather(2, place.reshape(len(image), 1, -1).expand_as(flat)).reshape(image.shape)
    return torch.where(inside[:, None], moved, torch.full((), fill, dtype=image.dtype, device=image.device))


def move_mask(mask: Tensor, matrix: Tensor) -> Tensor:
    """Moves `mask` [B, H, W] or [B, 1, H, W] of any dtype with its image; 0 beyond the frame."""
    moved = warp_nearest(mask[:, None] if mask.ndim == 3 else mask, matrix)
    return moved.reshape(mask.shape)


def move_boxes(boxes: Tensor, matrix: Tensor, height: int, width: int, least_visible: float = LEAST_VISIBLE) -> Tensor:
    """Moves `boxes` [B, K, 4] (x0, y0, x1, y1 in pixels; NaN where absent) with their image.

    The upright box around the moved corners, cut at the frame; NaN where less than `least_visible`
    of its area stays inside. Under a rotation that box is wider than what it holds, as usual.
    """
    matrix = matrix.to(boxes.dtype)
    middle = boxes.new_tensor([width / 2, height / 2])
    corners = torch.stack([boxes[..., [0, 1]], boxes[..., [2, 1]], boxes[..., [0, 3]], boxes[..., [2, 3]]], 2) - middle
    moved = (matrix[:, None, None, :, :2] * corners[..., None, :]).sum(-1) + matrix[:, None, None, :, 2] + middle
    low, high = moved.amin(2), moved.amax(2)
    frame = boxes.new_tensor([width, height])
    cut_low, cut_high = low.clamp(min=0).minimum(frame), high.clamp(min=0).minimum(frame)
    seen = (cut_high - cut_low).prod(-1) / (high - low).prod(-1)
    cut = torch.cat([cut_low, cut_high], -1)
    cut = torch.where((seen >= least_visible)[..., None], cut, torch.full_like(cut, torch.nan))
    return torch.where(spread_flag(is_identity(matrix), boxes), boxes, cut)


def spread_flag(flag: Tensor, like: Tensor) -> Tensor:
    """bool [B] to [B, 1, ...] with the rank of `like`."""
    return flag.reshape(-1, *(1,) * (like.ndim - 1))


def dihedral(image: Tensor, stream: Stream) -> Tensor:
    """One of the eight turns and mirrors of the square for each picture [B, C, H, W], drawn evenly.

    Pictures that are not square are turned by half a circle or not at all.
    """
    kind = stream.integers(len(image), high=8)
    if image.shape[2] == image.shape[3]:  # kind % 4 quarter turns, then a mirror from 4 on, without asking for values
        image = torch.where(spread_flag(kind % 2 == 1, image), image.mT, image)
        down, right = (kind + 1) >> 1, (kind >> 1) ^ (kind >> 2)
    else:
        down, right = kind, kind ^ (kind >> 2)
    image = torch.where(spread_flag(down % 2 == 1, image), image.flip(2), image)
    return torch.where(spread_flag(right % 2 == 1, image), image.flip(3), image)
