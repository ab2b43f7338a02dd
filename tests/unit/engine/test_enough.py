"""Whether a budget is enough, in words: one definition for `train` and `augment`."""

from pathlib import Path

import pytest

from zeuxis import catalog
from zeuxis.data.dataset import Spec
from zeuxis.engine.enough import enough, given_by, verdict_of
from zeuxis.recipes.recipe import Need, make

NEED = Need(28, False, 5_000, 40_000, "a run")
GREY, PHOTO = Spec(1, 28, 28), Spec(3, 64, 64)


@pytest.mark.parametrize(
    ("images", "verdict"),
    [(1, "hopeless"), (5_000, "hopeless"), (5_001, "far short"), (19_999, "far short"), (20_000, "a little short"),
     (39_999, "a little short"), (40_000, "enough"), (10**9, "enough")],
)  # fmt: skip
def test_a_budget_against_a_need(images, verdict):
    assert verdict_of(images, NEED) == verdict and verdict_of(images, None) == "not measured"


def test_the_words_say_need_time_and_budget():
    few = make(catalog.load("r3gan"), "few")
    found = enough(few, PHOTO, 5_000, 85.0)
    assert found.verdict == "hopeless" and found.warns
    assert "64x64 px colour pictures: r3gan needs about 300,000 images (an estimate: " in found.words
    assert ", 58 min 49 s here at 85 images/s; this budget of 5,000 images is hopeless" in found.words
    assert " here " not in enough(few, PHOTO, 5_000, None).words
    cgan = make(catalog.load("cgan"))
    assert "(measured: on fashion-mini)" in enough(cgan, GREY, 50_000, None).words
    assert not enough(cgan, GREY, 50_000, None).warns
    wide = enough(make(catalog.load("cgan"), width=64), GREY, 50_000, None)
    assert wide.verdict == "not measured" and "with these settings was not measured" in wide.words


def test_what_to_expect_is_said_with_the_time_that_it_takes_here():
    recipe = make(catalog.load("latentgan"), "quick")
    (first, rough), (second, good) = recipe.need(PHOTO).stages
    said = enough(recipe, PHOTO, 60_000, second / 600).words
    assert f", then {good} after {second:,} images, 10 min 00 s here, at 250 images/s (measured: " in said
    assert said.endswith(f"; from this budget of 60,000 images expect {rough}")
    assert given_by(recipe, PHOTO, second - 1) == (
        f"{second - 1:,} images of training give {rough}, going by other runs."
    )
    assert given_by(make(catalog.load("cgan")), PHOTO, 10**6) == ""
    plain = enough(recipe, PHOTO, first - 1, None).words
    assert f": latentgan draws {rough} after {first:,} images, then {good} after {second:,} images (measured: " in plain
    assert plain.endswith("expect no recognisable shapes yet") and " here" not in plain
    assert enough(recipe, PHOTO, second, 150.0).words.endswith(f"from this budget of {second:,} images expect {good}")
    assert enough(recipe, Spec(4, 64, 64), 1, None).words.startswith("64x64 px colour pictures with transparency: ")


LATENT, BY_CHANCE = catalog.load("latentgan"), 28_000


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("side", "trunks"), [(48, False), (64, True), (96, False), (128, True), (192, False)])
def test_trunks_that_know_open_pictures_need_fewer_images(side, trunks, channels):
    spec = Spec(channels, side, side)
    assert (make(LATENT, "quick").need(spec).stages[0][0] < BY_CHANCE) is trunks
    for other in (make(LATENT), make(LATENT, "quick", pretrained=False)):
        assert other.need(spec).stages[0][0] == BY_CHANCE


def test_what_a_need_promises_is_what_the_run_begins_with():
    assert make(LATENT, "quick", pretrained=True).need(PHOTO).stages[0][0] < BY_CHANCE
    for fields, spec in (({}, Spec(3, 48, 64)), ({"factor": 8}, PHOTO), ({}, Spec(4, 64, 64)), ({"latent": 32}, PHOTO)):
        assert make(LATENT, "quick", **fields).need(spec).stages[0][0] == BY_CHANCE


@pytest.mark.parametrize("name", catalog.names())
def test_every_need_can_be_true(name):
    recipe = catalog.load(name)
    for preset in (None, *recipe.presets):
        made = make(recipe, preset)
        for spec in (GREY, PHOTO, Spec(3, 32, 32), Spec(1, 256, 256)):
            found = enough(made, spec, 1000, 100.0)
            assert found.words and found.verdict != "enough"
    for need in recipe.needs:
        assert list(need.stages) == sorted(need.stages) and need.enough == (need.stages or [(need.enough,)])[-1][0]
        assert 0 < need.hopeless < need.enough and need.source and set(need.when) <= set(recipe.__dataclass_fields__)


def test_the_docs_list_every_need_as_it_is():
    text = (Path(__file__).parents[3] / "docs" / "measured.md").read_text("utf-8")
    rows = [line for line in text.split("## What a recipe needs")[1].splitlines() if line.startswith("| ")][2:]
    needs = [
        f"| {name} | {'colour' if n.colour else 'grey'}, up to {n.side} px | {n.hopeless:,} | {n.enough:,}"
        f"{' (estimate)' if n.estimate else ''} | {n.source} |"
        for name in catalog.names()
        for n in catalog.load(name).needs
    ]
    assert rows == needs
