"""Pictures too large for a net, in tiles without visible seams: one padding of the whole, then windows of one shape."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from zeuxis.errors import BadInput, MachineGaveOut, counted

Net = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Stretch:
    """What one tile gives along one axis. start: of the tile, in padded input pixels.

    low, high: of its part, in output pixels of the padded picture; weight: [high - low] of it.
    """

    start: int
    low: int
    high: int
    weight: Tensor


# ------------------------------------------------------------------ padding


def mirrored(length: int, before: int, after: int) -> Tensor:
    """int64 [before + length + after]: places in an axis of `length` pixels, mirrored at its ends as often as needed.

    The last pixel is not repeated; an axis of one pixel is.
    """
    places = torch.arange(-before, length + after)
    if length == 1:
        return torch.zeros_like(places)
    period = 2 * (length - 1)
    places = places % period
    return torch.minimum(places, period - places)


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def padded(image: Tensor, margin: int, multiple_of: int, least: int = 0, grid: tuple[int, int] = (0, 0)) -> Tensor:
    """[N, C, H, W] with mirrored borders of at least `margin` pixels, sides brought to multiples, and to `least`.

    Top and left get what `before` says, so that the grid of a net with strides lies on `grid` in the picture.
    """
    margin = _up(margin, multiple_of)
    for axis, start in zip((2, 3), grid, strict=True):
        length, first = image.shape[axis], before(margin, multiple_of, start)
        after = max(_up(length + first + margin, multiple_of), _up(least, multiple_of)) - first - length
        image = image.index_select(axis, mirrored(length, first, after).to(image.device))
    return image


def before(margin: int, multiple_of: int, start: int = 0) -> int:
    """Pixels to put before an axis: `margin` or more, so that multiples count from its pixel `start`."""
    return _up(margin, multiple_of) + -start % multiple_of


# ------------------------------------------------------------------ one axis


def _starts(length: int, tile: int, overlap: int, multiple_of: int) -> list[int]:
    """Starts of tiles that lie in the axis, next ones sharing 2 overlaps or more; the last is shifted inside."""
    if length <= tile:
        return [0]
    step = (tile - 2 * overlap) // multiple_of * multiple_of
    return [*range(0, length - tile, step), length - tile]


def _ramp(places: Tensor, cut: float, reach: float) -> Tensor:
    """From 0 to 1 around `cut`, within `reach` on both sides, as a squared sine; a step where reach is 0."""
    if reach == 0:
        return (places >= cut).to(torch.float32)
    return torch.sin((((places - cut) / (2 * reach) + 0.5).clamp(0, 1)) * (math.pi / 2)) ** 2


def stretches(length: int, tile: int, overlap: int, multiple_of: int, scale: int, feather: bool) -> list[Stretch]:
    """The parts of the tiles along an axis of `length` padded pixels; at every place the weights sum to 1.

    Neighbours meet in the middle of what they share, so that each gives only pixels `overlap` or more from its inner
    ends; with `feather` they fade into each other over the inner half of that.
    """
    starts = _starts(length, tile, overlap, multiple_of)
    size = min(tile, length)
    cuts = [scale * (a + size + b) / 2 for a, b in zip(starts, starts[1:])]
    reach = scale * overlap / 2 if feather else 0.0
    places = torch.arange(scale * length) + 0.5
    rises = [torch.ones(len(places)), *(_ramp(places, cut, reach) for cut in cuts)]
    weights = [rise * (1 - fall) for rise, fall in zip(rises, [*rises[1:], torch.zeros(len(places))])]
    total = torch.stack(weights).sum(0)
    parts = []
    for start, weight in zip(starts, weights):
        inside = weight.nonzero()
        low, high = int(inside[0]), int(inside[-1]) + 1
        parts.append(Stretch(start, low, high, (weight / total)[low:high]))
    return parts


# ------------------------------------------------------------------ the whole


def _outputs(
    function: Net, image: Tensor, rows: list[Stretch], columns: list[Stretch], scale: int, tile: int
) -> Iterator[tuple[Stretch, Stretch, Tensor]]:
    height, width = (min(tile, side) for side in image.shape[2:])
    for row in rows:
        for column in columns:
            part = image[:, :, row.start : row.start + height, column.start : column.start + width]
            output = function(part.contiguous())
            if output.shape[2:] != (scale * height, scale * width):
                raise ValueError(f"a tile of {height}x{width} became {list(output.shape[2:])} at scale {scale}")
            yield row, column, output


def tiled(
    function: Net,
    image: Tensor,
    scale: int,
    overlap: int,
    multiple_of: int = 1,
    tile: int = 256,
    feather: bool = False,
    grid: tuple[int, int] = (0, 0),
) -> Tensor:
    """[N, C', H scale, W scale] of `function` on image [N, C, H, W], by tiles of `tile` pixels a side.

    The whole picture is padded once by mirroring (see `padded`), so a net sees the same around a place in every
    tiling; with overlap >= its receptive field (radius in input pixels) the result does not depend on `tile`.
    overlap and tile: input pixels, brought up and down to multiples of `multiple_of`. feather: for nets that see the
    whole tile: neighbours fade into each other, and a picture smaller than a tile is mirrored until it fills one.
    grid: row and column of the picture where tiles of that net may begin, and at multiples from there.
    Whatever `function` raises passes through: no tile is left out.
    Raises BadInput where a tile is too small for its overlaps, ValueError where an output has the wrong size.
    """
    overlap, tile = _up(overlap, multiple_of), tile // multiple_of * multiple_of
    whole = padded(image, overlap, multiple_of, tile if feather else 0, grid)
    if tile < 2 * overlap + multiple_of and tile < max(whole.shape[2:]):
        least = 2 * overlap + multiple_of
        raise BadInput(
            f"tiles of {counted(tile, 'pixel')} are too small", "", f"take {least} or more: they share {overlap}"
        )
    rows, columns = (stretches(n, tile, overlap, multiple_of, scale, feather) for n in whole.shape[2:])
    height, width = (scale * side for side in image.shape[2:])
    margins = (scale * before(overlap, multiple_of, grid[0]), scale * before(overlap, multiple_of, grid[1]))
    result: Tensor | None = None
    for row, column, output in _outputs(function, whole, rows, columns, scale, tile):
        if result is None:
            result = output.new_zeros(len(image), output.shape[1], height, width)
        _add(result, output, row, column, scale, margins)
    assert result is not None
    return result


def _add(result: Tensor, output: Tensor, row: Stretch, column: Stretch, scale: int, margins: tuple[int, int]) -> None:
    """Adds the weighted part of one tile's output; `margins`: output pixels of padding at the top and on the left."""
    cuts, weights = [], []
    for part, length, margin in zip((row, column), result.shape[2:], margins, strict=True):
        low, high = max(part.low, margin), min(part.high, margin + length)
        if low >= high:
            return
        cuts.append((slice(low - margin, high - margin), slice(low - scale * part.start, high - scale * part.start)))
        weights.append(part.weight[low - part.low : high - part.low].to(output))
    (to_rows, from_rows), (to_columns, from_columns) = cuts
    weight = weights[0][:, None] * weights[1]
    result[:, :, to_rows, to_columns] += output[:, :, from_rows, from_columns] * weight


def by_columns(
    function: Net, part: Tensor, count: int, halo: int, multiple_of: int = 1, scale: int = 1, into: Tensor | None = None
) -> Tensor:
    """`function`, which sees `halo` pixels far, on `count` columns of [1, C, H, W] at a time; the same as on the whole.

    into: where the result goes, `part` itself included; what lies beyond the picture is mirrored then, and every window
    is as wide, a multiple of `multiple_of` that is no wider than the picture. None: a new tensor, of windows that end
    with the picture.
    """
    width, result, offset = part.shape[3], into, 0
    if into is not None:
        count, offset = min(count, _up(width, multiple_of)), halo  # what is wider would be mirrored in vain
        part = part.index_select(3, mirrored(width, halo, halo + count))
    for left in range(0, width, count):
        right = min(width, left + count)
        low, high = (max(0, left - halo), right + halo) if into is None else (left, left + count + 2 * halo)
        made = function(part[..., low:high])
        if result is None:
            result = made.new_empty(1, made.shape[1], made.shape[2], width * scale)
        start = (left + offset - low) * scale
        result[..., left * scale : right * scale] = made[..., start : start + (right - left) * scale]
    assert result is not None
    return result


def choose_tile(
    memory: float, bytes_per_pixel: float, overlap: int, multiple_of: int = 1, most: int = 1024, least: int = 0
) -> int:
    """The side of the largest square tile that a net can work on in `memory` bytes, `most` pixels at most.

    bytes_per_pixel: what the net needs at its peak per input pixel. Half of a tile at least is to be of use: where
    memory allows, a side is 4 overlaps or more. Raises MachineGaveOut where even the smallest tile needs more memory.
    """
    smallest = max(_up(2 * overlap, multiple_of) + multiple_of, _up(least, multiple_of))
    side = int(math.sqrt(max(0.0, memory) / bytes_per_pixel)) // multiple_of * multiple_of
    if side < smallest:
        need = smallest**2 * bytes_per_pixel / 2**20
        what = f"the net needs {need:.0f} MB for the smallest tile, and has {memory / 2**20:.0f} MB"
        raise MachineGaveOut(what, "", "give it more with --memory")
    return max(smallest, min(side, max(most, 4 * overlap) // multiple_of * multiple_of))
