"""`evaluate`: a run, a folder, what is said where neither can be measured, and `train auto` before it."""

import json

import pytest

import zeuxis
from tests.stories.commands import inside, pictures, typed


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("evaluate")
    pictures(place / "pics", ("boot", "dress"), 30)
    pictures(place / "few", ("boot",), 3)
    with inside(place):
        done = typed("train", "auto", "pics", "--run", "r", "--steps", "2", "--compute", "plain")
    assert done.code == 0 and "zeuxis: cgan: " in done.err and "pixel by pixel" in done.err
    assert json.loads((place / "r" / "run.json").read_text())["chosen"]
    return place


def test_a_run_against_what_it_held_out_and_against_others(place):
    with inside(place):
        done = typed("evaluate", "r", "-n", "20", "--data", "pics", "--features", "layout")
        assert done.code == 0 and "KID x 1000" in done.out and "copies" in done.out and "layout" in done.out
        record = zeuxis.evaluate("r", data="pics", n=20, features="layout")
    assert record.generated == 20 and record.train + record.test == 60 and record.seen
    assert set(record.figures["cas"].by_class) == {"boot", "dress"}
    assert record.to_json()["kid"]["floor"] is not None


def test_a_folder_of_pictures_is_measured_without_copies(place):
    with inside(place):
        done = typed("evaluate", "few", "--data", "pics", "--features", "layout", "--json")
        assert done.code == 2 and "3 generated pictures are too few" in done.err
        record = json.loads(typed("evaluate", "pics", "--data", "pics", "--features", "layout", "--json").out)
    assert "copied" not in record and record["generated"] == 60 and record["seen"] is False
    assert record["gan_test"]["value"] > 0.5


def test_features_of_a_classifier_are_named_with_their_hash_and_do_not_change(place, monkeypatch):
    from zeuxis.jobs import features

    monkeypatch.setattr(features, "_STEPS", 3)
    with inside(place):
        first, again = (zeuxis.evaluate("r", data="pics", n=16, features="classifier") for _ in range(2))
    assert first.to_json() == again.to_json() and len(first.features_sha256) == 64


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("evaluate pics", "needs real ones beside it"),
        ("evaluate nowhere --data pics", "there is no such file or folder"),
        ("evaluate r --data other", "other classes, channels or sizes"),
        ("evaluate other --data pics", "no class `coat`"),
        ("evaluate r --data pics --features efficientnet-lite0", "were not added"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_line(place, tmp_path, monkeypatch, line, said):
    monkeypatch.setenv("ZEUXIS_CACHE", str(tmp_path))
    if not (place / "other").exists():
        pictures(place / "other", ("hat", "coat"), 8)
    with inside(place):
        done = typed(*line.split())
    assert done.code == 2 and len(done.errors) == 1 and said in done.err, done.err
