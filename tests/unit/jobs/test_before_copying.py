"""Where the end of a training copies its pictures, the run says which weights on the way did not."""

import json

import torch

import zeuxis
from tests.stories.commands import pictures
from zeuxis.data.reader import open_dataset
from zeuxis.jobs.capabilities import generates
from zeuxis.jobs.sources import material, sources_of


def test_the_latest_snapshot_that_does_not_copy_is_named(tmp_path, monkeypatch, capsys):
    pictures(tmp_path / "pics", ("boot", "dress"), 60, 32)
    pictures(tmp_path / "more", ("boot", "dress", "hat"), 60, 32)
    run = zeuxis.train("latentgan", tmp_path / "pics", run=tmp_path / "r", steps=4, compute="plain")
    assert run.record["snapshots"] == [0.25, 0.5, 0.75]
    assert (run.path / "snapshots" / "0.50.safetensors").exists()
    given = material(run.recipe, sources_of(run.record), run.record["seed"])
    copied = given.train.images(torch.arange(len(given.train)))
    fresh = open_dataset(str(tmp_path / "more"), size=32).images(torch.arange(60, 180))
    looks = {None: copied, "0.75": copied.flip(3), "0.50": fresh, "0.25": fresh}
    monkeypatch.setattr(generates, "_looked_at", lambda run, snapshot: looks[snapshot])
    generates.finish(run, given)
    record = json.loads((run.path / "real" / "nearest_pairs.json").read_text())
    assert record["alarm"] is True and record["before"] == "0.50" and record["n"] == len(copied)
    assert "--snapshot 0.50 --out OUT` draws by these" in capsys.readouterr().err
    page = zeuxis.report(run.path).read_text()
    assert "The weights kept as snapshot 0.50 did not yet" in page
    monkeypatch.setattr(generates, "_looked_at", lambda run, snapshot: copied)
    generates.finish(run, given)
    assert json.loads((run.path / "real" / "nearest_pairs.json").read_text())["before"] is None
