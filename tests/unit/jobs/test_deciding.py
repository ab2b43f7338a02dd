"""A dry run says the decision that the run takes: for the same reason, and left alone in the same cases."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zeuxis
from zeuxis.errors import BadInput
from zeuxis.jobs.restoring import large
from zeuxis.jobs.restoring.records import Record
from zeuxis.jobs.restoring.restore import Asked, run_batch

NOISY = Asked("denoise", method="non-local-means")
FILL = Asked("inpaint", method="biharmonic")
ASKED = {
    "found well": (Asked(), None),
    "denoised": (NOISY, None),
    "strength 0": (replace(NOISY, strength=0.0), None),
    "filled": (FILL, "hole"),
    "no hole": (FILL, "empty"),
    "no hole, strength 0": (replace(FILL, strength=0.0), "empty"),
    "enlarged": (Asked(scale=2, method="bicubic"), None),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("deciding")
    rows, columns = np.mgrid[:64, :72]
    waves = 120 + 60 * np.sin(rows / 9) * np.cos(columns / 7)
    pixels = waves[..., None] + np.random.default_rng(0).normal(0, 4, (64, 72, 3))
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path / "a.png")
    empty = np.zeros((64, 72), np.uint8)
    Image.fromarray(empty).save(path / "empty.png")
    empty[20:24, 30:40] = 255
    Image.fromarray(empty).save(path / "hole.png")
    return path


def decided(folder: Path, out: Path, asked: Asked, mask: str | None, dry: bool) -> Record:
    (record,) = run_batch(str(folder / "a.png"), str(out), asked, mask and str(folder / f"{mask}.png"), dry)
    return record


@pytest.mark.parametrize("name", ASKED)
def test_a_dry_run_says_what_the_run_does(folder, tmp_path, name):
    asked, mask = ASKED[name]
    planned = decided(folder, tmp_path / "out.png", asked, mask, True)
    assert not (tmp_path / "out.png").exists()
    done = decided(folder, tmp_path / "out.png", asked, mask, False)
    assert planned.state == {"done": "would be done", "left alone": "would be left alone"}[done.state]
    assert (planned.why, planned.measured, planned.remarks) == (done.why, done.measured, done.remarks)


@pytest.mark.parametrize("strength", [None, 0.0])
def test_a_dry_run_refuses_what_the_run_refuses(folder, tmp_path, strength):
    asked = replace(FILL, strength=strength)
    for dry in (True, False):
        with pytest.raises(BadInput, match="inpaint needs a mask"):
            decided(folder, tmp_path / "out.png", asked, None, dry)


def test_so_it_is_of_files_too_large_for_memory(folder, tmp_path, monkeypatch):
    pytest.importorskip("pyvips")
    monkeypatch.setattr("zeuxis.pictures.huge.LARGE", 1000)
    assert large.is_large(folder / "a.png")
    for asked, out in ((replace(NOISY, strength=0.0), "out.jpg"), (NOISY, "out.png"), (FILL, "out.png")):
        for dry in (True, False):
            with pytest.raises(BadInput):
                decided(folder, tmp_path / out, asked, "hole" if asked == FILL else None, dry)
    planned, done = (decided(folder, tmp_path / "x.png", Asked(strength=0.0), None, dry) for dry in (True, False))
    assert (planned.why, planned.measured) == (done.why, done.measured) == ("strength 0", None)


def test_a_reason_that_names_an_option_is_spelled_for_who_reads_it(tmp_path, capsys):
    """In Python the reason named `--task deblur`."""
    pixels = np.random.default_rng(0).integers(90, 160, (40, 40, 3), np.uint8)
    Image.fromarray(pixels).resize((160, 160), Image.Resampling.BICUBIC).save(tmp_path / "a.jpg", quality=92)
    target, page = tmp_path / "b.jpg", tmp_path / "p.html"
    _, found = zeuxis.restore(tmp_path / "a.jpg", target, page=page)
    for entry in (found["pictures"][0], found["compared"][0]):
        assert "`task='deblur'` where it is soft" in entry["why"], entry["why"]
    _, planned = zeuxis.restore(tmp_path / "a.jpg", tmp_path / "c.jpg", dry_run=True)
    assert planned["pictures"][0]["why"] == found["pictures"][0]["why"]
    assert "--" not in capsys.readouterr().err
    (record,) = run_batch(str(tmp_path / "a.jpg"), str(tmp_path / "c.jpg"), Asked(), dry_run=True)
    assert "`--task deblur`" in record.to_json()["why"]
