"""The catalog: names from files, descriptions from their text, classes when used."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from zeuxis import catalog
from zeuxis.errors import BadInput

TOY = '''"""{about}

More words.
"""

from dataclasses import dataclass

from zeuxis.recipes.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Toy(Recipe):
    """A class."""

    width: int = 4
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the package's recipes are looked for in too; what is imported from it is forgotten again."""
    import zeuxis.recipes

    before = set(sys.modules)
    zeuxis.recipes.__path__.append(str(tmp_path))
    yield tmp_path
    zeuxis.recipes.__path__.remove(str(tmp_path))
    for name in set(sys.modules) - before:
        if name.startswith("zeuxis.recipes.") and str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
            delattr(zeuxis.recipes, name.rpartition(".")[2])


def point(name: str, value: str) -> metadata.EntryPoint:
    return metadata.EntryPoint(name, value, catalog.GROUP)


def third_parties(monkeypatch: pytest.MonkeyPatch, *points: metadata.EntryPoint) -> None:
    monkeypatch.setattr(catalog, "metadata", SimpleNamespace(entry_points=lambda group: list(points)))


def test_every_recipe_of_the_package_is_listed_described_and_loads() -> None:
    names = catalog.names()
    assert names == sorted(names) and names
    assert not {"recipe", "__init__"} & set(names)
    described = catalog.describe()
    assert list(described) == names
    for name, words in described.items():
        assert words, f"{name} has no docstring"
        cls = catalog.load(name)
        assert cls.__module__ == f"zeuxis.recipes.{name}"


def test_a_dropped_file_is_a_recipe(folder: Path) -> None:
    (folder / "toy_gan.py").write_text(TOY.format(about="A toy that learns nothing."))
    (folder / "_helper.py").write_text("")
    assert "toy_gan" in catalog.names() and "_helper" not in catalog.names()
    assert catalog.describe()["toy_gan"] == "A toy that learns nothing."
    for spelling in ("toy_gan", "toy-gan", "TOY-GAN", " Toy_Gan "):
        assert catalog.load(spelling).__name__ == "Toy"


def test_the_description_is_read_and_not_run(folder: Path) -> None:
    (folder / "trap.py").write_text('raise RuntimeError\n\nclass Trap:\n    """Said by the class."""\n')
    (folder / "broken.py").write_text('"""Never closed\n')
    (folder / "bare.py").write_bytes(b"x = 1\n")
    described = catalog.describe()
    assert (described["trap"], described["broken"], described["bare"]) == ("Said by the class.", "", "")


def test_unknown_names_the_nearest(folder: Path) -> None:
    (folder / "toy_gan.py").write_text(TOY.format(about="A toy."))
    with pytest.raises(BadInput, match="unknown recipe `toy-gam`; did you mean `toy_gan`?"):
        catalog.load("toy-gam")
    with pytest.raises(BadInput, match="unknown recipe `zzzz`; known: "):
        catalog.load("zzzz")


def test_two_of_a_name_are_refused(folder: Path) -> None:
    (folder / "toy_gan.py").write_text(TOY.format(about="A toy."))
    (folder / "toy-gan.py").write_text(TOY.format(about="Another."))
    with pytest.raises(BadInput, match="two recipes are called `toy_gan`") as caught:
        catalog.names()
    assert "toy-gan.py" in caught.value.where and "toy_gan.py" in caught.value.where


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "holds no recipe"), (TOY + "\nclass Second(Toy):\n    pass\n", "holds several recipes: Toy, Second")],
)
def test_a_module_holds_one_recipe(folder: Path, text: str, words: str) -> None:
    (folder / "odd_one.py").write_text(text.format(about="Odd."))
    with pytest.raises(BadInput, match=words):
        catalog.load("odd_one")


def test_an_imported_recipe_is_not_the_modules_own(folder: Path) -> None:
    (folder / "toy_gan.py").write_text(TOY.format(about="A toy."))
    (folder / "borrower.py").write_text(
        TOY.format(about="Borrows.").replace("class Toy", "class Own") + "\nfrom zeuxis.recipes.toy_gan import Toy\n"
    )
    assert catalog.load("borrower").__name__ == "Own"


class TestThirdParties:
    @pytest.fixture
    def package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        package = tmp_path / "strangers"
        package.mkdir()
        (package / "__init__.py").write_text("import sys\nsys.modules['strangers_were_imported'] = sys\n")
        (package / "far_gan.py").write_text(TOY.format(about="From afar."))
        monkeypatch.syspath_prepend(str(tmp_path))
        yield package
        for name in [m for m in sys.modules if m.startswith("strangers")]:
            del sys.modules[name]

    @pytest.mark.parametrize("value", ["strangers.far_gan", "strangers.far_gan:Toy"])
    def test_listed_without_import_and_loaded_by_name(
        self, package: Path, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        third_parties(monkeypatch, point("far-gan", value))
        assert catalog.describe()["far_gan"] == "From afar."
        assert "strangers_were_imported" not in sys.modules
        assert catalog.load("far_gan").__name__ == "Toy"

    def test_a_name_of_the_package_is_taken(self, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        taken = catalog.names()[0]
        third_parties(monkeypatch, point(taken, f"strangers.{taken}"))
        with pytest.raises(BadInput, match=f"two recipes are called `{taken}`"):
            catalog.names()

    def test_name_and_module_agree(self, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        third_parties(monkeypatch, point("near", "strangers.far_gan"))
        with pytest.raises(BadInput, match="the entry point `near` names the module `strangers.far_gan`"):
            catalog.names()

    def test_one_that_cannot_be_imported_says_so(self, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (package / "ill.py").write_text('"""Ill."""\nimport no_such_module_at_all\n')
        third_parties(monkeypatch, point("ill", "strangers.ill"), point("gone", "nowhere.at.gone"))
        assert catalog.describe()["ill"] == "Ill." and catalog.describe()["gone"] == ""
        for name in ("ill", "gone"):
            with pytest.raises(BadInput, match=f"the recipe `{name}` cannot be imported"):
                catalog.load(name)

    def test_a_wrong_attribute_is_no_recipe(self, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        third_parties(monkeypatch, point("far_gan", "strangers.far_gan:dataclass"))
        with pytest.raises(BadInput, match="holds no recipe"):
            catalog.load("far_gan")


def test_listing_loads_nothing_heavy() -> None:
    code = (
        "import sys; from zeuxis import catalog; catalog.describe(); "
        "print(*{'torch', 'numpy', 'PIL', 'zeuxis.recipes.recipe'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
