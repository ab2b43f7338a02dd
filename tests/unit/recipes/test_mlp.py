import pytest
import torch

from tests.unit.recipes.contexts import built, context, count, plays
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.losses.fidelity import mse
from zeuxis.recipes._damaging import damaged
from zeuxis.recipes.mlp import MLP
from zeuxis.recipes.recipe import Batch, Reconstructs, StepContext, make

SPEC = Spec(3, 24, 24)


def test_counts_of_the_default_and_the_large():
    assert count(built(MLP(), SPEC)) == (3 * 169 * 128 + 128) + (128 * 128 + 128) + (128 * 147 + 147) == 100_499
    with torch.device("meta"):
        large = make(MLP, "large").networks(Spec(1, 24, 24))
    hidden = 289 * 2047 + 2047 + 3 * (2047 * 2047 + 2047)
    assert count(large) == hidden + 2047 * 289 + 289
    assert [conv.kernel_size for conv in large["restorer"].middle] == [(1, 1)] * 3


def test_geometry():
    assert isinstance(MLP(), Reconstructs)
    assert (MLP().receptive_field, MLP().multiple_of) == (6 + 3, 1)
    large = make(MLP, "large")
    assert (large.receptive_field, large.multiple_of) == (16, 3)


def test_the_loss_at_first_is_that_of_doing_nothing():
    m = context(MLP(), SPEC)
    seen = damaged(m.batch["images"].image, "noise=25", m.draw)
    terms = MLP(flip=False).restorer_loss(m)
    torch.testing.assert_close(terms["mse"], mse(seen.image, m.batch["images"].image))
    assert terms["mse"].item() == pytest.approx((25 / 127.5) ** 2, rel=0.05)


def test_without_the_picture_added_the_patch_itself_is_given():
    recipe = MLP(residual=False, width=8, seen=5, given=3)
    m = context(recipe, SPEC)
    net = m.networks["restorer"]
    net.last.weight.data.zero_()
    net.last.bias.data.fill_(0.25)
    image = m.batch["images"].image
    assert recipe.restorer_loss(m)["mse"].item() == pytest.approx(mse(torch.full_like(image, 0.25), image).item())


def test_tiles_on_the_grid_equal_the_whole():
    recipe = MLP(width=8, seen=7, given=5, step=2, residual=False)
    networks = built(recipe, SPEC).eval()
    image = Draw(0).at("image").uniform(1, 3, 40, 24, low=-1.0)
    whole = recipe.restore(networks, image)
    margin = -(-recipe.receptive_field // recipe.multiple_of) * recipe.multiple_of
    start, stop = 20 - margin, 28 + margin
    assert start % recipe.multiple_of == 0
    tile = recipe.restore(networks, image[:, :, start:stop])
    torch.testing.assert_close(tile[:, :, margin:-margin], whole[:, :, 20:28])


def test_it_plays_and_scores():
    recipe = MLP(width=8, seen=5, given=3)
    plays(recipe, SPEC, steps=2)
    m = context(recipe, SPEC)
    found = recipe.score(StepContext(m.networks, {"images": Batch(torch.zeros(3, 3, 64, 64))}, Draw(0)))
    assert found["given"].item() == pytest.approx(20.17, abs=0.05)
    assert torch.equal(found["score"], found["given"])


@pytest.mark.parametrize(
    ("settings", "words"), [({"seen": 6}, "middle"), ({"given": 15}, "middle"), ({"step": 8}, "gaps")]
)
def test_bad_settings(settings, words):
    with pytest.raises(BadInput, match=words):
        make(MLP, None, **settings).check(SPEC)
