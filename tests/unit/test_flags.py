"""What the help of a recipe tells: every field with its default and where that comes from."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from zeuxis import catalog, cli, flags
from zeuxis.augment.policies import DOMAINS
from zeuxis.errors import BadInput
from zeuxis.recipes.recipe import Recipe

BELOW = """
from dataclasses import dataclass
from zeuxis.recipes.cgan import CGAN

@dataclass(frozen=True, kw_only=True)
class Below(CGAN):
    width: int = (
        16
    )  # own: 100 % guessed
    more: int = 3
"""


def help_of(recipe: str) -> str:
    return "".join(cli.parser_for("train", recipe).format_help().split())  # lines break at hyphens too


@pytest.mark.parametrize("name", catalog.names())
def test_every_field_says_where_its_value_comes_from(name: str) -> None:
    cls, text = catalog.load(name), help_of(name)
    told = flags.sources(cls)
    for field in dataclasses.fields(cls):
        assert "".join(f"default: {field.default}; {told[field.name]}".split()) in text, field.name


def test_every_kind_of_picture_can_be_said() -> None:
    """The command line names them itself, to load nothing heavy for its help."""
    domain = next(a for a in cli.parser_for("augment", None)._actions if a.dest == "domain")
    assert set(domain.choices or ()) == set(DOMAINS)


def test_help_twice_is_the_same_and_other_words_have_no_sources() -> None:
    parser = cli.parser_for("train", "vae")
    assert parser.format_help() == parser.format_help()
    assert "default: 32; own: convolutions 32-64-128" in " ".join(parser.format_help().split())


def test_a_recipe_below_another_and_one_without_source_code(tmp_path: Path) -> None:
    (tmp_path / "below.py").write_text(BELOW)
    code = (
        "import below\nfrom zeuxis import flags\nfound = flags.sources(below.Below)\n"
        "print(found['width'], '|', found['beta1'], '|', 'more' in found)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "own: 100 % guessed | SNGAN and sweep | False\n"
    made = dataclasses.make_dataclass("Made", [("width", int, 3)], bases=(Recipe,), frozen=True, kw_only=True)
    assert "width" not in flags.sources(made)


def test_choices_that_are_numbers() -> None:
    words = ["compact", "photos", "--run", "r", "--steps", "1"]
    assert cli.parser_for("train", "compact").parse_args([*words, "--scale", "2"]).scale == 2
    with pytest.raises(BadInput, match="scale"):
        cli.parser_for("train", "compact").parse_args([*words, "--scale", "5"])
