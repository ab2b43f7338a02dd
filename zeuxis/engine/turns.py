"""One step of any recipe: each turn that is due moves its learner, and nothing else."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import nn

from zeuxis.draw import Draw
from zeuxis.engine import average
from zeuxis.engine.batches import Feeder
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.table import Table
from zeuxis.nets import noise
from zeuxis.recipes.recipe import Batch, Moment, Recipe, Terms, Turn


@dataclass(frozen=True)
class Seen:
    """What a step let us see: terms per turn, watched values, and the first term that was not finite."""

    terms: dict[str, dict[str, float]]
    watch: dict[str, float]
    bad: str = ""


def turn_names(turns: tuple[Turn, ...]) -> list[str]:
    """Names by loss, numbered where a loss plays twice: the turn is part of every random key."""
    plain = [t.name for t in turns]
    return [n if plain.count(n) == 1 else f"{n}#{plain[:i].count(n)}" for i, n in enumerate(plain)]


def cycle(recipe: Recipe) -> int:
    """Steps after which everything that plays now and then has played: turns, and penalties that are lazy."""
    return math.lcm(getattr(recipe, "lazy", 1), *(turn.every for turn in recipe.turns()))


def due(turn: Turn, step: int, progress: float) -> bool:
    return (step + 1) % turn.every == 0 and turn.when(progress)


@contextmanager
def only_moves(table: Table, learners: tuple[str, ...]) -> Iterator[None]:
    """Freezes all players but the learners, and puts back the buffers that the others moved in train mode."""
    for name, player in table.players.items():
        player.requires_grad_(name in learners)
    others = [b for n, p in table.players.items() if n not in learners for b in p.buffers()]
    kept = [b.clone() for b in others]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, before in zip(others, kept, strict=True):
                buffer.copy_(before)
        table.players.requires_grad_(True)


@contextmanager
def _whole_or_none(table: Table) -> Iterator[None]:
    """No part of a gradient outlives an error on the way, such as memory that ran out: a retry would add to it."""
    try:
        yield
    except BaseException:
        _forget(table)
        raise


def _forget(table: Table) -> None:
    for parameter in table.players.parameters():
        parameter.grad = None


def gradient(
    table: Table, turn: Turn, name: str, batches: Callable[[int, int], Mapping[str, Batch]], ranks: Ranks
) -> list[Terms]:
    """Evaluates one turn's loss and leaves the gradient of the global batch in its learner's parameters.

    batches(rank, world) gives a strided shard; with micro-batches this process plays
    the part of several ranks, one after another.
    """
    micro, found = table.levers.micro, []
    mover = table.movers[turn.optimizer]
    with only_moves(table, mover.words.players), _whole_or_none(table):
        for part in range(micro):
            rank, world = ranks.rank + ranks.world * part, ranks.world * micro
            draw = Draw(table.seed, table.attempt, table.step, name, rank, world, table.levers.device)
            noise.bind(table.players, draw)
            moment = Moment(
                table.players,
                batches(rank, world),
                draw,
                table.progress,
                table.step,
                table.averaged,
                table.fixed,
                table.state,
                ranks.mean,
            )
            with table.levers.products():
                terms = turn.loss(moment)
            (terms.total() / micro).backward()
            found.append(terms)
    ranks.average_([p.grad for p in mover.parameters if p.grad is not None])
    return found


def _read(name: str, found: list[Terms]) -> tuple[dict[str, float], dict[str, float], str]:
    terms = {k: sum(float(t[k].detach()) for t in found) / len(found) for k in found[0]}
    watch = {f"{name}/{k}": sum(float(t.watch[k]) for t in found) / len(found) for k in found[0].watch}
    named = {f"{name}/{k}": v for k, v in terms.items()} | watch
    bad = next((k for k, v in named.items() if not math.isfinite(v)), "")
    return terms, watch, bad


def play(table: Table, feeders: Mapping[str, Feeder], ranks: Ranks, rate: float = 1.0) -> Seen:
    """One step: every turn that is due, then the averages. The table stands one step further."""
    turns = table.recipe.turns()
    terms: dict[str, dict[str, float]] = {}
    watch: dict[str, float] = {}
    bad = ""
    before = (table.step - 1) / table.steps if table.step else -1.0
    for mover in table.movers.values():
        mover.reset_if_due(before, table.progress)
    shared: dict[tuple[int, int], Mapping[str, Batch]] = {}
    for turn, name in zip(turns, turn_names(turns), strict=True):
        if not due(turn, table.step, table.progress):
            continue

        def batches(rank: int, world: int, turn: Turn = turn, name: str = name) -> Mapping[str, Batch]:
            if turn.fresh:
                return {k: f.batch(name, table.step, rank, world) for k, f in feeders.items()}
            if (rank, world) not in shared:
                shared[rank, world] = {k: f.batch("", table.step, rank, world) for k, f in feeders.items()}
            return shared[rank, world]

        mover = table.movers[turn.optimizer]
        mover.set_rates(table.progress, rate * 0.5**table.attempt)
        found = gradient(table, turn, name, batches, ranks)
        terms[name], seen, wrong = _read(name, found)
        watch |= seen
        bad = bad or wrong
        mover.clip()
        mover.torch.step()
        _settle(table, mover.words.players, found, ranks)
    table.step += 1
    average.update(table.averaged, table.players, table.recipe.average(), table.batch, table.images)
    return Seen(terms, watch, bad)


def _settle(table: Table, learners: tuple[str, ...], found: list[Terms], ranks: Ranks) -> None:
    """After a turn's step: gradients gone, new state in place, running statistics alike in every process."""
    _forget(table)
    if found[-1].state:
        table.state = {**table.state, **{k: v.detach() for k, v in found[-1].state.items()}}
    if ranks.world > 1:
        buffers = [b for n in learners for b in table.players[n].buffers()]
        here = next(table.players.parameters()).device  # what lies on the host is a function of progress
        moved = [b for b in buffers if b.is_floating_point() and b.device == here]
        ranks.average_(moved + [v for k, v in table.state.items() if k in found[-1].state and v.is_floating_point()])


def moment_for_score(table: Table, batch: Batch, name: str = "score") -> Moment:
    """What a held-out score may see: the same draw each time, so that scores compare."""
    draw = Draw(table.seed, 0, 0, name, device=table.levers.device)
    return Moment(
        table.players, {"images": batch}, draw, table.progress, table.step, table.averaged, table.fixed, table.state
    )


@contextmanager
def evaluating(players: nn.ModuleDict) -> Iterator[None]:
    """Eval mode without gradient for a while."""
    players.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        players.train()


def cast(batch: Batch, dtype: torch.dtype) -> Batch:
    """The batch in another precision, for checks in float64."""
    return replace(batch, image=batch.image.to(dtype))
