"""Three well-known convolutional pairs: the 64 px net of the PyTorch examples, the 28 px net of the
TensorFlow tutorial, and a 64 px net with a dense start. Each is carried to other sizes by adding or
leaving out doublings; with classes the generators' batch norms have a gain and a shift per class and
the critics end in a projection.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from zeuxis.nets.conditional import ClassNorm, ProjectionHead
from zeuxis.nets.init import SLOPE
from zeuxis.nets.randomness import Dropout
from zeuxis.nets.strided import stages, widths

KERAS_SLOPE = 0.3
"""Slope of the leaky ReLU that the TensorFlow tutorial uses, its library's default."""


def example_stages(height: int, width: int) -> int:
    """Doublings from the smallest map: 4 at 64 px, from 4x4; 2 at 28 px, from 7x7."""
    return max(1, (min(height, width) // 4).bit_length() - 1)


def example_stride(height: int, width: int) -> int:
    return 1 << example_stages(height, width)


class ExampleGenerator(nn.Module):
    """Latents to pictures: transposed convolutions without bias, batch norm, ReLU, tanh (pytorch/examples dcgan)."""

    def __init__(self, latent: int, width: int, channels: int, size: tuple[int, int], classes: int = 0) -> None:
        super().__init__()
        maps = widths(width, example_stages(*size))[::-1]
        start = (size[0] >> len(maps), size[1] >> len(maps))
        first = nn.ConvTranspose2d(latent, maps[0], start, bias=False)
        ups = (nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=False) for a, b in pairwise(maps))
        self.up = nn.ModuleList([first, *ups])
        self.norm = nn.ModuleList(ClassNorm(b, classes) for b in maps)
        self.last = nn.ConvTranspose2d(maps[-1], channels, 4, stride=2, padding=1, bias=False)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = z[:, :, None, None]
        for up, norm in zip(self.up, self.norm, strict=True):
            x = relu(norm(up(x), label))
        return torch.tanh(self.last(x))


class ExampleCritic(nn.Module):
    """Pictures to logits: the mirror of ExampleGenerator, leaky ReLU 0.2, batch norm on all but the first layer.

    The last convolution covers the whole map, so it is written as the dense layer that it is.
    """

    def __init__(self, channels: int, size: tuple[int, int], width: int, classes: int = 0) -> None:
        super().__init__()
        maps = widths(width, example_stages(*size))
        flat = maps[-1] * (size[0] >> len(maps)) * (size[1] >> len(maps))
        pairs = pairwise([channels, *maps])
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False) for a, b in pairs)
        self.norm = nn.ModuleList(nn.BatchNorm2d(b) if i else nn.Identity() for i, b in enumerate(maps))
        self.head = ProjectionHead(flat, classes, bias=False)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        x = image
        for down, norm in zip(self.down, self.norm, strict=True):
            x = leaky_relu(norm(down(x)), SLOPE)
        logits: Tensor = self.head(x.flatten(1), label)
        return logits


class TutorialGenerator(nn.Module):
    """Latents to pictures: dense to the smallest map, 5x5 transposed convolutions, batch norm, leaky ReLU 0.3, tanh.

    No biases. At 28 px: 7x7x256, then 128 at the same size, 64 at 14x14, the picture (TensorFlow tutorial on DCGAN).
    """

    def __init__(self, latent: int, width: int, channels: int, size: tuple[int, int], classes: int = 0) -> None:
        super().__init__()
        maps = widths(width, stages(*size))[::-1]
        self.start = (2 * maps[0], size[0] >> len(maps), size[1] >> len(maps))
        self.dense = nn.Linear(latent, math.prod(self.start), bias=False)
        self.dense_norm = nn.BatchNorm1d(math.prod(self.start))
        same = nn.ConvTranspose2d(self.start[0], maps[0], 5, padding=2, bias=False)
        self.up = nn.ModuleList([same, *(_double5(a, b) for a, b in pairwise(maps))])
        self.norm = nn.ModuleList(ClassNorm(b, classes) for b in maps)
        self.last = _double5(maps[-1], channels)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = leaky_relu(self.dense_norm(self.dense(z)), KERAS_SLOPE).reshape(-1, *self.start)
        for up, norm in zip(self.up, self.norm, strict=True):
            x = leaky_relu(norm(up(x), label), KERAS_SLOPE)
        return torch.tanh(self.last(x))


def _double5(a: int, b: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(a, b, 5, stride=2, padding=2, output_padding=1, bias=False)


class TutorialCritic(nn.Module):
    """Pictures to logits: 5x5 convolutions of stride 2 with leaky ReLU 0.3 and dropout 0.3, then a dense layer."""

    def __init__(self, channels: int, size: tuple[int, int], width: int, classes: int = 0) -> None:
        super().__init__()
        maps = widths(width, stages(*size))
        pairs = pairwise([channels, *maps])
        self.down = nn.ModuleList(nn.Conv2d(a, b, 5, stride=2, padding=2) for a, b in pairs)
        self.drop = nn.ModuleList(Dropout(0.3) for _ in maps)
        self.head = ProjectionHead(maps[-1] * (size[0] >> len(maps)) * (size[1] >> len(maps)), classes)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        x = image
        for down, drop in zip(self.down, self.drop, strict=True):
            x = drop(leaky_relu(down(x), KERAS_SLOPE))
        logits: Tensor = self.head(x.flatten(1), label)
        return logits


class DenseStartGenerator(nn.Module):
    """Latents to pictures: dense 4k, 8k, 16 values per place of the smallest map, transposed convolutions, 7x7, tanh.

    At 64 px with width k = 64: dense 256 - 512 - 1024, read as 8x8x16, then 256, 128 and 64
    channels at 16, 32 and 64 px; leaky ReLU 0.2, batch norm on the maps.
    """

    def __init__(self, latent: int, width: int, channels: int, size: tuple[int, int], classes: int = 0) -> None:
        super().__init__()
        maps = widths(width, stages(*size))[::-1]
        self.start = (16, size[0] >> len(maps), size[1] >> len(maps))
        pairs = pairwise([latent, 4 * width, 8 * width, math.prod(self.start)])
        self.dense = nn.ModuleList(nn.Linear(a, b) for a, b in pairs)
        ups = pairwise([16, *maps])
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=False) for a, b in ups)
        self.norm = nn.ModuleList(ClassNorm(b, classes) for b in maps)
        self.last = nn.Conv2d(maps[-1], channels, 7, padding=3)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = z
        for dense in self.dense:
            x = leaky_relu(dense(x), SLOPE)
        x = x.reshape(-1, *self.start)
        for up, norm in zip(self.up, self.norm, strict=True):
            x = leaky_relu(norm(up(x), label), SLOPE)
        return torch.tanh(self.last(x))


class DenseStartCritic(nn.Module):
    """Pictures to logits: 4x4 convolutions of stride 2 (64 - 128 - 256 at 64 px), leaky ReLU 0.2, a dense layer."""

    def __init__(self, channels: int, size: tuple[int, int], width: int, classes: int = 0) -> None:
        super().__init__()
        maps = widths(width, stages(*size))
        pairs = pairwise([channels, *maps])
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairs)
        self.head = ProjectionHead(maps[-1] * (size[0] >> len(maps)) * (size[1] >> len(maps)), classes)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        x = image
        for down in self.down:
            x = leaky_relu(down(x), SLOPE)
        logits: Tensor = self.head(x.flatten(1), label)
        return logits
