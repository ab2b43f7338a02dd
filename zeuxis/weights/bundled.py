"""The weights that come with the package: safetensors files that say what they are for, each with a card beside it."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from zeuxis.errors import BadInput, nearest
from zeuxis.weights import store

FOLDER = Path(__file__).parent / "bundled"
PARTS = ("features", "generate")
"""Tasks of weights that are part of a net, with which a recipe begins by itself."""


@dataclass(frozen=True)
class Purpose:
    """What weights are for, as their metadata say under `purpose`.

    task: "repair" (noise, JPEG, mild blur), "jpeg", "inpaint", "upscale", "uncertainty", "maps" (what `latentgan`
    learns on), "features" (what its critic looks through) or "generate" (what it begins with); channels: of the
    pictures that they were made for; factor: pixels along the side of a cell of the maps; scale: how many times larger
    the answer is; fidelity: at which end of the slider of `upscale --fidelity` they stand; of: the nets whose answers
    they tell the uncertainty of.
    """

    task: str
    channels: int = 3
    scale: int = 1
    factor: int = 1
    fidelity: float = 1.0
    of: tuple[str, ...] = ()


def names() -> list[str]:
    """Names of the bundled weights, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def path_of(name: str) -> Path:
    """The file of bundled weights. Raises BadInput for an unknown name."""
    if name not in names():
        raise BadInput(f"no weights called `{name}` come with the package", "", nearest(name, names()))
    return FOLDER / f"{name}.safetensors"


def sha256_of(name: str) -> str:
    """The content hash of bundled weights. Raises BadInput for an unknown name."""
    return store.content_hash(store.load(path_of(name))[0])


def of_recipe(recipe: str) -> list[str]:
    """Names of the bundled weights of a recipe, sorted."""
    return [name for name in names() if store.words(path_of(name)).get("recipe") == recipe]


@cache
def _purpose(path: Path) -> Purpose:
    fields: dict[str, Any] = json.loads(store.words(path)["purpose"])
    return Purpose(**{**fields, "of": tuple(fields.get("of", ()))})


def purposes() -> dict[str, Purpose]:
    """Of all bundled weights, by name."""
    return {name: _purpose(path_of(name)) for name in names()}


def find(task: str, channels: int = 3, scale: int = 1, fidelity: float = 1.0) -> str:
    """The name of the weights for just this; empty where there are none."""
    wanted = (task, channels, scale, fidelity)
    return next((n for n, p in purposes().items() if (p.task, p.channels, p.scale, p.fidelity) == wanted), "")
