"""What a study was asked for: read back equal from JSON, refused where it makes no sense."""

import dataclasses
import json
import math
import os
from pathlib import Path

import pytest

from zeuxis.engine.compute import ComputeOptions
from zeuxis.errors import BadInput
from zeuxis.jobs.study.place import Place
from zeuxis.jobs.study.plan import MOST_POOL, Rates, StudyConfig, budget_for, lay_out
from zeuxis.jobs.study.plan_words import test_part_words as of_test_part
from zeuxis.jobs.study.watch import Watch, begin_words, estimate_words, left_words, pace_of, progress_words
from zeuxis.stats.twoway import Examined


def test_asked_comes_back_equal_from_json():
    asked = StudyConfig(
        generator={"widths": (8, 16), "blocks": ((1, 2), (3,))}, classifier={"betas": (0.5, 0.9)}, steps=(3, 4)
    )
    assert StudyConfig.from_dict(json.loads(json.dumps(asked.as_dict()))) == asked


@pytest.mark.parametrize("value", [math.inf, math.nan, -1.0, 0.0])
@pytest.mark.parametrize("field", ["margin", "budget"])
def test_times_and_margins_are_numbers_above_zero(field, value):
    with pytest.raises(BadInput, match=f"--{field} must be a number above zero"):
        StudyConfig(**{field: value})


@pytest.mark.parametrize(
    ("repeats", "treatment", "says"),
    [
        (6, "gan", "with 6 repeats a single one that chooses no generated pictures makes HELPED and HURT impossible"),
        (7, "gan", "with 7 repeats two that choose no generated pictures make HELPED and HURT impossible"),
        (8, "gan", ""),
        (6, "again", ""),
    ],
)
def test_a_plan_of_few_repeats_warns_of_what_one_of_them_may_choose(repeats, treatment, says):
    """Six repeats ended with an interval above zero and no verdict, since one of them left the pictures out."""
    asked = StudyConfig(repeats=repeats, treatment=treatment, steps=(200, 200))
    warnings = [line for line in lay_out(asked, Rates(1e-3, 1e-3, 1e-5), 2, 64, 0).warnings if "impossible" in line]
    assert len(warnings) == bool(says) and all(says in line and "8 to 10 repeats" in line for line in warnings)


def place_of(asked, classes):
    plan = lay_out(asked, Rates(1.0, 0.1, 1e-5), 2, 64, 0)
    return Place(Path("st"), asked, plan, None, None, ComputeOptions("cpu", 1, False, True), Examined.of(classes))


@pytest.mark.parametrize(
    ("classes", "margin", "says"),
    [
        ([0, 1] * 400, 0.5, "; they are enough to say NO USEFUL GAIN within 0.5 points"),
        (
            [0, 1] * 50,
            0.5,
            " within 0.5 points takes 600: give more pictures, or a wider --margin",
        ),
        (
            [0] * 10 + [1] * 790,
            0.5,
            " (they count as 40: some stay together, or classes differ in size) a",
        ),
    ],
)
def test_what_the_test_part_allows_is_said_in_plain_words(classes, margin, says):
    words = of_test_part(place_of(StudyConfig(margin=margin, steps=(2, 2)), classes))
    assert words.startswith(f"zeuxis: with {len(classes)} sealed test pictures ")
    assert "points can hardly be found, however many repeats (the true limit depends on how far" in words
    assert says in words and "equivalent" not in words and "assumed" not in words


def test_a_study_says_when_its_first_result_comes_and_what_a_job_is(tmp_path):
    place = dataclasses.replace(place_of(StudyConfig(repeats=6, steps=(180, 50)), [0, 1] * 50), folder=tmp_path)
    words = begin_words(place)
    assert words.startswith("zeuxis: 48 jobs to do, 2 at once (a job trains one generator or one classifier)")
    assert words.endswith("; the first is done in about 3 min 00 s")
    check = dataclasses.replace(place, asked=StudyConfig(repeats=2, treatment="again", steps=(0, 50)))
    assert "8 jobs to do, 2 at once (a job trains one classifier)" in begin_words(check)


def test_how_far_the_estimate_was_off():
    assert estimate_words(90, 60) == "zeuxis: the study took 1 min 30 s, 50 % more than the planned 1 min 00 s"
    assert estimate_words(45, 60).endswith("45 s, 25 % less than the planned 1 min 00 s")
    assert estimate_words(60.1, 60).endswith("1 min 00 s, about as long as the planned 1 min 00 s")


