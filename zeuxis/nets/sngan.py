"""The residual pair of SNGAN with projection, for 32 px as published, carried to other sizes.

Miyato et al. 2018 (arXiv 1802.05957, table 4) and Miyato and Koyama 2018 (arXiv
1802.05637); shapes and first weights as in pfnet-research/sngan_projection.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu
from torch.nn.utils.parametrizations import spectral_norm

from zeuxis.nets.conditional import ClassNorm, ProjectionHead
from zeuxis.nets.init import glorot_


def ups(height: int, width: int) -> int:
    """Doublings in the generator: 3 at 32 px, from 4x4; 2 at 28 px, from 7x7."""
    return max(1, (min(height, width) // 4).bit_length() - 1)


def downs(height: int, width: int) -> int:
    """Halvings in the critic: 2 at 32 px, to 8x8, one more per doubling."""
    return max(2, (min(height, width) // 8).bit_length() - 1)


def stride(height: int, width: int) -> int:
    """Height and width must be multiples of this."""
    return 1 << max(ups(height, width), downs(height, width))


def conv(a: int, b: int, kernel: int, gain: float, spectral: bool) -> nn.Module:
    layer = nn.Conv2d(a, b, kernel, padding=kernel // 2)
    glorot_(layer, gain)
    return spectral_norm(layer) if spectral else layer


class UpBlock(nn.Module):
    """norm, ReLU, double, conv3, norm, ReLU, conv3, beside double and conv1: [B, width, H, W] to [B, width, 2H, 2W]."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = ClassNorm(width, classes), ClassNorm(width, classes)
        self.conv1 = conv(width, width, 3, math.sqrt(2), False)
        self.conv2 = conv(width, width, 3, math.sqrt(2), False)
        self.short = conv(width, width, 1, 1.0, False)

    def forward(self, x: Tensor, label: Tensor | None) -> Tensor:
        h = self.conv1(interpolate(relu(self.norm1(x, label)), scale_factor=2.0))
        h = self.conv2(relu(self.norm2(h, label)))
        out: Tensor = h + self.short(interpolate(x, scale_factor=2.0))
        return out


class DownBlock(nn.Module):
    """ReLU, conv3, ReLU, conv3 (and halve) beside a shortcut, all under spectral norm.

    `first`: takes the picture, so it begins without ReLU and halves before its shortcut's conv1.
    """

    def __init__(self, a: int, b: int, halve: bool, first: bool = False) -> None:
        super().__init__()
        self.halve, self.first = halve, first
        self.conv1 = conv(a, b, 3, math.sqrt(2), True)
        self.conv2 = conv(b, b, 3, math.sqrt(2), True)
        self.short = conv(a, b, 1, 1.0, True) if halve or a != b else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.conv2(relu(self.conv1(x if self.first else relu(x))))
        if self.halve:
            # a 1x1 convolution and an average commute, so the cheaper order serves both kinds
            h, x = avg_pool2d(h, 2), avg_pool2d(x, 2)
        short: Tensor = self.short(x)
        return h + short


class SNGANGenerator(nn.Module):
    """Latents [B, latent] to pictures [B, channels, height, width] in [-1, 1]; `width` 256 as published."""

    def __init__(self, latent: int, width: int, channels: int, size: tuple[int, int], classes: int = 0) -> None:
        super().__init__()
        blocks = ups(*size)
        self.start = (width, size[0] >> blocks, size[1] >> blocks)
        self.dense = nn.Linear(latent, math.prod(self.start))
        glorot_(self.dense)
        self.blocks = nn.ModuleList(UpBlock(width, classes) for _ in range(blocks))
        self.norm = nn.BatchNorm2d(width)
        self.last = conv(width, channels, 3, 1.0, False)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = self.dense(z).reshape(-1, *self.start)
        for block in self.blocks:
            x = block(x, label)
        return torch.tanh(self.last(relu(self.norm(x))))


class SNGANCritic(nn.Module):
    """Pictures [B, channels, height, width] to logits [B]; global sum pooling; `width` 128 as published."""

    def __init__(self, channels: int, size: tuple[int, int], width: int, classes: int = 0) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            DownBlock(channels, width, halve=True, first=True),
            *(DownBlock(width, width, halve=True) for _ in range(downs(*size) - 1)),
            DownBlock(width, width, halve=False),
            DownBlock(width, width, halve=False),
        )
        self.head = ProjectionHead(width, classes, spectral=True, bias=False, glorot=True)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(relu(self.blocks(image)).sum((2, 3)), label)
        return logits
