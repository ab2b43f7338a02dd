import pytest
import torch

from tests.unit.recipes.contexts import built, context, count, plays
from zeuxis.augmentation.geometry import dihedral
from zeuxis.data.dataset import Spec
from zeuxis.degrade import resize
from zeuxis.losses.fidelity import mse
from zeuxis.nets.upscaling import residual_radius
from zeuxis.recipes._damaging import small
from zeuxis.recipes.recipe import Reconstructs, StepContext, at, make
from zeuxis.recipes.srresnet import SRResNet

SPEC = Spec(3, 24, 24)


def test_the_published_net_has_the_published_size():
    ends = (3 * 64 * 81 + 64) + (64 * 3 * 81 + 3)
    conv, norm, slope = 64 * 64 * 9 + 64, 2 * 64, 1
    whole = ends + slope + 16 * (2 * conv + 2 * norm + slope) + (conv + norm) + 2 * (64 * 256 * 9 + 256 + slope)
    published = make(SRResNet, "published")
    assert count(built(published, SPEC)) == whole == 1_549_462
    assert (published.patch, published.batch, published.distance) == (96, 16, "mse")


def test_the_published_rate_is_constant_and_nothing_is_averaged():
    published = make(SRResNet, "published")
    assert [at(published.optimizers()["generator"].lr, p) for p in (0.0, 0.5, 1.0)] == [1e-4] * 3
    assert published.average().half_life_images == 1


def test_the_default_is_smaller():
    conv = 32 * 32 * 9 + 32
    ends = (27 * 32 + 32) + (32 * 27 + 3)
    assert count(built(SRResNet(), SPEC)) == ends + 1 + 8 * (2 * conv + 1) + conv + 2 * (32 * 128 * 9 + 128 + 1)
    assert count(built(SRResNet(), SPEC)) == 232_974


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_first_loss_is_that_of_bicubic(scale):
    recipe = SRResNet(scale=scale, width=8, blocks=1)
    m = context(recipe, SPEC)
    clean = dihedral(m.batch["images"].image, m.draw.at("dihedral"))
    base = resize.bicubic(small(clean, scale, "", m.draw), scale)
    torch.testing.assert_close(recipe.fidelity_loss(m)["mse"], mse(base, clean), rtol=1e-5, atol=1e-6)
    found = recipe.score(m)
    assert found["score"].item() == pytest.approx(found["bicubic"].item(), abs=1e-3)


def test_batch_norm_holds_still_at_inference():
    """Neighbours in a batch and tiles do not matter, in spite of the statistics of training."""
    recipe = SRResNet(width=8, blocks=2, norm="batch")
    m = context(recipe, SPEC)
    recipe.fidelity_loss(m)
    networks = m.networks.eval()
    image = small(m.batch["images"].image, 2, "", m.draw)
    with torch.no_grad():
        together = recipe.restore(networks, image)
        torch.testing.assert_close(recipe.restore(networks, image[:1]), together[:1])
    assert together.shape == (6, 3, 48, 48)


@pytest.mark.parametrize("settings", [{}, {"norm": "batch", "skip": "none"}, {"scale": 3, "ends": 9}])
def test_it_plays(settings):
    plays(SRResNet(width=8, blocks=1, **settings), SPEC)


def test_geometry():
    recipe = SRResNet(scale=3)
    assert isinstance(recipe, Reconstructs)
    assert recipe.receptive_field == residual_radius(3, 8, 3) == 1 + 16 + 1 + 1 + 1
    assert recipe.stride(SPEC) == 3


def test_the_distance_is_a_choice():
    m = context(SRResNet(width=8, blocks=1), SPEC)
    assert set(SRResNet(distance="l1").fidelity_loss(StepContext(m.networks, m.batch, m.draw))) == {"l1"}
