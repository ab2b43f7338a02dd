"""Weights of other toolkits: what spandrel is asked, what of its answers is refused, and what cannot hurt."""

import importlib
import os
import sys
import warnings
import zipfile
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from zeuxis.errors import BadInput
from zeuxis.jobs.restoring import nets, restore, spandrel_nets
from zeuxis.recipes.compact import Compact
from zeuxis.weights import store


class Enlarging(nn.Module):
    """Nearest pixels, times a weight that is 1."""

    def __init__(self, scale):
        super().__init__()
        self.scale, self.weight = scale, nn.Parameter(torch.ones(1))

    def forward(self, image):
        return F.interpolate(image, scale_factor=self.scale, mode="nearest") * self.weight


class Described:
    """As spandrel's ImageModelDescriptor: one picture in [0, 1], padded where its size does not do."""

    def __init__(self, purpose="SR", scale=2, channels=(3, 3), minimum=0, multiple_of=1, tiling="SUPPORTED"):
        self.model, self.purpose, self.scale = Enlarging(scale), purpose, scale
        self.input_channels, self.output_channels = channels
        self.size_requirements = SimpleNamespace(minimum=minimum, multiple_of=multiple_of, square=False)
        self.tiling, self.architecture = SimpleNamespace(name=tiling), SimpleNamespace(name="Standing")
        self.seen = []

    def __call__(self, image):
        self.seen.append(image)
        torch.rand(1)  # as some nets do
        warnings.warn("as some nets do", stacklevel=1)
        return self.model(image).clamp_(0, 1)


class UnsupportedModelError(Exception):
    pass


def stand_in(monkeypatch, described=None, reads=None, builds=None):
    """A module in the place of spandrel; `reads` and `builds`: what its loader raises."""
    module, asked = ModuleType("spandrel"), []

    class ModelLoader:
        def load_state_dict_from_file(self, path):
            asked.append(path)
            if reads is not None:
                raise reads
            return {"weight": torch.ones(1)}

        def load_from_state_dict(self, state):
            asked.append(state)
            torch.rand(1)
            if builds is not None:
                raise builds
            return described

    module.ModelLoader, module.UnsupportedModelError = ModelLoader, UnsupportedModelError
    monkeypatch.setitem(sys.modules, "spandrel", module)
    return asked


def weights(path, **tensors):
    torch.save(tensors or {"weight": torch.ones(1)}, path)
    return path


def ramp(channels=3, height=21, width=34):
    return torch.linspace(-1, 1, channels * height * width).reshape(1, channels, height, width)


# ------------------------------------------------------------------ a net goes through


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("own", [1, 3])
def test_a_net_sees_0_to_1_and_gives_minus_1_to_1(monkeypatch, tmp_path, channels, own):
    described = Described(channels=(own, own))
    stand_in(monkeypatch, described)
    net = nets.from_run(weights(tmp_path / "net.pth"))
    assert (net.scale, net.able.receptive_field, net.spec.channels) == (2, None, own)
    image = ramp(channels)
    answer = nets.apply(net, image)
    torch.testing.assert_close(answer, F.interpolate(image, scale_factor=2, mode="nearest"), rtol=0, atol=1e-6)
    assert all(part.shape[:2] == (1, own) and part.min() >= 0 and part.max() <= 1 for part in described.seen)


@pytest.mark.parametrize(("minimum", "multiple_of"), [(0, 1), (40, 4), (16, 96), (128, 128), (400, 16)])
def test_windows_fit_the_sizes_that_a_net_takes(monkeypatch, tmp_path, minimum, multiple_of):
    described = Described(scale=1, purpose="Restoration", minimum=minimum, multiple_of=multiple_of)
    stand_in(monkeypatch, described)
    net = nets.from_run(weights(tmp_path / "net.ckpt"))
    image = ramp(3, 7, 610)
    torch.testing.assert_close(nets.apply(net, image), image, rtol=0, atol=1e-6)
    sides = {side for part in described.seen for side in part.shape[2:]}
    assert len(described.seen) > 1 and all(side % multiple_of == 0 for side in sides)
    assert max(sides) == net.spec.height >= max(256, minimum)


def test_windows_are_wider_where_spandrel_advises_against_them(monkeypatch, tmp_path):
    path = weights(tmp_path / "net.pth")
    for tiling, side in (("SUPPORTED", 256), ("DISCOURAGED", 512), ("INTERNAL", 512)):
        stand_in(monkeypatch, Described(tiling=tiling))
        assert nets.from_run(path).spec.height == side


