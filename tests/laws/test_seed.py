"""Laws 5 and 6: a seed decides every bit, and a sample's output does not depend on its neighbours."""

import random

import numpy as np
import pytest
import torch

from tests.laws.helper import (
    ALONE,
    NAMES,
    bits_equal,
    copies,
    differing,
    law,
    outputs,
    pictures,
    poisoned,
    samplers_for,
    small,
    smallest,
    state_for,
    streams_for,
    variants,
)
from zeuxis.engine.batches import to_image
from zeuxis.engine.phases import play


def spoil() -> None:
    number = random.randrange(2**31)
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


def played(recipe, seed, steps=3, poison=None, spec=None, stop=None):
    """A table after some steps; where it stops, another table goes on from its tensors."""
    spec = spec or smallest(recipe)
    state, samplers = state_for(recipe, spec, seed, steps=steps), samplers_for(recipe, streams_for(recipe, spec), seed)
    for step in range(steps):
        if step == stop:
            tensors, state = copies(state.tensors()), state_for(recipe, spec, seed + 9, steps=steps)
            state.seed = seed
            state.load(tensors, step, 0)
        if poison:
            state.recipe = poisoned(recipe, poison)
        play(state, samplers, ALONE)
    return state


@pytest.mark.parametrize("name", NAMES)
@law("seed")
def test_seed(name):
    recipe = small(name)
    first = copies(played(recipe, 1).tensors())
    spoil()
    assert differing(first, played(recipe, 1, poison=spoil).tensors()) == []
    other = played(recipe, 2).tensors()
    moved = {network for optimizer in recipe.optimizers().values() for network in optimizer.networks}
    learned = {k for k, v in first.items() if k.startswith("networks/") and v.ndim > 1}
    assert {k for k in learned if k.split("/")[1].partition(".")[0] in moved} <= set(differing(first, other))


@pytest.mark.parametrize("name", NAMES)
@law("seed")
def test_global_generators_are_not_touched(name):
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    played(small(name), 1)
    assert bits_equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all() and before[2] == random.getstate()


@pytest.mark.parametrize("name", NAMES)
@law("independence")
def test_independence_of_neighbours(name):
    recipe = small(name)
    spec = smallest(recipe)
    networks = played(recipe, 0).networks.eval()
    image = to_image(pictures(spec, 4).images(range(4)))
    label = torch.tensor([0, 1, 2, 1]) if spec.condition else None
    seeds = torch.tensor([7, 8, 9, 7])
    together = outputs(recipe, networks, spec, image, label, seeds)
    for i in range(4):
        row = slice(i, i + 1)
        alone = outputs(recipe, networks, spec, image[row], None if label is None else label[row], seeds[row])
        for key, value in alone.items():
            torch.testing.assert_close(value, together[key][row], rtol=1e-5, atol=1e-5, msg=lambda m: f"{key}: {m}")


@pytest.mark.parametrize(("name", "field", "value"), variants(), ids=lambda v: str(v))
def test_every_choice_keeps_seed_and_resume(name, field, value):
    """Bodies, losses, laws and policies beside the defaults: equal bits twice, and across a checkpoint."""
    recipe = small(name, **{field: value})
    spec = smallest(recipe, 3)
    first = copies(played(recipe, 1, spec=spec).tensors())
    again = played(recipe, 1, spec=spec, poison=spoil, stop=2)
    assert differing(first, again.tensors()) == []
    label = torch.zeros(1, dtype=torch.int64) if spec.condition else None
    image = to_image(pictures(spec, 1).images([0]))
    for x in outputs(recipe, again.networks.eval(), spec, image, label, torch.arange(1)).values():
        assert bool(torch.isfinite(x).all()) and x.dtype == torch.float32
