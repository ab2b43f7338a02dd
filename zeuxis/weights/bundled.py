"""The weights that come with the package: safetensors files, each with a card beside it."""

from pathlib import Path

from zeuxis.errors import BadInput, nearest
from zeuxis.weights import store

FOLDER = Path(__file__).parent / "bundled"


def names() -> list[str]:
    """Names of the bundled weights, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def path_of(name: str) -> Path:
    """The file of bundled weights. Raises BadInput for an unknown name."""
    if name not in names():
        raise BadInput(f"no weights called `{name}` come with the package", "", nearest(name, names()))
    return FOLDER / f"{name}.safetensors"


def of_recipe(recipe: str) -> list[str]:
    """Names of the bundled weights of a recipe, sorted."""
    return [name for name in names() if store.words(path_of(name)).get("recipe") == recipe]
