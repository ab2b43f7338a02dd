"""Copying: planted copies are found, fresh samples are not accused."""

import numpy as np
import pytest
import torch
from scipy.stats import binom

from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.metrics.neighbours import authenticity, copy_rate


def normal(name: str, *shape: int) -> torch.Tensor:
    return Draw(2).at(name).normal(*shape)


TRAIN, HELD_OUT, FRESH = normal("train", 400, 6), normal("held", 300, 6), normal("fresh", 250, 6)


def test_copy_rate_of_fresh_samples_is_as_expected():
    found = copy_rate(FRESH, TRAIN, HELD_OUT)
    assert found.expected == 3 / 301 and found.rate.floor == 3 / 300 and not found.alarm
    assert found.rate.value < 0.04 and found.rate.low <= found.rate.value <= found.rate.high
    copies = round(found.rate.value * 250)
    assert found.p_binomial == pytest.approx(binom.sf(copies - 1, 250, 3 / 301))


def test_copy_rate_alarms_on_planted_copies():
    fake = FRESH.clone()
    fake[:25] = TRAIN[:25]
    found = copy_rate(fake, TRAIN, HELD_OUT)
    assert found.rate.value >= 0.1 and found.alarm and found.p_binomial < 1e-6
    whole = copy_rate(TRAIN, TRAIN, HELD_OUT)
    assert whole.rate.value == 1.0 and whole.alarm


def test_duplicates_between_held_out_and_train_are_no_accusation():
    held_out, fake = HELD_OUT.clone(), FRESH.clone()
    held_out[:30], fake[:25] = TRAIN[:30], TRAIN[30:55]
    found = copy_rate(fake, TRAIN, held_out)
    assert found.threshold == 0.0 and found.rate.value == found.rate.floor == 0.1 and not found.alarm


def test_the_alarm_keeps_its_level_with_few_held_out_samples_where_the_plain_binomial_does_not():
    rng = np.random.default_rng(0)
    train = torch.linspace(0, 1000, 200)[:, None]
    alarms, plain = 0, 0
    for _ in range(400):
        held_out, fake = (torch.from_numpy(rng.uniform(0, 1000, (n, 1))) for n in (60, 400))
        found = copy_rate(fake, train, held_out)
        alarms, plain = alarms + found.alarm, plain + (found.p_binomial < 0.01)
    assert alarms <= 12 < plain  # 4 expected


@pytest.mark.parametrize(("d", "share"), [(1, 0.32), (2, 0.38), (3, 0.44), (10, 0.63)])
def test_authenticity_of_fresh_gaussians(d, share):
    found = authenticity(normal("g", 1500, d), normal("t", 1500, d), normal("h", 500, d))
    assert found.value == pytest.approx(share, abs=0.045) and found.floor == pytest.approx(share, abs=0.07)


def test_authenticity_by_hand_and_of_copies():
    train = torch.tensor([0.0, 1.0, 5.0])
    fake = torch.tensor([0.4, -1.5, 5.1, 10.0])  # nearest gaps 1, 1, 4, 4 against 0.4, 1.5, 0.1, 5
    assert authenticity(fake, train).value == 0.5
    assert authenticity(TRAIN, TRAIN).value == 0.0
    order = torch.arange(250).flip(0)
    assert authenticity(FRESH[order], TRAIN.flip(0)).value == authenticity(FRESH, TRAIN).value


def test_bad_input_is_refused():
    with pytest.raises(BadInput):
        authenticity(FRESH, TRAIN[:1])
    with pytest.raises(BadInput):
        copy_rate(FRESH, TRAIN, HELD_OUT, quantile=0.0)
    with pytest.raises(BadInput):
        copy_rate(FRESH, TRAIN[:, :2], HELD_OUT)
