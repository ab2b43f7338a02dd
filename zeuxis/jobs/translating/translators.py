"""Nets that translate: opened from a run or a lone file, and run over a picture of any size."""

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.jobs.restoring.nets import Net, bound_of, fingerprint, from_run
from zeuxis.nets.picture_norm import Part, PictureNorm, statistics_of
from zeuxis.pictures.tiles import before, choose_tile, padded, stretches, tiled
from zeuxis.recipes.recipe import Translates

BYTES_PER_CHANNEL = 100
"""At the peak, per pixel of a picture and channel of the translator's width; own measurement."""
_MEASURED = 12
"""Tiles of a large picture that its statistics are read from, at most: each is run once for every norm."""
_LEAST = 16  # pixels of a side, to which smaller pictures are mirrored


_AT_ONCE = 3 << 28
"""Bytes for the pixels at work where nothing is said: more is no faster, and a result should not depend on what else
the machine does."""


@lru_cache(maxsize=2)
def _opened(path: str, snapshot: str | None, digest: str) -> Net:
    """The digest is for the cache: a run that was trained anew is another net."""
    return from_run(path, snapshot, Translates)


def translator(path: str | Path, snapshot: str | None = None) -> Net:
    """The net of a run or of a weights file. Raises BadInput where it does not translate."""
    if snapshot is not None and Path(path).is_file():
        raise BadInput("a file of weights has no snapshots", "--snapshot", "leave it out, or name the run")
    return _opened(str(path), snapshot, fingerprint(path, two=snapshot is not None))


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


def apply(
    net: Net,
    image: Tensor,
    direction: str,
    memory: int | None = None,
    draw: Draw | None = None,
    told: Callable[[float], None] | None = None,
) -> Tensor:
    """[1, C', H, W] of [1, C, H, W] in [-1, 1] of any size, which is more than `memory` bytes allow at once in parts.

    The parts share statistics, those of a dozen of them that are evenly spread, so that they meet without an edge;
    where every pixel may touch every other they fade into each other, too. told: gets the share that is done of what is
    done in parts.
    """
    recipe = able(net)

    def function(part: Tensor) -> Tensor:
        return recipe.translate(net.networks, part.contiguous(), direction, draw)

    height, width = image.shape[2:]
    each = BYTES_PER_CHANNEL * recipe.width
    with torch.inference_mode():
        bound = min(_AT_ONCE, bound_of(None)) if memory is None else memory
        if height * width * each <= bound:
            return function(padded(image, 0, recipe.multiple_of, _LEAST))[..., :height, :width]
        reach = recipe.receptive_field
        overlap = net.spec.height // 4 if reach is None else reach
        used: Any = net.networks[direction if direction in net.networks else "translator"]
        multiple = recipe.multiple_of
        tile = choose_tile(bound, each, overlap, multiple)
        if reach is None:  # a tile that the net fills up would be measured with what fills it
            tile = max(used.multiple, tile // used.multiple * used.multiple)
        cuts = _cuts(image, overlap, multiple, tile)
        some = some_evenly(cuts, _MEASURED)
        norms = sum(isinstance(module, PictureNorm) for module in used.modules())
        heard = _heard(function, len(cuts) + norms * len(some), told)
        with statistics_of(net.networks, heard, some):
            return tiled(heard, image, 1, overlap, multiple, tile, feather=reach is None)


def _heard(
    function: Callable[[Tensor], Tensor], parts: int, told: Callable[[float], None] | None
) -> Callable[[Tensor], Tensor]:
    """The same, telling how much is done; half of a pass is as much as a whole one here."""
    done = 0

    def heard(part: Tensor) -> Tensor:
        nonlocal done
        done += 1
        if told is not None:
            told(min(1.0, done / parts))
        return function(part)

    return heard


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
