import math

import pytest
import torch
from torch import nn

from tests.unit.recipes.contexts import GREY, TEN, built, context, count, plays, samples, with_logits
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.recipes.dcgan import DCGAN
from zeuxis.recipes.recipe import make

COLOUR64 = Spec(3, 64, 64)


def batch_norms(*widths: int) -> int:
    return 2 * sum(widths)


def test_counts_of_the_default_are_those_of_the_published_net():
    networks = built(DCGAN(), GREY)
    flat = 128 * 7 * 7
    generator = (64 * 1024 + 1024) + (1024 * flat + flat) + (16 * 128 * 64 + 64) + (16 * 64 * 1 + 1)
    assert count(networks["generator"]) == generator + batch_norms(1024, flat, 64)
    critic = (16 * 1 * 64 + 64) + (16 * 64 * 128 + 128) + (flat * 1024 + 1024) + (1024 + 1)
    assert count(networks["critic"]) == critic + batch_norms(128, 1024)


def test_counts_with_ten_classes():
    plain, networks = built(DCGAN(), GREY), built(DCGAN(), TEN)
    assert count(networks["generator"]) - count(plain["generator"]) == (10 - 1) * batch_norms(1024, 64)
    assert count(networks["critic"]) - count(plain["critic"]) == 10 * 1024


def test_counts_of_published_are_those_of_the_pytorch_example():
    networks = built(make(DCGAN, "published"), COLOUR64)
    up = 16 * (100 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * 3)
    assert count(networks["generator"]) == up + batch_norms(512, 256, 128, 64) == 3_576_704
    down = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 1)
    assert count(networks["critic"]) == down + batch_norms(128, 256, 512) == 2_765_568


def test_counts_of_classic_are_those_of_the_tensorflow_tutorial():
    networks = built(make(DCGAN, "classic"), GREY)
    flat = 7 * 7 * 256
    generator = 100 * flat + 25 * (256 * 128 + 128 * 64 + 64 * 1)
    assert count(networks["generator"]) == generator + batch_norms(flat, 128, 64)
    critic = (25 * 64 + 64) + (25 * 64 * 128 + 128) + (7 * 7 * 128 + 1)
    assert count(networks["critic"]) == critic == 212_865


def test_counts_of_larger():
    networks = built(make(DCGAN, "larger"), COLOUR64)
    start = (100 * 256 + 256) + (256 * 512 + 512) + (512 * 1024 + 1024)
    up = 16 * (16 * 256 + 256 * 128 + 128 * 64) + batch_norms(256, 128, 64)
    assert count(networks["generator"]) == start + up + (49 * 64 * 3 + 3)
    critic = (16 * 3 * 64 + 64) + (16 * 64 * 128 + 128) + (16 * 128 * 256 + 256) + (8 * 8 * 256 + 1)
    assert count(networks["critic"]) == critic


def test_first_weights_of_the_published_nets():
    for recipe, spec in ((DCGAN(), GREY), (make(DCGAN, "published"), COLOUR64)):
        for net in built(recipe, spec).values():
            for layer in net.modules():
                if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d) and layer.weight.numel() > 10_000:
                    assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
    gains = torch.cat([m.weight for m in net.modules() if isinstance(m, nn.BatchNorm2d)])
    assert gains.mean().item() == pytest.approx(1, abs=0.01)
    assert gains.std().item() == pytest.approx(0.02, rel=0.2)


@pytest.mark.parametrize(
    ("loss", "critic", "generator"),
    [
        (
            "non-saturating",
            math.log1p(math.exp(-2)) + math.log1p(math.exp(-1)),
            (math.log1p(math.exp(1)) + math.log1p(math.exp(-3))) / 2,
        ),
        ("least-squares", 0.5 * 1 + 0.5 * 1, (0.5 * 4 + 0.5 * 4) / 2),
    ],
)
def test_the_losses_at_hand_made_logits(loss, critic, generator):
    recipe = DCGAN(loss=loss, width=8)
    m = with_logits(context(recipe, GREY, n=2), [2.0, 2.0], [-1.0, -1.0])
    assert recipe.critic_loss(m)[loss].item() == pytest.approx(critic)
    m = with_logits(m, [-1.0, 3.0])
    assert recipe.generator_loss(m)[loss].item() == pytest.approx(generator)


def test_real_and_fake_are_never_mixed_in_one_pass():
    recipe = DCGAN(width=8)
    m = with_logits(context(recipe, GREY, n=2), [0.0, 0.0], [1.0, 1.0])
    terms = recipe.critic_loss(m)
    assert m.networks["critic"].calls == 2
    assert (terms.watch["real"].item(), terms.watch["fake"].item()) == (0.0, 1.0)


def test_published_latents_are_uniform():
    assert DCGAN().latents(500, Draw(0)).abs().max() < 1


def test_the_tutorial_critic_drops_out_by_the_draw():
    recipe = make(DCGAN, "classic", width=8)
    first, again = (recipe.critic_loss(context(recipe, GREY)).total() for _ in range(2))
    assert torch.equal(first, again)
    other = recipe.critic_loss(context(recipe, GREY, step=1)).total()
    assert not torch.equal(first, other)


@pytest.mark.parametrize("preset", [None, "tiny", "classic", "larger", "published"])
@pytest.mark.parametrize("spec", [TEN, Spec(3, 8, 16), Spec(4, 64, 64, ("a", "b"))])
def test_presets_play_and_sample(preset, spec):
    recipe = make(DCGAN, preset, width=8)
    plays(recipe, spec)
    samples(recipe, spec)
