"""Laws 2 and 3: only the learner moves, all of it does, and it learns."""

import pytest
import torch

from tests.laws.helper import (
    ALONE,
    NAMES,
    With,
    bits_equal,
    copies,
    differing,
    dues,
    feeds_for,
    law,
    only,
    outputs,
    small,
    smallest,
    streams_for,
    table_for,
)
from zeuxis import catalog
from zeuxis.draw import Draw
from zeuxis.engine.turns import gradient, play, turn_names
from zeuxis.recipes.recipe import Batch, Generates, Moment


@pytest.mark.parametrize("name", NAMES)
@law("learner")
def test_only_the_learner_moves(name):
    recipe = small(name)
    spec = smallest(recipe)
    table, feeds = table_for(recipe, spec), feeds_for(recipe, streams_for(recipe, spec))
    for turn in recipe.turns():
        table.recipe = With(recipe, (turn,))
        learners = recipe.optimizers()[turn.optimizer].players
        for table.step in dues(turn, count=2):
            before = copies(table.players.state_dict())
            play(table, feeds, ALONE)
            moved = differing(before, table.players.state_dict())
            assert {k.partition(".")[0] for k in moved} == set(learners), f"{turn.name} moved {moved}"
            assert all(p.grad is None and p.requires_grad for p in table.players.parameters())


@pytest.mark.parametrize("name", NAMES)
@law("gradients")
def test_every_parameter_gets_a_gradient(name):
    recipe = small(name)
    spec = smallest(recipe, least=16)
    table, feeds = table_for(recipe, spec), feeds_for(recipe, streams_for(recipe, spec))
    reached = set()
    for turn, turn_name in zip(recipe.turns(), turn_names(recipe.turns()), strict=True):
        for table.step in dues(turn, count=9):
            gradient(
                table, turn, turn_name, lambda r, w: {k: f.batch("", table.step, r, w) for k, f in feeds.items()}, ALONE
            )
            for key, p in table.players.named_parameters():
                if p.grad is None:
                    continue
                assert bool(torch.isfinite(p.grad).all()), f"{key} in {turn_name}"
                assert key.partition(".")[0] in recipe.optimizers()[turn.optimizer].players
                reached.add(key)
                p.grad = None
    assert {k for k, _ in table.players.named_parameters()} - reached == set()


def losses(table, turn, batch: dict[str, Batch], step: int) -> float:
    """A turn's loss under eight fixed draws."""
    kept = copies(table.players.state_dict())
    total = 0.0
    for k in range(8):
        draw = Draw(99, 0, k, "law")
        m = Moment(table.players, batch, draw, step / table.steps, step, table.averaged, table.fixed, table.state)
        from zeuxis.nets import noise

        noise.bind(table.players, draw)
        total += float(turn.loss(m).total().detach()) / 8
    table.players.load_state_dict(kept)
    return total


@pytest.mark.parametrize("name", NAMES)
@law("learns")
def test_it_learns(name):
    recipe = small(name)
    spec = smallest(recipe)
    for side in recipe.optimizers():
        table = table_for(recipe, spec, steps=6000)
        feeds = feeds_for(recipe, streams_for(recipe, spec, n=recipe.feeds()["images"].size))
        batch = {k: f.batch("", 0) for k, f in feeds.items()}
        table.recipe = only(recipe, side)
        for turn in table.recipe.turns():
            table.step = start = next(s for s in range(3000, 6000) if s % 12 == 0 and turn.when(s / 6000))
            before = losses(table, turn, batch, start)
            for _ in range(30 * turn.every):
                play(table, feeds, ALONE)
            assert losses(table, turn, batch, start) < before, f"{turn.name} did not learn"


@pytest.mark.parametrize("name", [n for n in NAMES if hasattr(catalog.load(n), "decode")])
@law("learns")
def test_samples_differ_with_z(name):
    recipe = small(name)
    assert isinstance(recipe, Generates)
    spec = smallest(recipe)
    players = table_for(recipe, spec).players.eval()
    label = torch.zeros(2, dtype=torch.int64) if spec.condition else None
    image = torch.zeros(2, spec.channels, spec.height, spec.width)
    one, two = outputs(recipe, players, spec, image, label, torch.tensor([1, 2]))["decode"]
    assert not bits_equal(one, two)
