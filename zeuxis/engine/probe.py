"""A short probe before a run: how fast a step is on this machine, and which compute options make it faster."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean, median

import torch

from zeuxis.data.dataset import Dataset, Spec
from zeuxis.engine.batches import BatchSampler, batch_samplers
from zeuxis.engine.compute import ComputeOptions, candidates
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.phases import cycle, play
from zeuxis.engine.representing import calibrate
from zeuxis.engine.state import TrainState, build_state
from zeuxis.errors import BadInput
from zeuxis.recipes.recipe import Recipe, recipe_name

# stages of growing recipes cost differently; looked at in this order, in case that patience ends
_POINTS = tuple((k + 0.5) / 8 for k in (4, 0, 7, 2, 6, 1, 5, 3))
_HORIZON = 100_000  # steps of the imagined run: progress hardly moves while a point is measured
_LOOK = 0.15  # seconds that a look takes at least
PATIENCE = 8.0  # seconds of looks for one estimate, about
_FIRST = 8  # steps of a beginning that are looked at where a later one was not finite
_ROUNDS = 4  # machines have slow seconds: a point is looked at again later, and the median counts


@dataclass(frozen=True)
class Probed:
    """The compute options that pay here, and the mean seconds of a step under them."""

    compute: ComputeOptions
    seconds_per_step: float


def seconds_per_step(
    recipe: Recipe,
    spec: Spec,
    streams: Mapping[str, Dataset],
    conditional: bool,
    compute: ComputeOptions,
    ranks: Ranks,
    points: tuple[float, ...] = _POINTS,
    patience: float = PATIENCE,
) -> float:
    """Mean over progress of the seconds of a step, on a table that is thrown away.

    Where steps are long, fewer points are looked at, so that it takes about `patience` seconds.
    """
    look = _looker(recipe, spec, streams, conditional, compute, ranks)
    start = time.perf_counter()
    rounds: list[list[float]] = [[]]
    for point in points:
        rounds[0].append(look(point))
        spent = time.perf_counter() - start
        if ranks.agree(int(spent > patience))[0]:
            break
    (more,) = ranks.agree(min(_ROUNDS, int(patience / spent)) - 1)
    rounds += [[look(point) for point in points] for _ in range(more)]
    counted = rounds[1:] or rounds  # a process is slow in its first seconds
    return fmean(median(taken) for taken in zip(*counted, strict=True))


def _looker(
    recipe: Recipe,
    spec: Spec,
    streams: Mapping[str, Dataset],
    conditional: bool,
    compute: ComputeOptions,
    ranks: Ranks,
) -> Callable[[float], float]:
    """How long a step takes at a point of progress; raises BadInput where a training would break off at once."""
    compute.apply()
    size = max(f.size for f in recipe.batch_specs().values())
    state = build_state(recipe, spec, seed=0, steps=_HORIZON, batch=size, compute=compute)
    calibrate(recipe, state.networks, streams)
    samplers = batch_samplers(recipe.batch_specs(), streams, 0, compute.device, conditional)
    whole = cycle(recipe)
    whole *= -(-4 // whole)  # one step alone says little
    excused: list[str] = []  # a step in the middle of a run need not bear weights of its beginning
    settle = torch.cuda.synchronize if torch.cuda.is_available() else int

    def timed(steps: int) -> float:
        settle()  # what was asked for before is not ours to count
        start = time.perf_counter()
        seen = [play(state, samplers, ranks) for _ in range(steps)]
        settle()
        taken = (time.perf_counter() - start) / steps
        bad = next((one.bad for one in seen if one.bad), "")
        if ranks.agree(int(bool(bad)))[0] and not excused:
            _begins_well(
                recipe, build_state(recipe, spec, seed=0, steps=_HORIZON, batch=size, compute=compute), samplers, ranks
            )
            excused.append(bad)
        return taken

    def look(point: float) -> float:
        compute.apply()
        state.step = round(point * _HORIZON) // whole * whole
        play(state, samplers, ranks)  # warm-up: kernels are chosen at the first call
        once = timed(whole)
        (more,) = ranks.agree(int(_LOOK / (once * whole)))  # every process plays the same steps
        return timed(more * whole) if more else once

    return look


def _begins_well(recipe: Recipe, state: TrainState, samplers: Mapping[str, BatchSampler], ranks: Ranks) -> None:
    """Raises BadInput where a term is not finite in the first steps of a run."""
    for _ in range(_FIRST):
        bad = play(state, samplers, ranks).bad
        if ranks.agree(int(bool(bad)))[0]:
            what = f"{bad or 'a term of another process'} is not finite in step {state.step} of a trial"
            raise BadInput(what, recipe_name(type(recipe)), "use a lower learning rate")


def probe(
    recipe: Recipe,
    spec: Spec,
    streams: Mapping[str, Dataset],
    conditional: bool,
    first: ComputeOptions,
    ranks: Ranks,
    fixed_threads: bool,
    patience: float = PATIENCE,
) -> Probed:
    """Measures `first` and each candidate at mid-run, in turns; a candidate counts only where it is 5 % faster.

    A choice is held to the mean of its looks but the first: beside other programs, threads that wait for one another
    are fast at moments and slow on the whole. Several threads have to be a fifth faster than one.
    """
    looks: dict[ComputeOptions, Callable[[float], float]] = {}
    taken: dict[ComputeOptions, list[float]] = {}
    start = time.perf_counter()
    options = (first, *candidates(first, fixed_threads, recipe.half))
    single = next((compute for compute in options if compute.threads == 1), first)  # is looked at in any case
    for compute in options:
        if ranks.agree(int(time.perf_counter() - start > patience and compute not in (first, single)))[0]:
            continue
        try:
            looks[compute] = _looker(recipe, spec, streams, conditional, compute, ranks)
            taken[compute] = [looks[compute](0.5)]
        except (RuntimeError, NotImplementedError, BadInput):
            looks.pop(compute, None)  # an option that this build cannot take: plain eager stays
            if compute == first:
                raise
    for compute, look in [*looks.items()] * _ROUNDS:
        if ranks.agree(int(time.perf_counter() - start < patience))[0]:
            taken[compute].append(look(0.5))
    looks.clear()  # their tables hold memory that the last measurement needs
    alone = any(compute.threads == 1 for compute in taken)

    def cost(compute: ComputeOptions) -> float:
        several = 1.2 if alone and compute.threads > 1 else 1.0
        mean = fmean(taken[compute][1:] or taken[compute])
        return float(f"{mean * several * (1.0 if compute == first else 1.05):.3g}")  # equals go to the plainer

    fastest = min(taken, key=cost)
    return Probed(fastest, seconds_per_step(recipe, spec, streams, conditional, fastest, ranks, patience=patience))
