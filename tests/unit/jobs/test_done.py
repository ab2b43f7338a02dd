"""What counts as done already: by the hash of the nets, by pixels, and where no note can be held by the size, said."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zeuxis.errors import SHOWS_WHERE, BadInput, SomeFailed
from zeuxis.jobs.per_image import pipeline
from zeuxis.jobs.restoring import nets, steps
from zeuxis.jobs.restoring.restore import RestoreConfig, run_batch, work_of
from zeuxis.jobs.restoring.steps import StepConfig
from zeuxis.pictures.png import read_note
from zeuxis.runs import FORMAT
from zeuxis.weights import bundled, store

DENOISE = RestoreConfig(task="denoise", method="wavelet")


def photo(seed: int = 0, size: tuple[int, int] = (96, 112)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    waves = 120 + 70 * np.sin(x / 9.0)[..., None] * np.array([1.0, 0.7, 0.4]) + 30 * ((x + y) // 16 % 2)[..., None]
    return np.clip(waves + rng.normal(0, 20, (*size, 3)), 0, 255).astype(np.uint8)


def save(path: Path, seed: int = 0, size: tuple[int, int] = (96, 112)) -> Path:
    Image.fromarray(photo(seed, size)).save(path)
    return path


def trained(path: Path, factor: float) -> None:
    """A weights file that enlarges twice, as a training would leave it: `factor` tells trainings apart."""
    tensors, words = store.load(bundled.path_of("upscale-x2"))
    store.save(path, {k: v * factor if v.is_floating_point() else v for k, v in tensors.items()}, words)


def again(path: Path, out: Path, asked: RestoreConfig, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of a second time; nothing may be written then."""
    before = (out.read_bytes(), out.stat().st_mtime_ns)
    capsys.readouterr()
    run_batch(str(path), str(out), asked)
    assert (out.read_bytes(), out.stat().st_mtime_ns) == before
    return capsys.readouterr().err


@pytest.mark.parametrize("as_run", [False, True])
def test_a_run_that_was_trained_anew_is_another_net_at_once(tmp_path, capsys, as_run):
    """In one process, within the clock's grain, with equal sizes: the content decides."""
    path, run = save(tmp_path / "x.png"), tmp_path / "run"
    run.mkdir()
    file = run / "weights.safetensors"
    trained(file, 1.0)
    _, words = store.load(file)
    spec, settings = json.loads(words["spec"]), json.loads(words["settings"])
    (run / "run.json").write_text(
        json.dumps({"format": FORMAT, "recipe": words["recipe"], "settings": settings, "spec": spec, "seed": 0})
    )
    asked = RestoreConfig(scale=2, run=str(run if as_run else file))
    run_batch(str(path), str(tmp_path / "out.png"), asked)
    first = read_note(tmp_path / "out.png")["weights"]
    assert list(first.values()) == [nets.from_file(file).sha256]
    assert "1 of 1 picture done already" in again(path, tmp_path / "out.png", asked, capsys)
    stat = file.stat()
    trained(file, 0.9)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert file.stat().st_size == stat.st_size
    with pytest.raises(BadInput, match="there already"):
        run_batch(str(path), str(tmp_path / "out.png"), asked)
    run_batch(str(path), str(tmp_path / "anew.png"), asked)
    second = read_note(tmp_path / "anew.png")["weights"]
    assert second.keys() == first.keys() and second != first
    assert not np.array_equal(*(np.asarray(Image.open(tmp_path / n)) for n in ("out.png", "anew.png")))
    shutil.move(run, tmp_path / "moved")
    moved = replace(asked, run=asked.run.replace(str(run), str(tmp_path / "moved")))
    assert "done already" in again(path, tmp_path / "anew.png", moved, capsys), "equal weights under another name"


def test_the_packages_nets_are_named_with_their_hashes(tmp_path, capsys):
    path = save(tmp_path / "x.png")
    asked = RestoreConfig(task="denoise")
    run_batch(str(path), str(tmp_path / "out.png"), asked)
    assert read_note(tmp_path / "out.png")["weights"] == {"repair": nets.from_bundle("repair").sha256}
    assert "done already" in again(path, tmp_path / "out.png", asked, capsys)
    assert steps.are_current({"repair": nets.from_bundle("repair").sha256}, 1, StepConfig())
    assert not steps.are_current({"repair": "0" * 64}, 1, StepConfig())
    assert not steps.are_current({"gone": "0" * 64}, 1, StepConfig())


