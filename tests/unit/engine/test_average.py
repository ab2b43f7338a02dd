import pytest
import torch
from torch import nn

from zeuxis.engine import average
from zeuxis.recipes.recipe import Average


def pair(value, half_life, ramp=0.1):
    players = nn.ModuleDict({"net": nn.BatchNorm1d(1), "other": nn.Linear(1, 1)})
    words = Average(("net",), half_life, ramp)
    twins = average.twins(players, words)
    for p in players["net"].parameters():
        p.data.fill_(value)
    for p in twins.parameters():
        p.data.zero_()
    return players, twins, words


@pytest.mark.parametrize(("batch", "left"), [(100, 0.5), (200, 0.25), (50, 0.5**0.5)])
def test_half_life(batch, left):
    """After as many images as the half-life, half of the old value is left."""
    players, twins, words = pair(1.0, 100.0)
    average.update(twins, players, words, batch, images=10**6)
    assert float(twins["net"].weight) == pytest.approx(1 - left)


def test_many_small_steps_equal_one_large():
    players, twins, words = pair(1.0, 100.0)
    for _ in range(10):
        average.update(twins, players, words, 10, images=10**6)
    assert float(twins["net"].weight) == pytest.approx(0.5, rel=1e-5)


def test_early_half_life_is_a_share_of_what_was_seen():
    players, twins, words = pair(1.0, 10**9, ramp=0.1)
    average.update(twins, players, words, 100, images=1000)
    assert float(twins["net"].weight) == pytest.approx(0.5)


def test_no_half_life_copies():
    players, twins, words = pair(3.0, 0.0)
    average.update(twins, players, words, 1, images=1)
    assert float(twins["net"].weight) == 3.0


def test_buffers_are_copied_and_twins_are_frozen():
    players, twins, words = pair(1.0, 100.0)
    players["net"].running_mean.fill_(7.0)
    average.update(twins, players, words, 1, images=10**6)
    assert float(twins["net"].running_mean) == 7.0 and list(twins) == ["net"]
    assert not twins["net"].training and not any(p.requires_grad for p in twins.parameters())
    assert torch.equal(players["net"].weight, torch.ones(1))
