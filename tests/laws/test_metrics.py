"""Law 12: a metric is at its best on the set itself and does not care about the order of samples."""

import math

import pytest
import torch

from zeuxis.draw import Stream, key_of
from zeuxis.metrics import classification, distribution, neighbours, spreads

N, D = 60, 4


def features(name="real", shift=0.0):
    return Stream(key_of("law metric", name)).normal(N, D) + shift


PAIRED = {
    "frechet": (lambda a, b: float(distribution.frechet(a, b)), 0.0),
    "precision": (lambda a, b: float(distribution.support(a, b).precision), 1.0),
    "recall": (lambda a, b: float(distribution.support(a, b).recall), 1.0),
    "coverage": (lambda a, b: float(distribution.support(a, b).coverage), 1.0),
    "diversity ratio": (lambda a, b: float(spreads.diversity_ratio(a, b)), 1.0),
    "copy rate": (lambda a, b: float(neighbours.copy_rate(a, b, features("held out")).rate), 1.0),
    "authenticity": (lambda a, b: float(neighbours.authenticity(a, b)), 0.0),
}
"""Metrics of (generated, real) and their value on a set against itself."""
OTHERS = {
    "kid": lambda a, b: float(distribution.kid(a, b)),
    "density": lambda a, b: float(distribution.support(a, b).density),
    "mean pairwise distance": lambda a, b: float(spreads.mean_pairwise_distance(a)),
    "vendi": lambda a, b: float(spreads.vendi(a)),
}


@pytest.mark.parametrize("name", PAIRED)
def test_on_itself(name):
    metric, best = PAIRED[name]
    assert metric(features(), features().clone()) == pytest.approx(best, abs=1e-6)
    assert metric(3 * features("fake", shift=4.0), features()) != pytest.approx(best, abs=0.05)


@pytest.mark.parametrize("name", [*PAIRED, *OTHERS])
def test_order_does_not_matter(name):
    metric = OTHERS.get(name) or PAIRED[name][0]
    a, b, order = features("fake", 0.5), features(), Stream(key_of("order")).permutation(N)
    assert metric(a[order], b[order.flip(0)]) == pytest.approx(metric(a, b), rel=1e-9, abs=1e-9)


def test_kid_is_unbiased_around_zero():
    """Two samples of one law: near zero, and far from it for another law."""
    near, far = (float(distribution.kid(features("other", s), features())) for s in (0.0, 2.0))
    assert abs(near) < 0.3 < far


def test_equal_samples_have_no_diversity():
    one = torch.ones(6, D)
    assert float(spreads.mean_pairwise_distance(one)) == 0.0 and float(spreads.vendi(one)) == pytest.approx(1.0)


def test_frechet_of_known_gaussians():
    """Means 3 apart and unit against double deviation in one direction: 9 + (2 - 1)^2."""
    x = features()
    x = x - x.mean(0)
    white = x @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T))).T
    other = white * torch.tensor([2.0, 1.0, 1.0, 1.0]) + torch.tensor([0.0, 3.0, 0.0, 0.0])
    assert float(distribution.frechet(other, white)) == pytest.approx(10.0, rel=1e-4)


def test_classification_on_itself():
    labels = torch.arange(30) % 3
    order = Stream(key_of("order")).permutation(30)
    guess = torch.where(torch.arange(30) % 5 == 0, (labels + 1) % 3, labels)
    assert float(classification.balanced_accuracy(labels, labels, 3)) == 1.0
    mine, theirs = (float(classification.balanced_accuracy(guess[o], labels[o], 3)) for o in (order, torch.arange(30)))
    assert mine == theirs and math.isclose(mine, 0.8)
