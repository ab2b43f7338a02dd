import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.unit.recipes.contexts import COLOUR32, GREY, TEN, built, context, count, plays, samples, with_logits
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.losses.penalties import gradient_square
from zeuxis.nets.init import LEAKY_GAIN
from zeuxis.recipes.r3gan import R3GAN
from zeuxis.recipes.recipe import StepContext, at, make, settings_of

SMALL = {"width": 8, "widths": (16, 8, 8)}


def block(width: int) -> int:
    """1x1 in, 3x3 in groups of 16, 1x1 out without bias, twice as wide inside."""
    inner = 2 * width
    return (width * inner + inner) + (9 * 16 * inner + inner) + inner * width


def test_counts_of_tiny_are_those_of_the_sweep():
    for recipe in (R3GAN(), make(R3GAN, "tiny")):
        networks = built(recipe, GREY)
        generator = 64 * 512 + 2 * 512 + 512 * 3136 + 2 * 3136 + 16 * 64 * 32 + 2 * 32 + (16 * 32 + 1)
        assert count(networks["generator"]) == generator
        critic = (16 * 32 + 32) + (16 * 32 * 64 + 64) + (3136 * 512 + 512) + (512 + 1)
        assert count(networks["critic"]) == critic


def test_counts_with_ten_classes():
    plain, networks = built(R3GAN(), GREY), built(R3GAN(), TEN)
    assert count(networks["generator"]) - count(plain["generator"]) == (10 - 1) * 2 * (512 + 32)
    assert count(networks["critic"]) - count(plain["critic"]) == 10 * 512


def test_counts_of_gpu_at_32_px():
    networks = built(make(R3GAN, "gpu"), COLOUR32)
    body = 3 * 2 * block(256) + 2 * block(128) + 256 * 128
    assert count(networks["generator"]) == body + 256 * 4 * 4 + 64 * 256 + 128 * 3
    assert count(networks["critic"]) == body + 3 * 128 + 256 * 4 * 4 + 256


def test_counts_of_published_are_right_without_building_them_whole():
    with torch.device("meta"):
        networks = make(R3GAN, "published").networks(COLOUR32)
    body = 4 * 2 * block(768)
    assert count(networks["generator"]) == body + 768 * 4 * 4 + 64 * 768 + 768 * 3
    assert count(networks["critic"]) == body + 3 * 768 + 768 * 4 * 4 + 768


def test_first_weights_of_tiny():
    networks = built(R3GAN(), TEN)
    assert networks["generator"].map.weight.std().item() == pytest.approx(0.02, rel=0.01)
    critic = networks["critic"]
    assert critic.dense.weight.std().item() == pytest.approx(LEAKY_GAIN / math.sqrt(3136), rel=0.01)
    assert critic.down[1].weight.std().item() == pytest.approx(LEAKY_GAIN / math.sqrt(32 * 16), rel=0.03)
    assert critic.head.linear.weight.std().item() == pytest.approx(1 / math.sqrt(512), rel=0.1)
    assert critic.head.embedding.weight.std().item() == pytest.approx(LEAKY_GAIN / math.sqrt(512), rel=0.04)
    assert not any("Norm" in type(m).__name__ for m in critic.modules())


def test_the_loss_at_hand_made_logits():
    recipe = R3GAN(width=4)
    # step 1 is not one of the lazy penalty's
    m = with_logits(context(recipe, GREY, n=2, step=1), [1.0, -1.0, 0.0, 2.0])
    softplus = lambda x: math.log1p(math.exp(x))  # noqa: E731
    terms = recipe.critic_loss(m)
    assert list(terms) == ["relativistic"]
    assert terms["relativistic"].item() == pytest.approx((softplus(-1) + softplus(3)) / 2)
    assert set(terms.watch) == {"real", "fake"}
    m = with_logits(m, [1.0, -1.0], [0.0, 2.0])
    assert recipe.generator_loss(m)["relativistic"].item() == pytest.approx((softplus(1) + softplus(-3)) / 2)


def test_equal_logits_give_log_two():
    m = with_logits(context(R3GAN(width=4), GREY, n=2, step=1), [0.3] * 4)
    assert R3GAN(width=4).critic_loss(m)["relativistic"].item() == pytest.approx(math.log(2))


