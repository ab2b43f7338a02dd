"""Overlapping square patches: out of pictures, and back by the mean of all that cover a pixel."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from zeuxis.errors import BadInput

BAND = 16384
"""Patches that are worked on together: what bounds the memory, whatever the size of the picture."""


def places(length: int, side: int, step: int) -> Tensor:
    """First pixels of the patches along one axis, int64: every `step`, and one that ends at the border."""
    if length < side:
        raise BadInput(f"a picture side of {length} px is smaller than a patch of {side} px")
    first = torch.arange(0, length - side + 1, step)
    last = torch.tensor([length - side])
    return first if first[-1] == last else torch.cat([first, last])


def equal_neighbours(levels: Tensor) -> Tensor:
    """[C, H, W] in grey levels to [H, W]: the share of the two neighbours, above and to the left, that are equal."""
    equal = torch.zeros(levels.shape[1:])
    equal[:, 1:] += (levels[:, :, 1:] - levels[:, :, :-1]).abs().amax(0) < 0.1
    equal[1:] += (levels[:, 1:] - levels[:, :-1]).abs().amax(0) < 0.1
    return equal / 2


def windows(image: Tensor, most: int = 1_000_000) -> Tensor:
    """[C, H, W] to [n, C, h, w]: the whole where it is small, nine windows spread over it where it is not."""
    height, width = image.shape[1:]
    if height * width <= most:
        return image[None]
    factor = math.sqrt(most / 9 / (height * width))
    h, w = max(32, int(height * factor)), max(32, int(width * factor))
    if h > height or w > width:
        return image[None]
    tops, lefts = ([round((length - side) * k / 2) for k in range(3)] for length, side in ((height, h), (width, w)))
    return torch.stack([image[:, top : top + h, left : left + w] for top in tops for left in lefts])


def _cut(image: Tensor, rows: Tensor, columns: Tensor, side: int) -> Tensor:
    """[N, C, H, W] to [N * R * K, C * side * side]: the patches at every pair of `rows` and `columns`."""
    windows = image.unfold(2, side, 1)[:, :, rows].unfold(3, side, 1)[:, :, :, columns]
    return windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, image.shape[1] * side * side)


def unfold(image: Tensor, side: int, step: int = 1) -> Tensor:
    """All patches of `image` [N, C, H, W] as rows [N * L, C * side * side], row by row of each picture.

    With a `step` above 1 the last row and column of patches still end at the border, so that every
    pixel is covered while step <= side. Raises BadInput where the picture is smaller than a patch.
    """
    return _cut(image, places(image.shape[2], side, step), places(image.shape[3], side, step), side)


class Canvas:
    """Sums of patches and of their weights; `mean()` divides by the true coverage, borders included."""

    def __init__(self, size: tuple[int, int, int, int], dtype: torch.dtype) -> None:
        self.total, self.cover = torch.zeros(size, dtype=dtype), torch.zeros(size[0], 1, *size[2:], dtype=dtype)

    def add(self, patches: Tensor, rows: Tensor, columns: Tensor, side: int, weight: Tensor | None = None) -> None:
        """Adds `patches` [N * R * K, C * side * side] with `weight` [N * R * K] (1 where None)."""
        n, c = self.total.shape[:2]
        grid = (n, len(rows), len(columns))
        parts = patches.reshape(*grid, c, side, side)
        share = patches.new_ones(grid) if weight is None else weight.reshape(grid)
        for i in range(side):
            for j in range(side):
                at = (slice(None), slice(None), (rows + i)[:, None], columns + j)
                self.total[at] += (parts[..., i, j] * share[..., None]).permute(0, 3, 1, 2)
                self.cover[at] += share[:, None]

    def mean(self, other: Tensor, other_weight: float = 0.0) -> Tensor:
        """(sum + other_weight * other) / (coverage + other_weight); `other` itself where nothing lies."""
        cover = self.cover + other_weight
        return torch.where(cover > 0, (self.total + other_weight * other) / cover.clamp(min=1e-12), other)


def fold(patches: Tensor, size: tuple[int, int, int, int], side: int, step: int = 1) -> Tensor:
    """The inverse of `unfold`: each pixel of [N, C, H, W] is the mean of the patches that cover it.

    A pixel that no patch covers (only where step > side) is 0.
    """
    canvas = Canvas(size, patches.dtype)
    canvas.add(patches, places(size[2], side, step), places(size[3], side, step), side)
    return canvas.mean(patches.new_zeros(()))


def _bands(rows: Tensor, per_row: int) -> Iterator[Tensor]:
    yield from rows.split(max(1, BAND // per_row))


Work = Callable[[Tensor], tuple[Tensor, Tensor | None]]
"""Patches [n, d] to new patches [n, e] and their weights [n] (None: all 1)."""


def sweep(image: Tensor, side: int, step: int, work: Work, into: Canvas | None = None) -> Canvas:
    """`work` on all patches of `image` [N, C, H, W], a band of rows at a time, laid on a canvas.

    `into`: a canvas of another channel count, where `work` changes it. Memory is bounded by `BAND`.
    """
    n, c, height, width = image.shape
    canvas = Canvas((n, c, height, width), image.dtype) if into is None else into
    columns = places(width, side, step)
    for rows in _bands(places(height, side, step), n * len(columns)):
        patches, weight = work(_cut(image, rows, columns, side))
        canvas.add(patches, rows, columns, side, weight)
    return canvas


def choose(patches: Tensor, most: int, order: Tensor) -> Tensor:
    """At most `most` rows of `patches` [n, d]: the first of `order`, a permutation of n."""
    return patches[order[:most]] if len(patches) > most else patches
