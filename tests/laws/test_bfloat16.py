"""Recipes that bear products in bfloat16: the same numbers twice and across a restart, and near those of float32."""

from dataclasses import replace

import pytest
import torch

from tests.laws.helper import NAMES, samplers_for, small, smallest, state_for, streams_for
from zeuxis import catalog
from zeuxis.engine import compute
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.phases import play

HALF = [name for name in NAMES if catalog.load(name).half]


def after(name: str, steps: int, bf16: bool, again: int = 0) -> dict[str, torch.Tensor]:
    """Every tensor after `steps` steps, with a table put back from its tensors after `again` of them."""
    recipe = small(name)
    spec = smallest(recipe, 3)
    samplers = samplers_for(recipe, streams_for(recipe, spec))
    state = state_for(recipe, spec)
    state.compute = replace(compute.plain(), bf16=bf16)
    for step in range(steps):
        if again and step == again:
            kept = {k: v.clone() for k, v in state.tensors().items()}
            state = state_for(recipe, spec, seed=0)
            state.compute = replace(compute.plain(), bf16=bf16)
            state.load(kept, again, 0)
        play(state, samplers, Ranks())
    return {k: v.clone() for k, v in state.tensors().items()}


@pytest.mark.parametrize("name", HALF)
def test_the_same_twice_and_across_a_restart(name):
    first, second = after(name, 4, True), after(name, 4, True, again=2)
    assert all(torch.equal(first[k], second[k]) for k in first)
    networks = {k: v for k, v in first.items() if k.startswith("networks/") and v.is_floating_point()}
    assert {v.dtype for v in networks.values()} == {torch.float32}
    plain = after(name, 4, False)
    moved = any(not torch.equal(first[k], plain[k]) for k in networks)
    assert moved  # the products were in bfloat16 indeed
    assert all(bool(torch.isfinite(v).all()) for v in networks.values())
    changes = [networks[k] - plain[k] for k in networks]
    apart, whole = (sum(float(v.square().sum()) for v in some) for some in (changes, networks.values()))
    assert apart < 0.05**2 * whole
