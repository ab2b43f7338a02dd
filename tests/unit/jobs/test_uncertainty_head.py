"""Uncertainty from training to page: a run calibrates itself, and its map speaks of a restored picture."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import zeuxis
from zeuxis.draw import Stream, key_of
from zeuxis.errors import BadInput
from zeuxis.jobs.capabilities.quantifies import by_picture
from zeuxis.jobs.restoring import uncertainty


def photo(path, seed: int) -> None:
    coarse = Stream(key_of("photo", seed)).uniform(1, 3, 12, 12)
    smooth = torch.nn.functional.interpolate(coarse, (96, 96), mode="bicubic").clamp(0, 1)
    Image.fromarray((255 * smooth[0]).byte().permute(1, 2, 0).numpy()).save(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("head")
    (folder / "photos").mkdir()
    for i in range(100):
        photo(folder / "photos" / f"{i}.png", i)
    settings = {"preset": "tiny", "patch": 32, "damage": "noise=25", "channels": 3}
    zeuxis.train("uncertainty", folder / "photos", run=folder / "run", steps=80, compute="plain", **settings)
    return folder / "run"


def test_a_run_calibrates_itself(run):
    found = json.loads((run / "calibration.json").read_text())
    assert found["of"] == "repair" and found["pictures"] == 10
    assert 0 < found["factor"] < 12 and found["missed"] <= 0.1 * 11 / 10 - 1 / 10 + 1e-9


def test_the_page_tells_how_sure_it_is(run, tmp_path):
    photo(tmp_path / "clean.png", 1001)
    zeuxis.data_degrade(tmp_path / "clean.png", tmp_path / "noisy.png", damage="noise-8bit=25")
    page = tmp_path / "page.html"
    zeuxis.restore(
        tmp_path / "noisy.png",
        tmp_path / "out.png",
        task="denoise",
        compare=tmp_path / "clean.png",
        page=page,
        uncertainty=run,
    )
    html = page.read_text()
    assert "Uncertainty: how far the true values may lie from these, for 90% of them" in html
    assert "Sure to within" in html and "of this picture" in html


def test_intervals_hold_what_they_promise_on_a_new_picture(run):
    head = uncertainty.of_run(str(run))
    draw = Stream(key_of("new", 0))
    before = draw.uniform(1, 3, 50, 70, low=-1, high=1)
    lower, upper = head.intervals(before, 0.9 * before)
    assert lower.shape == upper.shape == before.shape and float(lower.min()) > 0 and float(upper.min()) > 0
    grey = head.intervals(before[:, :1], 0.9 * before[:, :1])
    assert grey[0].shape == (1, 1, 50, 70)
    _, found = uncertainty.told(head, before, before, before)
    assert found["inside"] == 1.0 and found["half_width"] > 0


def test_who_may_speak_of_a_picture(run, tmp_path):
    assert (
        uncertainty.head_for(None, ("total variation",), None) is None
        and uncertainty.head_for(None, ("repair",), 0.5) is None
    )
    assert uncertainty.head_for(None, (), None) is None
    with pytest.raises(BadInput):
        uncertainty.of_run(str(tmp_path))


def test_squares_of_one_picture_are_one_witness():
    losses = torch.tensor([[0.0], [1.0], [0.5]], dtype=torch.float64)
    assert by_picture(losses, ["b", "b", "a"]).tolist() == [[0.5], [0.5]]
    assert np.allclose(by_picture(losses, [1, 2, 3]).numpy().ravel(), [0.0, 1.0, 0.5])
