"""The two-way variance against tables worked out by hand, its limits, and its calls where pictures are drawn too."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from zeuxis.errors import BadInput
from zeuxis.stats.twoway import Examined, two_way
from zeuxis.stats.verdict import calls, pictures_for_none

quick = settings(max_examples=50, deadline=None)
tables = st.integers(2, 6).flatmap(
    lambda repeats: st.integers(4, 12).flatmap(
        lambda n: st.lists(
            st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=n, max_size=n), min_size=repeats, max_size=repeats
        )
    )
)


def one_class(n: int) -> Examined:
    return Examined.of(np.zeros(n, int))


def test_a_table_of_two_by_three_by_hand():
    """MR = 1/6, MI = 1/2, ME = 1/6, so Var = (1/2) / 6 and df = (1/2)^2 / (MR^2 + MI^2 / 2 + ME^2 / 2)."""
    found = two_way([[1, 0, 1], [0, 0, 1]], one_class(3))
    assert found.mean == 0.5 and found.rows == pytest.approx([2 / 3, 1 / 3])
    assert found.repeats == pytest.approx(1 / 36) and found.pictures == pytest.approx(1 / 18)
    assert found.error**2 == pytest.approx(1 / 12) and found.df == pytest.approx(1.5)
    half = reference.t.ppf(0.975, 1.5) * math.sqrt(1 / 12)
    assert found.interval() == pytest.approx((0.5 - half, 0.5 + half))


@quick
@given(tables)
def test_one_class_is_the_two_way_table(x):
    """MR, MI and ME as textbooks write them."""
    x = np.array(x, float)
    (repeats, n), d = x.shape, x.mean()
    mr = n * ((x.mean(1) - d) ** 2).sum() / (repeats - 1)
    mi = repeats * ((x.mean(0) - d) ** 2).sum() / (n - 1)
    me = ((x - x.mean(1, keepdims=True) - x.mean(0) + d) ** 2).sum() / ((repeats - 1) * (n - 1))
    found = two_way(x, one_class(n))
    mr = max(mr, me)
    assert found.error**2 == pytest.approx((mr + max(mi - me, 0)) / (repeats * n), abs=1e-12)
    if mi > me + 1e-9:
        df = (mr + mi - me) ** 2 / (mr**2 / (repeats - 1) + mi**2 / (n - 1) + me**2 / ((repeats - 1) * (n - 1)))
        assert found.df == pytest.approx(df)
    else:
        assert found.df == repeats - 1 and found.pictures == 0


@quick
@given(st.integers(0, 10_000), st.integers(3, 8))
def test_one_repeat_alone_has_no_lean_of_pictures_to_rounding(seed, repeats):
    """With z = (z, 0, ..., 0) VP is (z / R)^2 and VE is (z^2 / R) / R, the same: which is larger was left to the bits,
    and the degrees of freedom with it."""
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(3), rng.integers(20, 80, 3))
    x = np.zeros((repeats, len(classes)), int)
    x[1] = rng.choice([-1, 0, 1], len(classes), p=[0.1, 0.7, 0.2])
    for order in (np.arange(len(classes)), rng.permutation(len(classes))):
        found = two_way(x[:, order], Examined.of(classes[order]))
        assert found.df == repeats - 1 and found.pictures == 0


def test_without_lean_of_pictures_it_is_students_over_repeats():
    x = np.repeat([[0.3], [0.1], [-0.2], [0.5], [0.0]], 7, axis=1)
    found, t = two_way(x, one_class(7)), reference.ttest_1samp(x[:, 0], 0)
    assert (found.pictures, found.df) == (0, 4) and found.error == pytest.approx(x[:, 0].std(ddof=1) / math.sqrt(5))
    assert found.interval() == pytest.approx(tuple(t.confidence_interval(0.95)))


def test_repeats_that_happen_to_agree_leave_no_interval_of_a_point():
    """Two repeats that differ by one picture each, another one: no luck of pictures is seen, and that of hits stays."""
    x = np.zeros((2, 40))
    x[0, 0] = x[1, 1] = 1
    found = two_way(x, one_class(40))
    assert found.pictures == 0 and found.rows[0] == found.rows[1] and found.df == 1
    me = ((x - x.mean(0)) ** 2).sum() / 39
    assert found.error**2 == pytest.approx(me / 80) and found.interval()[0] < found.mean < found.interval()[1]
    half = 100 * math.log(40) / 40  # nothing varies: what 40 pictures can hide
    assert two_way(np.zeros((2, 40)), one_class(40)).interval() == pytest.approx((-half, half))
    assert two_way(np.full((2, 3), 100.0), one_class(3)).interval() == (0, 200)
    assert pictures_for_none(0.5) == math.ceil(100 * math.log(20) / 0.5), "the 90 % interval then lies in the margin"


def test_equal_repeats_leave_students_over_pictures():
    row = np.array([1, 0, 0, -1, 1, 0, 1, 0, 0, 0])
    found, t = two_way(np.tile(row, (6, 1)), one_class(10)), reference.ttest_1samp(row, 0)
    assert (found.repeats, found.df) == (0, pytest.approx(9))
    assert found.interval() == pytest.approx(tuple(t.confidence_interval(0.95)))


def test_unequal_classes_are_strata_of_equal_weight():
    """Equal repeats: Var = sum_c s_c^2 / (C^2 n_c) and Welch's degrees of freedom."""
    first, second = np.array([1, 0, 0, 1]), np.array([0, -1, 0, 0, 0, 1, 0, -1, 0, 0])
    examined = Examined.of([0] * 4 + [1] * 10)
    found = two_way(np.tile(np.r_[first, second], (5, 1)), examined)
    assert found.mean == pytest.approx((first.mean() + second.mean()) / 2)
    parts = [first.var(ddof=1) / 4 / 4, second.var(ddof=1) / 10 / 4]
    assert found.error**2 == pytest.approx(sum(parts))
    assert found.df == pytest.approx(sum(parts) ** 2 / (parts[0] ** 2 / 3 + parts[1] ** 2 / 9))
    assert examined.effective == pytest.approx(1 / (4 * (1 / 8) ** 2 + 10 * (1 / 20) ** 2))


