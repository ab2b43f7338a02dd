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
    paired.bca(D)
    assert torch.equal(state, torch.get_rng_state())


def test_bca_vector():
    assert paired.bca(D, resamples=99_999) == pytest.approx((0.23, 0.72), abs=1e-9)
    assert paired.bca(D) == pytest.approx((0.23, 0.72), abs=0.011)


@pytest.mark.parametrize("repeats", [8, 20, 40])
def test_bca_equals_scipy(repeats):
    for shape in (
        np.random.default_rng(repeats).normal(1, 1, repeats),
        np.random.default_rng(1).exponential(1, repeats),
    ):
        theirs = reference.bootstrap((shape,), np.mean, method="BCa", rng=np.random.default_rng(0)).confidence_interval
        assert paired.bca(shape) == pytest.approx(tuple(theirs), abs=0.06 * shape.std())


@quick
@given(tenths, st.sampled_from([0.5, 0.9, 0.95]))
def test_bca_stays_in_range_mirrors_and_widens_with_level(differences, level):
    low, high = paired.bca(differences, level, resamples=499)
    assert min(differences) - 1e-9 <= low <= high <= max(differences) + 1e-9
    mirrored = paired.bca([-d for d in differences], level, resamples=499)
    assert mirrored == pytest.approx((-high, -low), abs=1e-9)
    wide = paired.bca(differences, 0.99, resamples=499)
    assert wide[0] <= low + 1e-9 and wide[1] >= high - 1e-9
    moved = paired.bca([d + 7 for d in differences], level, resamples=499)
    assert moved == pytest.approx((low + 7, high + 7), abs=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.3, -1e6])
def test_without_spread_intervals_are_the_point_twice(value):
    assert paired.bca([value] * 9) == pytest.approx((value, value))
    assert paired.t_interval([value] * 9) == pytest.approx((value, value))
    assert paired.bca([value]) == (value, value)


def test_a_bca_end_at_zero_is_exactly_zero():
    assert paired.bca([0.6, -0.2, 1.1, 0.4])[0] == 0.0  # the resample sums to 2e-17 unless snapped
    assert paired.bca([0.0] * 9 + [0.1], 0.5)[0] == 0.0


def test_rows_equal_single_calls():
    tables = np.random.default_rng(0).normal(size=(5, 10))
    for rows, one in ((paired.bca_rows, paired.bca), (paired.t_interval_rows, paired.t_interval)):
        assert rows(tables, 0.9) == pytest.approx(np.array([one(row, 0.9) for row in tables]), abs=1e-12)


def test_t_interval_equals_scipy():
    theirs = reference.ttest_1samp(D, 0).confidence_interval(0.9)
    assert paired.t_interval(D, 0.9) == pytest.approx(tuple(theirs), abs=1e-12)


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


@pytest.mark.parametrize(
    ("ratio", "t", "p"), [(0.0, 3.79777, 0.0042318), (0.25, 2.02999, 0.072935), (1 / 9, 2.61381, 0.028095)]
)
def test_nadeau_bengio_vectors(ratio, t, p):
    assert paired.nadeau_bengio(D, ratio) == pytest.approx((t, p), rel=2e-5)


def test_nadeau_bengio_without_spread():
    assert paired.nadeau_bengio([0.0] * 5, 0.1) == (0.0, 1.0)
    assert paired.nadeau_bengio([-0.5] * 5, 0.1) == (-math.inf, 0.0)


def test_mcnemar():
    assert paired.mcnemar(25, 40) == pytest.approx(0.0816815, abs=1e-7) == paired.mcnemar(40, 25)
    assert paired.mcnemar(25, 40) == pytest.approx(reference.binomtest(25, 65).pvalue)
    assert paired.mcnemar(0, 0) == paired.mcnemar(7, 7) == 1.0


@pytest.mark.parametrize(
    ("k", "n", "delta", "upper"), [(10, 1000, 0.001, 0.0239638), (0, 500, 0.05, 0.0059736), (2, 100, 0.05, 0.0616192)]
)
def test_clopper_pearson_vectors(k, n, delta, upper):
    assert paired.clopper_pearson_upper(k, n, delta) == pytest.approx(upper, abs=5e-8)
    assert paired.clopper_pearson_upper(n, n, delta) == 1.0


@pytest.mark.parametrize(
    ("repeats", "effect"), [(5, 1.68), (6, 1.44), (8, 1.16), (10, 1.00), (15, 0.78), (20, 0.66), (30, 0.53)]
)
def test_minimum_detectable_effect_table(repeats, effect):
    assert paired.minimum_detectable_effect(1.0, repeats) == pytest.approx(
        effect, abs=0.006
    )  # the table rounds 1.4345 up
    assert paired.minimum_detectable_effect(3.0, repeats) == pytest.approx(3 * effect, abs=0.02)


@pytest.mark.parametrize("repeats", [7, 10, 20])
def test_minimum_detectable_effect_gives_four_fifths_power_to_the_t_test(repeats):
    effect = paired.minimum_detectable_effect(1.0, repeats)
    tables = np.random.default_rng(0).normal(effect, 1, (20_000, repeats))
    power = (reference.ttest_1samp(tables, 0, axis=1).pvalue <= 0.05).mean()
    assert power == pytest.approx(0.8, abs=0.012)


def test_minimum_detectable_effect_shrinks_with_repeats():
    effects = [paired.minimum_detectable_effect(1.0, repeats) for repeats in (2, 3, 5, 6, 10, 50, 500)]
    assert effects == sorted(effects, reverse=True) and effects[-1] == pytest.approx(2.802 / math.sqrt(500), rel=0.01)


def test_repeats_for():
    assert paired.repeats_for(1.0, 1.0) == 10
    assert paired.repeats_for(0.5, 0.9) == 28
    assert paired.repeats_for(5.0, 0.1) == 6
    for sd in (0.8, 1.5, 3.0):
        assert paired.minimum_detectable_effect(sd, paired.repeats_for(0.7, sd)) == pytest.approx(0.7, abs=0.05)


@pytest.mark.parametrize(
    "call",
    [
        lambda: paired.sign_flip([]),
        lambda: paired.sign_flip([1.0, math.nan]),
        lambda: paired.sign_flip([[1.0, 2.0], [3.0, 4.0]]),
        lambda: paired.bca([1.0, math.inf]),
        lambda: paired.bca(D, level=1.0),
        lambda: paired.t_interval([1.0]),
        lambda: paired.holm([0.5, 1.5]),
        lambda: paired.nadeau_bengio([1.0], 0.1),
        lambda: paired.mcnemar(-1, 3),
        lambda: paired.clopper_pearson_upper(3, 2, 0.05),
        lambda: paired.minimum_detectable_effect(1.0, 1),
        lambda: paired.repeats_for(0.0, 1.0),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(BadInput):
        call()
