"""The frozen nets that losses read: third-party ones, of the package, of a run or a file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zeuxis import catalog
from zeuxis.data.dataset import Spec
from zeuxis.errors import BadInput
from zeuxis.nets.third_party import net_of
from zeuxis.recipes.recipe import Recipe, Reconstructs, Translates, make
from zeuxis.runs import frozen
from zeuxis.weights import bundled, packages, store


class Restoring(nn.Module):
    """A trained recipe that restores, as a net: [B, C, H, W] and the level of the noise [B, 1, 1, 1] to the answer."""

    def __init__(self, recipe: Recipe, networks: nn.ModuleDict) -> None:
        super().__init__()
        self.recipe, self.networks = recipe, networks

    def forward(self, image: Tensor, level: Tensor | None = None) -> Tensor:
        assert isinstance(self.recipe, Reconstructs)
        return self.recipe.restore(self.networks, image, None, level)


class Exact(nn.Module):
    """A frozen net that keeps its own precision where the products of a training are in bfloat16.

    Answers that others learn from must not be rounded: FFDNet's lose 3 dB at sigma 15 (own measurement).
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, *given: Tensor | None) -> Any:
        like = next(self.net.parameters())
        with torch.autocast(like.device.type, enabled=False):
            return self.net(*(x if x is None else x.to(like.dtype) for x in given))


def opened(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights, and what run.json says of a run as far as their file says it. Raises BadInput."""
    tensors, record = store.load(path)
    if "recipe" not in record or "settings" not in record:
        raise BadInput("this file does not say which recipe its weights are of", str(path))
    given = {k: json.loads(record[k]) for k in ("settings", "spec")}
    return tensors, {**record, **given, "conditional": record.get("conditional") == "true"}


_CANNOT: dict[type[Any], tuple[str, str]] = {
    Reconstructs: ("gives no picture back from a picture", "restore"),
    Translates: ("does not translate pictures", "translate"),
}
"""By what is wanted of a recipe: what is said of one that cannot do it, and the method of those that can."""


def revived(
    name: str, record: Mapping[str, Any], tensors: Mapping[str, Tensor], able: type[Any] = Reconstructs
) -> tuple[Recipe, nn.ModuleDict, Spec]:
    """A recipe that is `able`, its networks with these weights, frozen, and its pictures. Raises BadInput.

    record: of run.json. Networks that give no pictures, such as critics, may lack their weights.
    """
    recipe = make(catalog.load(record["recipe"]), None, **{k: frozen(v) for k, v in record["settings"].items()})
    if not isinstance(recipe, able):
        cannot, method = _CANNOT[able]
        raise BadInput(f"{record['recipe']} {cannot}", name, f"these do: {able_names(method)}")
    s = record["spec"]
    spec = Spec.from_json(s) if record.get("conditional") else Spec.from_json(s).unlabelled()
    with torch.random.fork_rng(devices=[]):
        networks = recipe.networks(spec)
    wanted = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
    ours = networks.state_dict()
    both = ours.keys() & wanted.keys()
    store.check_same({k: ours[k] for k in both}, {k: wanted[k] for k in both}, name)
    networks.load_state_dict(wanted, strict=False)
    restoring = set(recipe.average().networks) or {p for o in recipe.optimizers().values() for p in o.networks}
    lacking = [k for k in set(networks.state_dict()) - set(wanted) if k.partition(".")[0] in restoring]
    if lacking:
        raise BadInput(f"these weights lack {len(lacking)} tensors of {record['recipe']}", name)
    return recipe, networks.requires_grad_(False).eval(), spec


def able_names(method: str = "restore") -> str:
    """Names of the recipes with this method, in words."""
    return ", ".join(n for n in catalog.names() if hasattr(catalog.load(n), method))


def fixed_net(name: str) -> Exact:
    """By name of third-party or bundled weights, a run's folder or a weights file; frozen. Raises BadInput."""
    if name in packages.KNOWN:
        return Exact(net_of(name))
    path = bundled.path_of(name) if name in bundled.names() else Path(name)
    path = path / "weights.safetensors" if path.is_dir() else path
    if not path.is_file():
        mend = "name a run that has ended, a file, or one of " + ", ".join(bundled.names())
        raise BadInput("there are no such weights", name, mend)
    tensors, record = opened(path)
    recipe, networks, _ = revived(name, record, tensors)
    if recipe.scale != 1:  # type: ignore[attr-defined]
        raise BadInput("these weights enlarge pictures", name, "name those of a restorer")
    return Exact(Restoring(recipe, networks))
