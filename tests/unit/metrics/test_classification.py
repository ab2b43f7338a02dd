"""Recalls and balanced accuracy against counts by hand and scikit-learn."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, confusion_matrix

from zeuxis.errors import BadInput
from zeuxis.metrics.classification import balanced_accuracy, confusion, recalls

TRUTH, GUESS = [0, 0, 0, 0, 1, 1, 2], [0, 0, 0, 1, 1, 0, 2]


def test_by_hand():
    assert recalls(GUESS, TRUTH, 4) == [0.75, 0.5, 1.0, None]
    found = balanced_accuracy(torch.tensor(GUESS), torch.tensor(TRUTH), 4)
    assert found.value == pytest.approx(0.75) and found.n == 7 and 0 <= found.low < 0.75 < found.high <= 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_equals_sklearn_and_ignores_order(pairs):
    guess, truth = [g for g, _ in pairs], [t for _, t in pairs]
    known = [i for i in range(4) if i in truth]
    found = balanced_accuracy(guess, truth, 4)
    assert confusion(guess, truth, 4).tolist() == confusion_matrix(truth, guess, labels=range(4)).tolist()
    if set(guess) <= set(truth) and len(known) > 1:  # sklearn warns otherwise
        assert found.value == pytest.approx(balanced_accuracy_score(truth, guess))
    assert found.value == pytest.approx(np.mean([recalls(guess, truth, 4)[i] for i in known]))
    assert balanced_accuracy(guess[::-1], truth[::-1], 4) == found
    assert -1e-12 <= found.low <= found.value <= found.high <= 1 + 1e-12


def test_the_interval_covers_about_95_percent():
    rng = np.random.default_rng(0)
    chance, sizes = np.array([0.95, 0.6, 0.8]), np.array([40, 25, 60])
    truth = np.repeat(np.arange(3), sizes)
    held = 0
    for _ in range(300):
        right = rng.random(len(truth)) < chance[truth]
        found = balanced_accuracy(np.where(right, truth, (truth + 1) % 3), truth, 3)
        held += found.low <= chance.mean() <= found.high
    assert 0.91 <= held / 300 <= 0.99


@pytest.mark.parametrize(("guess", "truth"), [([], []), ([0], [0, 1]), ([3], [0]), ([0], [-1])])
def test_bad_input_is_refused(guess, truth):
    with pytest.raises(BadInput):
        balanced_accuracy(guess, truth, 3)
