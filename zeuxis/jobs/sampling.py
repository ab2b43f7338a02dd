"""Pictures out of trained networks: in batches, each a function of its own seed."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from zeuxis.draw import Draw, Stream, key_of
from zeuxis.recipes.recipe import Generates, Recipe

_AT_ONCE = 256


def latents_for(recipe: Generates, seeds: Tensor, device: str = "cpu") -> Tensor:
    """Latents [n, dim], row i a function of seeds[i] (int64, >= 0) alone."""
    return recipe.latents(len(seeds), Draw(0, 0, 0, "sample", device=device, chosen=seeds))


@torch.no_grad()
def generate(
    recipe: Recipe, networks: nn.ModuleDict, seeds: Tensor, labels: Tensor | None, device: str = "cpu"
) -> Iterator[Tensor]:
    """uint8 [b, C, H, W] batches of pictures, one per seed, in order."""
    assert isinstance(recipe, Generates)
    for start in range(0, len(seeds), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        label = None if labels is None else labels[part].to(device)
        picture = recipe.decode(networks, latents_for(recipe, seeds[part], device), label)
        yield picture.clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8).cpu()


def seeds_of(name: str, seed: int, n: int) -> Tensor:
    """n sample seeds for a purpose, int64 in [0, 2^40), [n]."""
    return (Stream(key_of("sample seeds", name, seed)).bits(1, n)[0] >> 20) & 0xFFFFFFFFFF