def test_a_batch_is_handed_over_one_by_one_and_the_generator_stays(monkeypatch):
    described = Described(scale=1)
    stand_in(monkeypatch, described)
    before = torch.random.get_rng_state()
    recipe, networks, _, digest = spandrel_nets.built({"weight": torch.ones(1)}, "net")
    image = torch.cat([ramp(), -ramp()])
    torch.testing.assert_close(recipe.restore(networks, image), image, rtol=0, atol=1e-6)
    assert len(described.seen) == 2 and torch.equal(torch.random.get_rng_state(), before)
    assert not networks.training and not any(p.requires_grad for p in networks.parameters()) and len(digest) == 64


def test_pictures_are_enlarged_and_mended_by_it(monkeypatch, tmp_path):
    source = tmp_path / "in.png"
    pixels = np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(source)
    stand_in(monkeypatch, Described(scale=4))
    enlarging, mending = str(weights(tmp_path / "four.pth")), str(weights(tmp_path / "one.pth"))
    restore.run_batch(str(source), str(tmp_path / "out.png"), restore.RestoreConfig(scale=4, run=enlarging))
    assert np.array_equal(np.array(Image.open(tmp_path / "out.png")), pixels.repeat(4, 0).repeat(4, 1))
    with pytest.raises(BadInput, match="enlarges pictures 4 times.*use `zeuxis upscale`"):
        asked = restore.RestoreConfig(task="denoise", run=enlarging)
        restore.run_batch(str(source), str(tmp_path / "no.png"), asked)
    stand_in(monkeypatch, Described("Restoration", scale=1))
    restore.run_batch(str(source), str(tmp_path / "same.png"), restore.RestoreConfig(task="denoise", run=mending))
    assert np.array_equal(np.array(Image.open(tmp_path / "same.png")), pixels) and not (tmp_path / "no.png").exists()


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("described", "words"),
    [
        (Described("Inpainting", scale=1), "Standing is a net for Inpainting"),
        (Described("FaceSR"), "Standing is a net for FaceSR"),
        (Described(channels=(4, 4)), "takes 4 channels and gives 4"),
        (Described(channels=(3, 1)), "takes 3 channels and gives 1"),
    ],
)
def test_nets_for_other_things_are_refused(monkeypatch, tmp_path, described, words):
    stand_in(monkeypatch, described)
    with pytest.raises(BadInput, match=words) as caught:
        nets.from_run(weights(tmp_path / "net.pth"))
    assert "net.pth" in caught.value.where and "\n" not in str(caught.value)


