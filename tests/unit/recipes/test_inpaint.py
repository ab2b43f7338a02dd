import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.unit.recipes.contexts import built, context, count, plays
from zeuxis.data.dataset import Spec
from zeuxis.degrade.degradation import Degraded
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.losses.adversarial import hinge_critic, non_saturating_critic
from zeuxis.nets.inpainting import PatchCritic
from zeuxis.recipes import inpaint
from zeuxis.recipes.inpaint import Inpaint, flat, game_of_holes, inside, observe, pasted
from zeuxis.recipes.recipe import Batch, Reconstructs, StepContext, make

SMALL = {"width": 4, "critic_width": 4, "levels": 2, "dilations": (1, 2), "blocks": 1}
COLOUR16 = Spec(3, 16, 16)


class Left:
    """The left `share` of each picture is missing."""

    def __init__(self, share: float) -> None:
        self.share = share

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        known = torch.ones_like(image[:, :1])
        known[..., : round(self.share * image.shape[3])] = 0
        return Degraded(image, known)


@pytest.fixture
def left(monkeypatch):
    """Holes that are given by hand: `left(share)`."""

    def use(share: float) -> None:
        monkeypatch.setattr(inpaint, "parse", lambda words: Left(share))

    use(0.25)
    return use


class Answer(nn.Module):
    """A generator that gives one value everywhere, or the picture that it is made with."""

    def __init__(self, answer: Tensor | float) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, image: Tensor, known: Tensor) -> Tensor:
        return torch.zeros_like(image) + self.answer


class Mean(nn.Module):
    """A critic whose logits are the means of 8x8 pieces, twice, and whose maps are the picture itself."""

    def forward(self, image: Tensor, hole: Tensor) -> tuple[Tensor, list[Tensor]]:
        return 2 * nn.functional.avg_pool2d(image.mean(1, keepdim=True), 8), [image, 3 * image]


def by_hand(generator: nn.Module, image: Tensor, progress: float = 0.0) -> StepContext:
    networks = nn.ModuleDict({"generator": generator, "critic": Mean()})
    return StepContext(networks, {"images": Batch(image)}, Draw(0), progress)


def test_loss_against_its_closed_form(left):
    m = by_hand(Answer(0.3), torch.full((2, 3, 8, 8), 0.1))
    terms = Inpaint().fidelity_loss(m)
    assert set(terms) == {"hole", "known"}
    assert terms["hole"].item() == pytest.approx(6 * 0.2 * 0.25)
    assert terms["known"].item() == pytest.approx(0.2 * 0.75)


def test_distance_of_spectra_counts_holes_alone(left):
    """A constant apart by 0.2 over a quarter: by Parseval the orthonormal spectrum holds all of it."""
    truth = torch.full((1, 1, 8, 8), 0.1)
    term = Inpaint(fft=0.5).fidelity_loss(by_hand(Answer(0.3), truth))["fft"].item()
    apart = torch.zeros(8, 8)
    apart[:, :2] = 0.2
    assert term == pytest.approx(0.5 * torch.view_as_real(torch.fft.rfft2(apart)).abs().mean().item() / 8, rel=1e-5)


def test_generators_side_of_the_game(left):
    """Logits count by the share of hole: 16 px wide, a quarter missing, so half of the left piece of two."""
    truth = torch.full((1, 1, 8, 16), 0.1)
    terms = Inpaint(adversarial=0.5, matching=2.0).generator_loss(by_hand(Answer(0.3), truth))
    logit = 2 * (0.5 * 0.3 + 0.5 * 0.1)
    assert terms["hinge"].item() == pytest.approx(0.5 * (0.5 * -logit + 0.0) / 2)
    assert terms["matching"].item() == pytest.approx(2.0 * (0.2 * 0.25 + 3 * 0.2 * 0.25) / 2)
    terms = Inpaint(adversarial=0.5, game="logistic", matching=0.0).generator_loss(by_hand(Answer(0.3), truth))
    assert set(terms) == {"hole", "known", "logistic"}
    assert terms["logistic"].item() == pytest.approx(0.5 * 0.5 * math.log1p(math.exp(-logit)) / 2, rel=1e-5)


def test_critics_side_of_the_game(left):
    left(0.5)
    truth = torch.full((1, 1, 8, 16), 0.1)
    terms = Inpaint().critic_loss(by_hand(Answer(0.3), truth))
    missing, kept = (1 - 0.2) + (1 + 0.6), (1 - 0.2) + (1 - 0.2)
    assert terms["hinge"].item() == pytest.approx((missing + kept) / 2)
    assert terms.watch["real"].item() == pytest.approx(0.2)
    assert terms.watch["fake"].item() == pytest.approx(0.6)


