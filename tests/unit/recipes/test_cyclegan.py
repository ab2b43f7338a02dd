"""CycleGAN: the pool of past answers, what stays, and the losses by hand."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import l1_loss

from tests.unit.recipes.contexts import built
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.recipes.cyclegan import CycleGAN
from zeuxis.recipes.recipe import Batch, StepContext, Translates

SPEC = Spec(3, 16, 16, target=3)
TINY = {
    "width": 4,
    "critic_width": 4,
    "blocks": 1,
    "halvings": 1,
    "pool": 3,
    "batch": 2,
    "cycle": 10.0,
    "identity": 0.5,
}


class Shift(nn.Module):
    """Adds a number to a picture."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image + self.by


class Says(nn.Module):
    """A critic of one scale with the same logit everywhere."""

    def __init__(self, logit: float) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.tensor(logit))

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        return [self.logit.expand(len(image), 2, 2) + 0 * image.sum()]


def moment(recipe: CycleGAN, step: int = 0) -> StepContext:
    draw = Draw(5, step=step, phase="test")
    batch = {side: Batch(torch.full((2, 3, 16, 16), value)) for side, value in (("a", -0.5), ("b", 0.25))}
    networks = nn.ModuleDict({"ab": Shift(0.5), "ba": Shift(-0.25), "critic_a": Says(0.5), "critic_b": Says(-1.0)})
    return StepContext(networks, batch, draw, 0.0, step, state=recipe.state(SPEC))


def test_the_losses_by_hand():
    recipe = CycleGAN(**TINY)
    terms = recipe.translators_loss(moment(recipe))
    assert terms["cycle_a"].item() == pytest.approx(10 * 0.25)  # -0.5 + 0.5 - 0.25
    assert terms["cycle_b"].item() == pytest.approx(10 * 0.25)
    assert terms["identity_b"].item() == pytest.approx(10 * 0.5 * 0.5) and terms["identity_a"].item() == pytest.approx(
        10 * 0.5 * 0.25
    )
    assert terms["game_b"].item() == pytest.approx((-1 - 1) ** 2) and terms["game_a"].item() == pytest.approx(0.25)
    assert torch.allclose(terms.state["made_b"], torch.zeros(2, 3, 16, 16))
    critics = recipe.critics_loss(replace(moment(recipe), state={**recipe.state(SPEC), **terms.state}))
    assert critics["least-squares_a"].item() == pytest.approx(0.5 * (0.25 + 0.25))


def test_one_pass_for_what_changes_and_what_stays_is_two():
    """The loss, and its gradient at every weight, in six passes as in four."""
    recipe = CycleGAN(**TINY)
    networks = built(recipe, SPEC).double()
    real = {side: Draw(0).at(side).uniform(2, 3, 16, 16, low=-1.0, high=1.0).double() for side in "ab"}
    batch = {side: Batch(x) for side, x in real.items()}
    weights = list(networks["ab"].parameters()) + list(networks["ba"].parameters())
    context = StepContext(networks, batch, Draw(0), state=recipe.state(SPEC))
    real = recipe._real(context)
    found = sum(recipe.translators_loss(context).values())
    plain = torch.zeros((), dtype=torch.float64)
    for here, there in ("ab", "ba"):
        made = networks[here + there](real[here])
        plain = plain + sum((1 - x).square().mean() for x in networks[f"critic_{there}"](made))
        plain = plain + 10 * l1_loss(networks[there + here](made), real[here])
        plain = plain + 5 * l1_loss(networks[here + there](real[there]), real[there])
    assert found.item() == pytest.approx(plain.item(), rel=1e-9)
    for mine, theirs in zip(torch.autograd.grad(found, weights), torch.autograd.grad(plain, weights), strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-6, atol=1e-9)


def test_what_should_stay_is_asked_only_where_channels_are_equal():
    other = Spec(1, 16, 16, target=3)
    recipe = CycleGAN(**TINY)
    networks = built(recipe, other)
    batch = {"a": Batch(torch.zeros(2, 1, 16, 16)), "b": Batch(torch.zeros(2, 3, 16, 16))}
    terms = recipe.translators_loss(StepContext(networks, batch, Draw(0), state=recipe.state(other)))
    assert not [name for name in terms if name.startswith("identity")]
    assert networks["ab"](torch.zeros(1, 1, 16, 16)).shape == (1, 3, 16, 16)


def test_the_pool_fills_first_and_then_gives_every_second_time_a_past_answer():
    recipe = CycleGAN(**TINY)
    state, given = recipe.state(SPEC), []
    for step in range(200):
        made = torch.full((2, 3, 16, 16), float(step))
        m = replace(moment(recipe, step), state={**state, "made_a": made})
        seen, pool, held = recipe._pooled(m, "a")
        state |= {"pool_a": pool, "held_a": held}
        given += [int(step - x.mean()) for x in seen]
    assert int(state["held_a"]) == 3 and given[:3] == [0, 0, 0]
    past = [age > 0 for age in given[4:]]
    assert 0.4 < sum(past) / len(past) < 0.6 and max(given) > 2
    assert all(float(p.min()) == float(p.max()) for p in state["pool_a"])


def test_without_a_pool_the_newest_answers_are_seen():
    recipe = CycleGAN(**{**TINY, "pool": 0})
    m = moment(recipe)
    m = replace(m, state={**m.state, "made_a": torch.ones(2, 3, 16, 16)})
    assert torch.equal(recipe._pooled(m, "a")[0], torch.ones(2, 3, 16, 16))


def test_it_translates_both_ways():
    recipe = CycleGAN(**TINY)
    assert isinstance(recipe, Translates) and recipe.directions == ("ab", "ba")
    networks = built(recipe, SPEC).eval()
    image = torch.rand(1, 3, 20, 24)
    there, back = (recipe.translate(networks, image, direction) for direction in recipe.directions)
    assert there.shape == back.shape == image.shape and not torch.equal(there, back)
