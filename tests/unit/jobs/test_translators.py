"""A picture of any size through a translator: in parts as in others, and as at once but for the border."""

import pytest
import torch

from zeuxis.data.dataset import Spec
from zeuxis.engine.state import build_networks
from zeuxis.errors import BadInput
from zeuxis.jobs.restoring.nets import Net
from zeuxis.jobs.translating import translators
from zeuxis.recipes.cut import CUT
from zeuxis.recipes.cyclegan import CycleGAN
from zeuxis.recipes.pix2pix import Pix2Pix

SPEC = Spec(3, 64, 64, target=3)


def net_of(recipe) -> Net:
    return Net("toy", recipe, build_networks(recipe, SPEC, 0).eval().requires_grad_(False), SPEC, "")


def scene(height: int, width: int) -> torch.Tensor:
    """Smooth and busy places, so that parts of it have statistics of their own."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    waves = torch.stack([torch.sin(40 * x * y), torch.cos(60 * x**2), torch.sin(30 * y)]) * x
    return waves[None] * 0.9


@pytest.fixture(autouse=True)
def _light(monkeypatch):
    monkeypatch.setattr(translators, "BYTES_PER_CHANNEL", 250)


@pytest.mark.parametrize("recipe", [CUT(width=4, blocks=1), CycleGAN(width=4, blocks=1)], ids=["cut", "cyclegan"])
def test_parts_of_any_size_give_the_same(recipe, monkeypatch):
    monkeypatch.setattr(translators, "_MEASURED", 1000)
    net, image = net_of(recipe), scene(230, 262)
    small, large, whole = (translators.apply(net, image, "ab", side**2 * 1000) for side in (96, 160, 300))
    assert torch.allclose(small, large, atol=1e-4) and small.shape == image.shape
    inner = slice(70, -70)
    assert float((small - whole)[..., inner, inner].abs().mean()) < 0.05
    with torch.no_grad():
        alone = recipe.translate(net.networks, image[..., :128, :128], "ab")
    assert float((alone - whole[..., :128, :128])[..., 60:90, 60:90].abs().max()) > 0.1, "own statistics would show"


def test_from_some_parts_statistics_are_near_those_of_all(monkeypatch):
    net, image = net_of(CUT(width=4, blocks=1)), scene(300, 300)
    every = translators.apply(net, image, "ab", 96**2 * 1000)
    monkeypatch.setattr(translators, "_MEASURED", 9)
    assert float((translators.apply(net, image, "ab", 96**2 * 1000) - every).abs().mean()) < 0.2


def test_where_all_may_touch_all_parts_fade_into_each_other():
    net, image = net_of(Pix2Pix(width=4)), scene(200, 210)
    made = translators.apply(net, image, "ab", 96**2 * 1000)
    assert made.shape == image.shape and bool(torch.isfinite(made).all())
    jumps = (made[..., 1:] - made[..., :-1]).abs().mean((0, 1, 2))
    assert float(jumps.max()) < 6 * float(jumps.median()), "no column stands out as a border"


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (16, 16), (67, 33)])
def test_small_and_odd_pictures_keep_their_size(size):
    for recipe in (CUT(width=4, blocks=1), Pix2Pix(width=4)):
        assert translators.apply(net_of(recipe), scene(*size), "ab").shape[2:] == size


def test_a_direction_that_was_not_learned_is_refused():
    assert translators.channels(net_of(CycleGAN(width=4, blocks=1)), "ba") == (3, 3)
    with pytest.raises(BadInput, match="cannot translate in the direction `ba`"):
        translators.channels(net_of(CUT(width=4, blocks=1)), "ba")