@pytest.mark.parametrize("critic", [hinge_critic, non_saturating_critic])
def test_known_places_of_a_filled_picture_count_as_real(critic):
    real, fake = torch.tensor([0.5, -2.0, 3.0]), torch.tensor([0.25, 2.0, -1.5])
    zero = torch.zeros(3)
    both_real = critic(real, zero) + critic(fake, zero) - critic(zero, zero)
    for share, wanted in ((1.0, critic(real, fake)), (0.0, both_real)):
        torch.testing.assert_close(game_of_holes(critic, real, fake, torch.full((3,), share)), wanted)


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from(["gated", "fourier"]), st.integers(1, 4))
def test_known_pixels_keep_their_bits(seed, body, channels):
    recipe = Inpaint(body=body, **SMALL)
    networks = built(recipe, Spec(channels, 16, 24))
    draw = Draw(seed)
    image = draw.at("image").uniform(2, channels, 16, 24, low=-1.0)
    known = draw.at("known").keep(0.7, 2, 1, 16, 24).float()
    with torch.no_grad():
        out = recipe.restore(networks, image, known)
        spoiled = recipe.restore(networks, torch.where(known > 0, image, 9.0), known)
    assert torch.equal(out[known.expand_as(out) > 0], image[known.expand_as(out) > 0])
    assert out.abs().max() <= 1 and torch.isfinite(out).all()
    assert torch.equal(out, spoiled)
    assert (out != image)[known.expand_as(out) == 0].float().mean() > 0.9


@pytest.mark.parametrize("known", [None, torch.ones(1, 1, 16, 16)])
def test_nothing_missing_gives_the_picture_itself(known):
    recipe = Inpaint(**SMALL)
    image = Draw(1).at("image").uniform(1, 3, 16, 16, low=-1.0)
    assert torch.equal(recipe.restore(built(recipe, COLOUR16), image, known), image)


@pytest.mark.parametrize("trained", [0, 20])
def test_a_hole_in_a_flat_picture_is_filled_with_its_colour(left, trained):
    """From the start, since the net adds to the mean nearby, and after some steps on other pictures."""
    recipe = Inpaint(width=8, dilations=(1, 2), stage=1.0)
    networks = built(recipe, Spec(1, 16, 16))
    optimizer = torch.optim.Adam(networks.parameters(), lr=1e-3)
    for step in range(trained):
        draw = Draw(0, step=step)
        coarse = draw.at("image").uniform(8, 1, 2, 2, low=-0.9, high=0.9)
        smooth = nn.functional.interpolate(coarse, size=(16, 16), mode="bilinear")
        total = recipe.fidelity_loss(StepContext(networks, {"images": Batch(smooth)}, draw)).total()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    greys = torch.tensor([-0.6, 0.0, 0.7]).reshape(3, 1, 1, 1).expand(3, 1, 16, 16)
    known = torch.ones(3, 1, 16, 16)
    known[..., 5:10, 4:12] = 0
    with torch.no_grad():
        out = recipe.restore(networks, torch.where(known > 0, greys, 0.0), known)
    assert (out - greys).abs().max() < (0.2 if trained else 0.05)


def test_more_than_half_is_never_missing(left):
    clean = torch.zeros(2, 3, 8, 8)
    for share, hole in ((0.25, 0.25), (0.5, 0.5), (0.75, 0.25), (1.0, 0.0)):
        left(share)
        _, _, known = observe("", clean, Draw(0))
        assert known.shape == (2, 1, 8, 8) and 1 - known.mean().item() == pytest.approx(hole)


def test_damage_without_holes_leaves_all_known(monkeypatch):
    """What a damage does to known pixels stays in what is seen; what is wanted is the clean picture."""
    monkeypatch.setattr(inpaint, "parse", lambda words: lambda image, draw: Degraded(image + 0.5))
    clean, image, known = observe("", torch.zeros(1, 1, 4, 4), Draw(0))
    assert clean.eq(0).all() and image.eq(0.5).all() and known.eq(1).all()


def test_figures_inside_holes():
    truth = torch.zeros(3, 1, 4, 4) + 1 / 255  # 128 grey levels
    known = torch.ones(3, 1, 4, 4)
    known[0, :, :2] = 0
    known[1, :, 1, 1] = 0  # the third picture has no hole
    answer = truth + 0.5
    answer[0, :, :2] = truth[0, :, :2] + 2 * 2 / 255
    answer[1, :, 1, 1] = truth[1, :, 1, 1] - 2 * 4 / 255
    psnr, apart = inside(answer, truth, known)
    assert psnr.item() == pytest.approx(20 * (math.log10(255 / 2) + math.log10(255 / 4)) / 2, abs=1e-4)
    assert apart.item() == pytest.approx(100 * (2 + 4) / 2 / 255, abs=1e-4)
    assert [float(x) for x in inside(answer, truth, torch.ones(3, 1, 4, 4))] == [0.0, 0.0]


def test_a_flat_filling():
    image = torch.arange(8.0).reshape(1, 2, 2, 2)
    known = torch.tensor([[[[1.0, 1.0], [0.0, 1.0]]]])
    assert flat(image, known).flatten().tolist() == pytest.approx([0, 1, 4 / 3, 3, 4, 5, 16 / 3, 7])
    assert torch.equal(pasted(image, known, -image).flatten(), torch.tensor([0.0, 1, -2, 3, 4, 5, -6, 7]))


