"""The small convolutional pair with published scores on 28 px digits, carried to other sizes.

At 28 px the shape is that of "Are GANs Created Equal?" (Lucic et al. 2018, arXiv
1711.10337, code google/compare_gan v1): two dense layers and two 4x4 transposed
convolutions of stride 2, and its mirror as the critic. Larger pictures get a
convolution more per doubling, twice as wide each (at most 8 times `width`), so
that the smallest map stays 7 to 13 pixels on its shorter side.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu
from torch.nn.utils.parametrizations import spectral_norm

from zeuxis.nets.conditional import ClassNorm, ProjectionHead
from zeuxis.nets.init import SLOPE


def stages(height: int, width: int) -> int:
    """Halvings between the picture and the smallest map: 2 up to 55 px, 3 to 111, 4 to 223."""
    return max(2, (min(height, width) // 7).bit_length() - 1)


def stride(height: int, width: int) -> int:
    """Height and width must be multiples of this."""
    return 1 << stages(height, width)


def widths(width: int, stages: int) -> list[int]:
    """Channels of the maps from the largest to the smallest: width, 2 width, 4 width, 8 width, 8 width ..."""
    return [width * min(2**i, 8) for i in range(stages)]


def half_sigmoid(x: Tensor) -> Tensor:
    """2 sigmoid(x) - 1: the sigmoid output of a net for [0, 1], moved to [-1, 1]."""
    return 2 * torch.sigmoid(x) - 1


OUTPUTS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "sigmoid": half_sigmoid}


class StridedGenerator(nn.Module):
    """Latents [B, latent] to pictures [B, channels, height, width] in [-1, 1].

    Dense to 16 * width, dense to the smallest map, then 4x4 transposed convolutions of
    stride 2; batch norm and leaky ReLU 0.2 after each but the last. With classes, every
    batch norm but that of the dense map has a gain and a shift per class.
    `bias` puts one before the batch norms too, where it changes nothing but the count.
    """

    def __init__(
        self,
        latent: int,
        width: int,
        channels: int,
        size: tuple[int, int],
        classes: int = 0,
        bias: bool = False,
        output: str = "tanh",
    ) -> None:
        super().__init__()
        maps = widths(width, stages(*size))[::-1]
        step = 2 ** len(maps)
        self.start = (maps[0], size[0] // step, size[1] // step)
        flat = maps[0] * self.start[1] * self.start[2]
        self.output = OUTPUTS[output]
        self.dense = nn.Linear(latent, 16 * width, bias=bias)
        self.dense_norm = ClassNorm(16 * width, classes, maps=False)
        self.map = nn.Linear(16 * width, flat, bias=bias)
        self.map_norm = nn.BatchNorm1d(flat)
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=bias) for a, b in pairwise(maps))
        self.up_norm = nn.ModuleList(ClassNorm(b, classes) for b in maps[1:])
        self.last = nn.ConvTranspose2d(maps[-1], channels, 4, stride=2, padding=1)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = leaky_relu(self.dense_norm(self.dense(z), label), SLOPE)
        x = leaky_relu(self.map_norm(self.map(x)), SLOPE).reshape(-1, *self.start)
        for up, norm in zip(self.up, self.up_norm, strict=True):
            x = leaky_relu(norm(up(x), label), SLOPE)
        return self.output(self.last(x))


class StridedCritic(nn.Module):
    """Pictures [B, channels, height, width] to logits [B].

    4x4 convolutions of stride 2, dense to 16 * width, then a logit; leaky ReLU 0.2 between.
    `norm` is "none", "batch" (after every hidden layer but the first, as published) or
    "spectral" (on every layer). With classes the head is a projection.
    """

    def __init__(self, channels: int, size: tuple[int, int], width: int, classes: int = 0, norm: str = "none") -> None:
        super().__init__()
        maps = widths(width, stages(*size))
        step = 2 ** len(maps)
        flat = maps[-1] * (size[0] // step) * (size[1] // step)
        ins = [channels, *maps[:-1]]
        self.down = nn.ModuleList(
            _layer(nn.Conv2d(a, b, 4, stride=2, padding=1), norm) for a, b in zip(ins, maps, strict=True)
        )
        batch = norm == "batch"
        self.down_norm = nn.ModuleList(nn.BatchNorm2d(b) if batch and i else nn.Identity() for i, b in enumerate(maps))
        self.dense = _layer(nn.Linear(flat, 16 * width), norm)
        self.dense_norm = nn.BatchNorm1d(16 * width) if batch else nn.Identity()
        self.head = ProjectionHead(16 * width, classes, spectral=norm == "spectral")

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        x = image
        for down, norm in zip(self.down, self.down_norm, strict=True):
            x = leaky_relu(norm(down(x)), SLOPE)
        x = leaky_relu(self.dense_norm(self.dense(x.flatten(1))), SLOPE)
        logits: Tensor = self.head(x, label)
        return logits


def _layer(layer: nn.Module, norm: str) -> nn.Module:
    return spectral_norm(layer) if norm == "spectral" else layer
