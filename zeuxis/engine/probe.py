"""A short probe before a run: how fast a step is on this machine, and which levers make it faster."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from zeuxis.data.dataset import Dataset, Spec
from zeuxis.engine.batches import feeders
from zeuxis.engine.levers import Levers, candidates
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.table import lay
from zeuxis.engine.turns import play
from zeuxis.recipes.recipe import Recipe

_POINTS = (0.05, 0.3, 0.5, 0.7, 0.95)  # stages of growing recipes cost differently
_HORIZON = 100_000  # steps of the imagined run: progress hardly moves while a point is measured


@dataclass(frozen=True)
class Probed:
    """The levers that pay here, and the mean seconds of a step under them."""

    levers: Levers
    seconds_per_step: float


def seconds_per_step(
    recipe: Recipe,
    spec: Spec,
    streams: Mapping[str, Dataset],
    conditional: bool,
    levers: Levers,
    ranks: Ranks,
    points: tuple[float, ...] = _POINTS,
) -> float:
    """Mean over progress of the seconds of a step, on a table that is thrown away."""
    levers.pull()
    size = max(f.size for f in recipe.feeds().values())
    table = lay(recipe, spec, seed=0, steps=_HORIZON, batch=size, levers=levers)
    feeds = feeders(recipe.feeds(), streams, 0, levers.device, conditional)
    cycle = max(4, *(turn.every for turn in recipe.turns()), getattr(recipe, "lazy", 1))
    taken = []
    for point in points:
        table.step = round(point * _HORIZON) // cycle * cycle
        play(table, feeds, ranks)  # warm-up: kernels are chosen at the first call
        taken.append(_timed(table, feeds, ranks, cycle))
    return sum(taken) / len(taken)


def _timed(table: object, feeds: object, ranks: Ranks, steps: int) -> float:
    settle = torch.cuda.synchronize if torch.cuda.is_available() else int
    settle()  # the warm-up's last kernels are not ours to count
    start = time.perf_counter()
    for _ in range(steps):
        play(table, feeds, ranks)  # type: ignore[arg-type]
    settle()
    return (time.perf_counter() - start) / steps


def probe(
    recipe: Recipe,
    spec: Spec,
    streams: Mapping[str, Dataset],
    conditional: bool,
    first: Levers,
    ranks: Ranks,
    fixed_threads: bool,
) -> Probed:
    """Measures `first`, then each candidate at mid-run; keeps one only where it is 5 % faster."""
    best = Probed(first, seconds_per_step(recipe, spec, streams, conditional, first, ranks, (0.5,)))
    for levers in candidates(first, fixed_threads):
        try:
            seconds = seconds_per_step(recipe, spec, streams, conditional, levers, ranks, (0.5,))
        except (RuntimeError, NotImplementedError):
            continue  # a lever that this build cannot pull: plain eager stays
        if seconds < 0.95 * best.seconds_per_step:
            best = Probed(levers, seconds)
    whole = seconds_per_step(recipe, spec, streams, conditional, best.levers, ranks)
    return Probed(best.levers, whole)
