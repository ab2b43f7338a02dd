"""pix2pix: losses by hand, parts cut alike, noise that is one answer of several."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.unit.recipes.contexts import built
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.recipes.pix2pix import Pix2Pix
from zeuxis.recipes.recipe import Batch, StepContext, make

SPEC = Spec(1, 32, 32, target=3)
TINY = {"width": 4, "critic_width": 4, "halvings": 1, "batch": 2}


def moment(recipe: Pix2Pix, image: torch.Tensor, target: torch.Tensor) -> StepContext:
    networks = built(recipe, Spec(image.shape[1], *image.shape[2:], target=target.shape[1]))
    return StepContext(networks, {"pairs": Batch(image, target=target)}, Draw(1, phase="x"), state=recipe.state(SPEC))


class Grey(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(0.25))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.value.expand(len(image), 3, *image.shape[2:])


def test_the_distance_to_the_partner_counts_a_hundred_times():
    recipe = Pix2Pix(**TINY)
    m = moment(recipe, torch.zeros(2, 1, 32, 32), torch.full((2, 3, 32, 32), -0.5))
    m.networks["translator"] = Grey()
    terms = recipe.translator_loss(m)
    assert terms["l1"].item() == pytest.approx(75.0) and terms["logistic"].item() > 0
    assert torch.equal(terms.state["made"], torch.full((2, 3, 32, 32), 0.25))


def test_both_halves_are_cut_and_mirrored_alike_in_both_phases():
    recipe = Pix2Pix(**{**TINY, "crop": 16})
    target = torch.rand(2, 3, 32, 32)
    m = moment(recipe, target[:, :1], target)
    given, wanted = recipe._pair(m)
    assert given.shape[2:] == (16, 16) and torch.equal(given, wanted[:, :1])
    assert torch.equal(recipe._pair(replace(m, draw=replace(m.draw, phase="y")))[0], given)
    assert not torch.equal(recipe._pair(replace(m, draw=replace(m.draw, step=1)))[0], given)


@pytest.mark.parametrize(
    ("crop", "says"),
    [
        (40, "parts of 40 pixels do not fit into pictures of 32x32.*; give a smaller part, or `--size 40` or more"),
        (20, "multiples of 8"),
    ],
)
def test_a_part_that_cannot_be_cut_is_refused(crop, says):
    with pytest.raises(BadInput, match=says):
        Pix2Pix(**{**TINY, "crop": crop}).check(SPEC)


def test_noise_gives_several_answers_and_none_without_a_draw():
    recipe = Pix2Pix(**{**TINY, "noise": True})
    networks, image = built(recipe, Spec(1, 64, 64, target=3)).eval(), torch.rand(1, 1, 64, 64)
    plain = recipe.translate(networks, image)
    one, two = (recipe.translate(networks, image, "ab", Draw(seed, phase="t")) for seed in (0, 1))
    assert not torch.equal(one, two) and torch.equal(one, recipe.translate(networks, image, "ab", Draw(0, phase="t")))
    assert torch.equal(plain, recipe.translate(networks, image))
    quiet = Pix2Pix(**TINY)
    assert torch.equal(quiet.translate(networks, image, "ab", Draw(0)), plain)


def test_the_published_settings():
    published = make(Pix2Pix, "published")
    assert (published.width, published.halvings, published.crop, published.l1) == (64, 3, 256, 100.0)
    rate = published.optimizers()["translator"].lr
    assert rate(0.0) == rate(0.5) == 2e-4 and rate(0.75) == pytest.approx(1e-4) and rate(1.0) == 0
