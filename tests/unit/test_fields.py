"""Fields read from the text of a recipe's file are those of the class that is imported."""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Literal

import pytest

from zeuxis import catalog
from zeuxis.catalog import Entry
from zeuxis.errors import BadInput
from zeuxis.fields import Field, fields_of, of_class


@pytest.mark.parametrize("name", catalog.names())
def test_the_text_tells_what_the_class_tells(name: str) -> None:
    found = fields_of(name)
    assert found == of_class(catalog.load(name)) and all(field.source for field in found.fields)
    assert [type(f.default) for f in found.fields] == [type(f.default) for f in of_class(catalog.load(name)).fields]


def test_nothing_of_the_catalog_is_imported() -> None:
    code = "import sys\nfrom zeuxis import catalog\nfrom zeuxis.fields import fields_of\n"
    code += "for name in catalog.names():\n    fields_of(name)\n"
    code += "print([m for m in ('torch', 'numpy', 'zeuxis.recipes.recipe') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_an_unknown_one_names_the_nearest() -> None:
    with pytest.raises(BadInput, match="did you mean `dcgan`"):
        fields_of("dcgam")


SHARED = """
    from typing import Annotated, Literal
    Kind = Literal["a", "b"]
    Many = Annotated[int, ("from", 1)]
    SIDE = 4
"""
BELOW = """
    import typing
    from dataclasses import dataclass, field
    from typing import Annotated, ClassVar, Literal
    from shared_words import SIDE, Kind, Many as Number
    from zeuxis.recipes.cgan import CGAN

    OWN = SIDE * 8

    @dataclass
    class NoRecipe:
        thing: int = 1

    @dataclass(frozen=True, kw_only=True)
    class Below(CGAN):
        width: Annotated[int, "1 or more"] = (
            16
        )  # own: 100 % guessed
        more: "int | None" = None
        kind: Kind = "b"  # the paper
        scale: Literal[2, 3] = 3
        number: Number = 1 << 20
        rates: tuple[float, ...] = (1e-3, -2.0)
        side: typing.Optional[int] = OWN
        plain: float = field(default=2 / 4, repr=False)
        presets: ClassVar = {"small": {"width": 4}}
"""
UNCLEAR = """
    from dataclasses import dataclass
    from zeuxis.recipes.recipe import Recipe

    def chosen():
        return 3

    @dataclass(frozen=True, kw_only=True)
    class Unclear(Recipe):
        width: int = chosen()  # by hand
"""


def _entry(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, text: str) -> None:
    (folder / "shared_words.py").write_text(textwrap.dedent(SHARED))
    (folder / f"{name}.py").write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(catalog, "_third_parties", lambda: [Entry(name, name, "", folder / f"{name}.py", "a package")])


def test_a_recipe_of_others_below_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _entry(monkeypatch, tmp_path, "below_words", BELOW)
    found = fields_of("below-words")
    assert "below_words" not in sys.modules
    by_name = {field.name: field for field in found.fields}
    assert by_name["width"] == Field("width", int, 16, "own: 100 % guessed")
    assert by_name["kind"] == Field("kind", Literal["a", "b"], "b", "the paper")
    assert by_name["beta1"].source == "SNGAN and sweep" and by_name["side"].default == 32
    assert found.presets == ("small",)
    assert found == of_class(catalog.load("below_words"))


def test_where_the_text_does_not_tell_the_class_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _entry(monkeypatch, tmp_path, "unclear_words", UNCLEAR)
    assert fields_of("unclear_words").fields == (Field("width", int, 3, "by hand"),)
    assert "unclear_words" in sys.modules
