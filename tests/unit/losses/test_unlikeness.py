"""How unlike pictures are, against what it is by hand."""

import pytest
import torch
from torch import Tensor

from zeuxis.losses.unlikeness import unlikeness

REAL = torch.sin(torch.arange(8 * 2 * 3, dtype=torch.float32) ** 1.3).reshape(8, 2, 3)
ALL = torch.ones(8)


def mean(x: Tensor) -> Tensor:
    return x.mean(0, keepdim=True)


def test_it_is_the_share_of_the_variance_of_real_ones_that_is_missed() -> None:
    spread = (REAL - REAL.mean(0)).square().mean()
    fake = REAL + 0.3 * REAL.flip(0)
    wanted = float((0.3 * REAL.flip(0)).square().mean() / spread)
    assert float(unlikeness(fake, REAL, ALL, mean)) == pytest.approx(wanted, rel=1e-5)
    assert float(unlikeness(REAL, REAL, ALL, mean)) == 0
    assert float(unlikeness(REAL.mean(0).expand_as(REAL), REAL, ALL, mean)) == pytest.approx(1, rel=1e-5)


def test_features_count_alike_whatever_their_size_and_number() -> None:
    one = float(unlikeness(0.5 * REAL, REAL, ALL, mean))
    assert float(unlikeness(500 * REAL.repeat(1, 5, 1), 1000 * REAL.repeat(1, 5, 1), ALL, mean)) == pytest.approx(one)


def test_only_rows_with_a_weight_count_and_without_any_there_is_nothing() -> None:
    fake = REAL.clone()
    fake[4:] = 99
    assert float(unlikeness(fake, REAL, torch.tensor([1.0] * 4 + [0.0] * 4), mean)) == 0
    assert float(unlikeness(fake, REAL, torch.zeros(8), mean)) == 0
    whole, half = 2 * REAL, torch.tensor([0.0, 1.0] * 4)
    by_hand = REAL[1::2].square().mean() / (REAL - REAL.mean(0)).square().mean()
    assert float(unlikeness(whole, REAL, half, mean)) == pytest.approx(float(by_hand), rel=1e-5)


def test_of_real_pictures_that_are_all_alike_nothing_is_asked() -> None:
    """A batch of one was missed by a million."""
    assert unlikeness(REAL, torch.zeros_like(REAL), ALL, mean) == 0
    assert unlikeness(REAL[:1], REAL[1:2], ALL[:1], mean) == 0
