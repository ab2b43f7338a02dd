"""The 28 px pair of "Improved Training of Wasserstein GANs" (Gulrajani et al. 2017, arXiv 1704.00028).

Shapes as in igul222/improved_wgan_training, gan_mnist.py: no norm in either net. Sides
are halved, rounded up, until the shorter one is 4 pixels or less, so any size fits:
28 - 14 - 7 - 4 and back, with the row and column too many cut off.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from zeuxis.nets.conditional import ProjectionHead
from zeuxis.nets.init import SLOPE
from zeuxis.nets.mlp import beside
from zeuxis.nets.strided import half_sigmoid, widths


def sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Sides of the maps from the picture to the smallest."""
    sides = [(height, width)]
    while min(sides[-1]) > 4:
        sides.append((-(-sides[-1][0] // 2), -(-sides[-1][1] // 2)))
    return sides


class CroppingGenerator(nn.Module):
    """Latents [B, latent] to pictures in [-1, 1]: dense, 5x5 transposed convolutions, ReLU, sigmoid moved to [-1, 1].

    With classes the label enters as a one-hot vector beside the latents.
    """

    def __init__(self, latent: int, width: int, channels: int, size: tuple[int, int], classes: int = 0) -> None:
        super().__init__()
        self.classes, self.sizes = classes, sizes(*size)[::-1]
        maps = widths(width, len(self.sizes) - 1)[::-1]
        self.start = (maps[0], *self.sizes[0])
        self.dense = nn.Linear(latent + classes, math.prod(self.start))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 5, stride=2, padding=2, output_padding=1) for a, b in pairwise([*maps, channels])
        )

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = self.dense(beside(z, label, self.classes)).reshape(-1, *self.start)
        for up, (height, width) in zip(self.up, self.sizes[1:], strict=True):
            x = up(relu(x))[..., :height, :width]
        return half_sigmoid(x)


class PlainCritic(nn.Module):
    """Pictures to logits [B]: 5x5 convolutions of stride 2, leaky ReLU 0.2, a dense layer; no norm."""

    def __init__(self, channels: int, size: tuple[int, int], width: int, classes: int = 0) -> None:
        super().__init__()
        maps = widths(width, len(sizes(*size)) - 1)
        pairs = pairwise([channels, *maps])
        self.down = nn.ModuleList(nn.Conv2d(a, b, 5, stride=2, padding=2) for a, b in pairs)
        self.head = ProjectionHead(maps[-1] * math.prod(sizes(*size)[-1]), classes)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        x = image
        for down in self.down:
            x = leaky_relu(down(x), SLOPE)
        logits: Tensor = self.head(torch.flatten(x, 1), label)
        return logits