def test_a_fingerprint_is_of_all_that_is_read(tmp_path):
    run = tmp_path / "run"
    assert nets.fingerprint(run) == ""
    (run / "checkpoints" / "1").mkdir(parents=True)
    (run / "snapshots").mkdir()
    seen = [nets.fingerprint(run)]
    for name in ("run.json", "checkpoints/1/manifest.json", "weights.safetensors"):
        (run / name).write_text("{}")
        seen.append(nets.fingerprint(run))
    assert len(set(seen)) == 4
    (run / "checkpoints" / "1" / "manifest.json").write_text("{1}")
    assert nets.fingerprint(run) == seen[-1], "a finished run is read by its weights alone"
    one, two = nets.fingerprint(run), nets.fingerprint(run, two=True)
    (run / "snapshots" / "0.50.safetensors").write_text("x")
    assert nets.fingerprint(run) == one and nets.fingerprint(run, two=True) != two


def test_a_copy_of_the_source_is_measured_and_not_taken_for_done(tmp_path, capsys):
    path, out = save(tmp_path / "x.png"), tmp_path / "out.png"
    shutil.copy(path, out)
    run_batch(str(path), str(out), DENOISE)
    assert read_note(out)["used"] == ["wavelet"] and "done already" not in capsys.readouterr().err
    shutil.copy(path, tmp_path / "large.png")
    with pytest.raises(BadInput, match="there already"):
        run_batch(str(path), str(tmp_path / "large.png"), RestoreConfig(scale=2, method="bicubic"))


def test_what_was_left_alone_is_told_by_its_pixels_in_another_format(tmp_path, capsys):
    path, asked = save(tmp_path / "x.png"), RestoreConfig(strength=0)
    for suffix in (".tif", ".bmp", ".jpg", ".webp"):
        out = tmp_path / f"same{suffix}"
        run_batch(str(path), str(out), asked)
        assert "done already" in again(path, out, asked, capsys)
        Image.fromarray(photo(1)).save(tmp_path / f"other{suffix}")
        if suffix != ".bmp":
            with pytest.raises(BadInput, match="there already"):
                run_batch(str(path), str(tmp_path / f"other{suffix}"), asked)


@pytest.mark.parametrize("suffix", [".bmp", ".ppm", ".gif"])
def test_without_a_note_the_size_is_compared_and_that_is_said(tmp_path, capsys, suffix):
    path, out = save(tmp_path / "x.png"), tmp_path / f"out{suffix}"
    run_batch(str(path), str(out), DENOISE)
    assert "the size alone was checked" in again(path, out, DENOISE, capsys)
    with pytest.raises(BadInput, match="there already"):
        run_batch(str(path), str(out), RestoreConfig(scale=2, method="bicubic"))
    (tmp_path / f"broken{suffix}").write_bytes(out.read_bytes()[:1])
    with pytest.raises(BadInput, match="there already"):
        run_batch(str(path), str(tmp_path / f"broken{suffix}"), DENOISE)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_large_target_is_known_by_its_note(tmp_path, capsys, monkeypatch, suffix):
    path, out, asked = save(tmp_path / "x.png"), tmp_path / f"out{suffix}", RestoreConfig(scale=2, method="bicubic")
    run_batch(str(path), str(out), asked)
    monkeypatch.setattr("zeuxis.pictures.streaming.LARGE", 80 * 112 - 1)
    assert "done already" in again(path, out, asked, capsys)
    for other in (save(tmp_path / "y.png", 3), save(tmp_path / "small.png", 0, (30, 40))):
        with pytest.raises(BadInput, match="there already"):
            run_batch(str(other), str(out), asked)
    foreign = tmp_path / f"foreign{suffix}"
    Image.fromarray(photo(2, (80, 112))).save(foreign)
    before = foreign.read_bytes()
    with pytest.raises(BadInput, match="there already"):
        run_batch(str(path), str(foreign), asked)
    assert foreign.read_bytes() == before


def test_a_fault_with_one_picture_leaves_no_other_undone(tmp_path: Path, monkeypatch, capsys):
    """It ended the folder, and the answer of `--json` was the error alone."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in "abc":
        Image.new("RGB", (8, 8), "white").save(pictures / f"{name}.png")
    work, decide = work_of(RestoreConfig(scale=2, method="bicubic")), pipeline._decided

    def odd(work, picture, mask, name):
        if name == "b.png":
            raise RuntimeError("of nobody's\nmaking")
        return decide(work, picture, mask, name)

    monkeypatch.setattr(pipeline, "_decided", odd)
    with pytest.raises(SomeFailed, match="1 of 3 pictures could not be done") as told:
        pipeline.run(str(pictures), str(tmp_path / "out"), work)
    assert [Path(file).name for file in told.value.found["files"]] == ["a.png", "c.png"]
    said = f"a fault in zeuxis: RuntimeError: of nobody's making; {SHOWS_WHERE}"
    assert [record.decision for record in told.value.results if record.state == "failed"] == [said]
    assert said in capsys.readouterr().err
    with pytest.raises(RuntimeError):
        pipeline.run(str(pictures / "b.png"), str(tmp_path / "alone.png"), work)
    monkeypatch.setenv("ZEUXIS_DEBUG", "1")
    with pytest.raises(RuntimeError):
        pipeline.run(str(pictures), str(tmp_path / "other"), work)