def test_holes_are_not_for_it(monkeypatch, tmp_path):
    stand_in(monkeypatch, Described("Restoration", scale=1))
    with pytest.raises(BadInput, match="fills no holes"):
        nets.apply(nets.from_run(weights(tmp_path / "net.pth")), ramp(), torch.ones(1, 1, 21, 34))


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        ({"reads": ValueError("torn\nhere")}, "cannot be read: torn"),
        ({"builds": UnsupportedModelError()}, "knows no net that has these weights"),
        ({"builds": KeyError("conv")}, "cannot build the net of these weights: 'conv'"),
    ],
)
def test_what_spandrel_cannot_open_is_one_line(monkeypatch, tmp_path, raised, words):
    stand_in(monkeypatch, **raised)
    with pytest.raises(BadInput, match=words) as caught:
        nets.from_run(weights(tmp_path / "net.pth"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt"])
def test_torchscript_is_refused_before_spandrel_sees_it(monkeypatch, tmp_path, suffix):
    asked = stand_in(monkeypatch, Described())
    path = tmp_path / f"net{suffix}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", b"")
        archive.writestr("net/constants.pkl", b"")
    with pytest.raises(BadInput, match="TorchScript is not read"):
        nets.from_run(path)
    assert asked == []


def test_a_pt_is_read_under_a_name_that_leads_to_the_unpickler(monkeypatch, tmp_path):
    asked = stand_in(monkeypatch, Described())
    nets.from_run(weights(tmp_path / "net.pt"))
    assert [path.suffix for path in asked[:1]] == [".pth"] and not asked[0].exists()
    nets.from_run(weights(tmp_path / "net.pth"))
    assert asked[2] == tmp_path / "net.pth"


def test_an_empty_file_is_one_line(monkeypatch, tmp_path):
    stand_in(monkeypatch, Described())
    (tmp_path / "net.pth").touch()
    with pytest.raises(BadInput, match="cannot be read"):
        nets.from_run(tmp_path / "net.pth")


# ------------------------------------------------------------------ whose weights


def test_safetensors_without_a_recipe_go_to_spandrel_and_ours_do_not(monkeypatch, tmp_path):
    asked = stand_in(monkeypatch, Described())
    tensors = {"weight": torch.arange(3.0)}
    store.save(tmp_path / "theirs.safetensors", tensors, {"format": "pt"})
    assert isinstance(nets.from_run(tmp_path / "theirs.safetensors").recipe, spandrel_nets.ThirdPartyNet)
    assert list(asked[0]) == ["weight"] and torch.equal(asked[0]["weight"], tensors["weight"])
    recipe = Compact(scale=2, width=8, blocks=1)
    with torch.random.fork_rng(devices=[]):
        networks = recipe.networks(nets.Spec(3, 32, 32))
    spec = {"channels": 3, "height": 32, "width": 32, "classes": []}
    words = {"recipe": "compact", "settings": {"scale": 2, "width": 8, "blocks": 1}, "spec": spec}
    store.save(tmp_path / "ours.safetensors", networks.state_dict(), words)
    monkeypatch.setitem(sys.modules, "spandrel", None)
    assert nets.from_run(tmp_path / "ours.safetensors").recipe == recipe


# ------------------------------------------------------------------ spandrel is not there

ON_CPU = "pip install zeuxis[third-party] torch==2.13.0 --extra-index-url https://download.pytorch.org/whl/cpu"


@pytest.mark.parametrize(
    ("version", "cuda", "mend"),
    [("2.13.0+cpu", None, ON_CPU), ("2.13.0+cu130", "13.0", "pip install zeuxis[third-party] torch==2.13.0")],
)
def test_without_spandrel_one_line_says_what_to_install(monkeypatch, tmp_path, version, cuda, mend):
    monkeypatch.setitem(sys.modules, "spandrel", None)  # as if not installed
    monkeypatch.setattr(torch, "__version__", version)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.version, "hip", None)
    with pytest.raises(BadInput, match="need spandrel") as caught:
        nets.from_run(weights(tmp_path / "net.pth"))
    assert caught.value.mend == mend


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise RuntimeError('operator torchvision::nms is not there')", "nms is not there.*pip uninstall torchvision"),
        ("import a_package_that_is_nowhere", "spandrel needs a_package_that_is_nowhere.*pip install zeuxis"),
        ("raise OSError('torn\\nhere')", "does not import: torn"),
    ],
)
def test_a_spandrel_that_does_not_import_says_why(monkeypatch, tmp_path, body, words):
    (tmp_path / "spandrel.py").write_text(body)
    monkeypatch.delitem(sys.modules, "spandrel", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadInput, match=words) as caught:
        nets.from_run(weights(tmp_path / "net.pth"))
    assert "\n" not in str(caught.value) and "net.pth" in caught.value.where


# ------------------------------------------------------------------ the real one


@pytest.fixture
def spandrel():
    with warnings.catch_warnings(action="ignore"):
        try:
            return importlib.import_module("spandrel")
        except Exception as error:  # a torchvision without its operators raises RuntimeError
            return pytest.skip(f"spandrel does not import: {error}")


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("made-by-the-file",)


class Program(nn.Module):
    def forward(self, image):
        return image


def test_spandrel_itself_detects_and_runs_a_net(spandrel, tmp_path):
    from spandrel.architectures.Compact import Compact as Theirs

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        theirs = Theirs(num_feat=8, num_conv=2, upscale=2).eval()
    image = ramp()
    with torch.inference_mode():
        wanted = theirs((image + 1) / 2).clamp(0, 1) * 2 - 1
    inner = (..., slice(8, -8), slice(8, -8))  # the net looks 4 pixels far, and pads with zeros
    for suffix in (".pth", ".pt", ".ckpt"):
        net = nets.from_run(weights(tmp_path / f"net{suffix}", params_ema=theirs.state_dict()))
        assert (net.scale, net.spec.channels, net.able.multiple_of) == (2, 3, 1)
        torch.testing.assert_close(nets.apply(net, image)[inner], wanted[inner], rtol=0, atol=1e-5)


def test_spandrel_itself_runs_nothing_of_a_file(spandrel, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings(action="ignore"):
        torch.jit.save(torch.jit.script(Program()), "program.pth")
    for name in ("hostile.pth", "hostile.pt"):
        weights(name, weight=Hostile())
    for name, words in (("program.pth", "TorchScript"), ("hostile.pth", "mkdir"), ("hostile.pt", "mkdir")):
        with pytest.raises(BadInput, match=words):
            nets.from_run(name)
    with pytest.raises(BadInput, match="knows no net"):
        nets.from_run(weights("unknown.pth"))
    assert not (tmp_path / "made-by-the-file").exists()
