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
from zeuxis.data.trees import Where
from zeuxis.jobs import features
from zeuxis.jobs.sources import Source, material, sources_of
from zeuxis.jobs.translating import segments
from zeuxis.pictures.png import read_note
from zeuxis.recipes.cut import CUT
from zeuxis.runs import Run

QUICK = ["--size", "16", "--preset", "tiny", "--halvings", "1", "--compute", "plain"]


COLLECTIONS = [
    f"zeuxis: training on 36 pictures of the {which} collection, 4 more held out" for which in ("first", "second")
]
WHICH = {"pix2pix": ["zeuxis: training on 36 pairs, 4 more held out"], "cut": COLLECTIONS, "cyclegan": COLLECTIONS}


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
def test_it_is_said_how_many_of_which_collection_are_trained_on(place, tmp_path, name, monkeypatch):
    monkeypatch.setattr(features, "_STEPS", 1)
    monkeypatch.chdir(place)
    told = typed("train", name, "a", "b", "--run", str(tmp_path / "r"), "--steps", "1", *QUICK).err
    assert [line for line in told.splitlines() if "training on" in line] == WHICH[name]


@pytest.mark.parametrize("name", ["pix2pix", "cut", "cyclegan"])
def test_a_run_shows_held_out_pictures_and_says_what_passes(place, name):
    record = json.loads((place / name / "real" / "translations.json").read_text())
    first = record["directions"][0]
    assert (first["direction"], first["from"], first["to"], first["n"]) == ("ab", "a", "b", 4)
    assert set(first["passes"]) == {"ours", "copying", "colour transfer", "real"}
    assert ("psnr" in first) is (name == "pix2pix") and len(record["directions"]) == (2 if name == "cyclegan" else 1)
    assert first["edges"]["copying"]["value"] == pytest.approx(1) and first["colours"]["ours"]["n"] == 4
    assert first["kid"]["ours"]["features"] in ("layout", "efficientnet-lite0") and "real" in first["kid"]
    sentence = json.loads((place / name / "finish.json").read_text())["judgement"]["sentence"]
    page = (place / name / "report.html").read_text()
    assert "of 4 held-out pictures of `a` pass for `b` once translated" in sentence
    assert "held-out pictures, and below each what was made of it" in page and "latent" not in page
    assert "of 4 answers stand out as copies of it, as " in page
    kid = first["kid"]["ours"]
    low, high = (f"{1000 * kid[end]:,.0f}".replace("-", "\u2212") for end in ("low", "high"))
    assert kid["low"] is None or f"({low} to {high})" in page
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


@pytest.mark.parametrize("name", ["pix2pix", "cut", "cyclegan"])
def test_a_killed_training_ends_as_if_it_had_not_been(place, tmp_path, name):
    """The pool of past answers too: every bit of the weights is the same."""
    command = [sys.executable, "-c", KILLED]
    line = [*command, "train", name, str(place / "a"), str(place / "b"), "--steps", "60", *QUICK]
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


