import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zeuxis.losses import adversarial as a

REAL, FAKE = torch.tensor([2.0, -1.0, 0.0]), torch.tensor([0.5, -3.0, 0.0])
PAIRS = [
    a.non_saturating_critic,
    a.least_squares_critic,
    a.wasserstein_critic,
    a.hinge_critic,
    a.relativistic_critic,
    a.relativistic_generator,
]
SINGLES = [a.non_saturating_generator, a.least_squares_generator, a.wasserstein_generator, a.hinge_generator]


def logistic(x: float) -> float:
    return math.log1p(math.exp(x))


@pytest.mark.parametrize(
    ("loss", "known"),
    [
        (a.non_saturating_critic, [logistic(-2) + logistic(0.5), logistic(1) + logistic(-3), 2 * math.log(2)]),
        (a.least_squares_critic, [0.5 * 1 + 0.5 * 0.25, 0.5 * 4 + 0.5 * 9, 0.5]),
        (a.wasserstein_critic, [-1.5, -2.0, 0.0]),
        (a.hinge_critic, [0 + 1.5, 2 + 0, 2.0]),
        (a.relativistic_critic, [logistic(-1.5), logistic(-2.0), math.log(2)]),
        (a.relativistic_generator, [logistic(1.5), logistic(2.0), math.log(2)]),
    ],
)
def test_pairs_have_their_closed_form(loss, known):
    assert torch.allclose(loss(REAL, FAKE), torch.tensor(known))


@pytest.mark.parametrize(
    ("loss", "known"),
    [
        (a.non_saturating_generator, [logistic(-0.5), logistic(3), math.log(2)]),
        (a.least_squares_generator, [0.125, 8.0, 0.5]),
        (a.wasserstein_generator, [-0.5, 3.0, 0.0]),
        (a.hinge_generator, [-0.5, 3.0, 0.0]),
    ],
)
def test_generators_have_their_closed_form(loss, known):
    assert torch.allclose(loss(FAKE), torch.tensor(known))


@pytest.mark.parametrize("loss", PAIRS)
def test_gradients_of_pairs_are_right(loss):
    real, fake = (x.double().add(0.1).requires_grad_() for x in (REAL, FAKE))
    assert torch.autograd.gradcheck(loss, (real, fake))


@pytest.mark.parametrize("loss", SINGLES)
def test_gradients_of_generators_are_right(loss):
    assert torch.autograd.gradcheck(loss, (FAKE.double().requires_grad_(),))


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_extreme_logits_stay_finite_with_a_gradient(real, fake):
    r, f = (torch.tensor([v], requires_grad=True) for v in (real, fake))
    total = sum(loss(r, f) for loss in PAIRS) + sum(loss(f) for loss in SINGLES)
    total.sum().backward()
    assert all(torch.isfinite(x).all() for x in (total, r.grad, f.grad))


@given(st.floats(-20, 20), st.floats(-20, 20), st.floats(-5, 5))
def test_the_relativistic_pair_sees_only_the_difference(real, fake, shift):
    r, f = torch.tensor([real], dtype=torch.float64), torch.tensor([fake], dtype=torch.float64)
    assert torch.allclose(a.relativistic_critic(r + shift, f + shift), a.relativistic_critic(r, f))
    assert torch.equal(a.relativistic_generator(r, f), a.relativistic_critic(f, r))
