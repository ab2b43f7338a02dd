"""Averaged twins of players: exponential averages with a half-life in images."""

import copy

import torch
from torch import nn

from zeuxis.recipes.recipe import Average


def twins(players: nn.ModuleDict, average: Average) -> nn.ModuleDict:
    """Frozen copies, in eval mode, of the players that the recipe averages."""
    return nn.ModuleDict({n: copy.deepcopy(players[n]) for n in average.players}).requires_grad_(False).eval()


@torch.no_grad()
def update(averaged: nn.ModuleDict, players: nn.ModuleDict, average: Average, batch: int, images: int) -> None:
    """One step of the average after `images` were seen; buffers are copied, for they are averages already."""
    half_life = min(average.half_life_images, average.ramp * images)
    keep = 0.5 ** (batch / half_life) if half_life > 0 else 0.0
    for name, twin in averaged.items():
        torch._foreach_lerp_(list(twin.parameters()), [p.detach() for p in players[name].parameters()], 1.0 - keep)
        for mine, theirs in zip(twin.buffers(), players[name].buffers(), strict=True):
            mine.copy_(theirs)
