import pytest

from zeuxis.engine.alarms import Signs, ring

LATE = {"progress": 0.5, "images": 10_000}


def names(score=None, watch=None, **when):
    return {alarm.name for alarm in ring(Signs(score or {}, watch or {}, **(LATE | when)))}


@pytest.mark.parametrize(
    ("score", "watch", "alarm"),
    [
        ({"diversity": 0.1}, {}, "collapse"),
        ({"diversity": 0.4}, {}, "collapse"),
        ({"saturation": 0.99}, {}, "saturation"),
        ({}, {"critic/r1": 0.01, "critic/r2": 5.0}, "penalty gap"),
        ({}, {"critic/r1": 5.0, "critic/r2": 0.01}, "penalty gap"),
        ({"critic_real": 2.0, "critic_held_out": -1.0, "critic_fake": -2.0}, {}, "overfitting"),
        ({}, {"vae/active_units": 0.1, "model/active_units": 0.1}, "posterior collapse"),
        ({}, {"critic/real": 5000.0}, "divergence"),
        ({}, {"critic/fake": -5000.0}, "divergence"),
    ],
)
def test_it_rings(score, watch, alarm):
    assert names(score, watch) == {alarm}


HEALTHY = {"diversity": 0.9, "saturation": 0.8, "critic_real": 1.0, "critic_held_out": 0.9, "critic_fake": -1.0}


def test_it_is_silent_when_all_is_well():
    assert names(HEALTHY, {"critic/r1": 0.3, "critic/r2": 0.5, "critic/real": 1.0, "model/active_units": 0.9}) == set()
    assert names() == set()


@pytest.mark.parametrize("when", [{"progress": 0.1}, {"images": 1000}])
def test_samples_are_not_judged_early(when):
    assert names({"diversity": 0.0, "saturation": 1.0}, **when) == set()


def test_overfitting_needs_a_critic_with_an_opinion():
    assert names({"critic_real": 1e-4, "critic_held_out": -1.0, "critic_fake": 0.0}) == set()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_rings_nothing(value):
    keys = ("diversity", "saturation", "critic_real", "critic_held_out", "critic_fake")
    watch = {"critic/r1": value, "critic/r2": 1.0, "critic/real": value, "model/active_units": value}
    assert names(dict.fromkeys(keys, value), watch) == set()
    assert names({}, {"critic/r1": 1.0, "critic/r2": value}) == set()


def test_words_are_one_line_with_a_mend():
    for alarm in ring(Signs({"diversity": 0.1, "saturation": 1.0}, {"critic/real": 1e6}, **LATE)):
        assert alarm.words and alarm.mend and "\n" not in alarm.words + alarm.mend
