"""The smallest recipe there is, and ways to make it go wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Dataset, Spec
from zeuxis.data.memory import MemoryDataset
from zeuxis.engine import compute
from zeuxis.engine.state import TrainState, build_state
from zeuxis.recipes.recipe import Average, BatchSpec, Optimizer, Phase, Recipe, StepContext, Terms

SPEC = Spec(1, 4, 4)


@dataclass(frozen=True, kw_only=True)
class Plain(Recipe):
    """One dense layer that learns to give a picture's mean back."""

    batch: int = 4
    lr: float = 0.01
    algorithm: str = "adam"
    resets: tuple[float, ...] = ()
    every: int = 1
    wrong: Callable[[StepContext], Tensor | float] = field(default=lambda m: 0.0)
    labels: ClassVar[str] = "ignored"

    def smallest(self) -> int:
        return 1

    def networks(self, spec: Spec) -> nn.ModuleDict:
        n = spec.channels * spec.height * spec.width
        return nn.ModuleDict({"net": nn.Sequential(nn.Flatten(), nn.Linear(n, 1))})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec(size=self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        return {"net": Optimizer(("net",), self.algorithm, self.lr, resets=self.resets)}

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("net", self.net_loss, every=self.every),)

    def average(self) -> Average:
        return Average(("net",), 100.0)

    def net_loss(self, m: StepContext) -> Terms:
        image = m.batch["images"].image
        error = (m.networks["net"](image)[:, 0] - image.flatten(1).mean(1)).square().mean()
        return Terms({"error": error + self.wrong(m)})


def pictures(n: int = 10, spec: Spec = SPEC) -> MemoryDataset:
    values = torch.arange(n * spec.channels * spec.height * spec.width) * 37 % 256
    return MemoryDataset(values.to(torch.uint8).reshape(n, spec.channels, spec.height, spec.width))


def streams(n: int = 10) -> Mapping[str, Dataset]:
    return {"images": pictures(n)}


def state(recipe: Recipe, steps: int = 10, **more: Any) -> TrainState:
    batch = next(iter(recipe.batch_specs().values())).size
    return build_state(recipe, SPEC, seed=0, steps=steps, batch=batch, compute=compute.ComputeOptions(**more))
