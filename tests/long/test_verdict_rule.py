"""Error rates of the verdict rule by simulation: seeds fixed beforehand, thousands of studies."""

import numpy as np
import pytest

from zeuxis.stats.verdict import calls

pytestmark = pytest.mark.long
CALLED = ("HELPED", "HURT")


def test_no_effect_is_called_in_at_most_228_of_4000_studies():
    """5 % and two standard errors (0.0035) of a share of 4,000 is 5.7 %, 228 studies."""
    rng = np.random.default_rng(20260101)
    tables = rng.normal(size=(4000, 10)) - rng.normal(size=(4000, 10))
    names = calls(tables, margin=0.5)
    assert sum(name in CALLED for name in names) <= 228
    assert names.count("HELPED") <= 120  # 1.9 % expected in this direction, five standard errors above


@pytest.mark.parametrize("shape", ["laplace", "standard_t"])
def test_no_effect_with_heavy_tails_is_called_as_rarely(shape):
    rng = np.random.default_rng(20260102)
    tables = rng.laplace(size=(4000, 10)) if shape == "laplace" else rng.standard_t(3, size=(4000, 10))
    # 5.2 % was measured for three degrees of freedom; the sign-flip test itself is exact: 5 % and three errors
    assert sum(name in CALLED for name in calls(tables, margin=0.5)) <= 242


@pytest.mark.parametrize("repeats", [1, 3, 5])
def test_few_repeats_call_nothing(repeats):
    tables = np.random.default_rng(20260103).normal(5.0, 1.0, (1000, repeats))
    assert set(calls(tables, margin=0.5)) == {"UNDECIDED"}


def test_an_effect_of_two_spreads_is_found_in_95_percent():
    tables = np.random.default_rng(20260104).normal(2.0, 1.0, (1000, 10))
    assert calls(tables, margin=0.5).count("HELPED") >= 950
    assert calls(-tables, margin=0.5).count("HURT") >= 950


@pytest.mark.parametrize(
    ("effect", "repeats", "power"), [(1.0, 8, 0.66), (1.0, 10, 0.78), (0.5, 20, 0.57), (1.0, 6, 0.35)]
)
def test_power_is_that_of_the_published_table(effect, repeats, power):
    tables = np.random.default_rng(20260105).normal(effect, 1.0, (2000, repeats))
    assert calls(tables, margin=0.5).count("HELPED") / 2000 == pytest.approx(power, abs=0.045)


def test_equal_arms_are_called_equal_where_the_spread_is_small_and_rarely_at_the_margin():
    rng = np.random.default_rng(20260106)
    assert calls(rng.normal(0.0, 0.2, (1000, 10)), margin=0.5).count("NO USEFUL GAIN") >= 900
    at_the_margin = rng.normal(0.5, 0.5, (2000, 10))
    assert calls(at_the_margin, margin=0.5).count("NO USEFUL GAIN") <= 120  # 5 % one-sided, at most
