"""Nets that translate: opened from a run or a lone file, and run over a picture of any size."""

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.jobs.restoring.nets import Net, bound_of, fingerprint, from_run
from zeuxis.nets.picture_norm import Part, statistics_of
from zeuxis.pictures.tiles import before, choose_tile, padded, stretches, tiled
from zeuxis.recipes.recipe import Translates

BYTES_PER_CHANNEL = 100
"""At the peak, per pixel of a picture and channel of the translator's width; own measurement."""
_MEASURED = 12
"""Tiles of a large picture that its statistics are read from, at most: each is run once for every norm."""
_LEAST = 16  # pixels of a side, to which smaller pictures are mirrored


@lru_cache(maxsize=2)
def _opened(path: str, snapshot: str | None, digest: str) -> Net:
    """The digest is for the cache: a run that was trained anew is another net."""
    return from_run(path, snapshot, Translates)


def translator(path: str | Path, snapshot: str | None = None) -> Net:
    """The net of a run or of a weights file. Raises BadInput where it does not translate."""
    return _opened(str(path), snapshot, fingerprint(path))


def able(net: Net) -> Translates:
    assert isinstance(net.recipe, Translates)
    return net.recipe


def channels(net: Net, direction: str) -> tuple[int, int]:
    """Of what is given and of what comes out. Raises BadInput for a direction that the net has not learned."""
    known = able(net).directions
    if direction not in known:
        mend = f"leave it away: this run knows {' and '.join(known)}"
        raise BadInput(f"this run cannot translate in the direction `{direction}`", "--direction", mend)
    assert net.spec.target is not None
    sides = {"a": net.spec.channels, "b": net.spec.target}
    return sides[direction[0]], sides[direction[1]]


def apply(net: Net, image: Tensor, direction: str, memory: int | None = None, draw: Draw | None = None) -> Tensor:
    """[1, C', H, W] of [1, C, H, W] in [-1, 1] of any size, which is more than `memory` bytes allow at once in parts.

    The parts have the statistics of the whole, so that they meet without an edge; where every pixel may touch every
    other they fade into each other, too.
    """
    recipe = able(net)

    def function(part: Tensor) -> Tensor:
        return recipe.translate(net.networks, part.contiguous(), direction, draw)

    height, width = image.shape[2:]
    each = BYTES_PER_CHANNEL * recipe.width
    with torch.inference_mode():
        if height * width * each <= bound_of(memory):
            return function(padded(image, 0, recipe.multiple_of, _LEAST))[..., :height, :width]
        reach = recipe.receptive_field
        overlap = net.spec.height // 4 if reach is None else reach
        tile = choose_tile(bound_of(memory), each, overlap, recipe.multiple_of)
        cuts = _cuts(image, overlap, recipe.multiple_of, tile)
        with statistics_of(net.networks, function, some_evenly(cuts, _MEASURED)):
            return tiled(function, image, 1, overlap, recipe.multiple_of, tile, feather=reach is None)


def _cuts(image: Tensor, overlap: int, multiple_of: int, tile: int) -> list[Part]:
    """The tiles of `tiled`, and what of a map of each lies in no other and in the picture."""
    whole, margin = padded(image, overlap, multiple_of), before(overlap, multiple_of)
    rows, columns = (
        [_Span(s.start, min(tile, n), max(s.low, margin), min(s.high, margin + length)) for s in parts]
        for n, length, parts in (
            (n, length, stretches(n, tile, overlap, multiple_of, 1, False))
            for n, length in zip(whole.shape[2:], image.shape[2:], strict=True)
        )
    )

    def cut(row: _Span, column: _Span) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        part = whole[:, :, row.whole, column.whole]
        return part, lambda maps: maps[:, :, row.of(maps.shape[2]), column.of(maps.shape[3])]

    return [partial(cut, row, column) for row in rows for column in columns]


class _Span(NamedTuple):
    """Where a tile lies along an axis of the padded picture, and from where to where it counts."""

    start: int
    length: int
    low: int
    high: int

    @property
    def whole(self) -> slice:
        return slice(self.start, self.start + self.length)

    def of(self, cells: int) -> slice:
        """What counts of a map of so many cells; a cell that two tiles share belongs to the second."""
        low, high = ((place - self.start) * cells // self.length for place in (self.low, self.high))
        return slice(low, max(low + 1, high))


def some_evenly(cuts: list[Part], most: int) -> list[Part]:
    """All, or `most` of them, evenly spread."""
    if len(cuts) <= most:
        return cuts
    return [cuts[i] for i in torch.linspace(0, len(cuts) - 1, most).round().long().tolist()]
