"""From figures to words: whatever was measured, the sentence says it, and praise is earned by every figure."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeuxis.pages.outcome import (
    GAINS,
    GRADES,
    UNJUDGED,
    Earlier,
    Held,
    Outcome,
    judgement_of,
    of_copies,
    of_held,
    of_intervals,
    of_samples,
)

REAL = {"distance_real": 0.0, "coverage_real": 0.97, "recall_real": 0.9, "n": 512, "held": 400, "apart": True}
GOOD = {"diversity": 1.0, "sharpness": 1.0, "distance": 0.0, "coverage": 0.97, "recall": 0.9, **REAL}


def grade(**changes):
    return of_samples({**GOOD, **changes}).grade


# figures of runs and controls in docs/measured.md, and what a person sees in their grids
MEASURED = [
    ("dcgan, 1,024 images", "failed", "fog", (0.01, 0.04, 0.814, 0.00, 0.00)),
    ("dcgan, 5,000 images", "failed", "fog", (0.18, 0.44, 0.746, 0.00, 0.00)),
    ("cgan, 2,000 images", "failed", "do not look like", (0.52, 0.51, 0.465, 0.00, 0.00)),
    ("vae, 5,000 images", "failed", "blur", (0.70, 0.23, 0.215, 0.04, 0.00)),
    ("r3gan, 5,000 images", "failed", "do not look like", (0.96, 0.73, 0.070, 0.14, 0.02)),
    ("cgan, 10,000 images", "poor", "easily told", (0.90, 0.92, 0.027, 0.39, 0.16)),
    ("vae, 60,000 images", "poor", "blurred", (1.06, 0.50, 0.043, 0.17, 0.56)),
    ("cgan, 20,000 images", "poor", "lack much of the variety", (0.80, 0.93, 0.010, 0.73, 0.19)),
    ("cgan, 40,000 images", "usable", "less varied", (0.91, 0.97, 0.002, 0.94, 0.57)),
    (
        "cgan, 90,000 images",
        "close",
        "In light, colour and variety the samples are close to",
        (0.94, 1.01, 0.000, 0.99, 0.78),
    ),
    ("grey", "failed", "fog", (0.00, 0.00, 0.838, 0.00, 0.00)),
    ("noise", "failed", "noise", (0.99, 3.22, 0.683, 0.00, 0.00)),
    ("one real picture", "failed", "collapsed", (0.00, 1.86, 0.449, 0.01, 0.00)),
    ("ten real pictures", "poor", "only some", (0.93, 1.04, 0.040, 0.13, 0.00)),
    ("real pictures", "close", "close", (1.00, 1.00, -0.001, 0.97, 0.90)),
]


@pytest.mark.parametrize(("what", "grade", "words", "figures"), MEASURED)
def test_what_was_measured_is_called_what_it_is(what, grade, words, figures):
    names = ("diversity", "sharpness", "distance", "coverage", "recall")
    found = of_samples({**REAL, **dict(zip(names, figures, strict=True))})
    assert found.grade == grade and words in found.sentence.split(":")[0], what


FIGURES = st.fixed_dictionaries(
    {
        "diversity": st.floats(0, 3),
        "sharpness": st.floats(0, 10),
        "distance": st.floats(-0.02, 1),
        "coverage": st.floats(0, 1),
        "recall": st.floats(0, 1),
    }
)


@given(FIGURES)
def test_no_good_figure_makes_up_for_a_bad_one(figures):
    found = of_samples({**REAL, **figures})
    assert found.grade in GRADES and "\n" not in found.sentence and found.sentence.endswith(".")
    good = found.grade in ("usable", "close")
    assert good == ("usable" in found.sentence or "close to" in found.sentence)
    if good:
        assert figures["distance"] <= 0.01 and figures["diversity"] >= 0.6 and figures["sharpness"] >= 0.5
        assert figures["coverage"] >= 0.7 * 0.97 and figures["recall"] >= 0.6 * 0.9
    if figures["diversity"] < 0.3:
        assert found.grade == "failed"


@given(FIGURES, st.sampled_from(["distance", "coverage", "recall"]), st.floats(0, 1))
def test_a_worse_figure_never_gives_a_better_grade(figures, name, by):
    sign = 1 if name == "distance" else -1
    worse = {**figures, name: figures[name] + sign * by}
    first, second = (GRADES.index(of_samples({**REAL, **f}).grade) for f in (figures, worse))
    assert second <= first


@pytest.mark.parametrize("bad", [None, math.nan, math.inf, "x"])
def test_what_is_missing_is_not_judged(bad):
    found = of_samples({**GOOD, "recall": bad})
    assert found.grade == UNJUDGED and "not measured" in found.sentence


def test_few_held_out_pictures_are_said():
    assert "Only 12 pictures were held out" in of_samples({**GOOD, "held": 12}).sentence
    assert "No pictures were held out" in of_samples({**GOOD, "apart": False}).sentence
    assert "held out, so" not in of_samples(GOOD).sentence


@given(st.floats(0, 60), st.floats(0, 60))
def test_a_gain_is_called_one_only_where_it_is(ours, rival):
    found = of_held(Held(ours, rival, "leaving the pictures as they are"))
    assert found.grade in GAINS
    assert (found.grade in ("little better", "better")) == (ours - rival > 0.1)
    assert (found.grade == "worse") == (ours - rival < -0.1)
    assert found.sentence.startswith(f"The result is {found.grade} than leaving the pictures as they are")


def test_a_classifier_is_held_against_guessing():
    found = of_held(Held(0.105, 0.1, "guessing", "%", 0.01, 0.03, 400))
    assert (
        found.sentence == "The result is no better than guessing: 10.5 % (±3) against 10.0 % on 400 held-out pictures."
    )
    found = of_held(Held(0.12, 0.1, "guessing", "%", 0.01, 0.03, 400))
    said = "The result was not shown to be better than guessing: 12.0 % (±3) against 10.0 % on 400 held-out pictures."
    assert (found.grade, found.sentence) == ("no better", said)


def test_all_right_on_nine_pictures_is_better_than_guessing_and_roughly_so():
    """The gain that counts as large is one of the result; what chance gives only decides whether there is one."""
    found = of_held(Held(1.0, 1 / 3, "guessing", "%", 0.01, 0.31, 9))
    said = "The result is better than guessing, by 66.7 points: 100.0 % (±20) against 33.3 % on 9 held-out pictures."
    assert found.sentence == f"{said} Only 9 pictures were held out, so these figures are rough."
    assert found.grade == "better"


def test_so_few_pictures_that_nothing_could_be_shown_are_not_judged():
    found = of_held(Held(1.0, 0.5, "guessing", "%", 0.01, 0.5, 4))
    assert found.grade == UNJUDGED
    assert "with 4 held-out pictures, being right on every one would not be told from guessing" in found.sentence


def test_a_figure_that_was_better_on_the_way_is_told():
    luck = Held(0.556, 0.333, "guessing", "%", 0.01, 0.31, 9, earlier=Earlier(0.778, 160))
    assert (
        "It had 77.8 % after 160 images on the way, which so few pictures do not tell from luck."
        in of_held(luck).sentence
    )
    found = of_held(Held(10.07, 12.27, "giving back one mean picture", pictures=90, earlier=Earlier(11.84, 3200)))
    assert "It was better on the way, with 11.84 dB after 3,200 images" in found.sentence
    assert found.figures["earlier"] == {"figure": 11.84, "images": 3200, "step": None, "kept": ""}
    best = Earlier(0.887, 36_480, 570, "those weights are in snapshots/best.safetensors")
    told = of_held(Held(0.85, 0.1, "guessing", "%", 0.01, 0.03, 400, earlier=best)).sentence
    assert told.endswith(
        "It was better on the way, with 88.7 % at step 570, as happens when a net learns its training pictures by "
        "heart; "
        "those weights are in snapshots/best.safetensors."
    )


def test_intervals_without_a_calibration_are_not_trusted():
    assert "cannot be trusted: no pictures were held out" in of_intervals({"why": "no pictures were held out"}).sentence
    found = of_intervals({"factor": 1.5, "missed": 0.08, "alpha": 0.1, "pictures": 40})
    assert "miss 8.0 % of the values of 40 held-out pictures, where 10 % may be missed" in found.sentence


COPIES = {"n": 1000, "held": 400, "copies": 120, "expected": 10.0, "alarm": True}


def test_words_about_copies_follow_the_count():
    none = of_copies({}, None)
    assert "was not measured" in none[1] and "as it should" not in " ".join(none)
    copied = of_copies(COPIES, None)[1]
    assert copied.startswith("120 of 1,000 lie much closer") and "repeats pictures that it was trained on" in copied
    assert "about 10 would, as 400 held-out pictures show: " in copied
    few = of_copies({**COPIES, "expected": 16.4, "held": 60}, None)[1]
    assert "about 20 would, as 60 held-out pictures show: " in few
    fresh = {**COPIES, "copies": 4, "alarm": False}
    assert "does not copy whole pictures" in of_copies(fresh, None)[1]
    assert "no pictures yet" in of_copies(fresh, Outcome("failed", "", {}))[1]
    assert "no pictures yet" not in of_copies(fresh, Outcome("usable", "", {}))[1]


def test_a_judgement_is_read_back_from_finish_json():
    found = of_samples(GOOD)
    assert judgement_of({"judgement": found.to_json()}) == found
    assert judgement_of({}) is None and judgement_of({"judgement": {"sentence": None}}) is None


def test_more_copies_than_expected_are_no_all_clear():
    """117 of 1,000 beside 32 expected were answered with "does not copy"."""
    found = {"n": 1000, "copies": 117, "expected": 32.3, "held": 30, "alarm": False, "plain": 4}
    pairs, sentence = of_copies(found, None)
    assert "That is more, and may be chance: compare the pairs." in sentence and "does not copy" not in sentence
    assert "4 samples of nearly one colour were left out" in pairs
    assert "does not copy" in of_copies({**found, "copies": 40, "plain": 0}, None)[1]
    only = of_copies({"n": 0, "copies": None, "expected": None, "held": 30, "alarm": None, "plain": 50}, None)
    assert only == ["Nearly all samples are of one colour, so none can be told to be a copy."]


def test_a_classifier_s_view_comes_first_where_samples_do_not_show_their_class():
    """ "Close to the real pictures" stood above a sheet of which a third could be named."""
    poor = of_samples({**GOOD, "recognised": 0.43, "recognised_real": 0.8, "recognised_chance": 0.17})
    assert poor.grade == "poor" and poor.sentence.startswith(
        "Most samples do not show what they should: a classifier that learned from the real pictures takes 43 % of the "
        "samples for the class that they were drawn for (80 % of held-out real ones; by chance 17 %). It goes by "
        "colours and surfaces, too: whether objects are whole, the eye alone tells. In light, colour"
    )
    good = of_samples({**GOOD, "recognised": 0.7, "recognised_real": 0.8, "recognised_chance": 0.17})
    assert good.grade == "close" and good.sentence.endswith(
        "by chance 17 %). It goes by colours and surfaces, too: whether objects are whole, the eye alone tells."
    )
    assert all("look at them" in found.sentence for found in (poor, good, of_samples(GOOD)))


def test_what_was_seen_after_so_many_images_comes_before_figures_that_cannot_see():
    """Strangers read "close to the real pictures" above blobs whose colours alone were close."""
    given = "97,600 images of training give rough shapes, going by other runs."
    assert of_samples({**GOOD, "expected": given}).sentence.startswith(f"{given} In light, colour and variety")
    assert of_samples({**GOOD, "expected": given, "distance": 0.05}).sentence.startswith("The samples")
    assert of_samples({**GOOD, "expected": ""}).sentence == of_samples(GOOD).sentence
