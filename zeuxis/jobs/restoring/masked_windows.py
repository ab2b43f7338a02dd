"""Holes filled by a net where they are, and as far around them as it has to see; the rest of the picture is spared."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from zeuxis.pictures.tiles import padded

THIN = 8.0
"""Pixels from the nearest known one: holes no deeper than this are thin, as scratches, letters and cracks are."""
SIGHT = 64
"""Pixels around a thin hole that count: what lies farther moves the package's net by a third of a grey level at most
(held-out photographs, strokes up to sixteen pixels wide); in wide holes it would be tens."""
THIN_TILE = 256
"""Pixels a side that are given at once where holes are thin."""


def parts(hole: np.ndarray, reach: int) -> Iterator[tuple[np.ndarray, int]]:
    """(bool [H, W], pixels around it that count): thin holes, then wide ones with what is near to them; none if empty.

    hole: bool [H, W]; reach: how far the net sees.
    """
    from scipy import ndimage

    deep = ndimage.distance_transform_edt(np.pad(hole, 1, mode="edge"))[1:-1, 1:-1] > THIN
    near = ndimage.distance_transform_edt(~deep) <= SIGHT if deep.any() else deep
    for some, sight in ((hole & ~near, min(SIGHT, reach)), (hole & near, reach)):
        if some.any():
            yield some, sight


def boxes(part: np.ndarray, apart: int, most: int, multiple_of: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns, `most` at most, that hold all of `part` [H, W]; what is closer than `apart` may share a box.

    They begin and end at multiples of `multiple_of`, where the grid of a net with strides has its lines.
    """
    from scipy import ndimage

    labels = ndimage.label(ndimage.distance_transform_edt(~part) <= apart / 2, np.ones((3, 3)))[0] * part

    def whole(start: int, ends: tuple[int, int]) -> slice:
        first, last = start + ends[0], start + ends[1]
        return slice(first // multiple_of * multiple_of, -(-last // multiple_of) * multiple_of)

    for k, box in enumerate(ndimage.find_objects(labels), 1):
        own = labels[box] == k
        for top in range(0, own.shape[0], most):
            for left in range(0, own.shape[1], most):
                piece = own[top : top + most, left : left + most]
                if piece.any():
                    rows, columns = _ends(piece)
                    yield whole(box[0].start + top, rows), whole(box[1].start + left, columns)


def _ends(piece: np.ndarray) -> list[tuple[int, int]]:
    """First row and column that hold something, and the ones behind the last."""
    places = [np.flatnonzero(piece.any(axis)) for axis in (1, 0)]
    return [(int(p[0]), int(p[-1]) + 1) for p in places]


def filled(
    function: Callable[[Tensor, Tensor], Tensor], image: Tensor, known: Tensor, reach: int, multiple_of: int, tile: int
) -> Tensor:
    """image [1, C, H, W] with what `function` makes of it in its holes; known: [1, 1, H, W], 0 in holes.

    function: picture and known, of sides that are multiples of `multiple_of`, to the filled picture; reach: how far
    it sees; tile: pixels a side that it can work on at once, more than twice the reach. The answer is that for the
    picture as a whole, mirrored at its borders, but for what is said of SIGHT.
    """
    channels, result = image.shape[1], image.clone()
    for part, sight in parts((known[0, 0] < 0.5).numpy(), reach):
        margin = -(-sight // multiple_of) * multiple_of
        whole = padded(torch.cat([image, known.to(image)], 1), margin, multiple_of)
        most = min(THIN_TILE, tile) if sight < reach else max(multiple_of, tile - 2 * margin - multiple_of)
        asked = torch.from_numpy(part)
        for rows, columns in boxes(part, sight, most, multiple_of):
            seen = whole[..., rows.start : rows.stop + 2 * margin, columns.start : columns.stop + 2 * margin]
            mended = function(seen[:, :channels].contiguous(), seen[:, channels:].contiguous())
            old = result[..., rows, columns]
            height, width = old.shape[2:]
            new = mended[..., margin : margin + height, margin : margin + width]
            result[..., rows, columns] = torch.where(asked[rows, columns], new, old)
    return result
