"""`--start-from`: which weights a new run begins with."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from zeuxis.data.checks import unmistaken
from zeuxis.data.dataset import Spec
from zeuxis.engine.state import fitting
from zeuxis.engine.train import Weights
from zeuxis.errors import BadInput, command
from zeuxis.recipes.recipe import Recipe, Represents, recipe_name
from zeuxis.runs import Run
from zeuxis.weights import bundled, store


def asked_for(given: str | Path) -> str:
    """What `--start-from` names, as text: a path is never taken for weights of the package. Raises BadInput."""
    return unmistaken(given, dict.fromkeys(("bundled", *bundled.names()), "the name of weights of the package"))


def weights_from(asked: str, recipe: Recipe) -> Weights:
    """A run's folder, a weights file, `bundled`, or the name of bundled weights. Raises BadInput."""
    path = _file(asked, recipe)
    weights, words = store.load(path)
    maps = isinstance(recipe, Represents) and words.get("recipe") == "autoencoder"
    part = recipe.representing if isinstance(recipe, Represents) and maps else ""
    return Weights(str(path.resolve()), store.content_hash(weights), asked, part)


def _file(asked: str, recipe: Recipe) -> Path:
    path = Path(asked).expanduser()
    if asked == "bundled":
        name, scale = recipe_name(type(recipe)), getattr(recipe, "scale", None)
        candidates = bundled.of_recipe(name)
        matching = [n for n in candidates if _settings(store.words(bundled.path_of(n))).get("scale", scale) == scale]
        if not matching:
            named = f": {', '.join(candidates)}" if candidates else ""
            raise BadInput(
                f"no such weights of {name} come with the package{named}", "--start-from", "name a run or a file"
            )
        whole = [n for n in matching if bundled.purposes()[n].task not in bundled.PARTS]
        if len(whole) > 1:
            raise BadInput(f"several weights of {name} come with the package", "", f"one of {', '.join(whole)}")
        return bundled.path_of((whole or matching)[0])
    if asked in bundled.names():
        return bundled.path_of(asked)
    if path.is_dir():
        run = Run.open(path)
        if not run.finished:
            raise BadInput("this run has not ended", str(path), f"finish it with `{command('resume', path)}`")
        run.check_weights()
        return path / "weights.safetensors"
    if not path.is_file():
        raise BadInput("there is no such run, file or bundled weights", asked, f"bundled: {', '.join(bundled.names())}")
    return path


def _settings(metadata: dict[str, Any]) -> dict[str, Any]:
    """Of what stands in the head of a weights file."""
    settings: dict[str, Any] = json.loads(metadata.get("settings", "{}"))
    return settings


def settings_of_file(path: str, recipe: Recipe) -> dict[str, Any]:
    """Settings that the weights were trained with, for the recipe to take over where they are not given."""
    metadata = store.words(Path(path))
    if metadata.get("recipe") != recipe_name(type(recipe)):
        return {}
    known = {f.name for f in fields(recipe)} - set(recipe.passing)
    return {k: tuple(v) if isinstance(v, list) else v for k, v in _settings(metadata).items() if k in known}


def check_fits(recipe: Recipe, spec: Spec, weights: Weights) -> None:
    """Raises BadInput where the weights are not of these networks."""
    _check_whole(weights)
    tensors, _ = store.load(Path(weights.file))
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        networks = recipe.networks(spec)
    if weights.part:
        _check_part(networks.get_submodule(weights.part), tensors, recipe, weights.asked)
        if known := recipe.initial(spec).get(weights.part):
            _check_known(known, tensors, recipe, weights.asked)
        return
    shapes = {k: v.shape for k, v in networks.state_dict().items()}
    names = {key.partition(".")[0] for key in tensors} & set(networks)
    wanted = {k: v for k, v in shapes.items() if k.partition(".")[0] in names}
    given = {k: v.shape for k, v in tensors.items() if k.partition(".")[0] in names}
    if not names or wanted != given:
        raise BadInput(
            f"these weights are of another net than {recipe_name(type(recipe))} with these settings",
            weights.asked,
            "give the settings that they were trained with, or leave `--start-from` away",
        )


def _check_whole(weights: Weights) -> None:
    """Raises BadInput for weights of the package that a recipe begins with unasked."""
    file = Path(weights.file)
    if file.parent == bundled.FOLDER.resolve() and bundled.purposes()[file.stem].task in bundled.PARTS:
        recipe = store.words(file).get("recipe")
        what = f"{file.stem} is only part of a net: {recipe} begins with it by itself where it fits"
        raise BadInput(what, weights.asked, "leave `--start-from` away")


def _check_part(part: nn.Module, tensors: Mapping[str, torch.Tensor], recipe: Recipe, asked: str) -> None:
    if not fitting(tensors, part):
        raise BadInput(
            f"this autoencoder is another than {recipe_name(type(recipe))} learns on",
            asked,
            "`--factor` says which its cells are, 4 or 8; or train one on colour pictures, with `--preset map`, "
            "and with `--levels 3` for pictures above 96 px",
        )


_ALIKE = 0.9
"""Cosine between weights; after minutes of training on a person's pictures those of the package kept .99 and more."""


def _check_known(known: str, tensors: Mapping[str, torch.Tensor], recipe: Recipe, asked: str) -> None:
    """Raises BadInput for an autoencoder whose maps mean something else than those of the package."""
    package, _ = store.load(bundled.path_of(known))
    ours, theirs = (torch.cat([weights[name].float().flatten() for name in package]) for weights in (package, tensors))
    if torch.cosine_similarity(ours, theirs, dim=0) < _ALIKE:
        what = f"this autoencoder did not begin with {known}, whose maps {recipe_name(type(recipe))} knows"
        raise BadInput(what, asked, f"train it with `--start-from {known}`")
