"""Which generated pictures look most like a copy: pairs with their nearest training picture, as numbers and a PNG."""

from pathlib import Path

import torch
from torch import Tensor

from zeuxis.data.dataset import Dataset
from zeuxis.engine.batches import to_image
from zeuxis.metrics.neighbours import Suspect, suspects
from zeuxis.pictures.write import grid, write_png

PAIRS = 16
_AT_ONCE = 1024  # pictures on either side of one comparison, fewer where they are large
_NUMBERS = 1 << 22  # values on either side of one comparison: 32 MB in float64


def closest(fakes: Tensor, train: Dataset, count: int = PAIRS) -> list[Suspect]:
    """The `count` of uint8 [n, C, H, W] that lie nearest to a picture of `train`, nearest first.

    Distances are Euclidean over pixels in [0, 2]. Neither side is ever whole in memory as
    floating-point numbers. Raises BadInput for no pictures on a side.
    """
    size = max(1, min(_AT_ONCE, _NUMBERS // fakes[0].numel())) if len(fakes) else _AT_ONCE
    found: dict[int, Suspect] = {}
    for there in torch.arange(len(train)).split(size):
        real = train.images(there).flatten(1).float() / 127.5
        for here in torch.arange(len(fakes)).split(size):
            for s in suspects(fakes[here].flatten(1).float() / 127.5, real, count):
                one = Suspect(int(here[s.fake]), int(there[s.real]), s.distance)
                if one.fake not in found or one.distance < found[one.fake].distance:
                    found[one.fake] = one
    return sorted(found.values(), key=lambda s: (s.distance, s.fake))[:count]


def write_suspects(path: Path, fakes: Tensor, train: Dataset) -> list[Suspect]:
    """Writes the closest pairs, four a row, generated left and real right; returns them. Raises BadInput."""
    found = closest(fakes, train)
    real = train.images([s.real for s in found])
    pairs = [x for i, s in enumerate(found) for x in (fakes[s.fake], real[i])]
    write_png(path, grid(to_image(torch.stack(pairs)), 8), None)
    return found
