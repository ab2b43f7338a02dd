from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.unit.recipes.contexts import built, context, count, plays
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.losses.fidelity import psnr8
from zeuxis.recipes._damaging import damaged
from zeuxis.recipes.linear import Linear
from zeuxis.recipes.recipe import Batch, Reconstructs, StepContext, make

SPEC = Spec(3, 32, 32)


def test_it_is_one_filter():
    assert count(built(Linear(), SPEC)) == 3 * 3 * 15 * 15 + 3
    assert isinstance(Linear(), Reconstructs)
    assert Linear().receptive_field == 7
    assert Linear(side=3).receptive_field == 1


def of_weight(weight: float, image: torch.Tensor) -> StepContext:
    """A context whose restorer multiplies by a number."""
    m = context(Linear(side=1), Spec(1, 64, 64), n=1)
    m.networks["restorer"].conv.weight.data.fill_(weight)
    return StepContext(m.networks, {"images": Batch(image)}, Draw(1, phase="test"))


def test_the_loss_of_a_wiener_filter():
    """White pictures of variance v, white noise of variance s: (w - 1)^2 v + w^2 s, least at w = v / (v + s)."""
    image = Draw(2).at("white").uniform(16, 1, 64, 64, low=-1.0)
    v, s = 1 / 3, (25 / 127.5) ** 2
    best = v / (v + s)
    losses = {}
    for w in (best, 1.0, 0.5 * best):
        loss = Linear(side=1, flip=False).restorer_loss(of_weight(w, image))["mse"].item()
        assert loss == pytest.approx((w - 1) ** 2 * v + w * w * s, rel=0.02)
        losses[w] = loss
    assert min(losses, key=losses.__getitem__) == best


def test_at_first_it_does_nothing_and_says_what_that_is_worth():
    """Noise of 25 grey levels on flat grey: 20 log10(255 / 25) = 20.17 dB, for the answer as for what was given."""
    m = context(Linear(), SPEC)
    flat = torch.zeros(20, 3, 64, 64)
    found = Linear().score(StepContext(m.networks, {"images": Batch(flat)}, Draw(0)))
    assert found["given"].item() == pytest.approx(20.17, abs=0.05)
    assert torch.equal(found["score"], found["given"])


def test_score_reads_the_averaged_net():
    m = context(Linear(), SPEC)
    m.networks["restorer"].conv.bias.data.fill_(0.5)
    twin = nn.ModuleDict({"restorer": nn.Identity()})
    found = Linear(damage="clean").score(replace(m, ema=twin))
    assert found["score"].item() == found["given"].item() == 100.0
    assert Linear(damage="clean").score(m)["score"] < 20


def test_held_out_pictures_are_damaged_alike_in_any_portion():
    m = context(Linear(), SPEC, n=20)
    image = m.batch["images"].image
    whole = psnr8(damaged(image, "noise=25", m.draw).image, image)
    assert Linear().score(m)["given"].item() == pytest.approx(whole.mean().item(), abs=1e-4)


def test_a_grey_sample_is_wanted_grey():
    """Damage that says what it wants back is believed."""
    m = context(Linear(), SPEC)
    image = m.batch["images"].image
    terms = Linear(damage="grey", flip=False).restorer_loss(m)
    assert terms["mse"].item() == pytest.approx(0.0, abs=1e-12)
    assert image.std() > 0.5


def test_it_plays_and_restores():
    plays(Linear(side=5), SPEC, steps=2)
    networks = built(Linear(), SPEC).eval()
    image = 3 * torch.ones(2, 3, 9, 14)
    assert torch.equal(Linear().restore(networks, image), torch.ones(2, 3, 9, 14))


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"side": 4}, "no middle"), ({"damage": "nois=3"}, "noise"), ({"damage": "down=2"}, "changes the size")],
)
def test_bad_settings(settings, words):
    with pytest.raises(BadInput, match=words):
        make(Linear, None, **settings).check(SPEC)
