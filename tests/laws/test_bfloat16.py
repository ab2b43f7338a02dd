"""Recipes that bear products in bfloat16: the same numbers twice and across a restart, and near those of float32."""

from dataclasses import replace

import pytest
import torch

from tests.laws.helper import NAMES, feeds_for, small, smallest, streams_for, table_for
from zeuxis import catalog
from zeuxis.engine import levers
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.turns import play

HALF = [name for name in NAMES if catalog.load(name).half]


def after(name: str, steps: int, bf16: bool, again: int = 0) -> dict[str, torch.Tensor]:
    """Every tensor after `steps` steps, with a table put back from its tensors after `again` of them."""
    recipe = small(name)
    spec = smallest(recipe, 3)
    feeds = feeds_for(recipe, streams_for(recipe, spec))
    table = table_for(recipe, spec)
    table.levers = replace(levers.plain(), bf16=bf16)
    for step in range(steps):
        if again and step == again:
            kept = {k: v.clone() for k, v in table.tensors().items()}
            table = table_for(recipe, spec, seed=0)
            table.levers = replace(levers.plain(), bf16=bf16)
            table.load(kept, again, 0)
        play(table, feeds, Ranks())
    return {k: v.clone() for k, v in table.tensors().items()}


@pytest.mark.parametrize("name", HALF)
def test_the_same_twice_and_across_a_restart(name):
    first, second = after(name, 4, True), after(name, 4, True, again=2)
    assert all(torch.equal(first[k], second[k]) for k in first)
    players = {k: v for k, v in first.items() if k.startswith("players/") and v.is_floating_point()}
    assert {v.dtype for v in players.values()} == {torch.float32}
    plain = after(name, 4, False)
    moved = any(not torch.equal(first[k], plain[k]) for k in players)
    assert moved  # the products were in bfloat16 indeed
    assert all(bool(torch.isfinite(v).all()) for v in players.values())
    changes = [players[k] - plain[k] for k in players]
    apart, whole = (sum(float(v.square().sum()) for v in some) for some in (changes, players.values()))
    assert apart < 0.05**2 * whole