def test_of_label_maps_colours_are_told_and_labels_looked_for(place, tmp_path, monkeypatch):
    """Grey maps of three levels and photographs in colour: A and B differ in channels."""
    monkeypatch.setattr(features, "_STEPS", 2)
    monkeypatch.setattr(segments, "_STEPS", 4)
    for k, path in enumerate(sorted((place / "b").rglob("*.png"))):
        pixels = np.full((16, 16), 10, np.uint8)
        pixels[k % 9 :, k % 7 :], pixels[:, 12 + k % 4 :] = 100, 200
        (tmp_path / "maps" / "one").mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "maps" / "one" / path.name)
    shutil.copytree(place / "b", tmp_path / "photographs")
    with inside(tmp_path):
        done = typed("train", "pix2pix", "maps", "photographs", "--run", "r", "--steps", "2", *QUICK)
        assert done.code == 0, done
        assert "`maps` are label maps of 3 colours, which are not mixed: 100, 10, 200" in done.err
        first = json.loads((tmp_path / "r" / "real" / "translations.json").read_text())["directions"][0]
        assert set(first["labels"]) == {"ours", "copying", "colour transfer", "real", "shuffled"}
        assert "labels found" in (tmp_path / "r" / "report.html").read_text()
        made = zeuxis.translate(np.full((20, 24), 100, np.uint8), run="r")
    assert made.pixels.shape == (20, 24, 3)


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
        *(([name, "a", "empty"], "there is no picture here") for name in WHICH),
        *(([name, "empty", "b"], "there is no picture here") for name in WHICH),
        *(
            ([name, "a", "b", "--crop", "24"], "parts of 24 pixels do not fit into pictures of 16x16 (--crop)")
            for name in WHICH
        ),
        (["pix2pix", "b", "fewer"], "1 picture without a partner in b: one/zz"),
        (["pix2pix", "fewer", "b"], "1 picture without a partner in b: one/zz"),
    ],
)
def test_wrong_collections_are_refused_in_a_line(place, line, words):
    for name, width in (("odd", 17), ("empty", 0)):
        (place / name).mkdir(exist_ok=True)
        if width:
            Image.fromarray(np.zeros((16, width, 3), np.uint8)).save(place / name / "x.png")
    if not (place / "fewer").exists():
        shutil.copytree(place / "b", place / "fewer")
        shutil.copy(place / "b" / "one" / "00.png", place / "fewer" / "one" / "zz.png")
    (place / "lone.csv").write_text("file,label\na/one/00.png,x\n")
    with inside(place):
        done = typed("train", *line, "--run", "wrong", "--steps", "1", *QUICK)
    assert done.code == 2 and words in done.err, done
    assert not (place / "wrong").exists()


def test_what_both_collections_hold_is_told(place, tmp_path, monkeypatch):
    monkeypatch.setattr(features, "_STEPS", 1)
    shutil.copytree(place / "b", tmp_path / "b")
    for name in ("11", "12", "13"):
        shutil.copy(place / "a" / "one" / f"{name}.png", tmp_path / "b" / "one" / f"{name}.png")
    with inside(place):
        done = typed("train", "cut", "a", str(tmp_path / "b"), "--run", str(tmp_path / "r"), "--steps", "1", *QUICK)
    assert done.code == 0 and "warning: both collections hold 3 pictures alike, pixel by pixel" in done.err


@pytest.mark.parametrize("named", [("x{}-l", "x{}-r"), ("{}_left", "{}_right")])
def test_no_half_is_held_out_of_one_collection_while_the_other_is_trained_on(place, tmp_path, named):
    sides = {side: tmp_path / side for side in "ab"}
    for side, pattern in zip("ab", named, strict=True):
        sides[side].mkdir()
        for k, path in enumerate(sorted((place / side).rglob("*.png"))):
            shutil.copy(path, sides[side] / f"{pattern.format(k)}.png")
    given = material(CUT(), [Source(str(path), size=16) for path in sides.values()], 0)
    numbers = {
        part: {side: {"".join(c for c in s if c.isdigit()) for s in x.sources} for side, x in found.items()}
        for part, found in (("train", given.streams), ("held", given.held))
    }
    for one, other in ("ab", "ba"):
        assert numbers["held"][one] and numbers["train"][other]
        assert not numbers["held"][one] & numbers["train"][other]


@pytest.mark.parametrize("name", ["pix2pix", "cut", "cyclegan"])
def test_a_step_sees_a_part_and_looks_see_the_whole_of_any_size(place, tmp_path, name, monkeypatch):
    monkeypatch.setattr(features, "_STEPS", 2)
    line = ["train", name, "a", "b", "--run", str(tmp_path / "r"), "--steps", "2", *QUICK, "--crop", "16"]
    line[line.index("--size") + 1] = "22x27"
    with inside(place):
        assert (done := typed(*line)).code == 0, done
    with Image.open(tmp_path / "r" / "real" / "translated-ab.png") as sheet:
        assert sheet.height % (22 + 2) == 22


