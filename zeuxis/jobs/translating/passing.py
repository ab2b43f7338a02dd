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
from zeuxis.jobs.restoring.nets import Net
from zeuxis.jobs.sources import Material
from zeuxis.jobs.translating import translators
from zeuxis.jobs.translating.segments import Segments, taught
from zeuxis.metrics.distribution import kid
from zeuxis.metrics.edges import edge_correlation
from zeuxis.metrics.fidelity import psnr_each, ssim_each
from zeuxis.metrics.result import proportion
from zeuxis.pictures.in_colour import in_colour, with_channels
from zeuxis.pictures.png import to_uint8

SHOWN = 8
"""Pictures of a strip."""
MOST, LEAST = 256, 3
"""Held-out pictures that are looked at, at most, and those that a figure needs."""
_LEARNED = 2_000  # training pictures of a side that the judge learns from, at most
OURS, COPYING, COLOURS, REAL, SHUFFLED = "ours", "copying", "colour transfer", "real", "shuffled"


@dataclass(frozen=True)
class Looked:
    """Pictures of one direction, [n, C, H, W] in [-1, 1]: held-out ones, what was made of them, and real ones beside.

    answers: by who gave them, ours first; wanted: the partners of
    a paired run; real: held-out ones of the collection that is to be passed for; back: led back where that was learned;
    nearest: how near answers come to training pictures of that collection; closest: those of the first `SHOWN`.
    """

    given: Tensor
    answers: Mapping[str, Tensor]
    real: Tensor
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
    """None where too few pictures were held out."""
    here, there = direction[0], direction[1]
    held, real = (given.held.get(side) for side in (here, there))
    if held is None or real is None or min(len(held), len(real)) < LEAST:
        return None
    chosen = some_of(len(held), MOST, "translated", seed)
    images = to_image(held.images(chosen))
    answers = {OURS: _each(images, lambda x: translators.apply(net, x, direction), shows=True)}
    train, plain = given.streams[there], with_channels(images, real.spec.channels)
    some = to_image(train.images(some_of(len(train), 64, "colours", seed)))
    palette = colours_of(some, Draw(seed, phase="colours"))
    answers |= {
        COPYING: plain,
        COLOURS: _each(plain, lambda x: recoloured(x, palette, Draw(seed, phase="transport"))),
    }
    back = None
    if direction[::-1] in translators.able(net).directions:
        back = _each(answers[OURS], lambda x: translators.apply(net, x, direction[::-1]))
    others = chosen if paired else some_of(len(real), MOST, "translated", seed)
    beside = to_image(real.images(others))
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
    """What answers are measured by: which pass for a collection, features of pictures, and labels in photographs."""

    passes: Callable[[Tensor, int], Tensor]
    features: Features
    segments: Segments | None = None


def measured(seen: Looked, direction: str, names: Mapping[str, str], by: By) -> Direction:
    """All figures of one direction; each with its n, and an interval over pictures where there is one."""
    wanted = list(names).index(direction[1])
    everyone = {**seen.answers, REAL: seen.real}
    found: dict[str, dict[str, Any]] = {"passes": {}, "kid": {}, "edges": {}}
    real = by.features.of(_pixels(seen.real))
    for who, images in everyone.items():
        share = by.passes(images, wanted)
        found["passes"][who] = proportion(int(share.sum()), len(share)).to_json()
        if who != REAL:
            found["kid"][who] = kid(by.features.of(_pixels(images)), real).to_json()
            found["edges"][who] = float(edge_correlation(images, seen.given).mean())
    found["edges"][SHUFFLED] = float(edge_correlation(seen.answers[OURS].roll(1, 0), seen.given).mean())
    if seen.wanted is not None:
        found["psnr"] = {who: float(psnr_each(x, seen.wanted).mean()) for who, x in seen.answers.items()}
        found["ssim"] = {who: float(ssim_each(x, seen.wanted).mean()) for who, x in seen.answers.items()}
    if seen.back is not None:
        found["back"] = {OURS: float((seen.back - seen.given).abs().mean())}
    if by.segments is not None:
        shown = {**everyone, SHUFFLED: seen.answers[OURS].roll(1, 0)}
        found["labels"] = {who: by.segments.agreement(x, seen.given).to_json() for who, x in shown.items()}
    if seen.nearest is not None:
        found["copies"] = seen.nearest.record()
    return Direction(direction, (names[direction[0]], names[direction[1]]), len(seen.given), found)


def _pixels(images: Tensor) -> Tensor:
    return torch.from_numpy(to_uint8(images)).permute(0, 3, 1, 2)


def judged(net: Net, given: Material, seed: int, paired: bool) -> list[tuple[Direction, Looked]]:
    """Every direction that was learned, where pictures were held out."""
    names, found = names_of(given), []
    seen = {d: looked(net, given, d, seed, paired) for d in translators.able(net).directions}
    if any(seen.values()):
        passes = judge_of(given, names, seed)
        for direction, one in seen.items():
            if one is not None:
                maps, photographs = (given.streams[side] for side in direction)
                named = paired and bool(given.words[direction[0]].get("exact"))
                segments = taught(maps, photographs, seed) if named else None
                features = features_for(None, _unlabelled(photographs))
                found.append((measured(one, direction, names, By(passes, features, segments)), one))
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
