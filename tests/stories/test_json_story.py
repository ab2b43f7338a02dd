"""What `--json` prints of many pictures: every decision and every failure, in one object, whatever the exit code."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zeuxis
from tests.stories.commands import inside, pictures, tree, typed
from zeuxis import cli, word
from zeuxis.word import NOTHING_KEPT


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """photos/: one with noise, one that is fine, one that is no picture."""
    world = tmp_path_factory.mktemp("world")
    (world / "photos").mkdir()
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:96, :112]
    things = np.where(x > 50, 90 * np.sin(x / 9) * np.cos(y / 7), 0)
    smooth = 128 + things[..., None] * np.array([1.0, 0.8, 0.6])
    noisy = np.clip(smooth + rng.normal(0, 20, smooth.shape), 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(world / "photos" / "noisy.png")
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(world / "photos" / "plain.png")
    (world / "photos" / "broken.jpg").write_bytes(b"no picture")
    return world


def _found(done) -> dict:
    assert done.code == 3 and len(done.errors) == 1, done
    found = json.loads(done.out)
    assert set(found["error"]) == {"what", "where", "mend"}
    return found


def test_restore_where_one_of_many_fails(world, tmp_path):
    with inside(world):
        words = ["restore", "photos", str(tmp_path / "out"), "--method", "non-local-means", "--json"]
        found, again = _found(typed(*words)), _found(typed(*words))
    by_name = {picture["name"]: picture for picture in found["pictures"]}
    assert {name: p["state"] for name, p in by_name.items()} == {
        "broken.jpg": "failed",
        "noisy.png": "done",
        "plain.png": "left alone",
    }
    noisy = by_name["noisy.png"]
    assert (
        noisy["used"] == ["non-local-means"] and "noise" in noisy["decision"] and 15 < noisy["measured"]["noise"] < 25
    )
    assert by_name["plain.png"]["measured"] and by_name["plain.png"]["decision"].endswith(
        "softness cannot be judged, as the picture is too small"
    )
    assert found["files"] == [str(tmp_path / "out" / name) for name in ("noisy.png", "plain.png")]
    assert [f["name"] for f in found["failed"]] == ["broken.jpg"] and found["failed"][0]["why"]
    states = {picture["name"]: picture["state"] for picture in again["pictures"]}
    assert states == {"broken.jpg": "failed", "noisy.png": "done before", "plain.png": "left alone"}
    assert next(p for p in again["pictures"] if p["name"] == "noisy.png")["used"] == ["non-local-means"]
    with inside(world):
        without = typed(*words[:-1])
    assert without.code == 3 and without.out.splitlines() == found["files"]


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(world):
    before = tree(world)
    with inside(world):
        done = typed("restore", "photos", "out", "--dry-run", "--json")
        larger = typed("upscale", "photos/noisy.png", "large.png", "--dry-run", "--json")
        plain = typed("restore", "photos/plain.png", "out.png", "--dry-run")
    by_name = {picture["name"]: picture for picture in _found(done)["pictures"]}
    assert by_name["noisy.png"]["state"] == "would be done" and by_name["noisy.png"]["used"] == ["repair"]
    assert by_name["plain.png"]["state"] == "would be left alone" and by_name["broken.jpg"]["state"] == "failed"
    assert "noisy.png -> out/noisy.png: would be done by repair (noise " in done.err
    assert json.loads(larger.out)["pictures"][0]["decision"] == "from 112x96 to 224x192"
    assert (
        "plain.png -> out.png: would be left alone (salt and pepper, noise, JPEG traces and softness cannot be judged"
        in plain.err
        and plain.code == 0
    )
    assert tree(world) == before


def test_one_picture_with_and_without_an_original(world, tmp_path):
    with inside(world):
        words = ["restore", "photos/noisy.png", str(tmp_path / "a.png"), "--method", "non-local-means", "--json"]
        alone, beside = typed(*words), typed(*words, "--compare", "photos/noisy.png")
    first, second = (json.loads(done.out) for done in (alone, beside))
    assert alone.code == beside.code == 0 and first["pictures"][0]["measured"] and first["failed"] == []
    assert second["pictures"][0]["state"] == "done before" and second["compared"] and second["page"] is None
    assert sorted(tmp_path.iterdir()) == [tmp_path / "a.png"]


def test_the_other_words_that_skip_what_cannot_be_read(world, tmp_path):
    pictures(tmp_path / "pics", ("a", "b"), 3)
    (tmp_path / "pics" / "a" / "broken.png").write_bytes(b"no picture")
    with inside(tmp_path):
        exported = _found(typed("data", "export", "pics", "--out", "o", "--json"))
        copied = _found(typed("augment", "pics", "--classic-only", "--copies", "1", "--out", "c", "--json"))
        damaged = _found(typed("data", "degrade", "pics", "d", "--as", "noise=5", "--json"))
    assert exported["out"].endswith("o") and copied["out"].endswith("c")
    for found in (exported, copied, damaged):
        assert [Path(f["name"]).name for f in found["failed"]] == ["broken.png"] and found["failed"][0]["why"]
    assert len(damaged["files"]) == 6


def test_stopped_is_no_error_and_json_too(monkeypatch):
    def stopped(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run", stopped)
    plain, told = typed("data", "list"), typed("data", "list", "--json")
    assert (plain.code, plain.out, plain.err) == (130, "", f"stopped; {NOTHING_KEPT}\n")
    assert told.code == 130 and json.loads(told.out)["error"]["what"] == "stopped"


def test_a_fault_and_numbers_that_are_none_are_json(monkeypatch):
    def broken(arguments):
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(cli, "run", broken)
    told = typed("report", "x", "--json")
    assert told.code == 1 and "RuntimeError: two lines" in json.loads(told.out)["error"]["what"]
    monkeypatch.undo()
    odd = word.Answer("x", {"a": float("nan"), "b": [float("inf"), 1.5]})

    def named(folder: str) -> str:
        return folder

    changed = replace(word.of("report"), function=named, answer=lambda *_: odd)
    monkeypatch.setattr(zeuxis.report, "word", changed)
    assert json.loads(typed("report", "x", "--json").out) == {"a": None, "b": [None, 1.5]}
