from dataclasses import replace

import pytest
import torch

from tests.unit.recipes.contexts import built, context, count, plays
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.nets.autoencoding import ConvDecoder, ConvEncoder
from zeuxis.recipes.autoencoder import Autoencoder
from zeuxis.recipes.recipe import Batch, Embeds, Reconstructs, StepContext, make
from zeuxis.weights import bundled, store

SPEC = Spec(3, 32, 32)


def test_the_bodies():
    conv, vector = built(Autoencoder(), SPEC), built(make(Autoencoder, "vector"), SPEC)
    assert count(conv) == 50_163
    assert count(vector) == count(ConvEncoder(3, (32, 32), 32, 32)) + count(ConvDecoder(3, (32, 32), 64, 32))
    assert isinstance(Autoencoder(), Reconstructs) and isinstance(Autoencoder(), Embeds)


def test_geometry():
    conv, vector = Autoencoder(levels=3), make(Autoencoder, "vector")
    assert conv.multiple_of == conv.stride(SPEC) == 8
    assert conv.receptive_field is not None
    assert (vector.multiple_of, vector.receptive_field) == (1, None)
    with pytest.raises(BadInput, match="multiples of 4"):
        Autoencoder().check(Spec(3, 30, 32))
    vector.check(Spec(3, 30, 31))


def test_codes_are_as_small_as_stated():
    image = torch.zeros(2, 3, 32, 32)
    conv, vector = Autoencoder(), make(Autoencoder, "vector")
    assert conv.features(built(conv, SPEC), image).shape == (2, 48 * 8 * 8)
    assert vector.features(built(vector, SPEC), image).shape == (2, 64)


@pytest.mark.parametrize("preset", ["tiny", "vector"])
def test_the_loss_of_a_net_that_gives_grey(preset):
    """With all weights zero the answer is mid-grey, whatever the noise: the mean square of the pictures."""
    recipe = make(Autoencoder, preset)
    m = context(recipe, SPEC)
    for p in m.networks.parameters():
        p.data.zero_()
    image = m.batch["images"].image
    assert recipe.restorer_loss(m)["mse"].item() == pytest.approx(image.square().mean().item(), rel=1e-5)
    found = recipe.score(StepContext(m.networks, {"images": Batch(torch.zeros(3, 3, 32, 32))}, Draw(0)))
    assert found["score"].item() == 100.0
    assert found["given"].item() == pytest.approx(20.17, abs=0.1)


@pytest.mark.parametrize("body", ["conv", "latent"])
def test_it_plays(body):
    plays(Autoencoder(body=body, width=8, latent=8, code=6), SPEC)


def test_a_vector_needs_two_halves():
    with pytest.raises(BadInput, match="two halves"):
        Autoencoder(body="latent", latent=7).check(SPEC)


def test_where_there_is_nothing_to_undo_the_rival_is_a_small_picture():
    """A net that gives grey is worse than the pictures shrunk by 4; flat pictures are kept by that to the last bit."""
    recipe = make(Autoencoder, "map")
    assert recipe.yardstick(SPEC).rival == "shrunk" and "by 4" in recipe.yardstick(SPEC).doing
    m = context(recipe, SPEC)
    found = recipe.score(m)
    assert set(found) == {"score", "shrunk"} and 5 < found["shrunk"] < 60
    assert make(Autoencoder, "vector").yardstick(SPEC).rival == Autoencoder().yardstick(SPEC).rival == "given"


def test_a_square_that_does_not_fit_is_mended_by_patch():
    with pytest.raises(BadInput, match="not 30x30; use `--patch 28`"):
        Autoencoder().check(Spec(3, 30, 30))


def test_the_decoder_sees_maps_that_are_off_by_as_much_as_was_asked_for():
    """Of a net that gives pictures back well, the error grows with the noise."""
    errors = []
    trained, _ = store.load(bundled.path_of("autoencoder-4"))
    for noise in (0.0, 0.4, 1.6):
        recipe = make(Autoencoder, "map", noise=noise, gan=0.0)
        m = context(recipe, SPEC)
        m.networks.load_state_dict(trained)
        errors.append(float(recipe.restorer_loss(m).total().detach()))
    assert errors[0] < errors[1] < errors[2]


def test_the_game_of_the_maps():
    """The critic learns from the first step, the decoder heeds it later; other bodies have none."""
    recipe = make(Autoencoder, "map", width=8, critic_width=4)
    plays(recipe, SPEC)
    early, late = context(recipe, SPEC), replace(context(recipe, SPEC), progress=0.5)
    assert recipe.restorer_loss(early)["game"].item() == 0.0 < recipe.restorer_loss(late)["game"].item()
    due = replace(early, step=recipe.lazy - 1)
    assert set(recipe.critic_loss(early)) == {"relativistic"} and recipe.critic_loss(due)["penalty"].item() > 0
    assert "critic" not in built(make(Autoencoder, "map", gan=0.0), SPEC)
    with pytest.raises(BadInput, match="trained without a critic"):
        Autoencoder(gan=0.1).check(SPEC)
