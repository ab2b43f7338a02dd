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
    law,
    only,
    outputs,
    samplers_for,
    small,
    smallest,
    state_for,
    streams_for,
)
from zeuxis import catalog
from zeuxis.draw import Draw
from zeuxis.engine.phases import gradient, phase_names, play
from zeuxis.recipes.recipe import Batch, Generates, StepContext


@pytest.mark.parametrize("name", NAMES)
@law("learner")
def test_only_the_learner_moves(name):
    recipe = small(name)
    spec = smallest(recipe)
    state, samplers = state_for(recipe, spec), samplers_for(recipe, streams_for(recipe, spec))
    for phase in recipe.phases():
        state.recipe = With(recipe, (phase,))
        learners = recipe.optimizers()[phase.optimizer].networks
        for state.step in dues(phase, count=2):
            before = copies(state.networks.state_dict())
            play(state, samplers, ALONE)
            moved = differing(before, state.networks.state_dict())
            assert {k.partition(".")[0] for k in moved} == set(learners), f"{phase.name} moved {moved}"
            assert all(p.grad is None and p.requires_grad for p in state.networks.parameters())


@pytest.mark.parametrize("name", NAMES)
@law("gradients")
def test_every_parameter_gets_a_gradient(name):
    recipe = small(name)
    spec = smallest(recipe, least=16)
    state, samplers = state_for(recipe, spec), samplers_for(recipe, streams_for(recipe, spec))
    reached = set()
    for phase, phase_name in zip(recipe.phases(), phase_names(recipe.phases()), strict=True):
        for state.step in dues(phase, count=9):
            gradient(
                state,
                phase,
                phase_name,
                lambda r, w: {k: f.batch("", state.step, r, w) for k, f in samplers.items()},
                ALONE,
            )
            for key, p in state.networks.named_parameters():
                if p.grad is None:
                    continue
                assert bool(torch.isfinite(p.grad).all()), f"{key} in {phase_name}"
                assert key.partition(".")[0] in recipe.optimizers()[phase.optimizer].networks
                reached.add(key)
                p.grad = None
    learners = {network for optimizer in recipe.optimizers().values() for network in optimizer.networks}
    assert {k for k, _ in state.networks.named_parameters() if k.partition(".")[0] in learners} - reached == set()


def losses(state, phase, batch: dict[str, Batch], step: int) -> float:
    """A phase's loss under eight fixed draws."""
    kept = copies(state.networks.state_dict())
    total = 0.0
    for k in range(8):
        draw = Draw(99, 0, k, "law")
        m = StepContext(
            state.networks, batch, draw, step / state.steps, step, state.ema, state.fixed, state.recipe_state
        )
        from zeuxis.nets import randomness

        randomness.bind(state.networks, draw)
        total += float(phase.loss(m).total().detach()) / 8
    state.networks.load_state_dict(kept)
    return total


@pytest.mark.parametrize("name", NAMES)
@law("learns")
def test_it_learns(name):
    recipe = small(name)
    spec = smallest(recipe)
    for side in recipe.optimizers():
        state = state_for(recipe, spec, steps=6000)
        samplers = samplers_for(recipe, streams_for(recipe, spec, n=next(iter(recipe.batch_specs().values())).size))
        batch = {k: f.batch("", 0) for k, f in samplers.items()}
        state.recipe = only(recipe, side)
        for phase in state.recipe.phases():
            state.step = start = next(s for s in range(3000, 6000) if s % 12 == 0 and phase.when(s / 6000))
            before = losses(state, phase, batch, start)
            for _ in range(30 * phase.every):
                play(state, samplers, ALONE)
            assert losses(state, phase, batch, start) < before, f"{phase.name} did not learn"


@pytest.mark.parametrize("name", [n for n in NAMES if hasattr(catalog.load(n), "decode")])
@law("learns")
def test_samples_differ_with_z(name):
    recipe = small(name)
    assert isinstance(recipe, Generates)
    spec = smallest(recipe)
    networks = state_for(recipe, spec).networks.eval()
    label = torch.zeros(2, dtype=torch.int64) if spec.condition else None
    image = torch.zeros(2, spec.channels, spec.height, spec.width)
    one, two = outputs(recipe, networks, spec, image, label, torch.tensor([1, 2]))["decode"]
    assert not bits_equal(one, two)
