"""The verdict rule: each branch, its order, its edges and its words."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zeuxis.errors import BadInput
from zeuxis.stats import paired
from zeuxis.stats.found import Verdict
from zeuxis.stats.verdict import calls, rule, secondary, verdict

D = [0.6, -0.2, 1.1, 0.4, 0.9, 0.3, -0.1, 0.8, 0.5, 0.7]
TIGHT = [0.02, -0.03, 0.05, -0.04, 0.01, 0.03, -0.02, 0.0]
WIDE = [1.5, -1.2, 0.8, -2.0, 1.1, 0.3, -0.6, 1.9]
INSIDE, OUTSIDE = (-0.1, 0.2), (-0.9, 0.9)


@pytest.mark.parametrize(
    ("repeats", "p", "bca95", "equal", "name"),
    [
        (5, 0.001, (1.0, 2.0), INSIDE, "UNDECIDED"),
        (6, 0.03125, (0.1, 2.0), OUTSIDE, "HELPED"),
        (6, 0.05, (0.1, 2.0), OUTSIDE, "HELPED"),
        (6, 0.03125, (-2.0, -0.1), OUTSIDE, "HURT"),
        (6, 0.0625, (0.1, 2.0), OUTSIDE, "UNDECIDED"),
        (6, 0.03125, (0.0, 2.0), OUTSIDE, "UNDECIDED"),
        (10, 0.01, (0.05, 0.15), INSIDE, "HELPED"),  # HELPED comes before NO USEFUL GAIN
        (10, 0.01, (-0.15, -0.05), INSIDE, "HURT"),
        (10, 0.06, (0.05, 0.15), INSIDE, "NO USEFUL GAIN"),
        (10, 0.5, (-0.1, 0.1), (-0.5, 0.2), "UNDECIDED"),  # the margin itself is not inside
        (10, 0.5, (-0.1, 0.1), (-0.2, 0.5), "UNDECIDED"),
        (10, 0.5, (-1.0, 1.0), OUTSIDE, "UNDECIDED"),
    ],
)
def test_rule_in_its_order(repeats, p, bca95, equal, name):
    assert rule(repeats, p, bca95, equal, margin=0.5) == name


def test_helped_and_hurt_mirror_each_other():
    helped, hurt = verdict(D, margin=0.5), verdict([-d for d in D], margin=0.5)
    assert (helped.verdict, hurt.verdict) == ("HELPED", "HURT")
    assert helped.p == hurt.p == 10 / 1024 and helped.mde80 == pytest.approx(hurt.mde80)
    assert helped.bca95 == pytest.approx((-hurt.bca95[1], -hurt.bca95[0]), abs=1e-9)
    assert not helped.clearly and not hurt.clearly
    assert "0.50 points higher" in helped.sentence and "0.50 points lower" in hurt.sentence


def test_clearly_needs_the_near_end_beyond_the_margin():
    assert verdict(D, margin=0.2).clearly and not verdict(D, margin=0.3).clearly
    assert verdict([-d for d in D], margin=0.2).clearly
    assert verdict(D, margin=0.2).sentence.startswith("HELPED CLEARLY: ")


def test_a_small_sure_gain_is_said_to_be_small():
    found = verdict([0.1, 0.12, 0.09, 0.11, 0.1, 0.13, 0.08], margin=0.5)
    assert found.verdict == "HELPED" and "less than the margin of 0.50 points" in found.sentence


def test_no_useful_gain_and_undecided():
    tight, wide = verdict(TIGHT, margin=0.5), verdict(WIDE, margin=0.5)
    assert (tight.verdict, wide.verdict) == ("NO USEFUL GAIN", "UNDECIDED")
    assert f"about {wide.mde80:.2f} points" in wide.sentence
    assert f"takes about {wide.repeats_for_margin} repeats" in wide.sentence
    assert wide.mde80 == pytest.approx(paired.minimum_detectable_effect(np.std(WIDE, ddof=1), 8))


@pytest.mark.parametrize("repeats", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("shares", [None, 0.0])
def test_fewer_than_six_repeats_never_decide_and_say_so(repeats, shares):
    size = 0.0 if shares == 0.0 else 9.0
    found = verdict([size] * repeats, margin=0.5, shares=None if shares is None else [0.0] * repeats)
    line = f"cannot decide: with R = {repeats} the smallest possible p is {2 / 2**repeats:g}"
    assert found.verdict == "UNDECIDED" and not found.clearly and found.mde80 is None
    assert line in found.sentence and "for description only" in found.sentence
    assert found.smallest_p == 2 / 2**repeats
    assert ("chose share 0" in found.why) == (shares == 0.0)


def test_six_agreeing_repeats_decide_and_the_words_name_the_power_of_six():
    found = verdict([1.0, 1.2, 0.8, 1.1, 0.9, 1.3], margin=0.5)
    assert found.verdict == "HELPED" and found.clearly and found.p == 0.03125
    assert "all six must point the same way" in found.why


def test_share_zero_everywhere_is_no_useful_gain_and_says_why():
    found = verdict([0.0] * 6, margin=0.5, shares=[0] * 6)
    assert found.verdict == "NO USEFUL GAIN" and found.mde80 is None and found.p == 1.0
    assert "chose share 0" in found.why and "not measured" in found.why
    assert "chose to leave out the generated pictures" in found.sentence


def test_share_zero_in_some_repeats_leaves_the_rule_alone():
    differences = [0.0, 0.0, 0.0, 0.0, 0.9, 1.1, 0.7]
    found = verdict(differences, margin=0.5, shares=[0, 0, 0, 0, 0.25, 0.5, 0.25])
    assert found.verdict == "UNDECIDED" and found.p == 0.25 and "share 0" not in found.why


def test_equal_differences_without_shares_follow_the_rule_and_claim_no_sight():
    still, same = verdict([0.0] * 8, margin=0.5), verdict([0.3] * 8, margin=0.5)
    assert (still.verdict, same.verdict) == ("NO USEFUL GAIN", "HELPED")
    assert still.mde80 is same.mde80 is None and "cannot say how small an effect" in same.sentence
    assert same.bca95 == pytest.approx((0.3, 0.3)) and "share 0" not in still.why


@pytest.mark.parametrize(("repeats", "kind"), [(19, "t"), (20, "bca")])
def test_equivalence_uses_t_below_twenty_repeats_and_bca_from_there(repeats, kind):
    row = np.random.default_rng(2).normal(0, 0.4, repeats)
    wanted = paired.t_interval(row, 0.90) if kind == "t" else paired.bca(row, 0.90)
    assert verdict(row, margin=0.5).equivalence90 == pytest.approx(wanted, abs=1e-12)


def test_numbers_are_those_of_the_tests():
    found = verdict(D, margin=0.5)
    assert found.mean == pytest.approx(0.5) and found.sd == pytest.approx(0.41633, abs=1e-5)
    assert found.bca95 == pytest.approx(paired.bca(D), abs=1e-12) and found.p == paired.sign_flip(D)
    assert found.repeats_for_margin == paired.repeats_for(0.5, found.sd) and found.differences == tuple(D)


@pytest.mark.parametrize("repeats", [6, 10, 21])
def test_calls_agree_with_single_verdicts(repeats):
    tables = np.random.default_rng(repeats).normal(0.3, 0.6, (12, repeats))
    names = calls(tables, margin=0.5)
    assert names == [verdict(row, margin=0.5).verdict for row in tables] and len(set(names)) > 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-30, 30).map(lambda k: k / 10), min_size=1, max_size=12), st.floats(0.1, 3))
def test_any_differences_get_one_honest_verdict(differences, margin):
    found = verdict(differences, margin=margin)
    mirrored = verdict([-d for d in differences], margin=margin)
    swap = {"HELPED": "HURT", "HURT": "HELPED"}
    assert mirrored.verdict == swap.get(found.verdict, found.verdict) and mirrored.clearly == found.clearly
    assert found.sentence.startswith(found.verdict) and found.sentence.endswith(".") and found.why
    assert "nan" not in found.sentence + found.why and "inf " not in found.sentence + found.why
    if found.verdict == "HELPED":
        assert found.p <= 0.05 and found.bca95[0] > 0 and found.repeats >= 6
        assert found.clearly == (found.bca95[0] >= margin)
    if found.verdict == "NO USEFUL GAIN":
        assert -margin < found.equivalence90[0] <= found.equivalence90[1] < margin
    json.dumps(found.to_json(), allow_nan=False)


def test_to_json_holds_every_field_as_plain_values():
    told = verdict([0.0, 0.4, 0.2, 0.1, 0.3, 0.2], margin=0.5, shares=[0, 0.25, 0.5, 0.25, 0.5, 0.5]).to_json()
    assert set(told) == set(Verdict.__dataclass_fields__)
    assert told["shares"] == [0, 0.25, 0.5, 0.25, 0.5, 0.5] and isinstance(told["bca95"], list)
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_alpha_may_be_split_but_not_raised():
    found = verdict(D, margin=0.5, alpha=0.005)
    assert found.verdict == "UNDECIDED" and "at most 0.005" in found.why
    with pytest.raises(BadInput):
        verdict(D, margin=0.5, alpha=0.1)


def test_the_sentence_names_the_treatment():
    assert (
        "with the rival trained again, accuracy"
        in verdict(D, margin=0.5, treatment="the rival trained again", measure="accuracy").sentence
    )


@pytest.mark.parametrize(
    ("differences", "options"),
    [
        ([], {"margin": 0.5}),
        ([math.nan] * 6, {"margin": 0.5}),
        ([[1.0], [2.0]], {"margin": 0.5}),
        (D, {"margin": 0.0}),
        (D, {"margin": math.inf}),
        (D, {"margin": 0.5, "shares": [0.5]}),
        (D, {"margin": 0.5, "shares": [1.5] * 10}),
        (D, {"margin": 0.5, "shares": [0.0] * 10}),
    ],
)
def test_bad_input_is_refused(differences, options):
    with pytest.raises(BadInput):
        verdict(differences, **options)


def test_secondary_is_one_holm_family():
    arms = {"gan": np.array(D) + 80, "duplicated": [80.0] * 10, "shuffled": [81.0] * 10, "none": np.array(D) + 79.9}
    found = secondary(arms, [("gan", "duplicated"), ("gan", "shuffled"), ("gan", "none")])
    assert [c.comparison for c in found] == ["gan against duplicated", "gan against shuffled", "gan against none"]
    assert [c.mean for c in found] == pytest.approx([0.5, -0.5, 0.1])
    assert [c.p_holm for c in found] == paired.holm([c.p for c in found])
    assert found[0].p == 10 / 1024 and found[0].bca95 == pytest.approx(paired.bca(D), abs=1e-9)
    assert json.loads(json.dumps(found[0].to_json()))["bca95"] == list(found[0].bca95)
    assert secondary(arms, []) == ()


@pytest.mark.parametrize(
    ("arms", "pairs"), [({"a": [1.0]}, [("a", "b")]), ({"a": [1.0], "b": [1.0, 2.0]}, [("a", "b")])]
)
def test_secondary_refuses_unknown_and_unpaired_arms(arms, pairs):
    with pytest.raises(BadInput):
        secondary(arms, pairs)


def test_error_rates_in_brief():
    """A thousand studies of each kind; tests/long holds the full simulation."""
    noise = np.random.default_rng(7).normal(size=(1000, 10))
    named = calls(noise, margin=0.5)
    assert named.count("HELPED") + named.count("HURT") <= 70  # 5 % and three standard errors
    assert calls(noise + 2.0, margin=0.5).count("HELPED") >= 950
