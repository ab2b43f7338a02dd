"""The state of a training after a step: networks, their averages, optimizers and what the recipe keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.engine import average
from zeuxis.engine.compute import ComputeOptions
from zeuxis.engine.fixed import fixed_net
from zeuxis.engine.optim import ScheduledOptimizer
from zeuxis.nets.init import seeded
from zeuxis.recipes.recipe import Recipe
from zeuxis.weights import bundled, store


def build_networks(recipe: Recipe, spec: Spec, seed: int) -> nn.ModuleDict:
    """Networks with their seeded initial weights; the process-wide generator is left as it was."""
    with seeded("players", seed):
        networks = recipe.networks(spec)
    for part, weights in recipe.initial(spec).items():
        adopt(store.load(bundled.path_of(weights))[0], networks, part=part)
    return networks


def adopt(weights: Mapping[str, Tensor], *groups: nn.ModuleDict, part: str = "") -> None:
    """Gives the weights "NETWORK.NAME" to the networks of that name in each group, where there are such.

    part: of a network, to which they are given in place of that: those "PART.NAME", where there are such, else those
    of the network among them that is such a part.
    """
    if part:
        for networks in groups:
            if part.partition(".")[0] in networks:
                module = networks.get_submodule(part)
                module.load_state_dict(fitting(weights, module, part))
        return
    for name in {key.partition(".")[0] for key in weights}:
        mine = {k.partition(".")[2]: v for k, v in weights.items() if k.startswith(f"{name}.")}
        for networks in groups:
            if name in networks:
                networks[name].load_state_dict(mine)


def fitting(weights: Mapping[str, Tensor], module: nn.Module, called: str | None = None) -> dict[str, Tensor]:
    """The weights of one network, by the names that they have in `module`; empty where none has its names and shapes.

    called: what `module` is called: weights of this name are taken first.
    """
    shapes = {name: tensor.shape for name, tensor in module.state_dict().items()}
    there = dict.fromkeys(key.partition(".")[0] for key in weights)
    for prefix in there if called is None else (called, *there):
        mine = {k.removeprefix(f"{prefix}."): v for k, v in weights.items() if k.startswith(f"{prefix}.")}
        if {name: tensor.shape for name, tensor in mine.items()} == shapes:
            return mine
    return {}


@dataclass
class TrainState:
    """Everything of a training that changes; all of it is tensors and three numbers."""

    recipe: Recipe
    spec: Spec
    seed: int
    steps: int
    batch: int
    compute: ComputeOptions
    networks: nn.ModuleDict
    ema: nn.ModuleDict
    optimizers: dict[str, ScheduledOptimizer]
    recipe_state: dict[str, Tensor]
    fixed: Mapping[str, nn.Module] = field(default_factory=dict)
    step: int = 0
    attempt: int = 0

    @property
    def progress(self) -> float:
        return self.step / self.steps

    @property
    def images(self) -> int:
        return self.step * self.batch

    def tensors(self) -> dict[str, Tensor]:
        """All that must survive, by name."""
        tensors = {f"networks/{k}": v for k, v in self.networks.state_dict().items()}
        tensors |= {f"ema/{k}": v for k, v in self.ema.state_dict().items()}
        tensors |= {f"state/{k}": v for k, v in self.recipe_state.items()}
        for name, optimizer in self.optimizers.items():
            tensors |= {f"optimizers/{name}/{k}": v for k, v in optimizer.state().items()}
        return tensors

    def load(self, tensors: Mapping[str, Tensor], step: int, attempt: int) -> None:
        """Puts the state back as it was when `tensors` were taken."""
        parts: dict[str, dict[str, Tensor]] = {"networks": {}, "ema": {}, "state": {}, "optimizers": {}}
        for key, value in tensors.items():
            kind, _, rest = key.partition("/")
            parts[kind][rest] = value
        self.networks.load_state_dict(parts["networks"])
        self.ema.load_state_dict(parts["ema"])
        self.recipe_state = {k: v.to(self.compute.device) for k, v in parts["state"].items()}
        for name, optimizer in self.optimizers.items():
            mine = {k.removeprefix(f"{name}/"): v for k, v in parts["optimizers"].items() if k.startswith(f"{name}/")}
            optimizer.load(mine)
        self.step, self.attempt = step, attempt

    def adopt(self, weights: Mapping[str, Tensor], part: str = "") -> None:
        """Takes the weights "NETWORK.NAME" of another run, for each network that has any, and for its average."""
        adopt(weights, self.networks, self.ema, part=part)

    def finite(self) -> bool:
        """Whether every weight and every state tensor is finite."""
        floats = [
            t for t in (*self.networks.state_dict().values(), *self.recipe_state.values()) if t.is_floating_point()
        ]
        return all(bool(torch.isfinite(t).all()) for t in floats)


def build_state(
    recipe: Recipe,
    spec: Spec,
    *,
    seed: int,
    steps: int,
    batch: int,
    compute: ComputeOptions,
    dtype: torch.dtype = torch.float32,
) -> TrainState:
    """The state before the first step. Raises BadInput where weights of a fixed net were not added."""
    networks = build_networks(recipe, spec, seed).to(device=compute.device, dtype=dtype)
    if compute.channels_last:
        networks = networks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    networks.train()
    ema = average.copies(networks, recipe.average())
    optimizers = {
        name: ScheduledOptimizer(settings, networks, compute.fused) for name, settings in recipe.optimizers().items()
    }
    recipe_state = {k: v.to(compute.device) for k, v in recipe.state(spec).items()}
    fixed = {name: fixed_net(weights).to(compute.device, dtype) for name, weights in recipe.fixed().items()}
    return TrainState(recipe, spec, seed, steps, batch, compute, networks, ema, optimizers, recipe_state, fixed=fixed)
