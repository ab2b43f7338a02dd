"""What a word gives back for each picture: records that show themselves."""

import html
import re

import numpy as np
import pytest
from PIL import Image

import zeuxis
from zeuxis.errors import BadInput
from zeuxis.jobs.per_image.records import Record, Results
from zeuxis.jobs.study.handle import Study


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    for i, name in enumerate(("a.png", "b <i>.png")):
        noise = np.random.default_rng(i).integers(0, 200, (24, 32, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / "in" / name)
    return tmp_path / "in"


def test_a_folder_gives_a_record_for_each_picture(folder, tmp_path):
    found = zeuxis.upscale(folder, tmp_path / "out", method="bicubic")
    assert isinstance(found, Results) and [r.name for r in found] == ["a.png", "b <i>.png"]
    assert found.files == [r.result for r in found] and all(r.result.exists() for r in found)
    assert [r.before.size for r in found] == [(32, 24)] * 2 and [r.image.size for r in found] == [(64, 48)] * 2
    assert found[0].after.size == (64, 48) and found[:1].only is found[0]
    assert all(r.state == "done" and r.used == ("bicubic",) and r.decision for r in found)
    with pytest.raises(BadInput, match=r"these are 2 pictures.*\[0\]"):
        found.image  # noqa: B018 - asking is the test
    again = zeuxis.upscale(folder, tmp_path / "out", method="bicubic")
    assert [r.state for r in again] == ["done before"] * 2 and again.files == found.files


def test_records_show_before_and_after_in_a_notebook(folder, tmp_path):
    found = zeuxis.upscale(folder, tmp_path / "out", method="bicubic")
    shown = found._repr_html_()
    assert shown.count('type="range"') == 2 and shown.count("data:image/png;base64,") == 4
    assert html.escape("b <i>.png") in shown and "<i>" not in shown
    assert not re.search(r"(src|href)=\"(?!data:)", shown), "nothing is fetched"
    found[0].result.unlink()
    assert "a.png: bicubic" in found[0]._repr_html_() and "<img" not in found[0]._repr_html_()
    many = Results(found.records * 6)
    assert "and 4 more pictures" in many._repr_html_()


def test_what_is_in_memory_needs_no_file():
    pixels = np.random.default_rng(0).integers(0, 255, (20, 20), np.uint8)
    found = zeuxis.restore(pixels, strength=0)
    assert found.only.state == "left alone" and np.array_equal(np.asarray(found.image), pixels)
    assert found.files == [] and found.to_json()["files"] == [] and found.to_json()["pictures"][0]["decision"]
    assert "bytes" not in repr(found) and isinstance(found.only, Record)


def test_a_study_shows_its_verdict(tmp_path):
    study = Study(tmp_path / "<st>")
    study.path.mkdir()
    assert not study.finished and "zeuxis resume" in study.sentence and study.verdict == {}
    (study.path / "verdict.json").write_text('{"sentence": "UNDECIDED: a < b", "why": "few"}')
    (study.path / "report.html").touch()
    shown = study._repr_html_()
    assert study.sentence == "UNDECIDED: a < b" and "a &lt; b" in shown and "few" in shown and "report.html" in shown
    assert "<st>" not in shown
