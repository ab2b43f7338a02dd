"""One step of any recipe: each phase that is due moves its learner, and nothing else."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import nn

from zeuxis.draw import Draw
from zeuxis.engine import average
from zeuxis.engine.batches import BatchSampler
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.state import TrainState
from zeuxis.nets import randomness
from zeuxis.recipes.recipe import Batch, Phase, Recipe, StepContext, Terms


@dataclass(frozen=True)
class Seen:
    """What a step let us see: terms per phase, watched values, and the first term that was not finite."""

    terms: dict[str, dict[str, float]]
    watch: dict[str, float]
    bad: str = ""


def phase_names(phases: tuple[Phase, ...]) -> list[str]:
    """Names by loss, numbered where a loss plays twice: the phase is part of every random key."""
    plain = [t.name for t in phases]
    return [n if plain.count(n) == 1 else f"{n}#{plain[:i].count(n)}" for i, n in enumerate(plain)]


def cycle(recipe: Recipe) -> int:
    """Steps after which everything that plays now and then has played: phases, and penalties that are lazy."""
    return math.lcm(getattr(recipe, "lazy", 1), *(phase.every for phase in recipe.phases()))


def due(phase: Phase, step: int, progress: float) -> bool:
    return (step + 1) % phase.every == 0 and phase.when(progress)


@contextmanager
def only_moves(state: TrainState, learners: tuple[str, ...]) -> Iterator[None]:
    """Freezes all networks but the learners, and puts back the buffers that the others moved in train mode."""
    for name, network in state.networks.items():
        network.requires_grad_(name in learners)
    others = [b for n, p in state.networks.items() if n not in learners for b in p.buffers()]
    kept = [b.clone() for b in others]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, before in zip(others, kept, strict=True):
                buffer.copy_(before)
        state.networks.requires_grad_(True)


@contextmanager
def _whole_or_none(state: TrainState) -> Iterator[None]:
    """No part of a gradient outlives an error on the way, such as memory that ran out: a retry would add to it."""
    try:
        yield
    except BaseException:
        _forget(state)
        raise


def _forget(state: TrainState) -> None:
    for parameter in state.networks.parameters():
        parameter.grad = None


def gradient(
    state: TrainState, phase: Phase, name: str, batches: Callable[[int, int], Mapping[str, Batch]], ranks: Ranks
) -> list[Terms]:
    """Evaluates one phase's loss and leaves the gradient of the global batch in its learner's parameters.

    batches(rank, world) gives a strided shard; with micro-batches this process plays
    the part of several ranks, one after another.
    """
    micro, micro_terms = state.compute.micro, []
    optimizer = state.optimizers[phase.optimizer]
    with only_moves(state, optimizer.words.networks), _whole_or_none(state):
        for part in range(micro):
            rank, world = ranks.rank + ranks.world * part, ranks.world * micro
            draw = Draw(state.seed, state.attempt, state.step, name, rank, world, state.compute.device)
            randomness.bind(state.networks, draw)
            context = StepContext(
                state.networks,
                batches(rank, world),
                draw,
                state.progress,
                state.step,
                state.ema,
                state.fixed,
                state.recipe_state,
                ranks.mean,
            )
            with state.compute.products():
                terms = phase.loss(context)
            (terms.total() / micro).backward()
            micro_terms.append(terms)
    ranks.average_([p.grad for p in optimizer.parameters if p.grad is not None])
    return micro_terms


def _read(name: str, micro_terms: list[Terms]) -> tuple[dict[str, float], dict[str, float], str]:
    terms = {k: sum(float(t[k].detach()) for t in micro_terms) / len(micro_terms) for k in micro_terms[0]}
    watch = {
        f"{name}/{k}": sum(float(t.watch[k]) for t in micro_terms) / len(micro_terms) for k in micro_terms[0].watch
    }
    named = {f"{name}/{k}": v for k, v in terms.items()} | watch
    bad = next((k for k, v in named.items() if not math.isfinite(v)), "")
    return terms, watch, bad


def play(state: TrainState, batch_samplers: Mapping[str, BatchSampler], ranks: Ranks, rate: float = 1.0) -> Seen:
    """One step: every phase that is due, then the averages. The table stands one step further."""
    phases = state.recipe.phases()
    terms: dict[str, dict[str, float]] = {}
    watch: dict[str, float] = {}
    bad = ""
    before = (state.step - 1) / state.steps if state.step else -1.0
    for optimizer in state.optimizers.values():
        optimizer.reset_if_due(before, state.progress)
    shared: dict[tuple[int, int], Mapping[str, Batch]] = {}
    for phase, name in zip(phases, phase_names(phases), strict=True):
        if not due(phase, state.step, state.progress):
            continue

        def batches(rank: int, world: int, phase: Phase = phase, name: str = name) -> Mapping[str, Batch]:
            if phase.fresh:
                return {k: f.batch(name, state.step, rank, world) for k, f in batch_samplers.items()}
            if (rank, world) not in shared:
                shared[rank, world] = {k: f.batch("", state.step, rank, world) for k, f in batch_samplers.items()}
            return shared[rank, world]

        optimizer = state.optimizers[phase.optimizer]
        optimizer.set_rates(state.progress, rate * 0.5**state.attempt)
        micro_terms = gradient(state, phase, name, batches, ranks)
        terms[name], seen, wrong = _read(name, micro_terms)
        watch |= seen
        bad = bad or wrong
        optimizer.clip()
        optimizer.torch.step()
        _settle(state, optimizer.words.networks, micro_terms, ranks)
    state.step += 1
    average.update(state.ema, state.networks, state.recipe.average(), state.batch, state.images)
    return Seen(terms, watch, bad)


def _settle(state: TrainState, learners: tuple[str, ...], micro_terms: list[Terms], ranks: Ranks) -> None:
    """After a phase's step: gradients gone, new state in place, running statistics alike in every process."""
    _forget(state)
    if micro_terms[-1].state:
        state.recipe_state = {**state.recipe_state, **{k: v.detach() for k, v in micro_terms[-1].state.items()}}
    if ranks.world > 1:
        buffers = [b for n in learners for b in state.networks[n].buffers()]
        here = next(state.networks.parameters()).device  # what lies on the host is a function of progress
        moved = [b for b in buffers if b.is_floating_point() and b.device == here]
        ranks.average_(
            moved + [v for k, v in state.recipe_state.items() if k in micro_terms[-1].state and v.is_floating_point()]
        )


def context_for_score(state: TrainState, batch: Mapping[str, Batch], name: str = "score") -> StepContext:
    """What a held-out score may see: the same draw each time, so that scores compare."""
    draw = Draw(state.seed, 0, 0, name, device=state.compute.device)
    return StepContext(
        state.networks, batch, draw, state.progress, state.step, state.ema, state.fixed, state.recipe_state
    )


@contextmanager
def evaluating(networks: nn.ModuleDict) -> Iterator[None]:
    """Eval mode without gradient for a while."""
    networks.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        networks.train()


def cast(batch: Batch, dtype: torch.dtype) -> Batch:
    """The batch in another precision, for checks in float64."""
    target = None if batch.target is None else batch.target.to(dtype)
    return replace(batch, image=batch.image.to(dtype), target=target)