def test_a_class_that_is_easier_in_every_repeat_is_no_luck():
    """What differs between classes is no sample: it stays whoever draws the pictures."""
    x = np.tile(np.r_[np.ones(5), np.zeros(5)], (4, 1))
    assert two_way(x, Examined.of([0] * 5 + [1] * 5)).error == 0
    assert two_way(x, one_class(10)).error > 0


@quick
@given(tables, st.integers(2, 4))
def test_copies_of_a_picture_in_one_group_add_nothing(x, copies):
    once = two_way(x, one_class(len(x[0])))
    n = len(x[0])
    many = two_way(
        np.repeat(x, copies, axis=1), Examined.of(np.zeros(n * copies, int), np.repeat(np.arange(n), copies))
    )
    assert (many.mean, many.error, many.df) == (
        pytest.approx(once.mean), pytest.approx(once.error, abs=1e-9), pytest.approx(once.df, rel=1e-6)
    )  # fmt: skip


def test_order_and_sign_do_not_matter():
    rng = np.random.default_rng(5)
    x, classes, groups = rng.integers(-1, 2, (7, 60)), rng.integers(0, 3, 60), rng.integers(0, 40, 60)
    order = rng.permutation(60)
    first = two_way(x, Examined.of(classes, groups))
    other = two_way(-x[::-1][:, order], Examined.of(classes[order], groups[order]))
    assert first.error == pytest.approx(other.error) and first.df == pytest.approx(other.df)
    assert first.interval() == pytest.approx([-end for end in other.interval()[::-1]])


@pytest.mark.parametrize(
    ("classes", "groups"), [([0, 0, 1], None), ([0, 0, 2, 2], None), ([0, 0, 1, 1], [0, 1, 2, 2]), ([], None)]
)
def test_a_class_without_two_units_is_refused(classes, groups):
    with pytest.raises(BadInput):
        Examined.of(classes, groups)


@pytest.mark.parametrize("x", [[[1, 0, 1]], [[1, 0], [0, 1]], [1, 0, 1]])
def test_tables_of_another_shape_are_refused(x):
    with pytest.raises(BadInput):
        two_way(x, one_class(3))


@pytest.mark.parametrize(
    ("repeats", "n", "group"), [(6, 200, 1), (10, 200, 1), (15, 200, 1), (10, 600, 1), (10, 400, 4)]
)
def test_equal_arms_are_seldom_called_different_whatever_test_pictures_were_drawn(repeats, n, group):
    """A/A with a test part drawn for every study: pictures lean by N(0, 0.2) to either arm, repeats by 0.5 points.

    A rule over the repeats alone calls 10 to 30 % of these.
    """
    rng, studies = np.random.default_rng(20261128), 300
    classes, groups = (np.arange(n) // group) % 2, np.arange(n) // group
    examined, x = Examined.of(classes, groups), []
    for _ in range(studies):
        chance, lean = rng.beta(2, 0.5, n // group)[groups], rng.normal(0, 0.2, n // group)[groups]
        half = (lean + rng.normal(0, 0.005, (repeats, 1))) / 2
        hits = [rng.random((repeats, n)) < chance + sign * half for sign in (1, -1)]
        x.append(np.subtract(*hits, dtype=np.int8))
    named = calls(np.stack(x), margin=0.5, examined=examined)
    called = named.count("HELPED") + named.count("HURT")
    assert called <= 0.05 * studies + 2 * math.sqrt(0.05 * 0.95 * studies)
    rows = np.stack(x) @ examined.weights
    alone = np.abs(reference.ttest_1samp(rows, 0, axis=1).pvalue) <= 0.05
    assert alone.sum() > called
