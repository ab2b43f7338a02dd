import pytest
import torch
from torch import nn

from zeuxis.engine import average
from zeuxis.recipes.recipe import Average


def pair(value, half_life, ramp=0.1):
    networks = nn.ModuleDict({"net": nn.BatchNorm1d(1), "other": nn.Linear(1, 1)})
    words = Average(("net",), half_life, ramp)
    copies = average.copies(networks, words)
    for p in networks["net"].parameters():
        p.data.fill_(value)
    for p in copies.parameters():
        p.data.zero_()
    return networks, copies, words


@pytest.mark.parametrize(("batch", "left"), [(100, 0.5), (200, 0.25), (50, 0.5**0.5)])
def test_half_life(batch, left):
    """After as many images as the half-life, half of the old value is left."""
    networks, copies, words = pair(1.0, 100.0)
    average.update(copies, networks, words, batch, images=10**6)
    assert float(copies["net"].weight) == pytest.approx(1 - left)


def test_many_small_steps_equal_one_large():
    networks, copies, words = pair(1.0, 100.0)
    for _ in range(10):
        average.update(copies, networks, words, 10, images=10**6)
    assert float(copies["net"].weight) == pytest.approx(0.5, rel=1e-5)


def test_early_half_life_is_a_share_of_what_was_seen():
    networks, copies, words = pair(1.0, 10**9, ramp=0.1)
    average.update(copies, networks, words, 100, images=1000)
    assert float(copies["net"].weight) == pytest.approx(0.5)


def test_no_half_life_copies():
    networks, copies, words = pair(3.0, 0.0)
    average.update(copies, networks, words, 1, images=1)
    assert float(copies["net"].weight) == 3.0


def test_buffers_are_copied_and_twins_are_frozen():
    networks, copies, words = pair(1.0, 100.0)
    networks["net"].running_mean.fill_(7.0)
    average.update(copies, networks, words, 1, images=10**6)
    assert float(copies["net"].running_mean) == 7.0 and list(copies) == ["net"]
    assert not copies["net"].training and not any(p.requires_grad for p in copies.parameters())
    assert torch.equal(networks["net"].weight, torch.ones(1))
