"""A short probe before a run: how fast a step is on this machine, and which levers make it faster."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean, median

import torch

from zeuxis.data.dataset import Dataset, Spec
from zeuxis.engine.batches import feeders
from zeuxis.engine.levers import Levers, candidates
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.table import lay
from zeuxis.engine.turns import play
from zeuxis.recipes.recipe import Recipe

_POINTS = tuple((k + 0.5) / 8 for k in range(8))  # stages of growing recipes cost differently
_HORIZON = 100_000  # steps of the imagined run: progress hardly moves while a point is measured
_LOOK, _LONGEST = 0.15, 8.0  # seconds of one look, and of all looks of one estimate
_ROUNDS = 4  # machines have slow seconds: a point is looked at again later, and the median counts


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
    look = _looker(recipe, spec, streams, conditional, levers, ranks)
    start = time.perf_counter()
    rounds = [[look(point) for point in points]]
    (more,) = ranks.agree(min(_ROUNDS, int(_LONGEST / (time.perf_counter() - start))) - 1)
    rounds += [[look(point) for point in points] for _ in range(more)]
    counted = rounds[1:] or rounds  # a process is slow in its first seconds
    return fmean(median(taken) for taken in zip(*counted, strict=True))


def _looker(
    recipe: Recipe,
    spec: Spec,
    streams: Mapping[str, Dataset],
    conditional: bool,
    levers: Levers,
    ranks: Ranks,
) -> Callable[[float], float]:
    """How long a step takes at a point of progress."""
    levers.pull()
    size = max(f.size for f in recipe.feeds().values())
    table = lay(recipe, spec, seed=0, steps=_HORIZON, batch=size, levers=levers)
    feeds = feeders(recipe.feeds(), streams, 0, levers.device, conditional)
    cycle = max(4, *(turn.every for turn in recipe.turns()), getattr(recipe, "lazy", 1))
    settle = torch.cuda.synchronize if torch.cuda.is_available() else int

    def timed(steps: int) -> float:
        settle()  # what was asked for before is not ours to count
        start = time.perf_counter()
        for _ in range(steps):
            play(table, feeds, ranks)
        settle()
        return (time.perf_counter() - start) / steps

    def look(point: float) -> float:
        levers.pull()
        table.step = round(point * _HORIZON) // cycle * cycle
        play(table, feeds, ranks)  # warm-up: kernels are chosen at the first call
        once = timed(cycle)
        (more,) = ranks.agree(int(_LOOK / (once * cycle)))  # every process plays the same steps
        return timed(more * cycle) if more else once

    return look


def probe(
    recipe: Recipe,
    spec: Spec,
    streams: Mapping[str, Dataset],
    conditional: bool,
    first: Levers,
    ranks: Ranks,
    fixed_threads: bool,
) -> Probed:
    """Measures `first` and each candidate at mid-run, in turns; a candidate counts only where it is 5 % faster."""
    looks, best = {}, {}
    for levers in (first, *candidates(first, fixed_threads)):
        try:
            looks[levers] = _looker(recipe, spec, streams, conditional, levers, ranks)
            best[levers] = looks[levers](0.5)
        except (RuntimeError, NotImplementedError):
            looks.pop(levers, None)  # a lever that this build cannot pull: plain eager stays
            if levers == first:
                raise
    for levers, look in [*looks.items()] * 2:
        best[levers] = min(best[levers], look(0.5))
    looks.clear()  # their tables hold memory that the last measurement needs
    fastest = min(best, key=lambda levers: best[levers] * (1.0 if levers == first else 1.05))
    return Probed(fastest, seconds_per_step(recipe, spec, streams, conditional, fastest, ranks))
