"""A net that sees in small maps what a net taught on a million pictures sees in the pictures.

Own; after Sauer et al. 2021 (arXiv 2111.01007), whose critics look at pictures through frozen features. Looking at maps
costs less.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zeuxis.nets.latent_maps import Residual

WIDTHS = (32, 64, 128)
"""Channels of what is seen at whole, half and quarter size of the map."""


class MapFeatures(nn.Module):
    """Maps [B, code, H, W], as an autoencoder gives them, to [B, WIDTHS[i], H >> i, W >> i] for i of 0, 1 and 2.

    mean, deviation: of each channel of the maps that it was taught with.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, code: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(code, WIDTHS[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(WIDTHS))
        self.blocks = nn.ModuleList(
            nn.Sequential(*[Residual(width) for _ in range(1 + (i > 0))]) for i, width in enumerate(WIDTHS)
        )
        self.register_buffer("mean", torch.zeros(code, 1, 1))
        self.register_buffer("deviation", torch.ones(code, 1, 1))

    def forward(self, maps: Tensor) -> list[Tensor]:
        x = F.silu(self.blocks[0](self.first((maps - self.mean) / self.deviation)))
        found = [x]
        for down, block in zip(self.down, self.blocks[1:], strict=True):
            x = F.silu(block(down(x)))
            found.append(x)
        return found
