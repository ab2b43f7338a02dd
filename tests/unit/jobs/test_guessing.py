"""Studies with pictures whose labels are hidden: what is guessed, by whom, and what learns from it."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zeuxis
from tests.stories.commands import pictures
from zeuxis.data.trees import Where
from zeuxis.errors import BadInput
from zeuxis.jobs.sources import Source
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
        world / "pics", study=world / "st", recipe="cgan", generator={"width": 4}, unlabelled="rest", **SMALL
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
    assert f"Each also learned from {len(others)} pictures that its repeat did not draw" in page


def test_pictures_with_guessed_labels_are_a_treatment_of_their_own(world):
    study = zeuxis.augment(world / "pics", study=world / "st", treatment="guessed", **SMALL)
    place = Place.open(study.path)
    result = place.result(0, "guessed")
    assert result["share"] == 0.5 and result["fill"] == "guessed"
    assert "the other pictures with guessed labels" in json.loads((study.path / "verdict.json").read_text())["sentence"]


@pytest.mark.parametrize("more", [{"treatment": "guessed"}, {"unlabelled": "rest", "recipe": "cgan"}])
def test_refused_where_every_picture_is_drawn(world, more):
    split = studies.prepare(world / "a", Source(str(world / "pics")).open(), StudyConfig(4), 1).split
    labels = len(split.train) // 2
    with pytest.raises(BadInput, match="no picture is left whose label could be guessed"):
        zeuxis.augment(world / "pics", study=world / "st", **{**SMALL, "labels_per_class": labels}, **more)
    assert not (world / "st").exists()


def test_a_check_of_the_study_reads_no_unlabelled_pictures(world):
    with pytest.raises(BadInput, match="unlabelled"):
        zeuxis.augment(world / "pics", study=world / "st", treatment="again", unlabelled="rest", **SMALL)


def test_a_study_has_an_arm_more_for_it():
    assert arms_of(StudyConfig(unlabelled="rest")) == arms_of(StudyConfig()) + 1


def test_a_folder_without_labels_is_kept_in_the_study_without_copies_of_sealed_pictures(world, capsys):
    source = Source(str(world / "pics"))
    dataset = source.open()
    split = studies.prepare(world / "a", dataset, StudyConfig(4), 1).split
    pictures(world / "new", ("unknown",), 9)
    sealed = Path(dataset.sources[int(split.test[0])])
    shutil.copy(sealed if sealed.is_absolute() else world / "pics" / sealed, world / "new" / "unknown" / "sealed.png")

    study = zeuxis.augment(world / "pics", study=world / "st", treatment="guessed", unlabelled=world / "new", **SMALL)
    said = capsys.readouterr().err
    assert (
        "left out: 1 unlabelled picture, as copies of validation or test pictures, or of their group, the first: "
        in said
    )
    assert "the classifier also learns from 9 unlabelled pictures, by guessed labels" in said
    place = Place.open(study.path)
    assert place.others["pictures"] == 9 and place.asked.unlabelled == str((world / "new").resolve())
    guesses = guessing.guessed(place, 0, draw_repeat(place, 0))
    assert len(guesses) == 9 and set(guesses.labels) <= {0, 1}
    assert guessing.described(place, guesses, {}) == {"pictures": 9, "right": None}

    shutil.rmtree(world / "new")  # the study has what it needs
    (place.repeat(0) / "guessed.json").unlink()
    (study.path / "verdict.json").unlink()
    before = (study.path / "report.html").stat().st_mtime_ns
    zeuxis.resume(study.path)
    assert place.result(0, "guessed") is not None and (study.path / "report.html").stat().st_mtime_ns > before


def test_a_folder_of_sealed_pictures_alone_is_refused_and_nothing_is_written(world):
    with pytest.raises(BadInput, match="no unlabelled picture is left"):
        split = studies.prepare(world / "a", Source(str(world / "pics")).open(), StudyConfig(4), 1).split
        dataset = Source(str(world / "pics")).open()
        (world / "new").mkdir()
        for i in split.test.tolist():
            shutil.copy(Path(world / "pics" / dataset.sources[i]), world / "new" / f"{i}.png")
        zeuxis.augment(world / "pics", study=world / "st", treatment="guessed", unlabelled=world / "new", **SMALL)
    assert not (world / "st").exists()
    with pytest.raises(BadInput, match="nowhere"):
        zeuxis.augment(world / "pics", study=world / "st", treatment="guessed", unlabelled=world / "nowhere", **SMALL)


def drawn(folder, each, seed):
    """Pictures of nothing, each another."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(each):
        pixels = np.random.default_rng([seed, i]).integers(0, 256, (16, 16), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")


def begun(world, *more, **fields):
    """A study that read `new`, up to its first line; what was said."""
    return zeuxis.augment(world / "pics", study=world / "st", unlabelled=world / "new", **{**SMALL, **fields})


def test_changed_copies_of_sealed_pictures_are_known_by_their_notes(world, capsys):
    """Turned and brightened ones look like none of them: 80 of them were taken."""
    zeuxis.augment(world / "pics", classic_only=True, copies=3, out=world / "new")
    with pytest.raises(BadInput, match="no unlabelled picture is left"):
        begun(world, treatment="guessed", dry_run=True)
    split = studies.prepare(world / "a", Source(str(world / "pics")).open(), StudyConfig(4), 1).split
    sealed = len(split.test) + len(split.validation)
    said = capsys.readouterr().err
    assert f"left out: {4 * sealed} unlabelled pictures" in said
    assert f"left out: {4 * len(split.train)} unlabelled pictures, as copies of labelled training pictures" in said


def test_other_pictures_of_sealed_groups_are_left_out(world, capsys):
    for place, seed in (("pics_g", 0), ("new", 7)):
        for kind in ("boot", "dress"):
            for g in range(8):
                drawn(world / place / kind / f"{kind}{g}", 3, 100 * seed + 10 * g + (kind == "dress"))
    zeuxis.augment(
        world / "pics_g", study=world / "st", unlabelled=world / "new", treatment="guessed", dry_run=True,
        classes_at=1, group_at=2, **SMALL,
    )  # fmt: skip
    said = capsys.readouterr().err
    assert re.search(
        r"left out: \d+ unlabelled pictures, as copies of validation or test pictures, or of their group", said
    )


def test_a_folder_without_the_order_of_the_labelled_one_is_read_all_the_same(world, capsys):
    drawn(world / "new", 5, 9)
    begun(world, treatment="guessed", dry_run=True, classes_at=1)
    assert "also learns from 5 unlabelled pictures" in capsys.readouterr().err


def test_a_table_of_unlabelled_pictures_gets_no_advice_on_how_data_is_read(world, capsys):
    drawn(world / "new", 6, 9)
    rows = [f"new/{i}.png,odd{i % 2},p{i % 3}" for i in range(6)]
    (world / "list.csv").write_text("\n".join(["file,label,patient", *rows]))
    zeuxis.augment(
        world / "pics", study=world / "st", unlabelled=world / "list.csv", treatment="guessed", dry_run=True, **SMALL
    )
    said = capsys.readouterr().err
    assert "the column `label` is not read\n" in said and "the column `patient` is not read\n" in said
    assert "also learns from 6 unlabelled pictures" in said and "warning: " + str(world) not in said


def test_join_off_lets_no_equal_picture_in(world, capsys):
    shutil.copytree(world / "pics", world / "new")
    with pytest.raises(BadInput, match="no unlabelled picture is left"):
        begun(world, treatment="guessed", dry_run=True, join="off")
    assert "left out: " in capsys.readouterr().err


def test_copies_of_labelled_training_pictures_are_left_out_and_others_of_their_groups_are_not(world, capsys):
    """They came in a second time, by guessed labels."""
    for kind in ("boot", "dress"):
        for g in range(8):
            drawn(world / "pics_g" / kind / f"{kind}{g}", 3, 10 * g + (kind == "dress"))
    how = {"classes_at": 1, "group_at": 2}
    source = Source(str(world / "pics_g"), where=Where(1, 2))
    dataset = source.open()
    split = studies.prepare(world / "a", dataset, StudyConfig(4), 1).split
    for i in split.train.tolist()[:4]:
        copy = world / "new" / dataset.sources[i]
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(world / "pics_g" / dataset.sources[i], copy)
        drawn(copy.parent / "more", 1, 500 + i)
    zeuxis.augment(
        world / "pics_g", study=world / "st", unlabelled=world / "new", treatment="guessed", dry_run=True,
        **how, **SMALL,
    )  # fmt: skip
    said = capsys.readouterr().err
    assert "left out: 4 unlabelled pictures, as copies of labelled training pictures, the first: " in said
    assert "validation or test pictures" not in said
    assert re.search(r"also learns from \d unlabelled pictures?, by guessed labels", said)


def test_missing_or_other_kept_pictures_are_refused(world):
    drawn(world / "new", 9, 9)
    study = begun(world, treatment="guessed")
    (study.path / "verdict.json").unlink()
    kept = study.path / "unlabelled.safetensors"
    whole = kept.read_bytes()
    for damage in (kept.unlink, lambda: kept.write_bytes(whole[:-9])):
        damage()
        with pytest.raises(BadInput, match="missing or changed.*put the file back"):
            zeuxis.resume(study.path)
    kept.write_bytes(whole)
    zeuxis.resume(study.path)


def test_a_stop_while_it_is_planned_leaves_nothing_behind(world, monkeypatch):
    drawn(world / "new", 9, 9)

    def stopped(place):
        raise KeyboardInterrupt

    monkeypatch.setattr(studies, "planned", stopped)
    with pytest.raises(KeyboardInterrupt):
        begun(world, treatment="guessed")
    assert not (world / "st").exists()


def test_the_same_command_goes_on_where_the_folder_is_gone_or_holds_others_and_says_which_it_learns_from(world, capsys):
    drawn(world / "new", 9, 9)
    study = begun(world, treatment="guessed")
    line = "the unlabelled pictures are the 9 that this study began with; what lies in"
    assert line not in capsys.readouterr().err
    for change in (lambda: drawn(world / "new", 12, 9), lambda: shutil.rmtree(world / "new")):
        change()
        (study.path / "verdict.json").unlink()
        assert begun(world, treatment="guessed").path == study.path
        assert capsys.readouterr().err.count(f"{line} {world / 'new'} now is not read") == 1
    (study.path / "verdict.json").unlink()
    zeuxis.resume(study.path)
    assert line in capsys.readouterr().err


def test_a_finished_study_needs_no_unlabelled_pictures_and_says_that_it_is_finished(world, capsys):
    drawn(world / "new", 9, 9)
    study = begun(world, treatment="guessed")
    (study.path / "unlabelled.safetensors").unlink()
    capsys.readouterr()
    for again in (lambda: zeuxis.resume(study.path), lambda: begun(world, treatment="guessed")):
        assert again().sentence == study.sentence
        said = capsys.readouterr().err
        assert f"the study {study.path} is finished; nothing to do" in said
        assert study.sentence.rstrip(".") not in said, "it is the answer, and need not be said twice"
        assert "began with" not in said
