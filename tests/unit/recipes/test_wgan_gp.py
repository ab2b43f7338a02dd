import pytest
import torch

from tests.unit.recipes.contexts import GREY, TEN, built, context, count, plays, samples, with_logits
from zeuxis.data.dataset import Spec
from zeuxis.recipes.recipe import make
from zeuxis.recipes.wgan_gp import WGANGP


def test_counts_of_the_default():
    networks = built(WGANGP(), GREY)
    generator = 64 * 512 + 2 * 512 + 512 * 3136 + 2 * 3136 + 16 * 64 * 32 + 2 * 32 + (16 * 32 + 1)
    assert count(networks["generator"]) == generator
    critic = (16 * 32 + 32) + (16 * 32 * 64 + 64) + (3136 * 512 + 512) + (512 + 1)
    assert count(networks["critic"]) == critic


def test_counts_of_published_are_those_of_the_mnist_code():
    networks = built(make(WGANGP, "published"), GREY)
    generator = (128 * 4096 + 4096) + (25 * 256 * 128 + 128) + (25 * 128 * 64 + 64) + (25 * 64 + 1)
    assert count(networks["generator"]) == generator
    critic = (25 * 64 + 64) + (25 * 64 * 128 + 128) + (25 * 128 * 256 + 256) + (4 * 4 * 256 + 1)
    assert count(networks["critic"]) == critic
    labelled = built(make(WGANGP, "published"), TEN)
    assert count(labelled["generator"]) == generator + 10 * 4096
    assert count(labelled["critic"]) == critic + 10 * 4096


def test_the_critic_has_no_norm():
    for preset in (None, "published"):
        kinds = {type(m).__name__ for m in built(make(WGANGP, preset), GREY)["critic"].modules()}
        assert not any("Norm" in kind for kind in kinds)


class Linear(torch.nn.Module):
    """D(x) = slope * first pixel: its penalty is (|slope| - 1)^2 everywhere."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, image, label=None):
        return self.slope * image[:, 0, 0, 0]


def test_the_critic_loss_has_its_closed_form():
    recipe = WGANGP(width=4)
    m = context(recipe, GREY, n=4)
    m.networks["critic"] = Linear(3.0)
    fake = recipe.decode(m.networks, recipe.latents(4, m.draw), None)[:, 0, 0, 0]
    real = m.batch["images"].image[:, 0, 0, 0]
    terms = recipe.critic_loss(m)
    assert terms["wasserstein"].item() == pytest.approx(3 * (fake.mean() - real.mean()).item(), abs=1e-5)
    assert terms["penalty"].item() == pytest.approx(10 * (3 - 1) ** 2, abs=1e-4)
    assert terms["drift"].item() == pytest.approx(1e-3 * (3 * real).square().mean().item())
    assert "drift" not in make(WGANGP, "published", width=4).critic_loss(context(make(WGANGP, "published"), GREY, 2))


def test_the_generator_loss_at_hand_made_logits():
    m = with_logits(context(WGANGP(width=4), GREY, n=2), [1.0, -4.0])
    assert WGANGP(width=4).generator_loss(m)["wasserstein"].item() == 1.5


def test_critic_steps():
    assert [t.every for t in make(WGANGP, "published").phases()] == [1, 5]


@pytest.mark.parametrize("preset", [None, "published"])
@pytest.mark.parametrize("spec", [TEN, Spec(3, 8, 16), Spec(4, 64, 64, ("a", "b"))])
def test_presets_play_and_sample(preset, spec):
    recipe = make(WGANGP, preset, width=8)
    plays(recipe, spec)
    samples(recipe, spec)
