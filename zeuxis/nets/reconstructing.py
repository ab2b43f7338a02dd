"""The simplest nets that give a picture back: one linear filter, an MLP on patches, a bottleneck without skips."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def _widened(x: Tensor, margin: int) -> Tensor:
    """[B, C, H, W] with `margin` pixels more on each side, which repeat the edge."""
    return F.pad(x, (margin,) * 4, mode="replicate") if margin else x


class LinearFilter(nn.Module):
    """One size x size convolution over all channels, with a bias: [B, C, H, W] to the same.

    The best linear answer there is that treats every place alike: trained on squared error it becomes the Wiener
    filter of its pictures and their damage. It begins as the identity.
    """

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, size)
        self.margin = size // 2
        nn.init.dirac_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = self.conv(_widened(image, self.margin))
        return out


class PatchMLP(nn.Module):
    """A multi-layer perceptron from patches to patches, averaged where they overlap (Burger et al. 2012, 1211.1544).

    A patch of `seen` x `seen` pixels in all channels through hidden layers with tanh, to the `given` x `given`
    pixels in its middle, every `step` pixels; [B, C, H, W] to the same. `residual`: what it gives is added to the
    picture, and the last layer begins at zero. At the border patches repeat the edge; all pixels are covered.
    """

    def __init__(
        self, channels: int, hidden: tuple[int, ...], seen: int, given: int, step: int, residual: bool
    ) -> None:
        super().__init__()
        self.given, self.step, self.residual = given, step, residual
        self.over = given - 1  # by so much patches stand over the border
        self.margin = self.over + (seen - given) // 2
        # the first layer at every place is a convolution, the others are 1x1
        self.first = nn.Conv2d(channels, hidden[0], seen, stride=step)
        self.middle = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairwise(hidden))
        self.last = nn.Conv2d(hidden[-1], channels * given**2, 1)
        if residual:
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        x = torch.tanh(self.first(_widened(image, self.margin)))
        for layer in self.middle:
            x = torch.tanh(layer(x))
        height, width = image.shape[2:]
        canvas = (height + 2 * self.over, width + 2 * self.over)
        patches = self.last(x).flatten(2)
        covered = patches.new_ones(1, self.given**2, patches.shape[2])
        total, times = (F.fold(p, canvas, self.given, stride=self.step) for p in (patches, covered))
        mean = (total / times.clamp_min(1))[:, :, self.over : self.over + height, self.over : self.over + width]
        return image + mean if self.residual else mean


def mlp_radius(seen: int, given: int) -> int:
    """Input pixels beyond which none touches an output pixel."""
    return given - 1 + (seen - given) // 2


class ConvBottleneck(nn.Module):
    """A fully convolutional autoencoder without skips or norms: [B, C, H, W] to the same, in (-1, 1).

    `levels` 4x4 convolutions of stride 2 (width, 2 width, 4 width ...) to a map of `code` channels, and back by
    nearest doubling and 3x3 convolutions (transposed ones leave checkerboards); SiLU between, tanh at the end.
    Sides are multiples of 2^levels. What the map cannot hold is lost: values per pixel are code / 4^levels.
    """

    def __init__(self, channels: int, width: int, levels: int, code: int) -> None:
        super().__init__()
        widths = [width << k for k in range(levels)]
        maps = [channels, *widths[:-1], code]
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(maps))
        back = [code, *reversed(widths[:-1]), width]
        self.up = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(back))
        self.last = nn.Conv2d(width, channels, 3, padding=1)

    def encode(self, image: Tensor) -> Tensor:
        """[B, code, H / 2^levels, W / 2^levels]."""
        x = image
        for i, down in enumerate(self.down):
            x = down(F.silu(x) if i else x)
        return x

    def forward(self, image: Tensor) -> Tensor:
        x = self.encode(image)
        for up in self.up:
            x = F.silu(up(F.interpolate(x, scale_factor=2.0, mode="nearest")))
        return torch.tanh(self.last(x))


def bottleneck_radius(levels: int) -> int:
    """Input pixels beyond which none touches an output pixel, from the worst place of a cell."""
    worst = 0
    for place in range(2**levels):
        low, high = place - 1, place + 1  # the last convolution
        for _ in range(levels):
            low, high = (low - 1) // 2, (high + 1) // 2
        for _ in range(levels):
            low, high = 2 * low - 1, 2 * high + 2
        worst = max(worst, place - low, high - place)
    return worst


class LatentBottleneck(nn.Module):
    """Encoder and decoder of a variational autoencoder used plainly: both halves of the encoder's answer are the code.

    encoder: [B, C, H, W] to two of [B, latent / 2]; decoder: [B, latent] to raw values, of which tanh(raw / 2) is
    the picture.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def encode(self, image: Tensor) -> Tensor:
        """[B, latent]."""
        return torch.cat(self.encoder(image), 1)

    def forward(self, image: Tensor) -> Tensor:
        return torch.tanh(self.decoder(self.encode(image)) / 2)
