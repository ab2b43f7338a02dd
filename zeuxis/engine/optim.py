"""Optimizers made from a recipe's words, their rates over progress, and their state as tensors."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from zeuxis.recipes.recipe import Optimizer, at


def _adam(p: list[nn.Parameter], o: Optimizer, fused: bool) -> torch.optim.Optimizer:
    return torch.optim.Adam(p, betas=(0.9, 0.999), eps=o.eps, weight_decay=o.weight_decay, fused=fused)


def _adamw(p: list[nn.Parameter], o: Optimizer, fused: bool) -> torch.optim.Optimizer:
    return torch.optim.AdamW(p, betas=(0.9, 0.999), eps=o.eps, weight_decay=o.weight_decay, fused=fused)


def _sgd(p: list[nn.Parameter], o: Optimizer, fused: bool) -> torch.optim.Optimizer:
    nesterov = o.momentum > 0  # torch refuses it without momentum
    return torch.optim.SGD(p, lr=1e-3, momentum=o.momentum, nesterov=nesterov, weight_decay=o.weight_decay, fused=fused)


ALGORITHMS: dict[str, Callable[[list[nn.Parameter], Optimizer, bool], torch.optim.Optimizer]] = {
    "adam": _adam,
    "adamw": _adamw,
    "sgd": _sgd,
}


class ScheduledOptimizer:
    """One optimizer at work: its words, its parameters, and torch's optimizer behind."""

    def __init__(self, settings: Optimizer, networks: nn.ModuleDict, fused: bool) -> None:
        self.words = settings
        self.parameters = [p for name in settings.networks for p in networks[name].parameters()]
        # a partial, not a closure over self: a cycle would keep a study's finished trainings in memory
        self._make = partial(ALGORITHMS[settings.algorithm], self.parameters, settings, fused)
        self.torch = self._make()

    def set_rates(self, progress: float, factor: float = 1.0) -> None:
        for group in self.torch.param_groups:
            group["lr"] = at(self.words.lr, progress) * factor
            if "betas" in group:
                # floats, not integers: torch 2.13 rejects betas=(0, 0.99)
                group["betas"] = (float(at(self.words.beta1, progress)), float(at(self.words.beta2, progress)))

    def reset_if_due(self, before: float, progress: float) -> None:
        if any(before < point <= progress for point in self.words.resets):
            self.torch = self._make()

    def clip(self) -> None:
        if self.words.clip > 0:
            nn.utils.clip_grad_norm_(self.parameters, self.words.clip)

    def state(self) -> dict[str, Tensor]:
        """Tensors by "INDEX/KEY"."""
        entries = self.torch.state_dict()["state"]
        return {f"{i}/{k}": v for i, entry in entries.items() for k, v in entry.items() if isinstance(v, Tensor)}

    def load(self, tensors: dict[str, Tensor]) -> None:
        entries: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            i, _, name = key.partition("/")
            like = self.parameters[int(i)]
            # fused kernels walk raw memory, so moments must lie in memory as their parameter does
            laid = torch.empty_like(like).copy_(value) if value.shape == like.shape else value.clone()
            entries.setdefault(int(i), {})[name] = laid
        self.torch = self._make()
        self.torch.load_state_dict({"state": entries, "param_groups": self.torch.state_dict()["param_groups"]})
