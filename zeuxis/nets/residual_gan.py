"""The residual pair of R3GAN (Huang et al. 2024, arXiv 2501.05441), without any norm.

The last convolution of each block begins at zero, so a block begins as the identity.

`widths` are the channels of the stages from the smallest map to the whole picture; each
stage doubles the side. The smallest map is the picture's side over 2^(stages - 1).
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu

from zeuxis.nets.conditional import needed
from zeuxis.nets.init import LEAKY_GAIN, SLOPE, scaled_

EXPANSION, GROUP, EMBEDDING = 2, 16, 64
"""Inner width over outer width; channels of a group; width of a class's embedding in the generator."""


def stride(stages: int) -> int:
    """Height and width must be multiples of this."""
    return 1 << (stages - 1)


def _taps(x: Tensor) -> Tensor:
    """[1, 3, 3, 1] by itself, normalised to 1, as a depthwise kernel [C, 1, 4, 4]."""
    line = x.new_tensor([1.0, 3.0, 3.0, 1.0]) / 8
    return torch.outer(line, line).expand(x.shape[1], 1, 4, 4)


def double(x: Tensor) -> Tensor:
    """[B, C, H, W] to [B, C, 2H, 2W], bilinear, zeros outside."""
    return conv_transpose2d(x, 4 * _taps(x), stride=2, padding=1, groups=x.shape[1])


def halve(x: Tensor) -> Tensor:
    """[B, C, 2H, 2W] to [B, C, H, W], bilinear, zeros outside."""
    return conv2d(x, _taps(x), stride=2, padding=1, groups=x.shape[1])


class Residual(nn.Module):
    """x + conv1(act(conv3 in groups(act(conv1(x))))), [B, width, H, W]; `blocks` of them in the whole net."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        inner = EXPANSION * width
        groups = inner // math.gcd(inner, GROUP)
        self.conv1 = nn.Conv2d(width, inner, 1)
        self.conv2 = nn.Conv2d(inner, inner, 3, padding=1, groups=groups)
        self.conv3 = nn.Conv2d(inner, width, 1, bias=False)
        # the exponent -1 / (2m - 2) for m = 3 layers in a branch (Zhang et al. 2019, arXiv 1901.09321)
        gain = LEAKY_GAIN * blocks**-0.25
        scaled_(self.conv1, gain)
        scaled_(self.conv2, gain)
        nn.init.zeros_(self.conv3.weight)

    def forward(self, x: Tensor) -> Tensor:
        inner = leaky_relu(self.conv1(x), SLOPE)
        h: Tensor = self.conv3(leaky_relu(self.conv2(inner), SLOPE))
        return x + h


def _linear(a: int, b: int) -> nn.Linear:
    layer = nn.Linear(a, b, bias=False)
    scaled_(layer, 1.0)
    return layer


def _pointwise(a: int, b: int) -> nn.Module:
    if a == b:
        return nn.Identity()
    layer = nn.Conv2d(a, b, 1, bias=False)
    scaled_(layer, 1.0)
    return layer


def _stage(width: int, blocks: int, total: int) -> nn.Sequential:
    return nn.Sequential(*(Residual(width, total) for _ in range(blocks)))


class ResidualGenerator(nn.Module):
    """Latents [B, latent] to pictures [B, channels, height, width].

    Linear output in train mode, as published; in eval mode it is cut to [-1, 1].
    """

    def __init__(
        self,
        latent: int,
        widths: Sequence[int],
        blocks: int,
        channels: int,
        size: tuple[int, int],
        classes: int = 0,
    ) -> None:
        super().__init__()
        step, total = stride(len(widths)), blocks * len(widths)
        self.embedding = nn.Embedding(classes, EMBEDDING) if classes else None
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, std=classes**-0.5)
        self.basis = nn.Parameter(torch.randn(widths[0], size[0] // step, size[1] // step))
        self.dense = _linear(latent + (EMBEDDING if classes else 0), widths[0])
        self.stages = nn.ModuleList(_stage(w, blocks, total) for w in widths)
        self.across = nn.ModuleList(_pointwise(a, b) for a, b in pairwise(widths))
        self.last = nn.Conv2d(widths[-1], channels, 1, bias=False)
        scaled_(self.last, 1.0)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        if self.embedding is not None:
            z = torch.cat([z, self.embedding(needed(label))], 1)
        x = self.stages[0](self.dense(z)[:, :, None, None] * self.basis)
        for across, stage in zip(self.across, self.stages[1:], strict=True):
            x = stage(double(across(x)))
        image: Tensor = self.last(x)
        return image if self.training else image.clamp(-1, 1)


class ResidualCritic(nn.Module):
    """Pictures [B, channels, height, width] to logits [B]; with classes the logit is <E_y, f> alone, as published."""

    def __init__(
        self, channels: int, size: tuple[int, int], widths: Sequence[int], blocks: int, classes: int = 0
    ) -> None:
        super().__init__()
        step, total = stride(len(widths)), blocks * len(widths)
        down = list(widths)[::-1]
        start = (size[0] // step, size[1] // step)
        features = down[-1] if classes else 1
        self.first = nn.Conv2d(channels, down[0], 1, bias=False)
        self.stages = nn.ModuleList(_stage(w, blocks, total) for w in down)
        self.across = nn.ModuleList(_pointwise(a, b) for a, b in pairwise(down))
        self.basis = nn.Conv2d(down[-1], down[-1], start, groups=down[-1], bias=False)
        scaled_(self.first, 1.0)
        scaled_(self.basis, 1.0)
        self.dense = _linear(down[-1], features)
        self.embedding = nn.Embedding(classes, features) if classes else None
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, std=(classes * features) ** -0.5)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        x = self.stages[0](self.first(image))
        for across, stage in zip(self.across, self.stages[1:], strict=True):
            x = stage(across(halve(x)))
        features: Tensor = self.dense(self.basis(x).flatten(1))
        if self.embedding is None:
            return features[:, 0]
        logits: Tensor = (features * self.embedding(needed(label))).sum(1)
        return logits
