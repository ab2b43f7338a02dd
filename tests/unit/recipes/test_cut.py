"""CUT: the contrast of places, by one net for both collections."""

import dataclasses
import math

import pytest
import torch

from tests.unit.recipes.contexts import built
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.recipes.cut import CUT
from zeuxis.recipes.recipe import Batch, StepContext, make

SPEC = Spec(3, 16, 16, target=3)
TINY = {"width": 4, "critic_width": 4, "blocks": 2, "halvings": 1, "patches_seen": 9, "dim": 8, "batch": 2}


def moment(recipe: CUT) -> StepContext:
    batch = {side: Batch(torch.rand(2, 3, 16, 16) * 2 - 1) for side in ("a", "b")}
    return StepContext(built(recipe, SPEC), batch, Draw(2, phase="t"), state=recipe.state(SPEC))


def test_a_picture_tells_its_own_places_and_is_no_worse_than_by_chance():
    recipe = CUT(**TINY)
    m = moment(recipe)
    image = m.batch["a"].image
    keys = [x.detach() for x in m.networks["translator"].read(image, 2)[1]]
    same = recipe._contrast(m, keys, image, None)
    other = recipe._contrast(m, keys, image.flip(0), None)
    assert same.shape == (2,) and bool((same < math.log(9)).all()) and bool((same < other).all())


def test_places_are_different_ones_and_alike_for_what_stays():
    recipe = CUT(**TINY)
    places = recipe._places(moment(recipe), 0, torch.zeros(4, 1, 4, 4))
    assert places.shape == (4, 9) and all(len(set(row)) == 9 for row in places.tolist())
    assert torch.equal(places[:2], places[2:])


def test_without_same_only_what_is_translated_is_compared():
    whole, fast = CUT(**TINY), CUT(**{**TINY, "same": False})
    seen = []
    for recipe in (whole, fast):
        m = moment(recipe)
        seen += [len(x) for x in read_by(recipe, m)[:1]]
    assert seen == [4, 2]


def read_by(recipe: CUT, m: StepContext) -> list[torch.Tensor]:
    """What the translator reads in a step: what is given, and what was made of it."""
    translator, seen = m.networks["translator"], []
    read = translator.read
    translator.read = lambda x, *how: (seen.append(x), read(x, *how))[1]
    recipe.translator_loss(m)
    return seen


def test_half_of_the_pictures_are_translated_mirrored_and_their_places_told_unmirrored():
    recipe = CUT(**TINY, turned=True)
    m = moment(recipe)
    image = torch.cat([m.batch[side].image for side in ("a", "b")])
    m = StepContext(m.networks, m.batch, Draw(1, phase="t"), state=m.state)
    turned = recipe._turned(m, 4)
    assert turned.tolist()[:2] == turned.tolist()[2:] and any(turned.tolist()) and not all(turned.tolist())
    seen = read_by(dataclasses.replace(recipe, flip=False), m)
    given, keys = seen[0], seen[1]
    assert torch.equal(keys, image) and torch.equal(
        given, torch.where(turned[:, None, None, None], image.flip(3), image)
    )


def test_the_fast_preset_does_not_take_the_weight_that_copies():
    fast = make(CUT, "fast")
    assert (fast.same, fast.contrast, fast.turned) == (False, 2.0, True)


def test_other_channels_are_refused():
    with pytest.raises(BadInput, match="those of the other 1, and cut compares"):
        CUT(**TINY).check(Spec(3, 16, 16, target=1))