def test_pairs_of_different_shape_are_refused(place, tmp_path):
    shutil.copytree(place / "b", tmp_path / "b")
    path = tmp_path / "b" / "one" / "07.png"
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(path)
    with inside(place):
        for line in (
            ["train", "pix2pix", "a", str(tmp_path / "b"), "--run", str(tmp_path / "r"), "--steps", "1", *QUICK],
            ["data", "show", "a", str(tmp_path / "b"), "--size", "16"],
        ):
            done = typed(*line)
            assert done.code == 2 and "1 pair of pictures of different shape: one/07.png" in done.err, done
    assert not (tmp_path / "r").exists()


def test_the_partner_of_a_broken_picture_is_left_out(place, tmp_path, monkeypatch):
    monkeypatch.setattr(features, "_STEPS", 2)
    shutil.copytree(place / "b", tmp_path / "b")
    (tmp_path / "b" / "one" / "07.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    with inside(place):
        done = typed("train", "pix2pix", "a", str(tmp_path / "b"), "--run", str(tmp_path / "r"), "--steps", "1", *QUICK)
    assert done.code == 0 and "left out: 1 picture whose partner cannot be read: one/07" in done.err, done


def test_no_patient_is_held_out_of_one_collection_and_trained_on_in_the_other(tmp_path):
    rng = np.random.default_rng(0)
    for side in "ab":
        for patient in range(12):
            (folder := tmp_path / side / f"p{patient}").mkdir(parents=True)
            for k in range(3):
                Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{k}.png")
    where = Where(classes=0, groups=1)
    given = material(CUT(), [Source(str(tmp_path / side), where=where) for side in "ab"], 3)
    trained, held = ({x for data in part.values() for x in data.groups} for part in (given.streams, given.held))
    assert held and not trained & held


def test_of_three_paintings_strips_are_shown_and_nothing_is_judged(place, tmp_path, monkeypatch):
    shutil.copytree(place / "b", tmp_path / "b")
    for path in sorted((tmp_path / "b").rglob("*.png"))[3:]:
        path.unlink()
    with inside(place):
        done = typed("train", "cut", "a", str(tmp_path / "b"), "--run", str(tmp_path / "r"), "--steps", "1", *QUICK)
    assert done.code == 0 and "none of 3 pictures is held out, as 10 would be needed" in done.err, done
    record = json.loads((tmp_path / "r" / "real" / "translations.json").read_text())["directions"][0]
    assert "passes" not in record and record["edges"]["ours"]["n"] == 4
    page = (tmp_path / "r" / "report.html").read_text()
    assert "Held-out pictures, from a to b" in page and "too few pictures were held out" in page


def test_learned_transparency_is_that_of_the_result(tmp_path, monkeypatch):
    monkeypatch.setattr(features, "_STEPS", 2)
    for side, seed in (("a", 0), ("b", 1)):
        rng = np.random.default_rng(seed)
        (tmp_path / side).mkdir()
        for i in range(20):
            Image.fromarray(rng.integers(0, 256, (16, 16, 4), dtype=np.uint8)).save(tmp_path / side / f"{i}.png")
    pixels = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    with inside(tmp_path):
        done = typed("train", "cyclegan", "a", "b", "--run", "r", "--steps", "1", *QUICK, "--channels", "4")
        assert done.code == 0, done
        made = zeuxis.translate(pixels, run="r")
    assert made.image.mode == "RGBA" and len(np.unique(np.asarray(made.image)[..., 3])) > 10


def test_a_file_of_weights_has_no_snapshots(place, tmp_path):
    with inside(place):
        done = typed("translate", "a", str(tmp_path / "o"), "--run", "cut/weights.safetensors", "--snapshot", "best")
    assert done.code == 2 and "a file of weights has no snapshots (--snapshot)" in done.err
