"""Risk control: misses counted by hand, the factor by the formula, and its promise on made-up pictures."""

import pytest
import torch

from zeuxis.draw import Stream, key_of
from zeuxis.errors import BadInput
from zeuxis.metrics.conformal import FACTORS, controlled, missed


def test_misses_by_hand():
    truth = torch.tensor([[[[0.0, 1.0, -2.0, 4.0]]]])
    middle = torch.zeros(1, 1, 1, 4)
    lower, upper = torch.full((1, 1, 1, 4), 1.0), torch.full((1, 1, 1, 4), 2.0)
    factors = torch.tensor([0.0, 0.4, 0.5, 1.9, 2.0, 3.0])
    found = missed(truth, middle, lower, upper, factors)
    assert found.tolist() == [[0.75, 0.75, 0.5, 0.5, 0.0, 0.0]]


def test_the_factor_by_the_formula():
    factors = torch.tensor([0.0, 1.0, 2.0, 3.0])
    losses = torch.tensor([[0.5, 0.2, 0.04, 0.0]], dtype=torch.float64).repeat(19, 1)
    assert controlled(losses, 0.1, factors) == 2.0  # (19 x 0.04 + 1) / 20 = 0.088
    assert controlled(losses, 0.05, factors) == 3.0  # 1 / 20 at the least
    with pytest.raises(BadInput, match="19 pictures cannot vouch"):
        controlled(losses, 0.04, factors)
    with pytest.raises(BadInput, match="no factor up to 2"):
        controlled(losses[:, :3], 0.05, factors[:3])


def test_the_promise_on_new_pictures():
    """Pictures whose errors have scales of their own: over many calibrations the mean miss is below alpha."""
    trials, n, pixels, alpha = 400, 30, 64, 0.1
    draw = Stream(key_of("conformal", 0))
    scale = (0.5 * draw.normal(trials * (n + 1), 1)).exp()
    error = (scale * draw.normal(trials * (n + 1), pixels))[:, None, None]
    one = torch.ones_like(error)
    losses = missed(error, torch.zeros_like(error), one, one).reshape(trials, n + 1, len(FACTORS))
    fresh = []
    for trial in losses:
        factor = controlled(trial[:n], alpha)
        fresh.append(float(trial[n, int((FACTORS - factor).abs().argmin())]))
    mean, error_of_mean = sum(fresh) / trials, torch.tensor(fresh).std().item() / trials**0.5
    assert mean <= alpha + 3 * error_of_mean
    assert mean >= alpha - 1 / (n + 1) - 4 * error_of_mean  # nor by intervals that are far too wide
