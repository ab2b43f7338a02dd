"""Diversity: closed forms, the Vendi score's published examples, collapse."""

import math

import pytest
import torch

from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.metrics.spreads import (
    cosine_kernel,
    diversity_ratio,
    gaussian_kernel,
    mean_pairwise_distance,
    vendi,
    vendi_of_kernel,
)


def normal(name: str, *shape: int) -> torch.Tensor:
    return Draw(1).at(name).normal(*shape)


def test_mean_pairwise_distance_by_hand():
    found = mean_pairwise_distance([0.0, 3.0, 4.0])
    assert found.value == pytest.approx(8 / 3) and found.n == 3
    assert mean_pairwise_distance([[0.0, 0.0], [3.0, 4.0]]).value == pytest.approx(5.0)


def test_mean_pairwise_distance_of_a_gaussian_and_its_interval():
    found = mean_pairwise_distance(normal("x", 1500, 1))
    assert found.value == pytest.approx(2 / math.sqrt(math.pi), rel=0.05)
    # the influence function gives the error: 2 sd(E|x - X| over x) / sqrt(n), here 0.0414 half width
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * 2 * 0.4084 / math.sqrt(1500), rel=0.1)


def test_the_interval_covers_about_95_percent():
    truth, held = 2 / math.sqrt(math.pi), 0
    for i in range(200):
        found = mean_pairwise_distance(normal(f"cover{i}", 60, 1))
        held += found.low <= truth <= found.high
    assert 0.89 <= held / 200 <= 0.99


def test_collapse_is_zero_and_itself_is_one():
    real = normal("real", 40, 3, 5, 5)
    assert diversity_ratio(real[:1].expand(30, -1, -1, -1), real).value == 0.0
    assert diversity_ratio(real, real).value == 1.0
    assert diversity_ratio(real / 4, real).value == pytest.approx(0.25)
    assert diversity_ratio(real[:1].expand(9, -1, -1, -1), real[:1].expand(9, -1, -1, -1)).value == 1.0
    assert diversity_ratio(real, real[:1].expand(9, -1, -1, -1)).value == math.inf


def test_ratio_carries_interval_floor_and_ignores_order():
    fake, real, held_out = normal("f", 60, 8), normal("r", 70, 8), normal("h", 50, 8)
    found = diversity_ratio(fake, real, held_out)
    assert found.low < 1 < found.high and found.low < found.value < found.high
    assert found.floor == diversity_ratio(held_out, real).value == pytest.approx(1, abs=0.15)
    assert diversity_ratio(fake.flip(0), real.flip(0)).value == pytest.approx(found.value, rel=1e-12)


def test_vendi_published_examples():
    laplace = torch.exp(-torch.cdist(*[torch.tensor([0.0, 0, 10, 10, 20, 20]).double()[:, None]] * 2))
    assert vendi_of_kernel(laplace) == pytest.approx(2.999999996, abs=1e-7)
    assert vendi_of_kernel([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]]) == pytest.approx(2.15730, abs=1e-5)


def test_vendi_bounds_floor_and_order():
    assert vendi(torch.eye(7)).value == pytest.approx(7.0)
    assert vendi(torch.ones(7, 3)).value == pytest.approx(1.0)
    x, real = normal("x", 30, 4), normal("r", 30, 4)
    found = vendi(x, real=real)
    assert 1 < found.value < 30 and found.floor == vendi(real).value and found.n == 30
    assert vendi(x.flip(0)).value == pytest.approx(found.value, rel=1e-9)
    assert vendi(x, gaussian_kernel(1e-3)).value == pytest.approx(30.0)
    assert vendi(x, gaussian_kernel(1e3)).value == pytest.approx(1.0, abs=1e-3)
    assert torch.equal(cosine_kernel(torch.zeros(2, 3)), torch.eye(2))


def test_one_sample_has_no_pairs():
    with pytest.raises(BadInput):
        mean_pairwise_distance(torch.zeros(1, 3))