def test_score_is_read_inside_holes_from_the_averaged_net(left):
    truth = Draw(2).at("image").uniform(10, 3, 8, 8, low=-1.0)
    m = by_hand(Answer(5.0), truth)
    worst = Inpaint().score(m)
    tenth = torch.full_like(truth, 2 * 10 / 255)
    near = replace(m, networks=nn.ModuleDict({"generator": Answer(0.0)}), batch={"images": Batch(tenth - tenth)})
    assert float(Inpaint().score(near)["score"]) == 100.0
    ema = replace(near, ema=nn.ModuleDict({"generator": Answer(0.0784314)}))
    found = {k: float(v) for k, v in Inpaint().score(ema).items()}
    assert found["score"] == pytest.approx(20 * math.log10(255 / 10), abs=1e-3)
    assert found["l1_percent"] == pytest.approx(100 * 10 / 255, abs=1e-3)
    assert found["flat"] == 100.0
    assert float(worst["score"]) < float(worst["flat"]) < 15


def test_stages():
    names = {t.name: t for t in Inpaint(stage=0.25).phases()}
    assert list(names) == ["fidelity", "critic", "generator"]
    assert [[n for n, t in names.items() if t.when(p)] for p in (0.0, 0.2, 0.25, 1.0)] == [
        ["fidelity"], ["fidelity"], ["critic", "generator"], ["critic", "generator"],
    ]  # fmt: skip
    assert [t.name for t in Inpaint(stage=0.0).phases()] == ["critic", "generator"]
    alone = make(Inpaint, "fidelity")
    assert [t.name for t in alone.phases()] == ["fidelity"] and set(alone.optimizers()) == {"generator"}
    assert set(built(alone, COLOUR16)) == {"generator"}


def test_rates():
    recipe = Inpaint(stage=0.5, lr=1e-3, lr_end=1e-5, lr_stage=2e-4)
    assert [recipe.rate(p) for p in (0.0, 0.25, 0.5, 1.0)] == pytest.approx([1e-3, (1e-3 + 1e-5) / 2, 2e-4, 2e-4])
    assert Inpaint(stage=0.0).rate(0.0) == 1e-4 and Inpaint(stage=1.0).rate(0.5) == pytest.approx(0.5 * (2e-3 + 1e-5))


@pytest.mark.parametrize("settings", [{}, {"body": "fourier"}, {"game": "logistic", "fft": 0.05}, {"separable": True}])
@pytest.mark.parametrize("spec", [COLOUR16, Spec(1, 8, 12), Spec(4, 16, 8)])
def test_every_parameter_gets_a_finite_gradient(left, settings, spec):
    found = plays(make(Inpaint, **{**SMALL, **settings}), spec)
    assert len(found) == 3


def test_counts_of_the_default():
    """The generator's arithmetic is with its net; the critic is 5x5 convolutions on four channels."""
    networks = built(Inpaint(), Spec(3, 64, 64))
    assert count(networks["generator"]) == 548_236
    pairs = [(4, 32), (32, 64), (64, 128), (128, 128), (128, 1)]
    assert count(networks["critic"]) == sum(25 * a * b + b for a, b in pairs) == count(PatchCritic(3, 32))


def test_what_jobs_ask():
    assert isinstance(Inpaint(), Reconstructs)
    assert (Inpaint().scale, Inpaint().multiple_of, Inpaint().receptive_field) == (1, 4, 273)
    assert Inpaint(body="fourier").receptive_field is None
    assert Inpaint(dilations=[1, 2]) == Inpaint(dilations=(1, 2))
    with pytest.raises(BadInput, match="multiples of 4"):
        Inpaint().check(Spec(3, 64, 66))


def test_tiles_equal_the_whole():
    """A window with a margin of the receptive field gives the pixels of the whole."""
    recipe = Inpaint(width=4, levels=2, dilations=(1,), stage=1.0)
    reach = recipe.receptive_field
    margin = -(-reach // 4) * 4
    networks = built(recipe, Spec(1, 16, 16))
    image = Draw(3).at("image").uniform(1, 1, 8, 4 * margin, low=-1.0)
    known = Draw(3).at("known").keep(0.5, 1, 1, 8, 4 * margin).float()
    with torch.no_grad():
        whole = recipe.restore(networks, image, known)[..., margin : margin + 8]
        part = recipe.restore(networks, image[..., : 2 * margin + 8], known[..., : 2 * margin + 8])
    torch.testing.assert_close(part[..., margin : margin + 8], whole, atol=1e-6, rtol=0)


def test_same_draw_same_holes_other_draw_others():
    recipe = make(Inpaint, "tiny")
    m = context(recipe, Spec(1, 64, 64), 4)
    first, again = recipe.fidelity_loss(m), recipe.fidelity_loss(m)
    other = recipe.fidelity_loss(replace(m, draw=replace(m.draw, step=1)))
    assert first["hole"] == again["hole"] != other["hole"]
    _, _, known = observe(recipe.holes, m.batch["images"].image, m.draw)
    share = 1 - known.mean((1, 2, 3))
    assert ((share > 0) & (share <= 0.5)).all() and set(known.unique().tolist()) == {0.0, 1.0}
