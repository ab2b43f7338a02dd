"""`--start-from`: a new run begins with the weights of another, and says so."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zeuxis
from zeuxis.data.dataset import Spec
from zeuxis.errors import BadInput
from zeuxis.jobs.initial_weights import check_fits, settings_of_file, weights_from
from zeuxis.recipes.compact import Compact
from zeuxis.recipes.latentgan import LatentGAN
from zeuxis.recipes.restorer import Restorer
from zeuxis.runs import Run, begun_with
from zeuxis.weights import bundled, store


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for i in range(5):
        Image.fromarray(rng.integers(0, 256, (48, 64, 3), np.uint8)).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def first(photos, tmp_path_factory) -> Run:
    run = tmp_path_factory.mktemp("runs") / "first"
    return zeuxis.train("compact", photos, run=run, steps=2, preset="tiny", scale=2, patch=24, batch=4, compute="plain")


def test_weights_and_settings_are_taken_over(photos, first, tmp_path):
    run = zeuxis.train("compact", photos, run=tmp_path / "r", steps=1, start_from=first.path, lr=0.0, compute="plain")
    assert run.record["settings"] == {**first.record["settings"], "lr": 0.0}
    assert run.record["start_from"]["sha256"] == store.content_hash(first.tensors())
    for name, weight in run.tensors().items():
        assert torch.equal(weight, first.tensors()[name]), name


def test_a_teacher_is_not_taken_over():
    """Its weights are somebody else's: a person may not have them."""
    path = str(bundled.path_of("repair"))
    assert '"teacher": "ffdnet-color"' in store.words(Path(path))["settings"]
    taken = settings_of_file(path, Restorer())
    assert taken["width"] == 48 and not set(Restorer.passing) & set(taken)


def test_a_lone_file_will_do_and_must_not_change(photos, first, tmp_path, capsys):
    file = tmp_path / "weights.safetensors"
    file.write_bytes((first.path / "weights.safetensors").read_bytes())
    run = zeuxis.train("compact", photos, run=tmp_path / "r", steps=1, start_from=file, compute="plain")
    assert run.record["start_from"]["asked"] == str(file)
    (run.path / "finish.json").unlink()
    shutil.copytree(run.path / "checkpoints" / "000001", run.path / "checkpoints" / "000000")
    for folder in (run.path / "checkpoints").iterdir():
        (folder / "state.safetensors").write_bytes(b"spoiled")
    tensors, words = store.load(file)
    store.save(file, {k: v + 1 for k, v in tensors.items()}, words)
    with pytest.raises(BadInput, match="have changed"):
        zeuxis.resume(run.path)
    told = [line for line in capsys.readouterr().err.splitlines() if "is damaged" in line]
    assert told == [
        "zeuxis: checkpoint 000001 is damaged; going back to the one before",
        "zeuxis: checkpoint 000000 is damaged, and there is none before it: beginning anew",
    ]


def test_refused_before_anything_is_written(photos, first, tmp_path):
    for recipe, start, settings in (
        ("restorer", first.path, {"patch": 24, "width": 8}),
        ("compact", first.path, {"width": 24}),
        ("compact", tmp_path / "nothing", {}),
        ("linear", "bundled", {"patch": 24}),
    ):
        with pytest.raises(BadInput):
            zeuxis.train(recipe, photos, run=tmp_path / "r", steps=1, start_from=start, compute="plain", **settings)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("asked", "named"),
    [("bundled", "latent-pair-4"), ("latent-pair-4", "latent-pair-4"), ("map-features-4", "map-features-4")],
)
def test_what_a_recipe_begins_with_by_itself_is_no_whole_net(asked, named, photos, tmp_path):
    for preset in ("quick", "tiny"):
        with pytest.raises(BadInput, match=f"{named} is only part of a net: latentgan begins with it") as refused:
            zeuxis.train("latentgan", photos, run=tmp_path / "r", steps=1, size=64, preset=preset, start_from=asked)
        assert refused.value.mend == "leave `start_from=` away"


def test_the_weights_of_the_package(photos, tmp_path):
    assert set(bundled.of_recipe("restorer")) <= set(bundled.names())
    run = zeuxis.train(
        "restorer", photos, run=tmp_path / "r", steps=1, start_from="repair", patch=32, batch=1, compute="plain"
    )
    assert run.record["settings"]["width"] == 48 and run.record["start_from"]["asked"] == "repair"
    for name in bundled.names():
        assert bundled.path_of(name).with_suffix(".md").is_file(), f"{name} has no card"


def test_bundled_weights_of_the_scale_that_was_asked_for():
    for scale in (2, 4):
        found = weights_from("bundled", Compact(scale=scale))
        assert found.file == str(bundled.path_of(f"upscale-x{scale}").resolve())
    with pytest.raises(BadInput, match=r"upscale-x2, upscale-x4"):
        weights_from("bundled", Compact(scale=3))
    with pytest.raises(BadInput, match="several weights of restorer"):
        weights_from("bundled", Restorer())


