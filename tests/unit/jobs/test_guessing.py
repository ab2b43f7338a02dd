"""Studies with pictures whose labels are hidden: what is guessed, by whom, and what learns from it."""

import json

import numpy as np
import pytest

import zeuxis
from tests.stories.commands import pictures
from zeuxis.errors import BadInput
from zeuxis.jobs.study import guessing, plan
from zeuxis.jobs.study import study as studies
from zeuxis.jobs.study.place import Place, draw_repeat
from zeuxis.jobs.study.plan import StudyConfig, arms_of
from zeuxis.runs import Run

SMALL = {"labels_per_class": 4, "repeats": 1, "threads": 1, "classifier": {"width": 4}}


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Two classes of 24 pictures, and studies of few steps in this process."""
    pictures(tmp_path / "pics", ("boot", "dress"), 24)
    run = studies.run
    monkeypatch.setattr(plan, "StudyConfig", lambda *a, **k: StudyConfig(*a, **k, steps=(2, 3)))
    monkeypatch.setattr(studies, "run", lambda place, started=None: run(place, here=True))
    return tmp_path


def test_the_generator_learns_from_what_was_not_drawn_and_an_arm_shows_what_that_gives_alone(world, capsys):
    study = zeuxis.augment(
        world / "pics", study=world / "st", recipe="cgan", generator={"width": 4}, unlabelled=True, **SMALL
    )
    place = Place.open(study.path)
    drawn = draw_repeat(place, 0)
    others = guessing.undrawn(place, drawn)
    assert others and set(others) | set(drawn["train"]) == set(place.split.train.tolist())
    assert not set(others) & (
        set(drawn["train"]) | set(place.split.test.tolist()) | set(place.split.validation.tolist())
    )

    record = place.result(0, "generator")
    hidden = np.asarray(place.dataset.labels)[others]
    guesses = guessing.guessed(place, 0, drawn)
    right = float((hidden == guesses.labels).mean())
    assert record["guessed"] == {"pictures": len(others), "right": pytest.approx(right, abs=1e-4)}
    whole = guessing.joined(zeuxis.data.memory.Subset(place.dataset, drawn["train"]), guesses)
    run = Run.open(place.repeat(0) / "generator")
    assert run.record["digests"]["images"] == whole.digest and len(whole) == len(place.split.train)

    verdict = json.loads((study.path / "verdict.json").read_text())
    assert "guessed" in [arm["arm"] for arm in verdict["arms"]]
    assert place.result(0, "guessed")["fill"] == "guessed"
    assert f"also learns from {len(others)} other training pictures, by guessed labels" in capsys.readouterr().err
    page = (study.path / "report.html").read_text()
    assert f"Each also learned from {len(others)} training pictures that its repeat did not draw" in page


def test_pictures_with_guessed_labels_are_a_treatment_of_their_own(world):
    study = zeuxis.augment(world / "pics", study=world / "st", treatment="guessed", **SMALL)
    place = Place.open(study.path)
    result = place.result(0, "guessed")
    assert result["share"] == 0.5 and result["fill"] == "guessed"
    assert "the other pictures with guessed labels" in json.loads((study.path / "verdict.json").read_text())["sentence"]


@pytest.mark.parametrize("more", [{"treatment": "guessed"}, {"unlabelled": True, "recipe": "cgan"}])
def test_refused_where_every_picture_is_drawn(world, more):
    split = studies.prepare(
        world / "a", zeuxis.jobs.sources.Source(str(world / "pics")).open(), StudyConfig(4), 1
    ).split
    labels = len(split.train) // 2
    with pytest.raises(BadInput, match="no picture is left whose label could be guessed"):
        zeuxis.augment(world / "pics", study=world / "st", **{**SMALL, "labels_per_class": labels}, **more)
    assert not (world / "st").exists()


def test_a_check_of_the_study_reads_no_unlabelled_pictures(world):
    with pytest.raises(BadInput, match="unlabelled"):
        zeuxis.augment(world / "pics", study=world / "st", treatment="again", unlabelled=True, **SMALL)


def test_a_study_has_an_arm_more_for_it():
    assert arms_of(StudyConfig(unlabelled=True)) == arms_of(StudyConfig()) + 1
