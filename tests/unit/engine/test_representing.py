"""Maps in place of pictures: made once, kept beside the run, made anew where they are of something else."""

import numpy as np
import pytest
import torch

from zeuxis.data.memory import MemoryDataset
from zeuxis.engine import representing
from zeuxis.engine import train as engine
from zeuxis.engine.budget import Budget
from zeuxis.engine.loop import LoopOptions
from zeuxis.engine.state import build_networks
from zeuxis.engine.train import Start
from zeuxis.recipes.gan import GAN
from zeuxis.recipes.latentgan import LatentGAN
from zeuxis.weights import store

RECIPE = LatentGAN(widths=(8, 8), batch=4)
QUIET = LoopOptions(quiet=True, light=True)


def pictures(n: int = 12, shade: int = 0) -> MemoryDataset:
    pixels = torch.randint(0, 200, (n, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(n))
    return MemoryDataset(pixels + shade, np.arange(n) % 2, ("a", "b"))


@pytest.fixture
def encodings(monkeypatch):
    """How many pictures were encoded, call by call."""
    calls: list[int] = []
    encode = LatentGAN.encode

    def counted(self, networks, image):
        calls.append(len(image))
        return encode(self, networks, image)

    monkeypatch.setattr(LatentGAN, "encode", counted)
    return calls


def test_other_recipes_learn_on_their_pictures():
    data = pictures()
    assert representing.represented(GAN(), build_networks(GAN(), data.spec, 0), {"images": data}, "cpu") == {
        "images": data
    }


def test_maps_stand_in_the_place_of_the_pictures_and_keep_what_is_beside_them():
    data = pictures()
    networks = build_networks(RECIPE, data.spec, 0)
    maps = representing.represented(RECIPE, networks, {"images": data}, "cpu")["images"]
    assert len(maps) == 12 and maps.spec == data.spec and (maps.labels == data.labels).all()
    assert maps.images([3, 1]).shape == (2, 2, 64 + networks["codes"].numbers)
    assert maps.images([3, 1]).dtype == torch.float32
    with torch.no_grad():
        wanted = RECIPE.encode(networks, data.images([3]).float() / 127.5 - 1)
    assert torch.allclose(maps.images([3]), wanted, atol=1e-2)


def test_a_run_encodes_each_picture_once_and_reads_the_maps_when_it_goes_on(tmp_path, encodings):
    data = {"images": pictures()}
    run = engine.train(RECIPE, data, tmp_path / "run", Budget(steps=2), None, Start(compute="plain"), QUIET)
    assert encodings == [12] and (run.path / "maps-images.safetensors").exists()
    (run.path / "finish.json").unlink()
    engine.resume(run.path, data, None, QUIET)
    assert encodings == [12]


@pytest.mark.parametrize("harm", ["gone", "damaged", "changed", "of others"])
def test_maps_that_are_gone_damaged_or_of_others_are_made_anew(tmp_path, encodings, harm):
    data = {"images": pictures()}
    run = engine.train(RECIPE, data, tmp_path / "run", Budget(steps=2), None, Start(compute="plain"), QUIET)
    path = run.path / "maps-images.safetensors"
    tensors, words = store.load(path)
    before = tensors["maps"].clone()
    if harm == "gone":
        path.unlink()
    elif harm == "damaged":
        path.write_bytes(path.read_bytes()[:200])
    elif harm == "changed":
        store.save(path, {"maps": torch.zeros_like(before)}, words)
    else:
        store.save(path, {"maps": before}, {**words, "key": "another"})
    (run.path / "finish.json").unlink()
    engine.resume(run.path, data, None, QUIET)
    assert encodings == [12, 12] and torch.equal(store.load(path)[0]["maps"], before)


def test_the_statistics_are_those_of_the_training_pictures_and_stay_in_the_weights(tmp_path):
    data = {"images": pictures()}
    run = engine.train(RECIPE, data, tmp_path / "run", Budget(steps=2), None, Start(compute="plain"), QUIET)
    maps = store.load(run.path / "maps-images.safetensors")[0]["maps"].flatten(0, 1).float()
    maps = maps[:, :64].unflatten(1, (4, 4, 4))
    tensors = run.tensors()
    assert torch.allclose(tensors["representation.mean"].flatten(), maps.mean((0, 2, 3)), atol=1e-3)
    assert torch.allclose(tensors["representation.deviation"].flatten(), maps.std((0, 2, 3), correction=0), atol=1e-3)


def test_the_making_of_maps_says_how_far_it_is(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("zeuxis.engine.progress._OFTEN", 0.0)
    data = {"images": pictures(130)}
    engine.train(RECIPE, data, tmp_path / "run", Budget(steps=1), None, Start(compute="plain"), QUIET)
    assert "maps" not in capfd.readouterr().err
    loud = LoopOptions(light=True)
    engine.train(RECIPE, data, tmp_path / "loud", Budget(steps=1), None, Start(compute="plain"), loud)
    said = capfd.readouterr().err.splitlines()
    at = said.index("zeuxis: encoding 130 pictures, once: the training sees their maps")
    assert [line.split()[1] for line in said[at + 1 : at + 4]] == ["49%", "98%", "100%"]
    assert said[at + 1].endswith("left")


def test_what_goes_on_from_whole_networks_keeps_their_scale_and_draws_from_its_own_pictures():
    """Samples were drawn from the pictures of the run before."""
    networks, streams = build_networks(RECIPE, pictures().spec, 0), [pictures(), pictures(20)]
    first, second = (representing.represented(RECIPE, networks, {"images": one}, "cpu") for one in streams)
    representing.calibrate(RECIPE, networks, first)
    before = {k: v.clone() for k, v in networks.state_dict().items()}
    representing.calibrate(RECIPE, networks, second, known=True)
    changed = {k for k, v in networks.state_dict().items() if not torch.equal(v, before[k])}
    assert changed == {"codes.table", "codes.counts", "codes.centre"}
