"""The frozen nets that losses read: of other people, of the package, of a run or a file."""

import json
from pathlib import Path

import torch
from torch import Tensor, nn

from zeuxis import catalog
from zeuxis.data.dataset import Spec
from zeuxis.errors import BadInput
from zeuxis.nets.foreign import net_of
from zeuxis.recipes.recipe import Recipe, Reconstructs, make
from zeuxis.runs import frozen
from zeuxis.weights import bundled, foreign, store


class Restoring(nn.Module):
    """A trained recipe that restores, as a net: [B, C, H, W] and the level of the noise [B, 1, 1, 1] to the answer."""

    def __init__(self, recipe: Recipe, players: nn.ModuleDict) -> None:
        super().__init__()
        self.recipe, self.players = recipe, players

    def forward(self, image: Tensor, level: Tensor | None = None) -> Tensor:
        assert isinstance(self.recipe, Reconstructs)
        return self.recipe.restore(self.players, image, None, level)


def fixed_net(name: str) -> nn.Module:
    """By name of foreign or bundled weights, a run's folder or a weights file; frozen. Raises BadInput."""
    if name in foreign.KNOWN:
        return net_of(name)
    path = bundled.path_of(name) if name in bundled.names() else Path(name)
    path = path / "weights.safetensors" if path.is_dir() else path
    if not path.is_file():
        mend = "name a run that has ended, a file, or one of " + ", ".join(bundled.names())
        raise BadInput("there are no such weights", name, mend)
    tensors, words = store.load(path)
    if "recipe" not in words or "settings" not in words:
        raise BadInput("this file does not say which recipe its weights are of", name)
    recipe = make(
        catalog.load(words["recipe"]), None, **{k: frozen(v) for k, v in json.loads(words["settings"]).items()}
    )
    if not isinstance(recipe, Reconstructs) or recipe.scale != 1:
        raise BadInput("these weights restore no picture at its size", name, "name those of a restorer")
    given = json.loads(words["spec"])
    with torch.random.fork_rng(devices=[]):
        players = recipe.players(Spec(given["channels"], given["height"], given["width"]))
    lacking = players.load_state_dict({k: v.float() for k, v in tensors.items()}, strict=False).missing_keys
    if any(k.partition(".")[0] in recipe.average().players for k in lacking):
        raise BadInput("these weights are not whole", name)
    return Restoring(recipe, players).eval().requires_grad_(False)
