"""Restoring and enlarging as typed: folders, masks, pipes, broken files, kills."""

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.stories.commands import in_process, start, typed, wait_until
from zeuxis.jobs.per_image import pipeline


def photo(seed: int = 0, size: tuple[int, int] = (48, 64), noise: float = 25.0) -> np.ndarray:
    """A smooth picture with edges, and noise on it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    smooth = 110 + 60 * np.sin(x / 9.0)[..., None] * np.array([1.0, 0.7, 0.4]) + 40 * ((x + y) // 20 % 2)[..., None]
    return np.clip(smooth + rng.normal(0, noise, (*size, 3)), 0, 255).astype(np.uint8)


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    pictures = tmp_path / "photos"
    (pictures / "deep" / "er").mkdir(parents=True)
    Image.fromarray(photo(1)).save(pictures / "one.png")
    Image.fromarray(photo(2)).save(pictures / "deep" / "two.jpg", quality=95)
    Image.fromarray(photo(3)).save(pictures / "deep" / "er" / "three.webp", lossless=True)
    (pictures / "notes.txt").write_text("no picture")
    return pictures


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_tree_comes_out_as_it_went_in(folder, tmp_path):
    before, out = contents(folder), tmp_path / "out"
    done = typed("restore", str(folder), str(out), "--task", "denoise")
    assert done.code == 0 and not done.errors, done.err
    assert set(contents(out)) == {"one.png", "deep/two.jpg", "deep/er/three.webp"}
    assert contents(folder) == before, "the originals were touched"
    for name, data in contents(out).items():
        with Image.open(io.BytesIO(data)) as made, Image.open(folder / name) as given:
            assert made.size == given.size and made.format == given.format
            clean = photo(noise=0)
            error = [np.abs(np.asarray(p.convert("RGB")).astype(float) - clean).mean() for p in (made, given)]
            assert error[0] < 0.7 * error[1], name
    stamps = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file()}
    (out / "deep" / "two.jpg").unlink()
    again = typed("restore", str(folder), str(out), "--task", "denoise")
    assert again.code == 0 and "2 of 3 pictures done already" in again.err
    kept = {p: s for p, s in stamps.items() if p.name != "two.jpg"}
    assert {p: p.stat().st_mtime_ns for p in kept} == kept, "a finished file was written again"
    assert contents(out).keys() == {"one.png", "deep/two.jpg", "deep/er/three.webp"}


@pytest.mark.parametrize(
    "other",
    [
        ["restore", "one.png", "--task", "denoise", "--method", "wavelet", "--strength", "0.5"],
        ["restore", "two.png", "--task", "denoise", "--method", "wavelet"],
        ["restore", "one.png", "--task", "deblur"],
        ["upscale", "one.png", "--method", "bicubic"],
    ],
)
def test_what_is_there_for_another_reason_is_not_taken_for_done(tmp_path, monkeypatch, other):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo(1)).save("one.png")
    Image.fromarray(photo(2)).save("two.png")
    asked = ["restore", "one.png", "made.png", "--task", "denoise", "--method", "wavelet"]
    assert typed(*asked).code == 0
    made = Path("made.png").read_bytes()
    again = typed(*asked)
    assert again.code == 0 and "1 of 1 picture done already" in again.err
    refused = typed(*other[:2], "made.png", *other[2:])
    assert refused.code == 2 and len(refused.errors) == 1 and "made.png" in refused.err, refused
    assert Path("made.png").read_bytes() == made


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp"])
def test_a_second_run_knows_its_own_work_in_every_format(folder, tmp_path, suffix):
    for words in (("--task", "denoise", "--method", "wavelet"), ("--strength", "0")):
        out = tmp_path / f"made{len(words)}{suffix}"
        assert typed("restore", str(folder / "one.png"), str(out), *words).code == 0
        stamp = out.stat().st_mtime_ns
        again = typed("restore", str(folder / "one.png"), str(out), *words)
        assert again.code == 0 and "done already" in again.err and out.stat().st_mtime_ns == stamp, again


def test_half_a_file_is_not_taken_for_done(folder, tmp_path):
    (tmp_path / "made.png").write_bytes(b"x")
    done = typed("restore", str(folder / "one.png"), str(tmp_path / "made.png"), "--task", "denoise")
    assert done.code == 2 and len(done.errors) == 1 and (tmp_path / "made.png").read_bytes() == b"x"


def test_strength_zero_copies_byte_for_byte(folder, tmp_path):
    out = tmp_path / "out"
    assert typed("restore", str(folder), str(out), "--strength", "0").code == 0
    expected = {k: v for k, v in contents(folder).items() if k != "notes.txt"}
    assert contents(out) == expected
    other = tmp_path / "one.tif"
    assert typed("restore", str(folder / "one.png"), str(other), "--strength", "0").code == 0
    with Image.open(other) as made, Image.open(folder / "one.png") as given:
        assert np.array_equal(np.asarray(made), np.asarray(given))


def test_a_broken_file_never_ends_a_batch(folder, tmp_path):
    (folder / "a-broken.jpg").write_bytes((folder / "deep" / "two.jpg").read_bytes()[:300])
    done = typed("restore", str(folder), str(tmp_path / "out"), "--task", "denoise")
    assert done.code == 3 and "a-broken.jpg" in done.err and len(done.errors) == 1
    assert set(contents(tmp_path / "out")) == {"one.png", "deep/two.jpg", "deep/er/three.webp"}
    alone = typed("restore", str(folder / "a-broken.jpg"), str(tmp_path / "x.png"))
    assert alone.code == 2 and len(alone.errors) == 1 and not (tmp_path / "x.png").exists()


def test_memory_that_runs_out_at_one_picture_never_ends_a_batch(folder, tmp_path, monkeypatch):
    work = pipeline._one

    def greedy(pair, asked):
        if pair.source.name == "one.png":
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return work(pair, asked)

    monkeypatch.setattr(pipeline, "_one", greedy)
    done = typed("restore", str(folder), str(tmp_path / "out"), "--task", "denoise")
    assert done.code == 3 and "one.png: the memory is used up" in done.err
    assert set(contents(tmp_path / "out")) == {"deep/two.jpg", "deep/er/three.webp"}
    alone = typed("restore", str(folder / "one.png"), str(tmp_path / "x.png"))
    assert alone.code == 4 and len(alone.errors) == 1 and not (tmp_path / "x.png").exists()


def test_a_mask_changes_the_hole_alone(folder, tmp_path):
    mask = np.zeros((48, 64), np.uint8)
    mask[10:30, 20:40] = 128
    mask[40:44, 5:9] = 60  # painted faintly: a hole too
    Image.fromarray(mask).save(tmp_path / "mask.png")
    one, made, fill = str(folder / "one.png"), tmp_path / "filled.png", ("--task", "inpaint", "--mask")
    done = typed("restore", one, str(made), *fill, str(tmp_path / "mask.png"))
    assert done.code == 0, done.err
    given, filled = np.asarray(Image.open(folder / "one.png")), np.asarray(Image.open(made))
    assert np.array_equal(given[mask == 0], filled[mask == 0])
    assert all(not np.array_equal(given[mask == v], filled[mask == v]) for v in (60, 128))
    assert f"{100 * (mask > 0).mean():.2g} % of the picture" in done.err
    wrong = tmp_path / "small.png"
    Image.fromarray(mask[:20]).save(wrong)
    refused = typed("restore", one, str(tmp_path / "n.png"), *fill, str(wrong))
    assert refused.code == 2 and "64x20" in refused.err and not (tmp_path / "n.png").exists()
    assert typed("restore", one, str(tmp_path / "n.png"), "--task", "inpaint").code == 2


def test_an_inverted_mask_is_asked_about_and_an_empty_one_changes_nothing(folder, tmp_path):
    mask = np.full((48, 64), 255, np.uint8)
    mask[10:30, 20:40] = 0
    Image.fromarray(mask).save(tmp_path / "inverted.png")
    Image.fromarray(255 - mask).save(tmp_path / "mask.png")
    Image.fromarray(0 * mask).save(tmp_path / "empty.png")
    one, words = folder / "one.png", ["--task", "inpaint", "--method", "biharmonic", "--mask"]
    asked = typed("restore", str(one), str(tmp_path / "n.png"), *words, str(tmp_path / "inverted.png"))
    assert asked.code == 2 and len(asked.errors) == 1 and "--mask-is keep" in asked.err
    assert not (tmp_path / "n.png").exists()
    for name, more in (("inverted", ["--mask-is", "keep"]), ("mask", [])):
        made, mask_file = tmp_path / f"by-{name}.png", tmp_path / f"{name}.png"
        done = typed("restore", str(one), str(made), *words, str(mask_file), *more)
        assert done.code == 0, done.err
    both = [np.asarray(Image.open(tmp_path / f"by-{name}.png")) for name in ("inverted", "mask")]
    assert np.array_equal(*both) and not np.array_equal(both[0], np.asarray(Image.open(one)))
    done = typed("restore", str(one), str(tmp_path / "same.png"), *words, str(tmp_path / "empty.png"))
    assert done.code == 0 and "the mask marks no hole" in done.err and "left alone" in done.err
    assert (tmp_path / "same.png").read_bytes() == one.read_bytes()
    alone = typed("restore", str(one), str(tmp_path / "n.png"), "--task", "inpaint", "--mask-is", "keep")
    assert alone.code == 2 and "--mask-is" in alone.err


def test_masks_are_matched_by_path_and_stem(folder, tmp_path):
    masks = tmp_path / "masks"
    for name in ("one", "deep/two", "deep/er/three"):
        (masks / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((48, 64), 255 * (name == "one"), np.uint8).copy()).save(masks / f"{name}.png")
    (masks / "deep" / "two.png").unlink()
    missing = typed("restore", str(folder), str(tmp_path / "out"), "--task", "inpaint", "--mask", str(masks))
    assert missing.code == 2 and "deep/two" in missing.err and not (tmp_path / "out").exists()


def test_what_would_be_lost_is_refused(folder, tmp_path):
    one = folder / "one.png"
    before = contents(folder)
    for words in (
        ["restore", str(one), str(one)],
        ["restore", str(folder), str(folder)],
        ["restore", str(one), str(tmp_path / "x.psd")],
        ["restore", str(tmp_path / "missing.png")],
        ["restore", str(one), "--strength", "2"],
        ["restore", str(one), "--method", "magic"],
        ["restore", str(one), "--run", str(tmp_path)],
        ["restore", str(one), "--memory", "much"],
        ["restore", str(one), "--memory", "1K"],
        ["restore", "", str(tmp_path / "out")],
        ["restore", str(one), ""],
        ["restore", str(one), "--mask", str(one)],
        ["restore", str(one), "--task", "inpaint", "--mask", str(tmp_path / "missing.png")],
        ["restore", str(one), "--task", "inpaint", "--mask", str(folder)],
        ["restore", str(one), "--task", "jpeg", "--method", "sparse"],
        ["restore", str(one), "--task", "deblur", "--method", "wavelet"],
        ["restore", str(folder), "-"],
        ["upscale", str(one), "--scale", "5"],
        ["upscale", str(one), "--fidelity", "-1"],
        ["upscale", str(one), "--fidelity", "0.5", "--method", "bicubic"],
    ):
        done = typed(*words)
        assert done.code == 2 and len(done.errors) == 1, (words, done)
        assert not (tmp_path / "out").exists()
    assert contents(folder) == before


def test_through_a_pipe(folder):
    given = (folder / "one.png").read_bytes()
    command = [sys.executable, "-m", "zeuxis.cli", "restore", "-", "--task", "denoise", "--method", "wavelet"]
    done = subprocess.run(command, input=given, capture_output=True, check=True)
    with Image.open(io.BytesIO(done.stdout)) as made:
        assert made.format == "PNG" and made.size == (64, 48)
    nothing = subprocess.run(command, input=b"", capture_output=True, check=False)
    assert nothing.returncode == 2 and b"nothing came in" in nothing.stderr


@pytest.fixture()
def stdin(monkeypatch):
    """Gives the bytes that `-` reads, and says whether they were read."""

    def given(data: bytes) -> io.BytesIO:
        stream = io.BytesIO(data)
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
        return stream

    return given


def test_a_mask_goes_with_what_comes_through_a_pipe(folder, tmp_path, stdin):
    mask = np.zeros((48, 64), np.uint8)
    mask[10:30, 20:40] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    made, words = tmp_path / "filled.png", ("--task", "inpaint", "--method", "biharmonic", "--mask")
    stdin((folder / "one.png").read_bytes())
    done = typed("restore", "-", str(made), *words, str(tmp_path / "mask.png"))
    assert done.code == 0, done.err
    given, filled = np.asarray(Image.open(folder / "one.png")), np.asarray(Image.open(made))
    assert np.array_equal(given[mask < 128], filled[mask < 128])
    assert not np.array_equal(given[mask >= 128], filled[mask >= 128])
    (tmp_path / "broken.png").write_bytes(b"no picture")
    for wrong in (tmp_path / "broken.png", tmp_path / "missing.png", tmp_path):
        stdin((folder / "one.png").read_bytes())
        refused = typed("restore", "-", str(tmp_path / "n.png"), *words, str(wrong))
        assert refused.code == 2 and len(refused.errors) == 1, refused
        assert "the mask" in refused.err and str(wrong) in refused.err and "stdin" not in refused.err
    assert not (tmp_path / "n.png").exists()


def test_a_pipe_writes_over_nothing_and_says_what_it_did(folder, tmp_path, stdin):
    (tmp_path / "precious.png").write_bytes(b"precious")
    words = ("--task", "denoise", "--method", "wavelet")
    stdin((folder / "one.png").read_bytes())
    refused = typed("restore", "-", str(tmp_path / "precious.png"), *words)
    assert refused.code == 2 and (tmp_path / "precious.png").read_bytes() == b"precious"
    stdin((folder / "one.png").read_bytes())
    done = typed("restore", "-", str(tmp_path / "made.png"), *words)
    assert done.code == 0 and "stdin: wavelet (asked for" in done.err


@pytest.mark.parametrize("word", ["restore", "upscale"])
@pytest.mark.parametrize("flag", ["--compare", "--page", "--dry-run"])
def test_what_needs_files_is_refused_for_a_pipe(folder, tmp_path, stdin, word, flag):
    stream = stdin((folder / "one.png").read_bytes())
    value = {"--compare": [str(folder / "one.png")], "--page": [str(tmp_path / "page.html")]}.get(flag, [])
    done = typed(word, "-", str(tmp_path / "out.png"), flag, *value)
    assert done.code == 2 and len(done.errors) == 1 and flag in done.err, done
    assert stream.tell() == 0 and not (tmp_path / "out.png").exists() and not (tmp_path / "page.html").exists()


def test_a_format_without_notes_is_named(folder, tmp_path, stdin):
    Image.open(folder / "one.png").save(tmp_path / "one.bmp")
    words = ("--task", "denoise", "--method", "wavelet")
    stdin((tmp_path / "one.bmp").read_bytes())
    piped = typed("restore", "-", str(tmp_path / "piped.bmp"), *words)
    done = typed("restore", str(tmp_path / "one.bmp"), str(tmp_path / "out.bmp"), *words)
    for ended in (piped, done):
        assert ended.code == 0 and ended.err.count("BMP holds no note") == 1, ended
    assert (tmp_path / "piped.bmp").read_bytes() == (tmp_path / "out.bmp").read_bytes()
    alone = typed("restore", str(tmp_path / "one.bmp"), str(tmp_path / "same.bmp"), "--strength", "0")
    assert alone.code == 0 and "note" not in alone.err


def test_a_named_file_takes_the_format_of_its_name(folder, tmp_path, stdin):
    words = ("--task", "denoise", "--method", "wavelet")
    stream = stdin((folder / "one.png").read_bytes())
    assert typed("restore", "-", str(tmp_path / "piped.jpg"), *words).code == 0
    with Image.open(tmp_path / "piped.jpg") as made:
        assert made.format == "JPEG"
    stream = stdin((folder / "one.png").read_bytes())
    refused = typed("restore", "-", str(tmp_path / "piped.xyz"), *words)
    assert refused.code == 2 and "`.xyz`" in refused.err and stream.tell() == 0


def test_enlarging_by_bicubic(folder, tmp_path):
    made = tmp_path / "large.png"
    assert typed("upscale", str(folder / "one.png"), str(made), "--scale", "3", "--method", "bicubic").code == 0
    with Image.open(made) as large:
        assert large.size == (192, 144)


def test_killed_in_the_middle_of_a_folder(tmp_path):
    pictures, out = tmp_path / "photos", tmp_path / "out"
    pictures.mkdir()
    for i in range(8):
        Image.fromarray(photo(i, (160, 200))).save(pictures / f"{i}.png")
    words = ("restore", str(pictures), str(out), "--task", "denoise", "--method", "non-local-means")
    first = start(*words)
    wait_until(lambda: len(list(out.glob("[0-9].png"))) >= 2, first)
    first.kill()
    first.communicate()
    done = {p.name: p.read_bytes() for p in out.glob("[0-9].png")}
    assert 2 <= len(done) < 8
    for data in done.values():
        Image.open(io.BytesIO(data)).load()
    stamps = {name: (out / name).stat().st_mtime_ns for name in done}
    again = in_process(*words)
    assert again.code == 0, again.err
    assert {name: (out / name).stat().st_mtime_ns for name in done} == stamps
    assert sorted(p.name for p in out.iterdir()) == [f"{i}.png" for i in range(8)], "something was left behind"


def test_the_slider_of_a_run_of_two_stages(folder, tmp_path):
    """Fidelity 1 and 0 are the two nets, and a half lies between them in its weights."""
    run, one = str(tmp_path / "run"), str(folder / "one.png")
    for i in range(4):
        Image.fromarray(photo(i, (40, 40))).save(folder / f"more{i}.png")
    words = ["--preset", "tiny", "--scale", "2", "--patch", "24", "--batch", "2", "--stage", "0.5", "--lr-game", "0.01"]
    done = typed("train", "srgan", str(folder), "--run", run, "--steps", "6", "--compute", "plain", *words)
    assert done.code == 0, done.err
    made = {}
    for fidelity in ("1", "0.5", "0"):
        out = tmp_path / f"{fidelity}.png"
        assert typed("upscale", one, str(out), "--run", run, "--fidelity", fidelity).code == 0
        made[fidelity] = np.asarray(Image.open(out)).astype(float)
    assert made["1"].shape == (96, 128, 3)
    apart = np.abs(made["1"] - made["0"]).mean()
    assert apart > 0 and np.abs(made["1"] - made["0.5"]).mean() < apart


def test_figures_of_a_jpeg_as_json(tmp_path):
    """What was measured of a JPEG, its table among it, stands in the answer as plain numbers."""
    Image.fromarray(photo(5, (64, 80), noise=0)).save(tmp_path / "clean.png")
    Image.fromarray(photo(5, (64, 80), noise=0)).save(tmp_path / "given.jpg", quality=20)
    words = ["restore", str(tmp_path / "given.jpg"), str(tmp_path / "out.png"), "--json", "--compare"]
    done = typed(*words, str(tmp_path / "clean.png"))
    assert done.code == 0, done.err
    measured = json.loads(done.out)["compared"][0]["measured"]
    assert measured["quality"] == 20 and len(measured["table"]) == 64


@pytest.mark.parametrize("word", [["restore"], ["data", "degrade"]])
def test_a_name_with_a_line_break_is_one_line_everywhere(tmp_path, word):
    folder = tmp_path / "in"
    folder.mkdir()
    names = ("a\nb.png", "c\td.png")
    for name in names:
        Image.fromarray(np.zeros((20, 20), np.uint8)).save(folder / name)
    (folder / "e\nf.png").write_text("no picture")
    done = typed(*word, str(folder), str(tmp_path / "out"))
    assert done.code == 3 and done.out.splitlines() == [f"{tmp_path}/out/a\\nb.png", f"{tmp_path}/out/c\\td.png"]
    assert all(line.startswith(("zeuxis: ", "error: ")) for line in done.err.splitlines())
    assert "e\\nf.png: it " in done.err
    found = json.loads(typed(*word, str(folder), str(tmp_path / "out"), "--json").out)
    assert {Path(file).name for file in found["files"]} == set(names)