def test_latentgan_learns_on_the_maps_of_an_autoencoder_of_ones_own(photos, tmp_path):
    maps = {"preset": "map", "patch": 32, "batch": 4, "compute": "plain"}
    own = zeuxis.train("autoencoder", photos, run=tmp_path / "maps", steps=2, start_from="autoencoder-4", **maps)
    assert own.record["settings"]["levels"] == 2
    run = zeuxis.train("latentgan", photos, run=tmp_path / "r", steps=2, size=32, start_from=own.path, compute="plain")
    begun = {k: v for k, v in own.tensors().items() if k.startswith("restorer.")}  # not the critic
    ours = run.tensors()
    mine = {k: v for k, v in ours.items() if k.startswith("representation.autoencoder.")}
    assert len(mine) == len(begun)
    for name, weight in mine.items():
        assert torch.equal(weight, begun["restorer." + name.removeprefix("representation.autoencoder.")]), name
    usual = zeuxis.train("latentgan", photos, run=tmp_path / "u", steps=2, size=32, compute="plain").tensors()
    statistics = [k for k in ours if k.startswith("representation.") and k not in mine]
    assert statistics and all(not torch.equal(ours[k], usual[k]) for k in statistics)
    third = zeuxis.train("autoencoder", photos, run=tmp_path / "eighth", steps=1, levels=3, **maps)
    with pytest.raises(BadInput, match="this autoencoder is another than latentgan learns on"):
        zeuxis.train("latentgan", photos, run=tmp_path / "no", steps=1, size=32, start_from=third.path)
    foreign = zeuxis.train("autoencoder", photos, run=tmp_path / "foreign", steps=1, **maps)
    with pytest.raises(
        BadInput, match="this autoencoder did not begin with autoencoder-4, whose maps latentgan knows"
    ) as refused:
        zeuxis.train("latentgan", photos, run=tmp_path / "no", steps=1, size=32, start_from=foreign.path)
    assert refused.value.mend == "train it with `start_from='autoencoder-4'`"
    assert not (tmp_path / "no").exists()


def test_an_autoencoder_is_taken_by_a_recipe_that_knows_no_maps_of_the_package(monkeypatch):
    recipe = LatentGAN(widths=(8, 8))
    weights = weights_from("autoencoder-4", recipe)
    monkeypatch.setattr(LatentGAN, "initial", lambda self, spec: {})
    check_fits(recipe, Spec(3, 32, 32), weights)


def test_only_what_is_not_replaced_is_said_to_be_of_the_package(photos, tmp_path, capsys):
    small = {"steps": 1, "size": 64, "preset": "quick", "batch": 2, "compute": "plain"}
    first = zeuxis.train("latentgan", photos, run=tmp_path / "r1", **small)
    assert list(first.record["initial"]) == ["autoencoder-4", "latent-pair-4", "map-features-4"]
    assert "begins with autoencoder-4, map-features-4, latent-pair-4 of the package" in capsys.readouterr().err
    again = zeuxis.train("latentgan", photos, run=tmp_path / "r2", start_from=first.path, **small)
    assert again.record["initial"] == {}
    assert f"zeuxis: begins with the weights of {first.path}\n" in capsys.readouterr().err
    assert f"the weights of {first.path}" in (again.path / "report.html").read_text()
    own = zeuxis.train("latentgan", photos, run=tmp_path / "r3", start_from="autoencoder-4", **small)
    assert list(own.record["initial"]) == ["latent-pair-4", "map-features-4"]
    assert "begins with autoencoder-4, map-features-4, latent-pair-4 of the package\n" in capsys.readouterr().err


def test_what_a_run_begins_with_in_words():
    adapted = {"asked": "r/adapted", "file": "/r/adapted/weights.safetensors"}
    assert begun_with({"initial": {"latent-pair-4": ""}, "start_from": adapted}) == (
        "the weights of r/adapted, and latent-pair-4 of the package"
    )
    bundled_ = {"asked": "bundled", "file": str(bundled.path_of("upscale-x2"))}
    assert begun_with({"initial": {}, "start_from": bundled_}) == "upscale-x2 of the package"
    assert begun_with({"initial": {}, "start_from": None}) == begun_with({}) == ""


def test_labels_that_are_left_aside_count_for_neither_side(photos, tmp_path):
    """The weights of a run without labels fit a run without labels, and those of one with labels are refused."""
    for name in ("a", "b"):
        shutil.copytree(photos, tmp_path / "pics" / name)
        for i, file in enumerate(sorted((tmp_path / "pics" / name).iterdir())):
            Image.fromarray(np.random.default_rng([ord(name), i]).integers(0, 256, (16, 16, 3), np.uint8)).save(file)
    settings = {"widths": (8, 8), "batch": 4, "compute": "plain", "steps": 1, "join": "off"}
    runs = {
        yes: zeuxis.train("latentgan", tmp_path / "pics", run=tmp_path / str(yes), conditional=yes, **settings)
        for yes in (True, False)
    }
    on = zeuxis.train(
        "latentgan", tmp_path / "pics", run=tmp_path / "on", conditional=False, start_from=runs[False].path, **settings
    )
    assert on.record["start_from"]["sha256"] == store.content_hash(runs[False].tensors())
    with pytest.raises(BadInput, match="weights are of another net"):
        zeuxis.train(
            "latentgan",
            tmp_path / "pics",
            run=tmp_path / "x",
            conditional=False,
            start_from=runs[True].path,
            **settings,
        )
    assert not (tmp_path / "x").exists()
