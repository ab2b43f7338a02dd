"""Which generated pictures look most like a copy: pairs with their nearest training picture, as numbers and a PNG."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zeuxis.data.dataset import Dataset
from zeuxis.draw import some_of
from zeuxis.engine.batches import to_image
from zeuxis.engine.progress import pictures_done
from zeuxis.errors import BadInput, counted
from zeuxis.metrics.neighbours import NearestPair, copies
from zeuxis.pictures.png import GAP, write_sheet

PAIRS = 16
_AT_ONCE = 1024  # pictures on either side of one comparison, fewer where they are large
_NUMBERS = 1 << 22  # values on either side of one comparison: 16 MB
_NEIGHBOURS = 50
_PLAIN = 6.0  # grey levels of 255: a smaller standard deviation shows nothing that could be copied
_HELD_OUT = 512  # held-out pictures that say how close a fresh one comes, at most


@dataclass(frozen=True)
class Neighbours:
    """What lies how near to training pictures, each of which was decoded once.

    distances, which: [n, k] of the samples to their nearest 50, ascending: Euclidean over pixels in [0, 2], and which
    pictures these are: twice the position, and 1 where mirrored. fresh: `_out_of_line` of held-out pictures, which
    say how close a fresh one comes; None where there are none. plain: bool [n], samples of nearly one colour: they lie
    near to every such picture, and are a copy of none.
    """

    distances: Tensor
    which: Tensor
    fresh: Tensor | None
    plain: Tensor

    def closest(self, count: int = PAIRS) -> list[NearestPair]:
        """The `count` samples that stand out most as a copy; plain ones only where there are no others."""
        apart = torch.where(self.plain, torch.inf, _out_of_line(self.distances))
        told = int((~self.plain).sum()) or len(self.plain)
        order = torch.argsort(apart, stable=True)[: min(count, told)].tolist()
        nearest = self.which[:, 0].tolist()
        return [NearestPair(i, nearest[i] // 2, float(self.distances[i, 0]), nearest[i] % 2 == 1) for i in order]

    def record(self) -> dict[str, Any]:
        """How many of the samples stand out as copies, beside how many fresh pictures would.

        Without held-out pictures nothing says how close a fresh one comes: then the numbers are null.
        """
        told = _out_of_line(self.distances)[~self.plain]
        n, beside = len(told), {"format": 1, "plain": int(self.plain.sum())}
        if self.fresh is None or not n:
            held = 0 if self.fresh is None else len(self.fresh)
            return {**beside, "n": n, "held": held, "copies": None, "expected": None, "alarm": None}
        found = copies(told, self.fresh)
        return {
            **beside,
            "n": n,
            "held": len(self.fresh),
            "copies": round(found.rate.value * found.rate.n),
            "expected": found.expected * n,
            "alarm": found.alarm,
            "p": found.p,
        }


def neighbours(fakes: Tensor, train: Dataset, held: Dataset | None = None, shows: bool = False) -> Neighbours:
    """Of uint8 [n, C, H, W]. shows: says how far it is. Raises BadInput for no pictures on a side.

    Mirror images count as pictures of `train`: many recipes learn from these, too.
    """
    if not len(fakes) or not len(train):
        raise BadInput(f"no pairs of {counted(len(fakes), 'picture')} and {counted(len(train), 'training picture')}")
    fresh = held.images(some_of(len(held), _HELD_OUT, "fresh")) if held is not None and len(held) else fakes[:0]
    distances, which = _nearest(torch.cat([fakes, fresh]), train, shows)
    n, plain = len(fakes), is_plain(torch.cat([fakes, fresh]))
    apart = _out_of_line(distances)[n:][~plain[n:]]
    return Neighbours(distances[:n], which[:n], apart if len(apart) else None, plain[:n])


def is_plain(pictures: Tensor) -> Tensor:
    """bool [n] of uint8 [n, C, H, W]: nearly of one colour."""
    parts = [part.float().flatten(2).std(2, correction=0).amax(1) for part in pictures.split(_AT_ONCE)]
    return torch.cat(parts) < _PLAIN


def _nearest(pictures: Tensor, train: Dataset, shows: bool) -> tuple[Tensor, Tensor]:
    """`distances` and `which` of `Neighbours`; neither side is ever whole in memory as floating-point numbers."""
    size = max(1, min(_AT_ONCE, _NUMBERS // pictures[0].numel()))
    k = min(_NEIGHBOURS, 2 * len(train))
    distances = torch.full((len(pictures), k), torch.inf)
    which = torch.zeros(len(pictures), k, dtype=torch.int64)
    with pictures_done(len(train), shows) as told:
        for there in torch.arange(len(train)).split(size):
            real, names = _with_mirrored(train.images(there)), torch.cat([2 * there, 2 * there + 1])
            for here in torch.arange(len(pictures)).split(size):
                apart = torch.cdist(pictures[here].flatten(1).float() / 127.5, real)
                all_distances = torch.cat([distances[here], apart], 1)
                all_names = torch.cat([which[here], names.expand(len(here), -1)], 1)
                distances[here], chosen = all_distances.topk(k, 1, largest=False)
                which[here] = all_names.gather(1, chosen)
            told(int(there[-1]) + 1)
    return distances, which


def _out_of_line(distances: Tensor) -> Tensor:
    """Distance to the nearest picture over the mean distance to the nearest 50.

    Near 0 for a copy, near 1 for a picture that resembles many alike: so blurs, which lie near to everything, do not
    pass for copies (Carlini et al. 2023, arXiv 2301.13188, section 4.2: their ratio, here over whole pictures).
    """
    return distances[:, 0] / distances.mean(1).clamp_min(1e-9)


def _with_mirrored(pictures: Tensor) -> Tensor:
    """Of uint8 [n, C, H, W], float32 [2 n, C H W] in [0, 2]: as they are, then their mirror images."""
    return torch.cat([pictures, pictures.flip(3)]).flatten(1).float() / 127.5


def write_nearest_pairs(path: Path, fakes: Tensor, train: Dataset, nearest: list[NearestPair]) -> None:
    """Writes the pairs, four a row, generated left and real right, and more white between pairs than within them."""
    real = train.images([s.real for s in nearest])
    real = torch.stack([x.flip(2) if s.mirrored else x for s, x in zip(nearest, real, strict=True)])
    fake = fakes[torch.tensor([s.fake for s in nearest])]
    between = real.new_full((*real.shape[:3], GAP), 255)
    write_sheet(path, to_image(torch.cat([fake, between, real], 3)), 4, gap=4 * GAP)
