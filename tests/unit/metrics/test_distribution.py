"""Distances between distributions: zero on itself, known Gaussians, conventions of the reference libraries."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import polynomial_kernel

from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.metrics import distances, distribution
from zeuxis.metrics.distribution import frechet, kid, support


def normal(name: str, *shape: int) -> torch.Tensor:
    return Draw(3).at(name).normal(*shape)


def whitened(n: int, d: int) -> torch.Tensor:
    """Samples with mean exactly 0 and covariance exactly 1."""
    x = normal("white", n, d).double()
    q = torch.linalg.qr(x - x.mean(0)).Q
    return q * (n - 1) ** 0.5


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.floats(0.1, 3), st.floats(-2, 2))
def test_frechet_of_known_gaussians(d, scale, shift):
    a = whitened(40, d)
    assert frechet(a, shift + scale * a.flip(0)).value == pytest.approx(d * shift**2 + d * (scale - 1) ** 2, abs=1e-9)


@pytest.mark.parametrize(("n", "m", "d"), [(200, 150, 10), (30, 25, 60), (100, 20, 40)])
def test_frechet_equals_the_eigenvalue_form(n, m, d):
    a, b = normal("a", n, d).double(), 1.5 * normal("b", m, d).double() + 0.3
    cov_a, cov_b = np.cov(a.numpy().T), np.cov(b.numpy().T)
    root = np.sqrt(np.linalg.eigvals(cov_a @ cov_b).astype(complex)).real.sum()
    plain = float((a.mean(0) - b.mean(0)).square().sum()) + np.trace(cov_a + cov_b) - 2 * root
    assert frechet(a, b).value == pytest.approx(plain, rel=1e-5)
    assert frechet(b, a).value == pytest.approx(frechet(a, b).value, rel=1e-9)


def test_frechet_is_zero_on_itself_in_any_order_and_carries_its_floor():
    a, b, held_out = normal("a", 50, 80), normal("b", 50, 80), normal("h", 50, 80)
    assert frechet(a, a.flip(0)).value == pytest.approx(0, abs=1e-9)
    found = frechet(a + 1, b, held_out)
    assert found.floor == frechet(held_out, b).value < found.value and found.n == 50 and found.low is None


def test_frechet_bias_of_equal_gaussians():
    assert frechet(normal("x", 300, 64), normal("y", 300, 64)).value == pytest.approx(7.4, abs=0.5)


def plain_kid(a, b):
    kernel = {"degree": 3, "gamma": None, "coef0": 1}
    aa, bb, ab = polynomial_kernel(a, a, **kernel), polynomial_kernel(b, b, **kernel), polynomial_kernel(a, b, **kernel)
    n, m = len(a), len(b)
    own = (aa.sum() - np.trace(aa)) / (n * (n - 1)) + (bb.sum() - np.trace(bb)) / (m * (m - 1))
    return own - 2 * ab.mean()


@pytest.mark.parametrize("block", [7, 1024])
def test_kid_equals_the_reference_kernel_in_blocks(block, monkeypatch):
    monkeypatch.setattr(distribution, "BLOCK", block)
    a, b = normal("a", 30, 12).double(), normal("b", 23, 12).double() * 1.3 + 0.2
    found = kid(a, b)
    assert found.value == pytest.approx(plain_kid(a.numpy(), b.numpy()), rel=1e-10)
    assert kid(a.flip(0), b.flip(0)).value == pytest.approx(found.value, rel=1e-10)


def test_kid_jackknife_is_the_delete_one_error():
    a, b = normal("a", 12, 4).double().numpy(), normal("b", 9, 4).double().numpy() + 0.5
    without_a = np.array([plain_kid(np.delete(a, i, 0), b) for i in range(12)])
    without_b = np.array([plain_kid(a, np.delete(b, i, 0)) for i in range(9)])
    error = np.sqrt(11 * without_a.var() + 8 * without_b.var())
    found = kid(a, b)
    assert (found.high - found.value, found.value - found.low) == pytest.approx((1.96 * error,) * 2, rel=1e-9)


def test_kid_is_unbiased_around_zero_and_sees_a_shift():
    values = [kid(normal(f"a{i}", 40, 8), normal(f"b{i}", 60, 8)).value for i in range(120)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(120) and min(values) < 0
    found = kid(normal("a", 100, 8) + 1, normal("b", 100, 8), held_out=normal("h", 100, 8))
    assert found.low > 0 and found.low > found.floor


def plain_support(fake, real, k, k_precision):
    """The definitions, sample by sample."""
    rr, ff, fr = (np.linalg.norm(x[:, None] - y[None], axis=2) for x, y in ((real, real), (fake, fake), (fake, real)))
    radius = {j: np.sort(rr, 1)[:, j] for j in (k, k_precision)}
    fake_radius = np.sort(ff, 1)[:, k_precision]
    return (
        (fr <= radius[k_precision]).any(1).mean(),
        (fr.T <= fake_radius).any(1).mean(),
        (fr < radius[k]).sum() / (k * len(fake)),
        (fr.min(0) < radius[k]).mean(),
    )


def values(found):
    return found.precision.value, found.recall.value, found.density.value, found.coverage.value


@pytest.mark.parametrize("block", [7, 1024])
def test_support_equals_its_definitions(block, monkeypatch):
    monkeypatch.setattr(distances, "BLOCK", block)
    fake, real = normal("f", 40, 5).double() * 0.8, normal("r", 50, 5).double()
    assert values(support(fake, real)) == pytest.approx(plain_support(fake.numpy(), real.numpy(), 5, 3))
    assert values(support(fake.flip(0), real.flip(0))) == pytest.approx(values(support(fake, real)))


def test_support_convention_of_precision_and_recall():
    found = support(0.1 * normal("narrow", 200, 16), 3.0 * normal("wide", 200, 16))
    assert found.precision.value > 0.8 and found.recall.value < 0.3
    swapped = support(3.0 * normal("wide", 200, 16), 0.1 * normal("narrow", 200, 16))
    assert swapped.recall.value == found.precision.value and swapped.precision.value == found.recall.value


def test_support_on_itself_and_far_away():
    x = normal("x", 60, 4)
    assert values(support(x, x)) == (1.0, 1.0, 1.0, 1.0)
    assert values(support(x + 100, x)) == (0.0, 0.0, 0.0, 0.0)


def test_support_of_equal_gaussians_and_its_floor():
    fake, real, held_out = normal("f", 800, 16), normal("r", 800, 16), normal("h", 800, 16)
    found = support(fake, real, held_out)
    assert found.coverage.value == pytest.approx(1 - 2**-5, abs=0.025) and found.density.value == pytest.approx(
        1, abs=0.1
    )
    assert found.coverage.floor == support(held_out, real).coverage.value
    assert found.precision.low < found.precision.value < found.precision.high and found.recall.n == 800
    assert found.density.low < 1.1 and found.density.floor == pytest.approx(1, abs=0.1)


def test_bad_input_is_refused():
    x = torch.zeros(4, 2)
    for call in (lambda: frechet(x[:1], x), lambda: kid(x[:2], x), lambda: support(x, x), lambda: kid(x, x[:, :1])):
        with pytest.raises(BadInput):
            call()
