"""The verdict rule: each branch, its order, its edges and its words."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zeuxis.errors import BadInput, counted
from zeuxis.stats import paired
from zeuxis.stats.chance import Guessing
from zeuxis.stats.found import Verdict
from zeuxis.stats.sentences import round_up, sentence_of, why_of
from zeuxis.stats.twoway import Examined, least_effect, two_way
from zeuxis.stats.verdict import calls, pictures_for_none, rule, secondary, verdict

N = 1000
ONE = Examined.of(np.zeros(N, int))
D = [0.6, -0.2, 1.1, 0.4, 0.9, 0.3, -0.1, 0.8, 0.5, 0.7]
TIGHT = [0.1, -0.1, 0.1, -0.2, 0.1, 0.0, -0.1, 0.1]
WIDE = [1.5, -1.2, 0.8, -2.0, 1.1, 0.3, -0.6, 1.9]
INSIDE, OUTSIDE = (-0.1, 0.2), (-0.9, 0.9)


def table(differences, n=N):
    """x [repeats, n] with these differences in points, by other pictures in every repeat: they lean to neither side."""
    x, at = np.zeros((len(differences), n), np.int8), 0
    for row, d in zip(x, differences, strict=True):
        some = round(abs(d) * n / 100)
        row[(at + np.arange(some)) % n] = np.sign(d)
        at += some
    return x


def told(differences, **options):
    return verdict(table(differences), ONE, **{"margin": 0.5} | options)


@pytest.mark.parametrize(
    ("repeats", "p", "ends95", "ends90", "name"),
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
def test_rule_in_its_order(repeats, p, ends95, ends90, name):
    assert rule(repeats, p, ends95, ends90, margin=0.5) == name


def test_silence_of_a_small_test_part_proves_nothing():
    assert rule(10, 0.5, (-0.1, 0.1), INSIDE, margin=0.5, fine=False) == "UNDECIDED"
    assert pictures_for_none(0.5) == 600 and pictures_for_none(2.0) == 150 and pictures_for_none(1e9) == 3
    few, many = (Examined.of(np.zeros(n, int)) for n in (20, 700))
    small = verdict(np.zeros((10, 20)), few, margin=0.5)
    assert small.verdict == "UNDECIDED" and "needs 600 equally weighed test pictures" in small.why
    assert verdict(np.zeros((10, 700)), many, margin=0.5).verdict == "NO USEFUL GAIN"


def test_helped_and_hurt_mirror_each_other():
    helped, hurt = told(D), told([-d for d in D])
    assert (helped.verdict, hurt.verdict) == ("HELPED", "HURT")
    assert helped.p == hurt.p == 10 / 1024 and helped.mde80 == pytest.approx(hurt.mde80)
    assert helped.interval95 == pytest.approx((-hurt.interval95[1], -hurt.interval95[0]), abs=1e-9)
    assert not helped.clearly and not hurt.clearly
    assert "0.50 points higher" in helped.sentence and "0.50 points lower" in hurt.sentence


def test_clearly_needs_the_near_end_beyond_the_margin():
    assert told(D, margin=0.2).clearly and not told(D, margin=0.3).clearly
    assert told([-d for d in D], margin=0.2).clearly
    assert told(D, margin=0.2).sentence.startswith("HELPED CLEARLY: ")


def test_a_small_sure_gain_is_said_to_be_small():
    found = told([0.2, 0.3, 0.2, 0.1, 0.2, 0.3, 0.2])
    assert found.verdict == "HELPED" and "less than the margin of 0.50 points" in found.sentence


def test_no_useful_gain_and_undecided():
    tight, wide = told(TIGHT), told(WIDE)
    assert (tight.verdict, wide.verdict) == ("NO USEFUL GAIN", "UNDECIDED")
    assert f"detects an effect of about {wide.mde80:.2f} points in four cases out of five" in wide.sentence
    assert f"takes a new study of about {wide.repeats_for_margin} repeats" in wide.sentence
    assert "a fair second look" in wide.why and "second look" not in tight.why
    assert wide.mde80 == pytest.approx(paired.detectable(wide.error, wide.df), rel=0.05)
    assert (wide.error, wide.df) == (
        pytest.approx(np.std(WIDE, ddof=1) / math.sqrt(8), rel=0.01),
        pytest.approx(7, rel=0.01),
    )


def test_what_all_repeats_share_is_not_called():
    """Ten repeats agree, since the same six of forty test pictures favour the treatment: no word on other pictures."""
    x = np.zeros((10, 40))
    x[:, :4] = 1
    x[np.arange(10), 4 + np.arange(10)] = -1
    found = verdict(x, Examined.of(np.zeros(40, int)), margin=0.5)
    assert found.p == 2 / 2**10 and found.sd == 0 and found.verdict == "UNDECIDED"
    assert found.error_pictures == pytest.approx(found.error, rel=0.05) and found.interval95[0] < 0
    assert "more repeats would not take that part away" in found.why
    assert found.repeats_for_margin is None and found.pictures_for_margin > 40
    assert (
        f"no number of repeats detects 0.50 points on 40 test pictures like these: it takes at least about "
        f"{round_up(found.pictures_for_margin):,}" in found.sentence
    )
    assert calls(x[None], margin=0.5) == ["UNDECIDED"]


@pytest.mark.parametrize("repeats", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("shares", [None, 0.0])
def test_fewer_than_six_repeats_never_decide_and_say_so(repeats, shares):
    size = 0.0 if shares == 0.0 else 9.0
    found = told([size] * repeats, shares=None if shares is None else [0.0] * repeats)
    least = 1 if shares == 0.0 else 2 / 2**repeats
    line = f"cannot decide: with {counted(repeats, 'repeat')} the smallest possible p is {least:g}"
    assert found.verdict == "UNDECIDED" and not found.clearly and found.mde80 is None
    assert line in found.sentence and line.removeprefix("cannot decide: ") in found.why
    assert ("for description only" in found.sentence) == (repeats > 1 and shares is None)
    # differences that are 0 by choice are not told as measured ones
    assert ("nothing was measured of the generated pictures" in found.sentence) == (shares == 0.0)
    assert ("points higher on average" in found.sentence) == (shares is None)
    assert found.smallest_p == (1.0 if shares == 0.0 else 2 / 2**repeats)
    assert ("chose share 0" in found.why) == (shares == 0.0)
    assert calls(table([size] * repeats)[None], margin=0.5) == ["UNDECIDED"]


@pytest.mark.parametrize(("repeats", "effect"), [(6, 1.81), (7, 1.36), (8, 1.20), (9, 1.07)])
def test_one_number_says_what_a_study_can_call(repeats, effect):
    """Of six repeats all signs must agree: no second figure stands beside the one that allows for it."""
    found = told(([1.5, -1.2, 0.8, -2.0, 1.1, 0.3, -0.6, 1.9, 0.4])[:repeats])
    assert found.mde80 == pytest.approx(effect * found.sd, rel=0.01)
    assert found.sentence.count("four cases out of five") == 1 and "four" not in found.why


def test_share_zero_everywhere_is_no_useful_gain_and_says_why():
    found = told([0.0] * 6, shares=[0] * 6)
    assert found.verdict == "NO USEFUL GAIN" and found.mde80 is None and found.p == found.smallest_p == 1.0
    assert "chose share 0" in found.why and "not measured" in found.why
    assert "chose to leave out the generated pictures" in found.sentence


def test_few_repeats_of_which_some_chose_share_0_tell_one_smallest_p():
    found = told([0.0, 0.9, 0.7], shares=[0, 0.5, 0.5])
    assert found.smallest_p == 0.5 and "is 0.5, since 1 of them chose share 0" in found.sentence
    assert "0.25" not in found.sentence + found.why


NO_BETTER = Guessing({"with it": 10.4, "without": 9.9}, 10.0)


@pytest.mark.parametrize(
    ("differences", "shares", "without"),
    [(D, None, "HELPED"), (TIGHT, None, "NO USEFUL GAIN"), ([0.0] * 6, [0] * 6, "NO USEFUL GAIN")],
)
def test_classifiers_that_guess_decide_nothing(differences, shares, without):
    assert told(differences, shares=shares).verdict == without
    found = told(differences, shares=shares, guessing=NO_BETTER)
    assert found.verdict == "UNDECIDED" and not found.clearly and found.mde80 is None
    assert found.repeats_for_margin is None and found.pictures_for_margin is None
    figures = "10.40 % with it, 9.90 % without; guessing gives 10.00 %"
    assert figures in found.sentence and figures in found.why
    assert found.to_json()["guessing"] == {"arms": {"with it": 10.4, "without": 9.9}, "chance": 10.0}


def test_few_repeats_that_guess_say_so_too():
    found = told([0.1, 0.2], guessing=NO_BETTER)
    assert "fewer than 6 repeats" in found.sentence and "not shown to do better than guessing" in found.why


def test_share_zero_in_some_repeats_leaves_the_rule_alone_and_is_said():
    found = told([0.0, 0.0, 0.0, 0.0, 0.9, 1.1, 0.7], shares=[0, 0, 0, 0, 0.25, 0.5, 0.25])
    assert found.verdict == "UNDECIDED" and found.p == found.smallest_p == 0.25
    assert (
        "In 4 of 7 repeats validation chose to leave out the generated pictures: there the difference is 0" in found.why
    )
    assert "no p below 0.25" in found.why


@pytest.mark.parametrize(("chose", "least"), [(1, 1.0), (4, 0.125)])
def test_a_study_whose_repeats_chose_share_0_says_that_it_can_call_nothing(chose, least):
    found = told([0.0] * (6 - chose) + [40.0, 41.0, 39.0, 42.0][:chose], shares=[0] * (6 - chose) + [0.5] * chose)
    assert found.verdict == "UNDECIDED" and found.smallest_p == least and found.mde80 is None
    assert found.repeats_for_margin is None and found.pictures_for_margin is None
    left = f"{6 - chose} of the 6 repeats chose to leave out the generated pictures (share 0)"
    assert left in found.sentence and "can call neither HELPED nor HURT" in found.sentence
    assert f"the smallest possible p is {least:g}" in found.sentence
    assert "four cases out of five" not in found.sentence and "takes about" not in found.sentence


def test_a_study_short_of_repeats_that_chose_pictures_says_how_many_it_takes():
    """With share 0 in five of six repeats neither sentence nor reasons named anything that would settle it."""
    found = told([2.0, 0, 0, 0, 0, 0], shares=[0.25, 0, 0, 0, 0, 0])
    assert found.verdict == "UNDECIDED"
    assert "; a new study of about 36 repeats could, if the same share leaves them out; " in found.sentence
    assert "More repeats are a new study in another folder (--study), and all runs are trained again" in found.why
    every = told([0] * 6, shares=[0] * 6, shortage="the generator was short")
    assert "that takes a generator whose pictures validation finds a use for" in every.why
    assert every.sentence.endswith("its size was not measured; the generator was short.")
    assert {every.to_json()[name] for name in ("mean", "sd", "error", "interval95")} == {None}
    assert found.to_json()["mean"] == pytest.approx(2 / 6)


ABOVE, BELOW = [0.9, 1.1, 0.7, 1.3, 0.8], [-0.9, -1.1, -0.7, -1.3, -0.8]


@pytest.mark.parametrize(("rest", "side"), [(ABOVE, "above"), (BELOW, "below")])
def test_an_interval_on_one_side_of_0_is_undecided_with_the_reason_first(rest, side):
    """It read as a contradiction: +0.07 to +1.83, "too uncertain to call it a gain", and far behind it share 0."""
    found = told([0.0, *rest], shares=[0, *[0.25] * 5])
    low, high = found.interval95
    assert found.verdict == "UNDECIDED" and low * high > 0 and found.p == 0.0625
    assert found.sentence.startswith(
        f"UNDECIDED: the 95 % interval lies {side} 0 ({low:+.2f} to {high:+.2f} points), but 1 of the 6 repeats chose "
        "to leave out the generated pictures (share 0), and then 6 repeats can call neither HELPED nor HURT "
        "(the smallest possible p is 0.0625); a new study of about 8 repeats could, if the same share leaves them "
        "out; with "
    )
    assert "too uncertain" not in found.sentence and found.sentence.count("95 % interval") == 1


def test_where_repeats_disagree_an_interval_above_0_says_that_p_is_too_large():
    found = told([2.4, 2.2, 2.6, 2.3, 2.5, -0.1])
    assert found.verdict == "UNDECIDED" and found.interval95[0] > 0 and found.p == 0.0625
    assert "lies above 0" in found.sentence and "too uncertain" not in found.sentence
    assert "but the repeats do not agree well enough: p is 0.0625, and HELPED needs 0.05 at most" in found.sentence
    assert found.sentence.index("do not agree") < found.sentence.index("points higher on average")


def test_an_interval_that_holds_0_and_share_0_says_both():
    found = told([0.0, 0.9, -1.1, 0.7, -1.3, 0.8], shares=[0, *[0.25] * 5])
    assert "UNDECIDED: the 95 % interval includes 0 (" in found.sentence
    assert "points), and 1 of the 6 repeats chose to leave out" in found.sentence


def test_repeats_for_the_margin_reckon_with_the_luck_that_the_plan_assumes():
    """Five test pictures without a trace of luck in them: the plan says from 13 points on, as a rule."""
    x = np.concatenate([np.eye(5), -np.eye(5)])
    found = verdict(x, Examined.of(np.zeros(5, int)), margin=5.0)
    assert found.error_pictures == 0 and least_effect(Examined.of(np.zeros(5, int))) == pytest.approx(12.5, abs=0.1)
    assert found.repeats_for_margin is None and found.pictures_for_margin == math.ceil(paired.NEEDED * 4)
    assert "with as much luck of the test pictures as the plan reckons with, no number of repeats" in found.sentence


def test_equal_differences_without_shares_follow_the_rule_and_claim_no_sight():
    still = told([0.0] * 8)
    assert still.verdict == "NO USEFUL GAIN" and still.mde80 is None and "share 0" not in still.why
    assert "cannot say how small an effect" in still.sentence


def test_numbers_are_those_of_the_tests():
    found, by_hand = told(D), two_way(100 * table(D), ONE)
    assert found.mean == pytest.approx(0.5) and found.sd == pytest.approx(0.41633, abs=1e-5)
    assert found.interval95 == by_hand.interval() and found.interval90 == by_hand.interval(0.9)
    assert found.p == paired.sign_flip(D) and found.df == by_hand.df and found.test_pictures == N
    assert found.repeats_for_margin == paired.repeats_for(0.5, found.sd) and found.differences == tuple(D)


@pytest.mark.parametrize("repeats", [6, 10, 21])
def test_calls_agree_with_single_verdicts(repeats):
    tables = np.stack([table(row) for row in np.random.default_rng(repeats).normal(0.3, 0.6, (12, repeats))])
    names = calls(tables, margin=0.5)
    assert names == [verdict(x, ONE, margin=0.5).verdict for x in tables] and len(set(names)) > 1


def test_nothing_is_called_of_differences_alone():
    """They hold no word of the luck of the test pictures, which is in every repeat alike."""
    assert set(calls(np.random.default_rng(1).normal(3.0, 0.1, (20, 10)), margin=0.5)) == {"UNDECIDED"}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-30, 30).map(lambda k: k / 10), min_size=1, max_size=12), st.floats(0.1, 3), st.booleans())
def test_any_differences_get_one_honest_verdict(differences, margin, lean):
    x = table(differences)
    if lean:  # the same pictures in every repeat
        x = np.stack([np.sort(row)[::-1] for row in x])
    found, mirrored = verdict(x, ONE, margin=margin), verdict(-x, ONE, margin=margin)
    swap = {"HELPED": "HURT", "HURT": "HELPED"}
    assert mirrored.verdict == swap.get(found.verdict, found.verdict) and mirrored.clearly == found.clearly
    assert found.sentence.startswith(found.verdict) and found.sentence.endswith(".") and found.why
    assert "nan" not in found.sentence + found.why and "inf " not in found.sentence + found.why
    if found.verdict == "HELPED":
        assert found.p <= 0.05 and found.interval95[0] > 0 and found.repeats >= 6
        assert found.clearly == (found.interval95[0] >= margin)
    if found.verdict == "NO USEFUL GAIN":
        assert -margin < found.interval90[0] <= found.interval90[1] < margin
    json.dumps(found.to_json(), allow_nan=False)


def test_to_json_holds_every_field_as_plain_values():
    found = told([0.0, 0.4, 0.2, 0.1, 0.3, 0.2], shares=[0, 0.25, 0.5, 0.25, 0.5, 0.5]).to_json()
    assert set(found) == set(Verdict.__dataclass_fields__)
    assert found["shares"] == [0, 0.25, 0.5, 0.25, 0.5, 0.5] and isinstance(found["interval95"], list)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_alpha_may_be_split_but_not_raised():
    found = told(D, alpha=0.005)
    assert found.verdict == "UNDECIDED" and "at most 0.005" in found.why
    with pytest.raises(BadInput):
        told(D, alpha=0.1)


def test_the_sentence_names_the_treatment():
    found = told(D, treatment="the rival trained again", measure="accuracy")
    assert "with the rival trained again, accuracy" in found.sentence
    assert "over 10 repeats and 1,000 test pictures" in found.sentence


@pytest.mark.parametrize(
    ("x", "options"),
    [
        (np.zeros((0, N)), {"margin": 0.5}),
        (np.full((6, N), np.nan), {"margin": 0.5}),
        (np.full((6, N), 0.5), {"margin": 0.5}),
        (np.zeros((6, N - 1)), {"margin": 0.5}),
        (np.zeros(N), {"margin": 0.5}),
        (table(D), {"margin": 0.0}),
        (table(D), {"margin": math.inf}),
        (table(D), {"margin": 0.5, "shares": [0.5]}),
        (table(D), {"margin": 0.5, "shares": [1.5] * 10}),
        (table(D), {"margin": 0.5, "shares": [0.0] * 10}),
    ],
)
def test_bad_input_is_refused(x, options):
    with pytest.raises(BadInput):
        verdict(x, ONE, **options)


def arms(differences):
    """Hits of arms: gan better than none by the differences, one point worse than shuffled."""
    x, right = table(differences), np.zeros((len(differences), N), bool)
    right[:, : N // 2] = True
    none = np.where(x == 0, right, x < 0)
    worse = right.copy()
    for r, row in enumerate(worse):
        row[5 * r : 5 * r + 10] = False
    return {"gan": np.where(x == 0, right, x > 0), "none": none, "half": right, "worse": worse}


def test_secondary_is_one_holm_family():
    hits = arms(D)
    found = secondary(hits, [("gan", "none"), ("worse", "half"), ("half", "half")], ONE)
    assert [c.comparison for c in found] == ["gan against none", "worse against half", "half against half"]
    assert [c.mean for c in found] == pytest.approx([0.5, -1.0, 0.0])
    assert [c.p_holm for c in found] == paired.holm([c.p for c in found])
    assert found[0].p == 10 / 1024
    assert found[0].interval95 == two_way(100.0 * (hits["gan"].astype(int) - hits["none"]), ONE).interval()
    assert [c.judged for c in found] == ["better", "worse", "open"] and found[0].repeats_needed is None
    assert json.loads(json.dumps(found[0].to_json()))["interval95"] == list(found[0].interval95)
    assert secondary(hits, [], ONE) == ()


@pytest.mark.parametrize("repeats", [2, 6, 7, 8])
def test_too_few_repeats_for_a_family_judge_nothing_and_say_how_many_would(repeats):
    found = secondary(arms([5.0] * repeats), [("gan", "none")] * 5, ONE)
    assert all((c.interval95[0] > 0) == (repeats > 2) for c in found)
    judged, needed = ("better", None) if repeats == 8 else (None, 8)
    assert {(c.judged, c.repeats_needed) for c in found} == {(judged, needed)}


@pytest.mark.parametrize("pairs", [[("gan", "b")], [("gan", "short")]])
def test_secondary_refuses_unknown_and_unpaired_arms(pairs):
    hits = arms(D)
    with pytest.raises(BadInput):
        secondary(hits | ({"short": hits["gan"][:3]} if pairs[0][1] == "short" else {}), pairs, ONE)


def test_hundreds_of_repeats_are_no_advice():
    """A study of six repeats was told to repeat itself 2,551 times, where 1,000 test pictures were what it lacked."""
    few = told(WIDE)
    many = replace(few, repeats_for_margin=2_551)
    said = sentence_of(many, "the generated pictures", "balanced accuracy")
    assert (
        "to detect 0.50 points takes more than 1,000 test pictures: repeats alone hardly reach it" in said
        and "2,551" not in said
    )
    assert "second look" not in why_of(many, "the generated pictures", 0.05)
    assert "takes a new study of about 100 repeats" in sentence_of(replace(few, repeats_for_margin=100), "it", "score")


@pytest.mark.parametrize(
    ("mean", "says"), [(0.08, "was 0.08 points higher"), (-2.0, "was 2.00 points lower"), (0, "was the same")]
)
def test_a_difference_is_said_with_its_side(mean, says):
    assert says in sentence_of(replace(told(WIDE), mean=mean), "it", "score")
