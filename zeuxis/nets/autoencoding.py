"""Encoders to a Gaussian code and decoders back.

Every encoder maps pictures [B, C, H, W] in [-1, 1] to (mean, log_variance), each [B, latent].
Every decoder maps codes [B, code] to raw values [B, C, H, W]; the picture is tanh(raw / 2),
so that sigmoid(raw) is the picture in [0, 1].
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Size = tuple[int, int]


def halvings(size: Size) -> int:
    """Convolutions of stride 2: 3 below 64 pixels, one more per doubling, so the last map is 3 to 7 pixels high."""
    return max(3, int(math.log2(min(size) / 4)))


def sides(size: Size, count: int) -> list[Size]:
    """Sizes of the maps from the picture down: each half of the one before, rounded down, 1 at least."""
    return [(max(1, size[0] >> i), max(1, size[1] >> i)) for i in range(count + 1)]


def map_widths(width: int, count: int) -> list[int]:
    """Channels from the largest map to the smallest: width, 2 width, 4 width, 8 width, 8 width ..."""
    return [width * min(2**i, 8) for i in range(count)]


def group_norm(channels: int) -> nn.GroupNorm:
    """Group norm (arXiv 1803.08494) of 8 groups, or as many as divide `channels`."""
    return nn.GroupNorm(math.gcd(8, channels), channels)


class ConvEncoder(nn.Module):
    """Convolutions 4x4 of stride 2 (width, 2 width, 4 width ...), group norm and SiLU after each, one dense layer."""

    def __init__(self, channels: int, size: Size, latent: int, width: int) -> None:
        super().__init__()
        widths = map_widths(width, halvings(size))
        layers = [
            layer
            for a, b in pairwise([channels, *widths])
            for layer in (nn.Conv2d(a, b, 4, 2, 1), group_norm(b), nn.SiLU())
        ]
        last = sides(size, len(widths))[-1]
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * last[0] * last[1], 2 * latent))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.body(image).chunk(2, 1)
        return mean, log_variance


class ConvDecoder(nn.Module):
    """The encoder's mirror: dense, then nearest upsampling to the next larger map and a 3x3 convolution."""

    def __init__(self, channels: int, size: Size, code: int, width: int) -> None:
        super().__init__()
        widths = map_widths(width, halvings(size))
        *self.sizes, last = sides(size, len(widths))
        self.start = (widths[-1], *last)
        self.dense = nn.Linear(code, math.prod(self.start))
        self.norms = nn.ModuleList(group_norm(w) for w in reversed(widths))
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, 1, 1) for a, b in pairwise([*reversed(widths), channels]))

    def forward(self, code: Tensor) -> Tensor:
        x: Tensor = self.dense(code).reshape(-1, *self.start)
        for norm, conv, size in zip(self.norms, self.convs, reversed(self.sizes), strict=True):
            x = conv(F.interpolate(F.silu(norm(x)), size, mode="nearest"))
        return x


class DenseEncoder(nn.Module):
    """The encoder of pytorch/examples vae/main.py: pixels, one hidden layer with ReLU, the code."""

    def __init__(self, channels: int, size: Size, latent: int, width: int) -> None:
        super().__init__()
        pixels = channels * size[0] * size[1]
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(pixels, width), nn.ReLU(), nn.Linear(width, 2 * latent))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        # the source reads pixels in [0, 1]
        mean, log_variance = self.body((image + 1) / 2).chunk(2, 1)
        return mean, log_variance


class DenseDecoder(nn.Module):
    """The decoder of pytorch/examples vae/main.py: the code, one hidden layer with ReLU, pixels."""

    def __init__(self, channels: int, size: Size, code: int, width: int) -> None:
        super().__init__()
        self.shape = (channels, *size)
        self.body = nn.Sequential(nn.Linear(code, width), nn.ReLU(), nn.Linear(width, math.prod(self.shape)))

    def forward(self, code: Tensor) -> Tensor:
        raw: Tensor = self.body(code).reshape(-1, *self.shape)
        return raw


class StridedEncoder(nn.Module):
    """The encoder of google/compare_gan v1: two 4x4 convolutions of stride 2, dense, batch norm on all but the first.

    The standard deviation is softplus of the second half of the outputs, and 1e-6. Sides are multiples of 4.
    """

    def __init__(self, channels: int, size: Size, latent: int, width: int) -> None:
        super().__init__()
        flat = 2 * width * (size[0] // 4) * (size[1] // 4)
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(flat, 16 * width),
            nn.BatchNorm1d(16 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(16 * width, 2 * latent),
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        mean, spread = self.body((image + 1) / 2).chunk(2, 1)
        return mean, 2 * torch.log(F.softplus(spread) + 1e-6)


class StridedDecoder(nn.Module):
    """The decoder of google/compare_gan v1: two dense layers, two 4x4 transposed convolutions, batch norm, ReLU."""

    def __init__(self, channels: int, size: Size, code: int, width: int) -> None:
        super().__init__()
        start = (2 * width, size[0] // 4, size[1] // 4)
        self.body = nn.Sequential(
            nn.Linear(code, 16 * width),
            nn.BatchNorm1d(16 * width),
            nn.ReLU(),
            nn.Linear(16 * width, math.prod(start)),
            nn.BatchNorm1d(math.prod(start)),
            nn.ReLU(),
            nn.Unflatten(1, start),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, channels, 4, 2, 1),
        )

    def forward(self, code: Tensor) -> Tensor:
        raw: Tensor = self.body(code)
        return raw


Maker = Callable[[int, Size, int, int], nn.Module]
"""(channels, size, code, width) to a net."""

BODIES: dict[str, tuple[Maker, Maker]] = {
    "conv": (ConvEncoder, ConvDecoder),
    "dense": (DenseEncoder, DenseDecoder),
    "strided": (StridedEncoder, StridedDecoder),
}


class ClassCode(nn.Module):
    """A decoder that reads the code [B, latent] beside an embedded label; one more row stands for "no label"."""

    def __init__(self, decoder: nn.Module, classes: int, dim: int) -> None:
        super().__init__()
        self.decoder = decoder
        self.embedding = nn.Embedding(classes + 1, dim)

    def forward(self, code: Tensor, label: Tensor | None = None) -> Tensor:
        none = self.embedding.num_embeddings - 1
        rows = torch.full((len(code),), none, device=code.device) if label is None else label
        raw: Tensor = self.decoder(torch.cat([code, self.embedding(rows)], 1))
        return raw

    def no_label(self) -> int:
        return self.embedding.num_embeddings - 1


class PlainCode(nn.Module):
    """A decoder without classes; a label is not looked at."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, code: Tensor, label: Tensor | None = None) -> Tensor:
        raw: Tensor = self.decoder(code)
        return raw
