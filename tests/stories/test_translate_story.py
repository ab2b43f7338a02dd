"""From two folders to translated pictures: trained, stopped and gone on with, a folder with odd files, both ways."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

import zeuxis
from tests.stories.commands import inside, pictures, typed
from zeuxis.jobs import features
from zeuxis.jobs.sources import material, sources_of
from zeuxis.pictures.png import read_note
from zeuxis.runs import Run

QUICK = ["--size", "16", "--preset", "tiny", "--halvings", "1", "--compute", "plain"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two collections, of pairs, and runs of the three recipes that learned two steps."""
    place = tmp_path_factory.mktemp("translate")
    pictures(place / "a", ("one",), 40, channels=3)
    pictures(place / "b", ("one",), 40, channels=3)
    for path in (place / "b").rglob("*.png"):
        with Image.open(path) as image:
            pixels = 255 - np.asarray(image)
        Image.fromarray(pixels).save(path)
    with pytest.MonkeyPatch.context() as patch, inside(place):
        patch.setattr(features, "_STEPS", 4)
        for name in ("pix2pix", "cut", "cyclegan"):
            done = typed("train", name, "a", "b", "--run", name, "--steps", "2", *QUICK)
            assert done.code == 0, done
    return place


@pytest.mark.parametrize("name", ["pix2pix", "cut", "cyclegan"])
def test_a_run_shows_held_out_pictures_and_says_what_passes(place, name):
    record = json.loads((place / name / "real" / "translations.json").read_text())
    first = record["directions"][0]
    assert (first["direction"], first["from"], first["to"], first["n"]) == ("ab", "a", "b", 4)
    assert set(first["passes"]) == {"ours", "copying", "colour transfer", "real"}
    assert ("psnr" in first) is (name == "pix2pix") and len(record["directions"]) == (2 if name == "cyclegan" else 1)
    assert first["edges"]["copying"] == pytest.approx(1)
    sentence = json.loads((place / name / "finish.json").read_text())["judgement"]["sentence"]
    page = (place / name / "report.html").read_text()
    assert "of 4 held-out pictures of `a` pass for `b` once translated" in sentence
    assert "Held-out pictures, from a to b" in page and "colour transfer" in page and "nan" not in sentence
    with Image.open(place / name / "real" / "translated-ab.png") as sheet:
        assert sheet.width == 4 * 18 - 2


