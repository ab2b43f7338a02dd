import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from zeuxis.losses.elbo import LIKELIHOODS, active_units, bernoulli_nll, free_bits, gaussian_nll, kl_normal, sigma_nll


def mean(x: Tensor) -> Tensor:
    return x.mean(0, keepdim=True)


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_kl_is_that_of_torch(location: float, log_variance: float):
    m, v = torch.tensor(location, dtype=torch.float64), torch.tensor(log_variance, dtype=torch.float64)
    here, prior = torch.distributions.Normal(m, torch.exp(v / 2)), torch.distributions.Normal(0.0, 1.0)
    expected = torch.distributions.kl_divergence(here, prior)
    assert torch.allclose(kl_normal(m, v), expected, atol=1e-9)


def test_kl_at_known_points():
    assert kl_normal(torch.tensor(0.0), torch.tensor(0.0)).item() == 0
    assert kl_normal(torch.tensor(2.0), torch.tensor(0.0)).item() == 2
    four = kl_normal(torch.tensor(0.0), torch.tensor(math.log(4.0))).item()
    assert four == pytest.approx((4 - 1 - math.log(4)) / 2)


def test_free_bits_take_the_mean_over_the_batch_first():
    kl = torch.tensor([[0.0, 3.0], [0.2, 1.0]])
    assert free_bits(kl, 0.5, mean).item() == pytest.approx(0.5 + 2.0)
    assert free_bits(kl, 0.0, mean).item() == pytest.approx(0.1 + 2.0)


def test_sigma_value():
    # the picture of raw 0 is 0; errors 0.5 and 0.1, four pixels each: MSE = (0.25 + 0.01) / 2
    image = torch.tensor([0.5, 0.1]).reshape(2, 1, 1, 1).expand(2, 1, 2, 2)
    expected = 2 * math.log(0.13) + 2 * (math.log(2 * math.pi) + 1)
    assert sigma_nll(torch.zeros(2, 1, 2, 2), image, mean).item() == pytest.approx(expected)


def test_sigma_is_the_gaussian_at_its_best_variance():
    image = torch.linspace(-0.9, 0.9, 24).reshape(2, 3, 2, 2)
    mse = image.square().mean()
    best = torch.distributions.Normal(0.0, mse.sqrt()).log_prob(image).flatten(1).sum(1).mean()
    assert sigma_nll(torch.zeros_like(image), image, mean).item() == pytest.approx(-best.item(), rel=1e-5)


def test_sigma_of_a_perfect_fit_is_finite():
    raw = torch.zeros(1, 1, 2, 2, requires_grad=True)
    loss = sigma_nll(raw, torch.zeros(1, 1, 2, 2), mean)
    loss.backward()
    assert torch.isfinite(loss)
    assert raw.grad is not None
    assert torch.isfinite(raw.grad).all()


def test_gaussian_and_bernoulli_are_those_of_torch():
    raw = torch.linspace(-3, 3, 12).reshape(2, 1, 2, 3)
    image = torch.linspace(1, -1, 12).reshape(2, 1, 2, 3)
    normal = torch.distributions.Normal(torch.tanh(raw / 2), 1.0).log_prob(image).flatten(1).sum(1).mean()
    assert gaussian_nll(raw, image, mean).item() == pytest.approx(-normal.item(), rel=1e-5)
    p, x = torch.sigmoid(raw), (image + 1) / 2
    coin = (x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(1).mean()
    assert bernoulli_nll(raw, image, mean).item() == pytest.approx(-coin.item(), rel=1e-5)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_likelihoods_are_sums_over_pixels_and_differentiable(name: str):
    raw = torch.linspace(-1, 1, 8, dtype=torch.float64).reshape(2, 1, 2, 2)
    image = torch.linspace(0.5, -0.5, 8, dtype=torch.float64).reshape(2, 1, 2, 2)
    wide = [x.repeat(1, 1, 1, 2) for x in (raw, image)]
    assert LIKELIHOODS[name](wide[0], wide[1], mean).item() == pytest.approx(
        2 * LIKELIHOODS[name](raw, image, mean).item()
    )
    assert torch.autograd.gradcheck(lambda x: LIKELIHOODS[name](x, image, mean), raw.requires_grad_())


def test_active_units():
    means = torch.tensor([[1.0, 0.0, 0.05], [-1.0, 0.0, -0.05], [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    assert active_units(means).item() == pytest.approx(1 / 3)
    assert active_units(means[:1]).item() == 0
