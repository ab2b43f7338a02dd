"""Translations of held-out pictures, beside the two cheap rivals: the picture as it is, and its colours changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from zeuxis.classic.transport import colours_of, recoloured
from zeuxis.data.dataset import Dataset
from zeuxis.data.memory import MemoryDataset
from zeuxis.draw import Draw, some_of
from zeuxis.engine.batches import to_image
from zeuxis.engine.progress import pictures_done, say
from zeuxis.jobs.features import Features, features_for, no_larger, trained_on
from zeuxis.jobs.nearest_neighbours import Neighbours, neighbours
from zeuxis.jobs.published_nets import distance
from zeuxis.jobs.restoring.nets import Net
from zeuxis.jobs.sources import Material
from zeuxis.jobs.translating import translators
from zeuxis.jobs.translating.segments import Segments, taught
from zeuxis.metrics.distribution import kid
from zeuxis.metrics.edges import edge_correlation
from zeuxis.metrics.fidelity import psnr_each, ssim_each
from zeuxis.metrics.result import mean_of, proportion
from zeuxis.pictures.in_colour import in_colour, with_channels
from zeuxis.pictures.png import to_uint8
from zeuxis.weights import packages

SHOWN = 8
"""Pictures of a strip."""
MOST, LEAST = 256, 3
"""Held-out pictures that are looked at, at most, and those that a figure needs."""
_LPIPS = 32  # pixels of a side, which it needs
_BYTES = 96 << 20  # of a set of pictures as numbers; of large ones fewer are looked at
_LEARNED = 2_000  # training pictures of a side that the judge learns from, at most
OURS, COPYING, COLOURS, REAL, SHUFFLED = "ours", "copying", "colour transfer", "real", "shuffled"


@dataclass(frozen=True)
class Looked:
    """Pictures of one direction, [n, C, H, W] in [-1, 1]: held-out ones, what was made of them, and real ones beside.

    answers: by who gave them, ours first; real: held-out ones of the collection that is to be passed for, None where
    these are too few; wanted: the partners of a paired run; back: led back where that was learned;
    nearest: how near answers come to training pictures of that collection; closest: those of the first `SHOWN`.
    """

    given: Tensor
    answers: Mapping[str, Tensor]
    real: Tensor | None = None
    wanted: Tensor | None = None
    back: Tensor | None = None
    nearest: Neighbours | None = None
    closest: Tensor | None = None


@dataclass(frozen=True)
class Direction:
    """What was found in one direction, for JSON: names of the collections, and figures by measure and answer."""

    direction: str
    names: tuple[str, str]
    n: int
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"direction": self.direction, "from": self.names[0], "to": self.names[1], "n": self.n, **self.figures}


def names_of(given: Material) -> dict[str, str]:
    """What the collections are called: by the last part of their place; by their letter where that is the same."""
    found = {side: Path(str(words.get("source", side))).name for side, words in given.words.items()}
    return found if len(set(found.values())) == len(found) else {side: side for side in found}


def looked(net: Net, given: Material, direction: str, seed: int, paired: bool) -> Looked | None:
    """None where too few pictures were held out of what is given."""
    here, there = direction[0], direction[1]
    held, real, train = given.held.get(here), given.held.get(there), given.streams[there]
    if held is None or len(held) < LEAST:
        return None
    real = None if real is None or len(real) < LEAST else real
    most = max(LEAST, min(MOST, _BYTES // (12 * train.spec.height * train.spec.width)))
    chosen = some_of(len(held), most, "translated", seed)
    images, draw = to_image(held.images(chosen)), Draw(seed, phase="translated")
    answers = {OURS: _each(images, lambda x: translators.apply(net, x, direction, draw=draw), shows=True)}
    plain = with_channels(images, train.spec.channels)
    some = to_image(train.images(some_of(len(train), 64, "colours", seed)))
    palette = colours_of(some, Draw(seed, phase="colours"))
    answers |= {
        COPYING: plain,
        COLOURS: _each(plain, lambda x: recoloured(x, palette, Draw(seed, phase="transport"))),
    }
    back = None
    if direction[::-1] in translators.able(net).directions:
        back = _each(answers[OURS], lambda x: translators.apply(net, x, direction[::-1], draw=draw))
    beside = None
    if real is not None:
        beside = to_image(real.images(chosen if paired else some_of(len(real), most, "translated", seed)))
    near = neighbours(_pixels(answers[OURS]), given.streams[there], real)
    closest = torch.cat([_closest(given.streams[there], i) for i in near.which[:SHOWN, 0].tolist()])
    return Looked(images, answers, beside, beside if paired else None, back, near, closest)


def _closest(train: Dataset, which: int) -> Tensor:
    """By twice the position, and 1 where mirrored."""
    image = to_image(train.images([which // 2]))
    return image.flip(3) if which % 2 else image


def _each(images: Tensor, function: Callable[[Tensor], Tensor], shows: bool = False) -> Tensor:
    with pictures_done(len(images), shows) as told:
        done = []
        for k, image in enumerate(images.split(1)):
            done.append(function(image))
            told(k + 1)
    return torch.cat(done)


def judge_of(given: Material, names: Mapping[str, str], seed: int) -> Callable[[Tensor, int], Tensor]:
    """Tells of pictures [n, C, H, W] in [-1, 1] which pass for the first (0) or the second (1) collection, bool [n].

    It learned the two apart on the pictures that the run trained on, in colour.
    """
    say(f"zeuxis: training a judge that tells {' from '.join(f'`{name}`' for name in names.values())}")
    pixels, labels = [], []
    most = min(_LEARNED, *(len(given.streams[side]) for side in names))  # as many of both: a share is no prior
    for k, side in enumerate(names):
        data: Dataset = given.streams[side]
        chosen = some_of(len(data), most, "judge", seed)
        colour = in_colour(no_larger(to_image(data.images(chosen))))
        pixels.append(torch.from_numpy(to_uint8(colour)).permute(0, 3, 1, 2))
        labels += [k] * len(chosen)
    recipe, networks = trained_on(MemoryDataset(torch.cat(pixels), np.array(labels), tuple(names.values())))

    @torch.no_grad()
    def passes(images: Tensor, wanted: int) -> Tensor:
        parts = in_colour(no_larger(images)).split(64)
        return torch.cat([recipe.logits(networks, x).argmax(1) == wanted for x in parts])

    return passes


class By(NamedTuple):
    """What answers are measured by: which pass for a collection, features of pictures, pictures of the collection that
    were trained on, uint8 [n, C, H, W], and labels in photographs."""

    passes: Callable[[Tensor, int], Tensor] | None
    features: Features
    trained: Tensor
    segments: Segments | None = None


def measured(seen: Looked, direction: str, names: Mapping[str, str], by: By) -> Direction:
    """All figures of one direction, each with its n and an interval over pictures.

    Without real pictures of the collection that is to be passed for, those alone that need none.
    """
    made = seen.answers[OURS]
    edges = {who: edge_correlation(x, seen.given) for who, x in seen.answers.items()}
    edges[SHUFFLED] = edge_correlation(made.roll(1, 0), seen.given)
    found: dict[str, dict[str, Any]] = _against_real(seen, list(names).index(direction[1]), by)
    found["edges"] = {who: mean_of(each, -1.0, 1.0).to_json() for who, each in edges.items()}
    found["colours"] = {who: mean_of(_drift(x, seen.given), 0.0).to_json() for who, x in seen.answers.items()}
    if seen.wanted is not None:
        found |= _against_partners(seen.answers, seen.wanted)
    if seen.back is not None:
        found["back"] = {OURS: mean_of(_off(seen.back, seen.given), 0.0).to_json()}
    if by.segments is not None:
        shown = {**seen.answers, SHUFFLED: made.roll(1, 0)} | ({} if seen.real is None else {REAL: seen.real})
        found["labels"] = {who: by.segments.agreement(x, seen.given).to_json() for who, x in shown.items()}
    if seen.nearest is not None:
        found["copies"] = seen.nearest.record()
    return Direction(direction, (names[direction[0]], names[direction[1]]), len(seen.given), found)


def _against_real(seen: Looked, wanted: int, by: By) -> dict[str, dict[str, Any]]:
    """Which pass, and how far the sets are apart; of real pictures how far those trained on are from the held-out."""
    if seen.real is None or by.passes is None:
        return {}
    passing = {who: by.passes(x, wanted) for who, x in {**seen.answers, REAL: seen.real}.items()}
    real = by.features.of(_pixels(seen.real))
    sets = {who: _pixels(x) for who, x in seen.answers.items()} | {REAL: by.trained}
    apart = {who: kid(by.features.of(x), real) for who, x in sets.items() if len(x) >= LEAST}
    space = (by.features.name, by.features.sha256)
    return {
        "passes": {who: proportion(int(share.sum()), len(share)).to_json() for who, share in passing.items()},
        "kid": {who: figure.measured_in(*space).to_json() for who, figure in apart.items()},
    }


def _against_partners(answers: Mapping[str, Tensor], wanted: Tensor) -> dict[str, dict[str, Any]]:
    found = {
        "l1": {who: mean_of(_off(x, wanted), 0.0) for who, x in answers.items()},
        "psnr": {who: mean_of(psnr_each(x, wanted)) for who, x in answers.items()},
        "ssim": {who: mean_of(ssim_each(x, wanted)) for who, x in answers.items()},
    }
    if packages.is_here("lpips-alex") and min(wanted.shape[2:]) >= _LPIPS:
        lpips = distance()
        each = {who: [float(lpips(*both)) for both in _two_by_two(x, wanted)] for who, x in answers.items()}
        found["lpips"] = {who: mean_of(torch.tensor(values), 0.0) for who, values in each.items()}
    return {name: {who: figure.to_json() for who, figure in by_whom.items()} for name, by_whom in found.items()}


def _two_by_two(one: Tensor, other: Tensor) -> list[tuple[Tensor, Tensor]]:
    return [(in_colour(a), in_colour(b)) for a, b in zip(one.split(1), other.split(1), strict=True)]


def _off(one: Tensor, other: Tensor) -> Tensor:
    """[n]: mean difference in grey levels of 255."""
    return 127.5 * (one - other).abs().flatten(1).mean(1)


def _drift(image: Tensor, given: Tensor) -> Tensor:
    """[n]: how far the mean colour moved, in grey levels of 255."""
    moved: Tensor = (in_colour(image).mean((2, 3)) - in_colour(given).mean((2, 3))).norm(dim=1)
    return 127.5 * moved


def _pixels(images: Tensor) -> Tensor:
    return torch.from_numpy(to_uint8(images)).permute(0, 3, 1, 2)


def judged(net: Net, given: Material, seed: int, paired: bool) -> list[tuple[Direction, Looked]]:
    """Every direction that was learned, where pictures were held out."""
    names, found = names_of(given), []
    passes: Callable[[Tensor, int], Tensor] | None = None
    for direction in translators.able(net).directions:
        if (seen := looked(net, given, direction, seed, paired)) is None:
            continue
        maps, there = (given.streams[side] for side in direction)
        if passes is None and seen.real is not None:
            passes = judge_of(given, names, seed)
        named = paired and bool(given.words[direction[0]].get("exact"))
        segments = taught(maps, there, seed) if named else None
        trained = there.images(some_of(len(there), len(seen.given), "translated", seed))
        by = By(passes, features_for(None, _unlabelled(there)), trained, segments)
        found.append((measured(seen, direction, names, by), seen))
    return found


class _Plain:
    """A dataset without its labels: what sets are compared in is then no classifier of them."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self.labels = dataset, None

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dataset, name)


def _unlabelled(dataset: Dataset) -> Any:
    return _Plain(dataset)