def test_the_time_left_moves_from_the_plan_to_what_is_measured_without_a_jump():
    """It followed the plan for a quarter of a study and the measured pace from there on, and jumped between."""
    whole, slower = 1000.0, 3.0
    paces = [pace_of(slower * spent, spent, 0.15 * whole) for spent in range(0, 1001, 10)]
    assert paces[0] == 1.0 and 0.85 * slower < paces[-1] < slower
    left = [(whole - 10 * i) * pace for i, pace in enumerate(paces)]
    assert max(abs(b - a) for a, b in zip(left, left[1:])) < 0.15 * whole


def _played(folder, slower, told):
    """A study of 6 generators and 42 classifiers in two processes, each `slower` than planned: told(watch, clock now,
    running) at every end of a job; returns how long it took."""
    asked = StudyConfig(repeats=6, steps=(180, 250))
    place = dataclasses.replace(place_of(asked, [0, 1] * 50), folder=folder)
    watch, now, running = Watch(place, shows=False), 0.0, []
    todo = [(r, name) for r in range(6) for name in ("generator", *(f"arm{i}" for i in range(7)))]
    while todo or running:
        while todo and len(running) < 2:
            r, name = todo.pop(0)
            length = slower * (place.plan.seconds["generator" if name == "generator" else "classifier"])
            running.append((now + length, length, r, name))
        running.sort()
        now, length, r, name = running.pop(0)
        place.repeat(r).mkdir(parents=True, exist_ok=True)
        (place.repeat(r) / f"{name}.json").write_text(json.dumps({"seconds": length}))
        at = [(f"repeat {r_ + 1}, {name_}", now - end + length_) for end, length_, r_, name_ in running]
        watch.count({"repeat": r, "name": f"repeat {r + 1}, {name}", "kind": "arm", "arm": name}, at)
        told(watch, now, at)
    return now


@pytest.mark.parametrize("slower", [0.5, 1.0, 2.5])
def test_the_time_left_goes_down_evenly_also_while_a_long_job_is_nearly_done(tmp_path, slower):
    """It jumped from 13 to 16 minutes and back, as it counted a running job as half done, however long it had run."""
    told = []
    whole = _played(tmp_path, slower, lambda watch, now, running: told.append((now, watch.left(running))))
    assert len(told) == 48 and told[-1][1] == 0
    later = [(now, left) for now, left in told if now > 0.3 * whole]
    assert all(abs(left - (whole - now)) < 0.1 * whole for now, left in later), later
    for (before, left), (now, then) in zip(later, later[1:]):
        assert abs((left - then) - (now - before)) < 0.03 * whole


def test_a_dry_run_beside_a_study_says_the_time_that_the_study_says(tmp_path, monkeypatch):
    """The plan's figures alone said 1 min 24 s where the study itself said 2 min 37 s."""
    place = dataclasses.replace(place_of(StudyConfig(repeats=6, steps=(180, 250)), [0, 1] * 50), folder=tmp_path)
    monkeypatch.setattr("zeuxis.jobs.study.clock.time.time", lambda: os.stat(tmp_path / "clock.json").st_mtime)

    def check(watch, now, running):
        jobs = {name: now - seconds for name, seconds in running}
        (tmp_path / "clock.json").write_text(json.dumps({"seconds": now, "running": True, "jobs": jobs}))
        assert progress_words(place).endswith(f"jobs done, about {left_words(watch.left(running))} left")

    _played(tmp_path, 2.0, check)


def test_from_ten_minutes_on_the_time_left_has_no_seconds():
    assert [left_words(s) for s in (42, 560, 1223, 3599, 4000)] == [
        "42 s", "9 min 20 s", "20 min", "1 h 00 min", "1 h 07 min"
    ]  # fmt: skip


def test_where_drawing_takes_long_fewer_pictures_are_drawn_and_the_generator_learns():
    """A study of photographs laid out 20 steps of 7 minutes for its generator: drawing a pool for its arms took all."""
    asked, slow = StudyConfig(repeats=6, budget=2400), 0.04
    plan = lay_out(asked, Rates(0.4, 0.2, slow), 2, 32, 7_200, 600)
    assert plan.pool < 7_200 and plan.seconds["drawing"] < 0.6 * plan.seconds["generator"]
    assert plan.generator_steps > 200
    quick = lay_out(asked, Rates(0.4, 0.2, 1e-4), 2, 32, 7_200, 600)
    assert quick.pool == MOST_POOL and quick.generator_steps > plan.generator_steps


def test_the_budget_that_would_be_enough_is_enough():
    asked, rates = StudyConfig(repeats=6, budget=2400), Rates(0.2, 0.1, 0.01)
    plan = lay_out(asked, rates, 2, 32, 7_200, 600)
    budget = budget_for(5_000, asked, rates, plan)
    there = lay_out(dataclasses.replace(asked, budget=budget), rates, 2, 32, 7_200, 600).generator_steps
    assert 4_000 < there < 7_500
