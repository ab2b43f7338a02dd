import pytest
import torch

from tests.unit.recipes.contexts import built, context, count, plays
from zeuxis.augmentation.geometry import dihedral
from zeuxis.data.dataset import Spec
from zeuxis.degrade import resize
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.losses.fidelity import charbonnier, fft_l1, psnr8
from zeuxis.recipes._damaging import small
from zeuxis.recipes.compact import Compact
from zeuxis.recipes.recipe import Batch, Reconstructs, StepContext, at, make

SPEC = Spec(3, 48, 48)


@pytest.mark.parametrize(
    ("preset", "wanted"), [(None, 89_040), ("tiny", 21_440), ("span48", 426_288), ("quality", 498_208)]
)
def test_counts_of_the_presets(preset, wanted):
    recipe = make(Compact, preset)
    assert count(recipe.folded(built(recipe, SPEC))) == wanted
    assert recipe.patch % 2 == recipe.patch % 3 == recipe.patch % 4 == 0


def test_the_small_picture_is_a_file():
    image = context(Compact(), SPEC).batch["images"].image
    given = small(image, 4, "", Draw(0))
    assert given.shape == (6, 3, 12, 12)
    levels = (given + 1) * 127.5
    torch.testing.assert_close(levels, levels.round(), rtol=0, atol=1e-4)
    cut = resize.bicubic(image, 0.25).clamp(-1, 1)
    assert float((given - cut).abs().max()) <= 1 / 255 + 1e-6
    noisy = small(image, 4, "noise=10", Draw(0))
    assert float((noisy - given).std()) == pytest.approx(10 / 127.5, rel=0.1)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_first_loss_is_that_of_bicubic(scale):
    recipe = Compact(scale=scale, width=8, blocks=2)
    m = context(recipe, SPEC)
    clean = dihedral(m.batch["images"].image, m.draw.at("dihedral"))
    base = resize.bicubic(small(clean, scale, "", m.draw), scale)
    terms = recipe.upscaler_loss(m)
    torch.testing.assert_close(terms["charbonnier"], charbonnier(base, clean), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(terms["fft"], 0.05 * fft_l1(base, clean), rtol=1e-5, atol=1e-6)


def test_the_first_score_is_that_of_bicubic():
    recipe = Compact(width=8, blocks=2)
    m = context(recipe, SPEC)
    image = m.batch["images"].image
    found = recipe.score(m)
    assert found["score"].item() == pytest.approx(found["bicubic"].item(), abs=1e-3)
    wanted = psnr8(resize.bicubic(small(image, 4, "", m.draw), 4), image).mean()
    assert found["bicubic"].item() == pytest.approx(wanted.item(), abs=1e-4)


def test_losses_by_choice():
    m = context(Compact(), SPEC)
    assert set(Compact(distance="l1", fft=0.0).upscaler_loss(m)) == {"l1"}
    assert set(Compact(distance="mse").upscaler_loss(m)) == {"mse", "fft"}


@pytest.mark.parametrize("settings", [{}, {"body": "span"}, {"branches": True}, {"body": "span", "branches": True}])
def test_it_plays(settings):
    plays(Compact(width=4, blocks=1, **settings), Spec(2, 16, 24))


def test_restore_is_cut_and_folding_changes_nothing():
    recipe = Compact(width=8, blocks=2, branches=True, scale=3)
    assert isinstance(recipe, Reconstructs)
    networks = built(recipe, SPEC).eval()
    networks["upscaler"].last.bias.data.fill_(0.3)
    image = context(recipe, Spec(3, 12, 15), n=2).batch["images"].image
    with torch.no_grad():
        out = recipe.restore(networks, image)
        assert out.shape == (2, 3, 36, 45)
        assert out.abs().max() == 1
        assert float((recipe.restore(recipe.folded(networks), image) - out).abs().max()) < 1e-5


@pytest.mark.parametrize(("body", "blocks", "radius"), [("plain", 8, 10), ("span", 6, 21), ("plain", 0, 2)])
def test_receptive_field(body, blocks, radius):
    assert Compact(body=body, blocks=blocks).receptive_field == radius


def test_rate_and_average():
    rate = Compact().optimizers()["upscaler"].lr
    assert at(rate, 0.0) == pytest.approx(1e-4)
    assert at(rate, 0.02) == pytest.approx(1e-3, rel=0.01)
    assert at(rate, 0.51) == pytest.approx(0.5e-3, rel=0.05)
    assert at(rate, 1.0) == pytest.approx(0.0, abs=1e-12)
    assert Compact().average().networks == ("upscaler",)


def test_score_reads_the_averaged_net():
    recipe = Compact(width=8, blocks=1)
    m = context(recipe, SPEC, n=2)
    spoiled = built(recipe, SPEC)
    spoiled["upscaler"].last.bias.data.fill_(0.5)
    found = recipe.score(StepContext(m.networks, m.batch, m.draw, ema=spoiled))
    assert found["score"] < found["bicubic"] - 1


def test_bad_settings():
    with pytest.raises(BadInput, match="multiples of 3"):
        Compact(scale=3).check(Spec(3, 32, 32))
    with pytest.raises(BadInput, match="changes the size"):
        Compact(damage="down=2").check(SPEC)
    with pytest.raises(BadInput, match="jpeg"):
        Compact(damage="jpg=30").check(SPEC)
    Compact(damage="jpeg=30..95").check(SPEC)


def test_a_batch_of_another_size_needs_no_other_net():
    recipe = Compact(width=4, blocks=1)
    m = context(recipe, SPEC)
    other = StepContext(m.networks, {"images": Batch(-torch.ones(1, 3, 20, 28))}, m.draw)
    assert recipe.upscaler_loss(other).total().item() == pytest.approx(1e-3, rel=0.01)
