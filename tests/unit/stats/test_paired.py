"""Paired statistics against the notes' vectors, scipy and their own symmetries."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from zeuxis.errors import BadInput
from zeuxis.stats import paired

D = [0.6, -0.2, 1.1, 0.4, 0.9, 0.3, -0.1, 0.8, 0.5, 0.7]
tenths = st.lists(st.integers(-50, 50).map(lambda k: k / 10), min_size=2, max_size=9)
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)
quick = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize(
    ("differences", "p"),
    [([1, 2, 3], 2 / 8), ([1, 2, 3, -1], 6 / 16), ([0.1, 0.2, 0.3, 0.4, 0.5], 2 / 32), (D, 10 / 1024), ([0.0] * 7, 1)],
)
def test_sign_flip_vectors(differences, p):
    assert paired.sign_flip(differences) == p


@pytest.mark.parametrize("repeats", range(1, 13))
def test_smallest_p_is_reached_by_agreeing_repeats(repeats):
    assert paired.sign_flip(np.arange(1.0, repeats + 1)) == paired.smallest_p(repeats) == 2 / 2**repeats


@quick
@given(tenths)
def test_sign_flip_equals_scipy_and_ignores_sign_and_order(differences):
    p = paired.sign_flip(differences)
    scipy = reference.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    # scipy's own slack for ties is relative to a statistic that can be 0; the brute count below has none
    whole = np.round(np.array(differences) * 10).astype(int)
    signs = np.array(np.meshgrid(*[[-1, 1]] * len(whole))).reshape(len(whole), -1)
    assert p == np.mean(np.abs(whole @ signs) >= abs(whole.sum()))
    assert p == pytest.approx(scipy.pvalue, abs=1e-12) or abs(whole.sum()) == 0
    assert p == paired.sign_flip([-d for d in differences]) == paired.sign_flip(sorted(differences))
    assert paired.smallest_p(len(differences)) <= p <= 1


@quick
@given(tenths, st.floats(0, 5))
def test_sign_flip_p_falls_as_agreeing_differences_move_away_from_zero(differences, shift):
    near = [abs(d) for d in differences]
    mixed = paired.sign_flip(differences)
    assert paired.sign_flip([d + shift for d in near]) <= mixed + 1e-15


def test_sign_flip_rows_equal_single_rows_at_the_largest_enumerated_size():
    tables = np.random.default_rng(3).normal(0.4, 1, (3, 20))
    assert paired.sign_flip_rows(tables).tolist() == [paired.sign_flip(row) for row in tables]
    row = tables[0]
    signs = 1.0 - 2.0 * ((np.arange(1 << 20)[:, None] >> np.arange(20)) & 1)
    assert paired.sign_flip(row) == np.mean(np.abs(signs @ row) >= abs(row.sum()) - 1e-9)


def test_sign_flip_above_twenty_repeats_is_sampled_seeded_and_never_zero():
    row = np.random.default_rng(5).normal(0.3, 1, 24)
    p = paired.sign_flip(row)
    assert p == paired.sign_flip(row) and p != paired.sign_flip(row, seed=1)
    assert p == pytest.approx(reference.ttest_1samp(row, 0).pvalue, abs=0.02)
    assert paired.sign_flip(np.ones(30)) == pytest.approx(paired.smallest_p(30)) == 1e-5


def test_sign_flip_takes_tensors_and_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    assert paired.sign_flip(torch.tensor(D, dtype=torch.float64)) == 10 / 1024
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("given_p", "adjusted"),
    [((0.01, 0.04, 0.03, 0.005), (0.03, 0.06, 0.06, 0.02)), ((0.001, 0.02, 0.02, 0.9), (0.004, 0.06, 0.06, 0.9))],
)
def test_holm_vectors(given_p, adjusted):
    assert paired.holm(given_p) == pytest.approx(adjusted, abs=1e-12)


@quick
@given(p_values)
def test_holm_bounds_order_and_permutation(values):
    adjusted = paired.holm(values)
    assert all(p <= a <= min(1.0, len(values) * p + 1e-15) for p, a in zip(values, adjusted, strict=True))
    order = np.argsort(values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
    assert paired.holm(values[::-1]) == adjusted[::-1]


@quick
@given(p_values, st.integers(0, 11), st.floats(0, 1))
def test_holm_is_monotone_in_every_p(values, place, factor):
    smaller = list(values)
    smaller[place % len(values)] *= factor
    assert all(a <= b for a, b in zip(paired.holm(smaller), paired.holm(values), strict=True))


def effect_of(repeats: int, sd: float = 1.0) -> float:
    return paired.detectable(sd / math.sqrt(repeats), repeats - 1)


@pytest.mark.parametrize(
    ("repeats", "effect"), [(5, 1.68), (6, 1.44), (8, 1.16), (10, 1.00), (15, 0.78), (20, 0.66), (30, 0.53)]
)
def test_detectable_effects_of_a_paired_t_test(repeats, effect):
    assert effect_of(repeats) == pytest.approx(effect, abs=0.006)  # the table rounds 1.4345 up
    assert effect_of(repeats, 3.0) == pytest.approx(3 * effect, abs=0.02)


@pytest.mark.parametrize("repeats", [7, 10, 20])
def test_a_detectable_effect_gives_four_fifths_power_to_the_t_test(repeats):
    tables = np.random.default_rng(0).normal(effect_of(repeats), 1, (20_000, repeats))
    power = (reference.ttest_1samp(tables, 0, axis=1).pvalue <= 0.05).mean()
    assert power == pytest.approx(0.8, abs=0.012)


def test_detectable_effects_shrink_with_repeats():
    effects = [effect_of(repeats) for repeats in (2, 3, 5, 6, 10, 50, 500)]
    assert effects == sorted(effects, reverse=True) and effects[-1] == pytest.approx(2.802 / math.sqrt(500), rel=0.01)
    assert paired.detectable(1.0, 3.7e4) == pytest.approx(2.802, abs=0.001)


def test_repeats_for():
    assert paired.repeats_for(1.0, 1.0) == 10
    assert paired.repeats_for(0.5, 0.9) == 28
    assert paired.repeats_for(5.0, 0.1) == 6
    for sd in (0.8, 1.5, 3.0):
        assert effect_of(paired.repeats_for(0.7, sd), sd) == pytest.approx(0.7, abs=0.05)


def test_the_luck_of_the_test_part_takes_more_repeats_and_at_last_any_number():
    assert paired.repeats_for(1.0, 1.0, 0.2) == 14  # 2 + 7.85 / (1 - 7.85 / 25)
    assert paired.repeats_for(1.0, 1.0, 0.3568) is not None and paired.repeats_for(1.0, 1.0, 0.3570) is None


@pytest.mark.parametrize(("comparisons", "repeats"), [(1, 6), (2, 7), (3, 7), (4, 8), (5, 8), (6, 8), (7, 9), (12, 9)])
def test_fewest_repeats_for_a_family(comparisons, repeats):
    assert paired.fewest_repeats(comparisons) == repeats
    assert paired.holm([paired.smallest_p(repeats)] * comparisons)[0] <= 0.05
    assert paired.holm([paired.smallest_p(repeats - 1)] * comparisons)[0] > 0.05


@pytest.mark.parametrize(
    "call",
    [
        lambda: paired.sign_flip([]),
        lambda: paired.sign_flip([1.0, math.nan]),
        lambda: paired.sign_flip([[1.0, 2.0], [3.0, 4.0]]),
        lambda: paired.holm([0.5, 1.5]),
        lambda: paired.detectable(1.0, 0.0),
        lambda: paired.detectable(-1.0, 5.0),
        lambda: paired.repeats_for(0.0, 1.0),
        lambda: paired.repeats_for(1.0, math.inf),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(BadInput):
        call()
