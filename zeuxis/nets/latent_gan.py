"""The pair that plays on small maps of any size, without norms.

Own, from sweeps on 300 to 600 photographs. The generator's residual block is that of `latent_maps`; what the critic is
given to see in a map comes from `map_features`. Both keep the maps' place in the picture, so what the decoder of the
maps knows of edges and textures need not be learned again.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zeuxis.nets.conditional import Heeding, ProjectionHead, needed
from zeuxis.nets.init import SILU_GAIN, scaled_
from zeuxis.nets.latent_maps import Residual

SMALLEST = 4
"""Cells along a side of the map that a generator begins with, where the map is that large."""


def doublings(height: int, width: int) -> int:
    """How often a generator doubles its map on the way to [height, width]: from 4 cells and more, at most thrice."""
    return max(1, min(3, (min(height, width) // SMALLEST).bit_length() - 1))


class GeneratorTrunk(nn.Module):
    """[B, latent] to maps [B, code, H, W]: a dense layer to the smallest map, then doublings.

    widths: channels from the map of the result inwards; the last is that of every map below. Where the sides are no
    multiples of the doublings, the largest map is cut at the bottom and at the right.
    """

    def __init__(self, latent: int, widths: tuple[int, ...], code: int, size: tuple[int, int], gain: float) -> None:
        super().__init__()
        self.size, times = size, doublings(*size)
        self.start = tuple(-(-side // (1 << times)) for side in size)
        maps = [widths[min(i, len(widths) - 1)] for i in range(times, -1, -1)]
        self.dense = nn.Linear(latent, maps[0] * self.start[0] * self.start[1])
        self.blocks = nn.ModuleList(Residual(width) for width in maps)
        self.up = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(maps))
        self.last = nn.Conv2d(maps[-1], code, 3, padding=1)
        scaled_(self.dense, gain)
        for layer in self.up:
            scaled_(layer, 1.0)
        scaled_(self.last, SILU_GAIN)

    def forward(self, z: Tensor, added: Tensor | None = None) -> Tensor:
        """added: to the smallest map, flat, such as what a class adds."""
        x = self.dense(z) if added is None else self.dense(z) + added
        x = x.reshape(len(z), -1, *self.start)
        for block, up in zip(self.blocks, self.up):
            x = up(F.interpolate(block(x), scale_factor=2.0, mode="nearest"))
        maps: Tensor = self.last(F.silu(self.blocks[-1](x)))
        return maps[:, :, : self.size[0], : self.size[1]]


class LatentGenerator(Heeding):
    """[B, latent] and labels to maps [B, code, H, W]; what is of the classes lies outside the trunk.

    share, here and of the critic: how far the class counts, 0 to 1; None: as when it last trained.
    """

    def __init__(
        self, latent: int, widths: tuple[int, ...], code: int, size: tuple[int, int], classes: int, label_dim: int
    ) -> None:
        super().__init__()
        self.classes = classes
        whole = latent + (label_dim if classes else 0)  # one dense layer, in two parts
        self.trunk = GeneratorTrunk(latent, widths, code, size, math.sqrt(latent / whole))
        self.embedding = nn.Embedding(classes, label_dim) if classes else None
        self.of_class = nn.Linear(label_dim, self.trunk.dense.out_features, bias=False) if classes else None
        if self.of_class is not None:
            scaled_(self.of_class, math.sqrt(label_dim / whole))

    def forward(self, z: Tensor, label: Tensor | None = None, share: float | None = None) -> Tensor:
        if self.embedding is None or self.of_class is None:
            maps: Tensor = self.trunk(z)
        else:
            added = self.of_class(F.embedding(needed(label), self.embedding.weight))
            maps = self.trunk(z, self.heeded(share) * added)
        return maps


TOPS = (64, 64, 96)
"""Channels of the critic over each scale of what is seen."""
LOCAL = (32, 64, 64)
"""Features of small surroundings, at each scale; at whole size each costs much."""


class CriticTrunk(nn.Module):
    """What is seen at three scales, [B, seen[i], H >> i, W >> i], to features [B, F + sum(LOCAL)].

    F are of the whole: over each scale halvings by 4x4 convolutions, or one 3x3 convolution where there is nothing to
    halve, then a dense layer over all of them. The others are means over cells of what a 3x3 convolution and a 1x1
    find (Isola et al. 2017, arXiv 1611.07004, section 3.2.2: a critic of patches): even 400 pictures have 100,000
    cells, from which to learn what surfaces look like. Without them surfaces became a mosaic. All begin as torch
    begins them.
    """

    def __init__(self, seen: tuple[int, ...], size: tuple[int, int], features: int) -> None:
        super().__init__()
        times, self.tops, cells = doublings(*size), nn.ModuleList(), 0
        for i, (given, width) in enumerate(zip(seen, TOPS, strict=True)):
            halvings = times - i
            layers: list[nn.Module] = []
            for k in range(halvings):
                layers += [nn.Conv2d(given if k == 0 else width, width, 4, 2, 1), nn.SiLU()]
            layers = layers or [nn.Conv2d(given, width, 3, padding=1), nn.SiLU()]
            self.tops.append(nn.Sequential(*layers, nn.Flatten()))
            cells += width * (size[0] >> max(times, i)) * (size[1] >> max(times, i))
        self.dense = nn.Linear(cells, features)
        self.local = nn.ModuleList(
            nn.Sequential(nn.Conv2d(given, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, width, 1), nn.SiLU())
            for given, width in zip(seen, LOCAL, strict=True)
        )

    def forward(self, seen: list[Tensor]) -> Tensor:
        whole = F.silu(self.dense(torch.cat([top(x) for x, top in zip(seen, self.tops, strict=True)], 1)))
        return torch.cat([whole, *(look(x).mean((2, 3)) for x, look in zip(seen, self.local, strict=True))], 1)


class LatentCritic(Heeding):
    """What is seen in maps [B, code, H, W], and labels, to logits [B]: a trunk, and a projection head for the classes.

    seen: channels of what is seen at each scale; size: cells of the maps.
    """

    def __init__(self, seen: tuple[int, ...], size: tuple[int, int], classes: int, features: int) -> None:
        super().__init__()
        self.trunk = CriticTrunk(seen, size, features)
        self.head = ProjectionHead(features + sum(LOCAL), classes)
        scaled_(self.head.linear, SILU_GAIN)

    def forward(self, seen: list[Tensor], label: Tensor | None = None, share: float | None = None) -> Tensor:
        logits: Tensor = self.head(self.trunk(seen), label, self.heeded(share))
        return logits