def test_a_tree_with_odd_files_is_translated_and_gone_on_with(place, tmp_path):
    tree = tmp_path / "in"
    (tree / "deep er").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, shape in {"grey.png": (21, 30), "colour.jpg": (33, 20, 3), "deep er/alpha.png": (16, 16, 4)}.items():
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(tree / name)
    (tree / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    with inside(place):
        done = typed("translate", str(tree), str(tmp_path / "out"), "--run", "cut")
        assert done.code == 3 and "1 of 4 pictures could not be done" in done.err
        made = tmp_path / "out"
        assert sorted(str(p.relative_to(made)) for p in made.rglob("*.*")) == [
            "colour.jpg", "deep er/alpha.png", "grey.png",
        ]  # fmt: skip
        with Image.open(made / "grey.png") as image:
            assert image.size == (30, 21)
        with Image.open(made / "deep er" / "alpha.png") as image, Image.open(tree / "deep er" / "alpha.png") as before:
            assert np.array_equal(np.asarray(image)[..., 3], np.asarray(before)[..., 3])
        note = read_note(made / "grey.png")
        assert note["direction"] == "ab" and note["used"] == ["cut"]
        again = typed("translate", str(tree), str(made), "--run", "cut")
        assert "3 of 4 pictures done already" in again.err
        other = typed("translate", str(tree / "colour.jpg"), str(made / "colour.jpg"), "--run", "pix2pix")
        assert other.code == 2 and "is not colour.jpg translated in this way" in other.err


def test_both_directions_and_none_that_was_not_learned(place, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    with inside(place):
        there, back = (zeuxis.translate(pixels, run="cyclegan", direction=d).pixels for d in ("ab", "ba"))
        assert there.shape == back.shape == pixels.shape and not np.array_equal(there, back)
        refused = typed("translate", "a", str(tmp_path / "o"), "--run", "cut", "--direction", "ba")
        assert refused.code == 2 and "cannot translate in the direction `ba`" in refused.err
        assert not (tmp_path / "o").exists()


def test_what_does_not_translate_is_refused_in_a_line(place, tmp_path):
    pictures(tmp_path / "p", ("x", "y"), 4)
    with inside(tmp_path):
        assert typed("train", "gan", "p", "--run", "r", "--steps", "1", "--compute", "plain").code == 0
        done = typed("translate", "p", "o", "--run", "r")
        assert done.code == 2 and "gan does not translate pictures" in done.err
        assert "these do: cut, cyclegan, pix2pix" in done.err


def test_pairs_without_a_partner_are_named(place, tmp_path):
    shutil.copytree(place / "b", tmp_path / "b")
    for i in range(6):
        (tmp_path / "b" / "one" / f"{i:02d}.png").unlink()
    with inside(place):
        done = typed("train", "pix2pix", "a", str(tmp_path / "b"), "--run", str(tmp_path / "r"), "--steps", "1", *QUICK)
    assert done.code == 2 and "6 pictures without a partner in " in done.err and "one/04, ..." in done.err
    assert not (tmp_path / "r").exists()


KILLED = "import zeuxis.jobs.features as f; f._STEPS = 4; from zeuxis.cli import main; import sys; sys.exit(main())"


def test_a_killed_training_ends_as_if_it_had_not_been(place, tmp_path):
    """The pool of past answers too: every bit of the weights is the same."""
    command = [sys.executable, "-c", KILLED]
    line = [*command, "train", "cyclegan", str(place / "a"), str(place / "b"), "--steps", "60", *QUICK]
    line += ["--checkpoint-every", "0.1s"]
    with inside(tmp_path):
        whole = subprocess.run([*line, "--run", "whole"], capture_output=True)
        assert whole.returncode == 0, whole.stderr
        begun = subprocess.Popen([*line, "--run", "killed"], stderr=subprocess.DEVNULL)
        while not list((tmp_path / "killed" / "checkpoints").glob("*/manifest.json")) and begun.poll() is None:
            time.sleep(0.01)
        os.kill(begun.pid, signal.SIGKILL)
        begun.wait()
        rest = subprocess.run([*command, "resume", "killed"], capture_output=True)
        assert rest.returncode == 0, rest.stderr
    ends = [json.loads((tmp_path / name / "finish.json").read_text()) for name in ("whole", "killed")]
    assert ends[0]["weights_sha256"] == ends[1]["weights_sha256"] and ends[1]["steps"] == 60


def test_pairs_in_one_file_each_or_in_a_table_are_the_same_as_two_folders(place, tmp_path):
    """Side by side the left is given and the right wanted; a table names both, whatever their names."""
    halves, table = tmp_path / "halves", ["file,target"]
    for path in sorted((place / "a").rglob("*.png")):
        partner = place / "b" / path.relative_to(place / "a")
        with Image.open(path) as one, Image.open(partner) as other:
            both = np.concatenate([np.asarray(one.convert("RGB")), np.asarray(other.convert("RGB"))], 1)
        (halves / path.parent.name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(both).save(halves / path.parent.name / path.name)
        table.append(f"{path},{partner}")
    (tmp_path / "pairs.csv").write_text("\n".join(table))
    with inside(tmp_path), pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "_STEPS", 4)
        for data, more in (("halves", ["--side-by-side"]), ("pairs.csv", [])):
            line = ["train", "pix2pix", data, *more, "--run", f"r-{data}", "--steps", "2", *QUICK]
            assert (done := typed(*line)).code == 0, done
            ends = [json.loads((r / "finish.json").read_text()) for r in (place / "pix2pix", tmp_path / f"r-{data}")]
            assert ends[0]["weights_sha256"] == ends[1]["weights_sha256"]
            run = Run.open(f"r-{data}")
            again = material(run.recipe, sources_of(run.record), 0)
            assert [len(x) for x in again.streams.values()] == [36, 36], "read again as it was"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["pix2pix", "a"], "or one folder of pairs with `--side-by-side`, or a table with the columns file and target"),
        (["pix2pix", "a", "b", "--side-by-side"], "takes one collection of pictures side by side, not two"),
        (["cut", "a", "--side-by-side"], "cut takes two collections (--side-by-side)"),
        (["cut", "a", "./a"], "both collections hold the same pictures"),
        (["pix2pix", "odd", "--side-by-side"], "is 17 pixels wide, which two pictures side by side cannot share"),
        (["pix2pix", "lone.csv"], "the first line has no column `target`"),
        (["cut", "a", "empty"], "there is no picture here"),
    ],
)
def test_wrong_collections_are_refused_in_a_line(place, line, words):
    for name, width in (("odd", 17), ("empty", 0)):
        (place / name).mkdir(exist_ok=True)
        if width:
            Image.fromarray(np.zeros((16, width, 3), np.uint8)).save(place / name / "x.png")
    (place / "lone.csv").write_text("file,label\na/one/00.png,x\n")
    with inside(place):
        done = typed("train", *line, "--run", "wrong", "--steps", "1", *QUICK)
    assert done.code == 2 and words in done.err, done
    assert not (place / "wrong").exists()
