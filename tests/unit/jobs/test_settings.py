"""Settings out of their range are refused before anything is written; the kind of picture is guessed and said."""

import math
from dataclasses import dataclass, fields
from typing import get_type_hints

import pytest

from tests.stories.commands import TINY, inside, pictures, tree, typed
from zeuxis import catalog
from zeuxis.errors import BadInput
from zeuxis.jobs.training import check_settings, with_domain
from zeuxis.recipes.recipe import Recipe, Share, make


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = tmp_path_factory.mktemp("world")
    pictures(world / "mnist", ("a", "b"), 24)
    return world


@pytest.mark.parametrize("name", catalog.names())
def test_all_presets_are_within_the_ranges(name):
    recipe = catalog.load(name)
    for preset in (None, *recipe.presets):
        check_settings(make(recipe, preset))


@pytest.mark.parametrize(
    ("recipe", "setting", "says"),
    [
        ("cgan", {"critic_steps": 0}, "--critic-steps must be 1 or more, not 0"),
        ("wgan_gp", {"critic_steps": 0}, "--critic-steps must be 1 or more"),
        ("cgan", {"generator_batches": 0}, "--generator-batches must be 1 or more"),
        ("r3gan", {"lazy": 0}, "--lazy must be 1 or more"),
        ("r3gan", {"augment_speed": 0}, "--augment-speed must be 1 or more"),
        ("r3gan", {"widths": (8, 0)}, "--widths must be 1 or more"),
        ("progan", {"full": 0.0}, "--full must be above zero and at most 1, not 0"),
        ("progan", {"full": 1.5}, "--full must be above zero"),
        ("dcgan", {"beta1": 1.0}, "--beta1 must be zero or more and below 1, not 1"),
        ("classifier", {"share": 1.5}, "--share must be 0 to 1, not 1.5"),
        ("dcgan", {"lr": -1.0}, "--lr must be zero or more, not -1"),
        ("dcgan", {"lr": float("nan")}, "--lr must be zero or more, not nan"),
    ],
)
def test_out_of_range(recipe, setting, says):
    with pytest.raises(BadInput, match=says):
        check_settings(make(catalog.load(recipe), None, **setting))


@dataclass(frozen=True, kw_only=True)
class New(Recipe):
    """A recipe of somebody else, whose fields are called like ours and mean other things."""

    lr: float = 0.0
    width: int = 0
    shifts: tuple[Share, ...] = (0.5,)


def test_a_range_belongs_to_the_field_and_not_to_its_name():
    check_settings(New(lr=-1.0, width=-3))
    for setting, says in (
        ({"lr": math.inf}, "--lr must be a finite number"),
        ({"shifts": (0.5, 2.0)}, "0 to 1, not 2"),
    ):
        with pytest.raises(BadInput, match=says):
            check_settings(New(**setting))


@pytest.mark.parametrize("name", catalog.names())
def test_every_number_of_the_recipes_here_has_a_range(name):
    hints = get_type_hints(catalog.load(name), include_extras=True)
    plain = {f.name for f in fields(catalog.load(name)) if hints[f.name] in (int, float)}
    assert plain == set()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("train cgan ./mnist --run r --steps 2 --critic-steps 0", "--critic-steps must be 1 or more"),
        ("train progan ./mnist --run r --steps 2 --full 0", "--full must be above zero"),
        ("augment ./mnist --study st --recipe cgan --generator lr=-1", "--generator lr must be zero or more, not -1"),
        (
            "augment ./mnist --study st --recipe cgan --generator critic_steps=0",
            "--generator critic-steps must be 1 or more",
        ),
        ("augment ./mnist --study st --classifier lr=-1", "--classifier lr must be zero or more"),
        ("augment ./mnist --study st --classifier policy=strong", "`--classifier policy` is set by the study itself"),
        ("augment ./mnist --study st --classifier share=0.5", "`--classifier share` is set by the study itself"),
    ],
)
def test_refused_with_one_line_and_nothing_written(world, line, says):
    before = tree(world)
    with inside(world):
        done = typed(*line.split())
    assert done.code == 2 and len(done.errors) == 1 and says in done.errors[0], done
    assert tree(world) == before


@pytest.mark.parametrize(
    ("recipe", "source", "given", "domain", "said"),
    [
        ("classifier", "mnist", {"policy": "light"}, "digits", True),
        ("classifier", "mnist:/data/raw", {"policy": "strong"}, "digits", True),
        ("classifier", "mnist", {}, "digits", False),
        ("classifier", "mnist", {"policy": "light", "domain": "photo"}, "photo", False),
        ("classifier", "fashion-mini", {"policy": "light"}, "garments", True),
        ("r3gan", "mnist", {"augment": "ada"}, "digits", True),
        ("r3gan", "fashion-mini", {"augment": "adaptive"}, "photo", True),
        ("r3gan", "mnist", {"augment": "diffaugment"}, "digits", False),
        ("cgan", "mnist", {}, None, False),
        ("latentgan", "mnist", {}, "digits", True),
        ("latentgan", "mnist", {"flip": False}, "digits", False),
        ("latentgan", "fashion-mini", {}, "photo", False),
    ],
)
def test_the_domain_is_guessed_in_training_and_said(capsys, recipe, source, given, domain, said):
    found = with_domain(make(catalog.load(recipe), None, **given), source, given)
    assert getattr(found, "domain", None) == domain
    assert ("zeuxis: augmenting as" in capsys.readouterr().err) is said


def test_a_run_on_digits_keeps_the_domain(world, tmp_path):
    from zeuxis.runs import Run

    with inside(world):
        done = typed("train", "classifier", "./mnist", "--policy", "light", "--run", str(tmp_path / "r"), *TINY)
    assert done.code == 0 and done.err.count("augmenting as digits, guessed from the name") == 1
    assert Run.open(tmp_path / "r").recipe.domain == "digits"
