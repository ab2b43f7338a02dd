"""Averages of networks: exponential averages with a half-life in images."""

import copy

import torch
from torch import nn

from zeuxis.recipes.recipe import Average


def copies(networks: nn.ModuleDict, average: Average) -> nn.ModuleDict:
    """Frozen copies, in eval mode, of the networks that the recipe averages."""
    return nn.ModuleDict({n: copy.deepcopy(networks[n]) for n in average.networks}).requires_grad_(False).eval()


@torch.no_grad()
def update(ema: nn.ModuleDict, networks: nn.ModuleDict, average: Average, batch: int, images: int) -> None:
    """One step of the average after `images` were seen; buffers are copied, for they are averages already."""
    half_life = min(average.half_life_images, average.ramp * images)
    keep = 0.5 ** (batch / half_life) if half_life > 0 else 0.0
    for name, mean in ema.items():
        torch._foreach_lerp_(list(mean.parameters()), [p.detach() for p in networks[name].parameters()], 1.0 - keep)
        for mine, theirs in zip(mean.buffers(), networks[name].buffers(), strict=True):
            mine.copy_(theirs)
