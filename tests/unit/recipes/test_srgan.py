import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.unit.recipes.contexts import built, context, count, plays
from zeuxis.data.dataset import Spec
from zeuxis.losses.fidelity import l1
from zeuxis.nets.critics import Critic
from zeuxis.recipes._damaging import small
from zeuxis.recipes.compact import Compact
from zeuxis.recipes.recipe import Reconstructs, StepContext, at, make
from zeuxis.recipes.srgan import SRGAN

SPEC = Spec(3, 32, 32)
TINY = {"width": 8, "blocks": 1, "critic_width": 4, "critic_dense": 8}


class Fixed(Critic):
    """A critic with the logit `up` for pictures whose mean is positive, -up for others; its map is the picture."""

    def __init__(self, up: float) -> None:
        super().__init__()
        self.up = up

    def read(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        return self.up * torch.sign(image.mean((1, 2, 3))) + 0 * image.sum((1, 2, 3)), [image]


class Constant(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self, image: Tensor) -> Tensor:
        return self.value.expand(len(image), 3, 32, 32)


def by_hand(up: float = 2.0) -> StepContext:
    """Large pictures that are 0.5 throughout, a generator that gives -0.25, a critic that tells them apart."""
    m = context(SRGAN(**TINY), SPEC, progress=1.0)
    batch = replace(m.batch["images"], image=torch.full((4, 3, 32, 32), 0.5))
    networks = nn.ModuleDict({"upscaler": Constant(-0.25), "critic": Fixed(up)})
    return replace(m, networks=networks, batch={"images": batch})


def test_the_published_networks():
    published = make(SRGAN, "published")
    with torch.device("meta"):
        networks = published.networks(Spec(3, 96, 96))
    assert count(networks["upscaler"]) == 1_549_462
    assert count(networks["critic"]) == 23_565_505
    assert published.stage == pytest.approx(1_000_000 / 1_200_000)


def test_losses_against_their_closed_forms():
    m = by_hand()
    critic = SRGAN().critic_loss(m)
    assert critic.total().item() == pytest.approx(2 * math.log(1 + math.exp(-2)), rel=1e-5)
    assert (critic.watch["real"].item(), critic.watch["fake"].item()) == (2.0, -2.0)
    terms = SRGAN().generator_loss(m)
    assert terms["l1"].item() == pytest.approx(0.75)
    assert terms["matching"].item() == pytest.approx(0.75)
    assert terms["non-saturating"].item() == pytest.approx(0.1 * math.log(1 + math.exp(2)), rel=1e-5)
    assert SRGAN().fidelity_loss(m)["l1"].item() == pytest.approx(0.75)


def test_the_relativistic_game():
    recipe, m = SRGAN(loss="relativistic", adversarial=1.0), by_hand()
    assert recipe.critic_loss(m).total().item() == pytest.approx(math.log(1 + math.exp(-4)), rel=1e-4)
    assert recipe.generator_loss(m)["relativistic"].item() == pytest.approx(math.log(1 + math.exp(4)), rel=1e-5)


def test_weights_and_their_absence():
    m = by_hand()
    terms = make(SRGAN, "published").generator_loss(m)
    assert terms["mse"].item() == pytest.approx(0.75**2)
    assert terms["matching"].item() == 0
    assert terms["non-saturating"].item() == pytest.approx(1e-3 * math.log(1 + math.exp(2)), rel=1e-5)


def due(recipe: SRGAN, progress: float) -> list[str]:
    return [phase.name for phase in recipe.phases() if phase.when(progress)]


def test_two_stages_and_a_snapshot_between_them():
    recipe = SRGAN()
    assert due(recipe, 0.0) == due(recipe, 0.899) == ["fidelity"]
    assert due(recipe, 0.9) == due(recipe, 1.0) == ["critic", "generator"]
    assert recipe.snapshots() == (0.9,)
    assert recipe.optimizers()["upscaler"].resets == (0.9,)
    assert due(SRGAN(stage=0.0), 0.0) == ["critic", "generator"]
    assert SRGAN(stage=0.0).snapshots() == SRGAN(stage=1.0).snapshots() == ()


def test_rates():
    recipe = SRGAN()
    generator, critic = (recipe.optimizers()[name].lr for name in ("upscaler", "critic"))
    assert at(generator, 0.018) == pytest.approx(1e-3, rel=0.01)
    assert at(generator, 0.8999) == pytest.approx(1e-4, rel=0.01)
    for lr in (generator, critic):
        assert [at(lr, p) for p in (0.9, 0.949, 0.951, 1.0)] == pytest.approx([1e-4, 1e-4, 1e-5, 1e-5])
    published = make(SRGAN, "published").optimizers()["upscaler"].lr
    assert [at(published, p) for p in (0.0, 0.5, 0.8, 0.9)] == pytest.approx([1e-4] * 4)
    assert at(published, 0.95) == pytest.approx(1e-5)
    assert at(SRGAN(stage=0.0).optimizers()["upscaler"].lr, 0.0) == 1e-4


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"critic": "unet"},
        {"critic": "unet", "loss": "relativistic"},
        {"critic_norm": "batch", "critic_pool": False, "norm": "batch", "skip": "none"},
    ],
)
def test_it_plays(settings):
    plays(SRGAN(**TINY, **settings), SPEC)


def test_the_generator_gets_no_gradient_from_the_critics_turn():
    recipe = SRGAN(**TINY)
    m = context(recipe, SPEC)
    recipe.critic_loss(m).total().backward()
    assert all(p.grad is None for p in m.networks["upscaler"].parameters())
    assert all(p.grad is not None for p in m.networks["critic"].parameters())


def test_at_first_it_equals_bicubic_and_picks_no_best():
    recipe = SRGAN(**TINY)
    m = context(recipe, SPEC)
    found = recipe.score(m)
    assert set(found) == {"psnr", "bicubic"}
    assert found["psnr"].item() == pytest.approx(found["bicubic"].item(), abs=1e-3)
    image = m.batch["images"].image
    given = small(image, 4, "", m.draw)
    assert isinstance(recipe, Reconstructs)
    out = recipe.restore(built(recipe, SPEC).eval(), given)
    assert out.shape == image.shape
    assert l1(out, image) < l1(torch.zeros_like(image), image) + 0.1


class Doubled(nn.Module):
    """A trunk of one map: the picture in [0, 2], twice over."""

    def forward(self, image: Tensor) -> list[Tensor]:
        return [2 * (image + 1)]


def test_the_content_of_a_vgg_in_units_of_its_mean():
    recipe = SRGAN(**TINY, content="vgg16")
    assert recipe.fixed() == {"vgg16": "lpips-vgg"} and SRGAN().fixed() == {}
    terms = recipe.generator_loss(replace(by_hand(), fixed={"vgg16": Doubled()}))
    assert terms["matching"].item() == pytest.approx(recipe.matching * (3.0 - 1.5) / 3.0, rel=1e-6)


def test_the_compact_body_is_that_of_compact():
    sharp, compact = SRGAN(body="compact", width=8, blocks=2).networks(SPEC), Compact(width=8, blocks=2).networks(SPEC)
    shapes = [{k: v.shape for k, v in networks["upscaler"].state_dict().items()} for networks in (sharp, compact)]
    assert shapes[0] == shapes[1]
    assert SRGAN(body="compact", blocks=2).receptive_field == Compact(blocks=2).receptive_field
