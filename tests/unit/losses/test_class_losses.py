import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zeuxis.losses.classification import accuracy, balanced_accuracy, cross_entropy, recalls, weighted_mean


def test_cross_entropy_of_equal_logits_is_log_k():
    loss = cross_entropy(torch.zeros(3, 5), torch.tensor([0, 1, 4]), smoothing=0.3)
    assert torch.allclose(loss, torch.full((3,), math.log(5)))


def test_cross_entropy_of_known_logits():
    # softmax of (log 3, 0) is (3/4, 1/4)
    logits = torch.tensor([[math.log(3), 0.0]])
    assert torch.allclose(cross_entropy(logits, torch.tensor([0])), torch.tensor([-math.log(0.75)]))
    smoothed = -(0.9 * math.log(0.75) + 0.1 * math.log(0.25))
    assert torch.allclose(cross_entropy(logits, torch.tensor([0]), 0.2), torch.tensor([smoothed]))


def test_shares_of_classes_mix_the_losses():
    logits = torch.tensor([[1.0, -2.0, 0.5]])
    one, other = (cross_entropy(logits, torch.tensor([k]), 0.1) for k in (0, 2))
    mixed = cross_entropy(logits, torch.tensor([[0.3, 0.0, 0.7]]), 0.1)
    assert torch.allclose(mixed, 0.3 * one + 0.7 * other)


def test_cross_entropy_is_finite_and_differentiable():
    assert torch.isfinite(cross_entropy(torch.tensor([[1e4, -1e4]]), torch.tensor([1]), 0.1)).all()
    logits = torch.linspace(-1, 1, 6, dtype=torch.float64).reshape(2, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: cross_entropy(x, torch.tensor([0, 2]), 0.1), logits)


def test_weighted_mean():
    values, weight = torch.tensor([1.0, 3.0]), torch.tensor([1.0, 0.5])
    assert weighted_mean(values, weight).item() == pytest.approx((1 + 1.5) / 1.5)


def test_scores_by_hand():
    logits = torch.eye(3)[[0, 0, 1, 0]]
    label = torch.tensor([0, 0, 1, 1])
    assert accuracy(logits, label).item() == 0.75
    found = recalls(logits, label)
    assert found[:2].tolist() == [1.0, 0.5]
    assert math.isnan(found[2])
    assert balanced_accuracy(logits, label).item() == 0.75


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_balanced_accuracy_equals_the_reference(pairs: list[tuple[int, int]]):
    guess, truth = (torch.tensor(x) for x in zip(*pairs, strict=True))
    shares = [(guess[truth == k] == k).float().mean().item() for k in set(truth.tolist())]
    expected = sum(shares) / len(shares)
    assert abs(balanced_accuracy(torch.eye(4)[guess], truth).item() - expected) < 1e-6
