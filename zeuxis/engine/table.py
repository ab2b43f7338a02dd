"""The table that a game is played on: players, twins, optimizers and state, as they stand after a step."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import key_of
from zeuxis.engine import average
from zeuxis.engine.fixed import fixed_net
from zeuxis.engine.levers import Levers
from zeuxis.engine.optim import Mover
from zeuxis.recipes.recipe import Recipe


def build_players(recipe: Recipe, spec: Spec, seed: int) -> nn.ModuleDict:
    """Players with their seeded initial weights; the process-wide generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(key_of("players", seed) & 0x7FFFFFFFFFFFFFFF)
        return recipe.players(spec)


@dataclass
class Table:
    """Everything of a training that changes; all of it is tensors and three numbers."""

    recipe: Recipe
    spec: Spec
    seed: int
    steps: int
    batch: int
    levers: Levers
    players: nn.ModuleDict
    averaged: nn.ModuleDict
    movers: dict[str, Mover]
    state: dict[str, Tensor]
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
        found = {f"players/{k}": v for k, v in self.players.state_dict().items()}
        found |= {f"averaged/{k}": v for k, v in self.averaged.state_dict().items()}
        found |= {f"state/{k}": v for k, v in self.state.items()}
        for name, mover in self.movers.items():
            found |= {f"optimizers/{name}/{k}": v for k, v in mover.state().items()}
        return found

    def load(self, tensors: Mapping[str, Tensor], step: int, attempt: int) -> None:
        """Puts the table back as it stood when `tensors` were taken."""
        parts: dict[str, dict[str, Tensor]] = {"players": {}, "averaged": {}, "state": {}, "optimizers": {}}
        for key, value in tensors.items():
            kind, _, rest = key.partition("/")
            parts[kind][rest] = value
        self.players.load_state_dict(parts["players"])
        self.averaged.load_state_dict(parts["averaged"])
        self.state = {k: v.to(self.levers.device) for k, v in parts["state"].items()}
        for name, mover in self.movers.items():
            mine = {k.removeprefix(f"{name}/"): v for k, v in parts["optimizers"].items() if k.startswith(f"{name}/")}
            mover.load(mine)
        self.step, self.attempt = step, attempt

    def adopt(self, weights: Mapping[str, Tensor]) -> None:
        """Takes the weights "PLAYER.NAME" of another run for each player of which there are any, and for its twin."""
        for name in {key.partition(".")[0] for key in weights} & set(self.players):
            mine = {k.partition(".")[2]: v for k, v in weights.items() if k.startswith(f"{name}.")}
            for nets in (self.players, self.averaged):
                if name in nets:
                    nets[name].load_state_dict(mine)

    def finite(self) -> bool:
        """Whether every weight and every state tensor is finite."""
        floats = [t for t in (*self.players.state_dict().values(), *self.state.values()) if t.is_floating_point()]
        return all(bool(torch.isfinite(t).all()) for t in floats)


def lay(
    recipe: Recipe, spec: Spec, *, seed: int, steps: int, batch: int, levers: Levers, dtype: torch.dtype = torch.float32
) -> Table:
    """A table before the first step. Raises BadInput where weights of a fixed net were not added."""
    players = build_players(recipe, spec, seed).to(device=levers.device, dtype=dtype)
    if levers.channels_last:
        players = players.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    players.train()
    averaged = average.twins(players, recipe.average())
    movers = {name: Mover(words, players, levers.fused) for name, words in recipe.optimizers().items()}
    state = {k: v.to(levers.device) for k, v in recipe.state(spec).items()}
    fixed = {name: fixed_net(weights).to(levers.device, dtype) for name, weights in recipe.fixed().items()}
    return Table(recipe, spec, seed, steps, batch, levers, players, averaged, movers, state, fixed=fixed)
