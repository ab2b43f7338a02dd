"""`--adapt`: the autoencoder on a person's own pictures first, gone on with after a stop, kept where it is better."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import zeuxis
from tests.stories.commands import inside, typed
from zeuxis.engine import loop
from zeuxis.errors import BadInput, Stopped
from zeuxis.jobs import adapting
from zeuxis.runs import Run

HOW = {"size": 32, "steps": 2, "compute": "plain", "adapt": 0.5, "join": "off"}


@pytest.fixture(scope="module")
def stripes(tmp_path_factory):
    """Fine stripes in grey, of which the autoencoder of the package keeps little."""
    folder = tmp_path_factory.mktemp("stripes")
    y, x = np.mgrid[:32, :32]
    for i in range(24):
        pixels = np.where((x * (1 + i % 3) + y * (i % 5)) % 4 < 2, 40 + i, 230 - i).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:02}.png")
    return folder


def test_what_it_gains_is_said_and_its_maps_are_learned_on(stripes, tmp_path, monkeypatch):
    monkeypatch.setattr(adapting, "LEAST", -1e9)
    monkeypatch.setattr(adapting, "BLURRED", 1e9)
    with inside(tmp_path):
        line = f"train latentgan {stripes} --size 32 --run r --steps 2 --compute plain --adapt 3s --join off"
        done = typed(*line.split())
    assert done.code == 0 and "going on with the training of autoencoder-4, on these pictures" in done.err, done
    gain = json.loads((tmp_path / "r" / "adapted" / "gain.json").read_text())
    assert (
        gain["held_out"]
        and gain["after"] != gain["before"]
        and "by the adapted one: its maps are learned on" in done.err
    )
    page = (tmp_path / "r" / "report.html").read_text()
    said = (
        f"come back at {gain['before']:.1f} dB with a sharpness of {gain['sharp_before']:.2f} by the autoencoder of "
        f"the package, at {gain['after']:.1f} dB with one of {gain['sharp_after']:.2f} by the adapted one: kept"
    )
    assert "Adapted first" in page and said in page
    run, own = Run.open(tmp_path / "r"), Run.open(tmp_path / "r" / "adapted").tensors()
    assert run.record["start_from"]["part"] == "representation.autoencoder"
    for name, weight in run.tensors().items():
        if name.startswith("representation.autoencoder."):
            assert torch.equal(weight, own["restorer." + name.removeprefix("representation.autoencoder.")])


def test_where_it_gains_nothing_the_package_is_kept(stripes, tmp_path, monkeypatch):
    monkeypatch.setattr(adapting, "LEAST", 1e9)
    run = zeuxis.train("latentgan", stripes, run=tmp_path / "r", **HOW)
    assert run.record["start_from"] is None


def test_what_gains_by_blurring_is_not_kept(stripes, tmp_path, monkeypatch):
    monkeypatch.setattr(adapting, "LEAST", -1e9)
    monkeypatch.setattr(adapting, "BLURRED", -1e9)
    run = zeuxis.train("latentgan", stripes, run=tmp_path / "r", **HOW)
    assert run.record["start_from"] is None
    assert json.loads((tmp_path / "r" / "adapted" / "gain.json").read_text())["kept"] is False


def test_stopped_while_adapting_the_same_command_goes_on(stripes, tmp_path, monkeypatch):
    step, played = loop.play, []

    def stops(*given):
        played.append(1)
        if len(played) == 1:
            raise Stopped(2)
        return step(*given)

    monkeypatch.setattr(loop, "play", stops)
    with pytest.raises(Stopped, match="the same command goes on with it"):
        zeuxis.train("latentgan", stripes, run=tmp_path / "r", **HOW)
    assert not (tmp_path / "r" / "run.json").exists() and (tmp_path / "r" / "adapted" / "run.json").exists()
    for word, more in ((zeuxis.resume, {}), (zeuxis.sample, {"out": tmp_path / "s"})):
        with pytest.raises(BadInput, match="stopped while `adapt=` went on.*that began it, given again, goes on"):
            word(tmp_path / "r", **more)
    for other, says in (
        ({"adapt": 5.0}, "its `adapt=` is 0.5s, not 5s"),
        ({"seed": 1}, "its `seed=` is 0, not 1"),
        ({"size": 64, "seed": 2}, "its `seed=` is 0, not 2, and its `size=` is 32x32, not 64x64"),
        ({"join": "exact", "fit": "pad", "channels": 3}, ""),
        ({"factor": 8, "widths": (8, 16)}, "its pictures or its settings are others"),
    ):
        with pytest.raises(BadInput) as refused:
            zeuxis.train("latentgan", stripes, run=tmp_path / "r", **{**HOW, **other})
        what = "another `adapt=` was begun here: "
        assert what + says in str(refused.value) and str(tmp_path / "r" / "adapted") in str(refused.value), (
            refused.value
        )
        assert str(refused.value).endswith("; give what it was begun with, or choose another run=")
    run = zeuxis.train("latentgan", stripes, run=tmp_path / "r", **HOW)
    assert run.finished and Run.open(tmp_path / "r" / "adapted").finished


def test_what_has_no_maps_is_refused_before_anything_is_written(stripes, tmp_path):
    with pytest.raises(BadInput, match="cgan learns on no maps"):
        zeuxis.train("cgan", stripes, run=tmp_path / "r", **HOW)
    with pytest.raises(BadInput, match="cannot both begin a run"):
        zeuxis.train("latentgan", stripes, run=tmp_path / "r", start_from="bundled", **HOW)
    assert not (tmp_path / "r").exists()
