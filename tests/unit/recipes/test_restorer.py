"""The restorer: shapes and counts by arithmetic, its reach by perturbation, its loss by its closed form."""

from dataclasses import replace

import pytest
import torch

from tests.unit.nets.reaching import randomised, reach
from zeuxis.data.dataset import Spec
from zeuxis.degrade.parsing import parse
from zeuxis.draw import Draw
from zeuxis.engine.state import build_networks
from zeuxis.errors import BadInput
from zeuxis.recipes.recipe import Batch, StepContext, make
from zeuxis.recipes.restorer import HAIR, Restorer

SPEC = Spec(3, 32, 32)


def unet_count(channels: int, width: int, levels: int, blocks: int, extra: int = 0) -> int:
    """3x3 head and tail on folded pixels with bias, residual blocks of two 3x3 without, 2x2 ways down and up."""
    total = 9 * 4 * (channels + extra) * width + width + 9 * width * 4 * channels + 4 * channels
    for k in range(levels):
        w = width << k
        sides = 1 if k == levels - 1 else 2
        total += sides * blocks * 2 * 9 * w * w
        total += 0 if k == levels - 1 else 2 * 4 * w * 2 * w
    return total


@pytest.mark.parametrize(("width", "levels", "blocks"), [(8, 2, 1), (32, 3, 2), (48, 3, 2)])
def test_parameters_of_the_unet(width, levels, blocks):
    networks = Restorer(width=width, levels=levels, blocks=blocks).networks(SPEC)
    assert sum(p.numel() for p in networks.parameters()) == unet_count(3, width, levels, blocks)


def test_parameters_of_the_plain_stack_and_the_map():
    plain = Restorer(body="plain", width=10, levels=2, blocks=1).networks(SPEC)
    middle = 4  # 2 + 2 x 1 x 2 layers in all
    expected = (9 * 3 * 10 + 10) + middle * (9 * 10 * 10 + 10) + (9 * 10 * 3 + 3)
    assert sum(p.numel() for p in plain.parameters()) == expected
    told = Restorer(width=8, levels=2, blocks=1, noise_map=True).networks(SPEC)
    assert sum(p.numel() for p in told.parameters()) == unet_count(3, 8, 2, 1, extra=1)


def test_the_first_answer_is_nearly_the_picture():
    recipe = Restorer(width=16)
    networks = build_networks(recipe, SPEC, 0).eval()
    image = Draw(0).at("x").uniform(2, 3, 32, 32, low=-1, high=1)
    assert float((recipe.restore(networks, image) - image).detach().abs().max()) < 0.05


@pytest.mark.parametrize("settings", [{"levels": 2, "blocks": 1}, {"body": "plain", "levels": 1, "blocks": 2}])
def test_it_looks_no_farther_than_it_says(settings):
    recipe = Restorer(width=4, **settings)
    net = randomised(recipe.networks(Spec(1, 32, 32))["restorer"])
    assert recipe.receptive_field is not None
    found = reach(net, 96, cell=recipe.multiple_of)
    assert recipe.receptive_field - 2 * recipe.multiple_of <= found <= recipe.receptive_field


def test_the_loss():
    recipe = Restorer(width=8, levels=2, blocks=1, damage="noise=20", fft=0.0, distance="mse", flip=False)
    networks = build_networks(recipe, SPEC, 0)
    clean = Draw(1).at("x").uniform(4, 3, 32, 32, low=-0.5, high=0.5)
    context = StepContext(networks, {"images": Batch(clean)}, Draw(2))
    noisy = parse("noise=20")(clean, Draw(2)).image
    expected = (networks["restorer"](noisy) - clean).square().mean()
    assert torch.allclose(recipe.restorer_loss(context).total(), expected)


class Halves(torch.nn.Module):
    def forward(self, image, level):
        return image / (1 + level)


def test_a_teacher_answers_for_its_share():
    small = {"width": 8, "levels": 2, "blocks": 1, "fft": 0.0, "distance": "mse", "flip": False}
    recipe = Restorer(damage="noise=0", teacher="ffdnet-color", taught=0.25, lesson="noise=1", **small)
    recipe.check(SPEC)
    assert recipe.fixed() == {"teacher": "ffdnet-color"} and Restorer().fixed() == {}
    networks, draw = build_networks(recipe, SPEC, 0), Draw(2, phase="restorer")
    clean = Draw(1).at("x").uniform(4, 3, 32, 32, low=-0.5, high=0.5)
    noisy = parse("noise=1")(clean[3:], replace(draw, phase="restorer/lesson")).image
    given, wanted = torch.cat([clean[:3], noisy]), torch.cat([clean[:3], noisy / 2])
    context = StepContext(networks, {"images": Batch(clean)}, draw, fixed={"teacher": Halves()})
    expected = (networks["restorer"](given) - wanted).square().mean()
    assert torch.allclose(recipe.restorer_loss(context).total(), expected)


def test_a_teacher_sees_a_grey_picture_three_times():
    small = {"width": 8, "levels": 2, "blocks": 1, "fft": 0.0, "distance": "mse", "flip": False}
    recipe = Restorer(damage="noise=0", teacher="ffdnet-color", taught=1.0, lesson="noise=1", **small)
    recipe.check(Spec(1, 32, 32))
    networks, draw = build_networks(recipe, Spec(1, 32, 32), 0), Draw(2, phase="restorer")
    clean = Draw(1).at("x").uniform(2, 1, 32, 32, low=-0.5, high=0.5)
    shown = torch.cat([clean, clean + HAIR, clean], 1)
    noisy = parse("noise=1")(shown, replace(draw, phase="restorer/lesson")).image
    context = StepContext(networks, {"images": Batch(clean)}, draw, fixed={"teacher": Halves()})
    expected = (networks["restorer"](noisy[:, :1]) - noisy.mean(1, keepdim=True) / 2).square().mean()
    assert ((noisy[:, :1] - noisy[:, 1:2]).abs() > 10 * HAIR).float().mean() > 0.9
    assert torch.allclose(recipe.restorer_loss(context).total(), expected)


@pytest.mark.parametrize(
    ("teacher", "channels", "lesson"),
    [
        ("ffdnet-color", 1, "jpeg=30..95"),
        ("ffdnet-color", 3, "jpeg=30..95"),
        ("ffdnet-grey", 3, "noise=0..55"),
        ("srmdnf-x2", 3, "noise=0..55"),
    ],
)
def test_a_teacher_wants_colour_and_a_level(teacher, channels, lesson):
    with pytest.raises(BadInput, match="noise of a known level"):
        Restorer(teacher=teacher, lesson=lesson).check(Spec(channels, 32, 32))


def test_the_game_begins_at_its_stage():
    recipe = make(Restorer, "gan", width=8, levels=2, blocks=1, stage=0.5)
    names = [[t.loss.__name__ for t in recipe.phases() if t.when(p)] for p in (0.0, 0.49, 0.5, 0.99)]
    assert names == [["restorer_loss"]] * 2 + [["critic_loss", "game_loss"]] * 2
    assert recipe.snapshots() == (0.5,) and Restorer().snapshots() == ()
    assert recipe.rate(0.6) == recipe.lr_game
