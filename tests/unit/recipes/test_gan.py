import math

import pytest
import torch

from tests.unit.recipes.contexts import GREY, TEN, built, context, count, plays, samples, with_logits
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.recipes.gan import GAN
from zeuxis.recipes.recipe import make


def dense(*widths: int) -> int:
    return sum(a * b + b for a, b in zip(widths, widths[1:], strict=False))


def test_counts_of_the_default():
    networks = built(GAN(), GREY)
    assert count(networks["generator"]) == dense(100, 128, 256, 512, 784) + 2 * (256 + 512)
    assert count(networks["critic"]) == dense(784, 512, 256, 1)


def test_counts_with_ten_classes():
    networks = built(GAN(), TEN)
    assert count(networks["generator"]) == dense(110, 128, 256, 512, 784) + 2 * (256 + 512)
    assert count(networks["critic"]) == dense(794, 512, 256, 1)


def test_counts_of_the_presets():
    classic = built(make(GAN, "classic"), GREY)
    assert count(classic["generator"]) == dense(100, 128, 256, 512, 784)
    assert count(classic["critic"]) == dense(784, 512, 256, 128, 1)
    published = built(make(GAN, "published"), GREY)
    assert count(published["generator"]) == dense(100, 128, 256, 512, 1024, 784) + 2 * (256 + 512 + 1024)


def test_the_loss_at_hand_made_logits():
    m = with_logits(context(GAN(), GREY, n=2), [1.0, -1.0, 0.0, 2.0])
    softplus = lambda x: math.log1p(math.exp(x))  # noqa: E731
    known = (softplus(-1) + softplus(1) + softplus(0) + softplus(2)) / 2
    assert GAN().critic_loss(m)["logistic"].item() == pytest.approx(known)
    m = with_logits(m, [1.0, -3.0])
    terms = GAN().generator_loss(m)
    assert terms["logistic"].item() == pytest.approx((softplus(-1) + softplus(3)) / 2)
    assert terms.watch["fake"].item() == -1.0


def test_latents_follow_the_law():
    assert make(GAN, "classic").latents(500, Draw(0)).abs().max() < 1
    assert GAN().latents(500, Draw(0)).abs().max() > 3


@pytest.mark.parametrize("preset", [None, "classic", "published"])
@pytest.mark.parametrize("spec", [TEN, Spec(3, 9, 14)])
def test_presets_play_and_sample(preset, spec):
    recipe = make(GAN, preset)
    plays(recipe, spec)
    samples(recipe, spec)
    assert torch.equal(recipe.latents(4, Draw(1))[:2], recipe.latents(2, Draw(1)))