@pytest.mark.parametrize(("progress", "gamma"), [(0.0, 1.0), (0.5, 0.55), (1.0, 0.1)])
def test_the_lazy_penalty_is_r1_and_r2_of_the_same_pictures(progress, gamma):
    recipe = R3GAN(width=4)
    m = context(recipe, TEN, step=7, progress=progress)
    batch = m.batch["images"]
    with torch.no_grad():
        fake = recipe.decode(m.networks, recipe.latents(len(batch), m.draw), batch.label)
    r1, r2 = (gradient_square(lambda x: recipe.judge(m.networks, x, batch.label), x) for x in (batch.image, fake))
    terms = recipe.critic_loss(m)
    assert terms.watch["r1"].item() == pytest.approx(r1.mean().item(), rel=1e-4)
    assert terms.watch["r2"].item() == pytest.approx(r2.mean().item(), rel=1e-4)
    known = 4 * gamma / 2 * (r1.mean() + r2.mean()).item()
    assert terms["penalty"].item() == pytest.approx(known, rel=1e-4)


def test_the_penalty_is_due_every_fourth_step():
    recipe = R3GAN(width=4)
    due = ["penalty" in recipe.critic_loss(context(recipe, GREY, n=2, step=s)) for s in range(9)]
    assert due == [False, False, False, True] * 2 + [False]
    exact = R3GAN(width=4, lazy=1)
    assert all("penalty" in exact.critic_loss(context(exact, GREY, n=2, step=s)) for s in range(3))


@pytest.mark.parametrize("augment", ["diffaugment", "ada"])
def test_pairs_are_augmented_alike_and_the_gradient_is_of_the_picture_before(augment):
    recipe = R3GAN(width=4, augment=augment, lazy=1, augment_chance=0.8)
    m = context(recipe, COLOUR32, progress=1.0)
    x = m.batch["images"].image
    rows = m.draw.at("rows").index(len(x)).repeat(2)
    real, same = recipe._augmented(torch.cat([x, x]), m, rows).chunk(2)
    assert torch.equal(real, same)
    assert not torch.equal(real, x)
    terms = recipe.critic_loss(m)
    terms.total().backward()
    assert all(torch.isfinite(p.grad).all() for p in m.networks["critic"].parameters())

    def judge(image: torch.Tensor) -> torch.Tensor:
        return recipe.judge(m.networks, recipe._augmented(image, m, rows[: len(x)]), None)

    assert terms.watch["r1"].item() == pytest.approx(gradient_square(judge, x).mean().item(), rel=1e-4)


def test_the_generator_turn_draws_its_own_reals():
    assert [(t.name, t.fresh) for t in R3GAN().phases()] == [("critic", False), ("generator", True)]


def test_the_gradient_of_the_generator_flows_through_the_fakes_alone():
    recipe = R3GAN(width=4)
    m = context(recipe, GREY)
    m.networks["critic"].requires_grad_(False)
    m.batch["images"].image.requires_grad_()
    recipe.generator_loss(m).total().backward()
    assert m.batch["images"].image.grad is None
    assert all(p.grad is not None for p in m.networks["generator"].parameters())


def test_rates_over_progress():
    optimizer = R3GAN().optimizers()["generator"]
    assert [at(optimizer.lr, p) for p in (0.0, 0.5, 1.0)] == pytest.approx([2e-3, 1.25e-3, 5e-4])
    assert [at(optimizer.beta2, p) for p in (0.0, 0.5, 1.0)] == pytest.approx([0.9, 0.945, 0.99])
    assert optimizer.beta1 == 0.0


def test_settings_read_from_json_make_an_equal_recipe():
    settings = settings_of(make(R3GAN, "gpu"))
    again = make(R3GAN, **{**settings, "widths": list(settings["widths"])})
    assert again == make(R3GAN, "gpu")
    assert hash(again) == hash(make(R3GAN, "gpu"))


def test_three_steps_stay_finite():
    assert len(plays(R3GAN(), TEN, steps=3)) == 6


@pytest.mark.parametrize("preset", [None, "tiny", "few", "gpu", "published"])
@pytest.mark.parametrize("spec", [TEN, Spec(3, 8, 16), Spec(4, 64, 64, ("a", "b"))])
def test_presets_play_and_sample(preset, spec):
    recipe = replace(make(R3GAN, preset), **SMALL)
    plays(recipe, spec)
    samples(recipe, spec)


def test_the_adaptive_chance_rises_while_the_critic_tells_real_from_fake() -> None:
    recipe = make(R3GAN, None, augment="adaptive", width=4, batch=8, augment_speed=80)
    real, fake = torch.full((8,), 2.0), torch.full((8,), -2.0)
    context = StepContext(nn.ModuleDict(), {}, Draw(0), state=recipe.state(Spec(1, 8, 8)))
    assert recipe._next_chance(real, fake, context)["chance"].item() == pytest.approx(8 / 80)
    same = recipe._next_chance(torch.zeros(8), torch.zeros(8), context)
    assert same["chance"].item() == 0.0  # sign 0 lies below the target, and a chance stays in [0, 1]
