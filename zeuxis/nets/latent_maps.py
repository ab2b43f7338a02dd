"""An autoencoder between pictures and small maps on which a generator can play in place of pixels.

After Rombach et al. 2022 (arXiv 2112.10752, section 3.1), at a hundredth of the size: no attention, no norms.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zeuxis.nets.init import SILU_GAIN, scaled_


class Residual(nn.Module):
    """x + conv(silu(conv(silu(x)))); the last convolution begins at zero, so the block begins as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        scaled_(self.first, SILU_GAIN)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.second(F.silu(self.first(F.silu(x))))
        return out


class MapEncoder(nn.Module):
    """[B, C, H, W] in [-1, 1] to [B, code, H / f, W / f], where f = 2^(len(widths) - 1).

    A 3x3 convolution to widths[0]; per halving a 4x4 convolution of stride 2 and a residual block; a 3x3 convolution.
    """

    def __init__(self, channels: int, widths: tuple[int, ...], code: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(widths))
        self.blocks = nn.ModuleList(Residual(b) for b in widths[1:])
        self.last = nn.Conv2d(widths[-1], code, 3, padding=1)
        scaled_(self.first, 1.0)
        for layer in (*self.down, self.last):
            scaled_(layer, SILU_GAIN)

    def forward(self, image: Tensor) -> Tensor:
        x = self.first(image)
        for down, block in zip(self.down, self.blocks, strict=True):
            x = block(down(F.silu(x)))
        code: Tensor = self.last(F.silu(x))
        return code


class MapDecoder(nn.Module):
    """The encoder's mirror, by nearest doubling and 3x3 convolutions; the picture is not cut to [-1, 1].

    Modules are numbered from the picture inwards, as the encoder's, so nets of other depths share their outer ones.
    """

    def __init__(self, channels: int, widths: tuple[int, ...], code: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(code, widths[-1], 3, padding=1)
        self.blocks = nn.ModuleList(Residual(b) for b in widths[1:])
        self.up = nn.ModuleList(nn.Conv2d(b, a, 3, padding=1) for a, b in pairwise(widths))
        self.last = nn.Conv2d(widths[0], channels, 3, padding=1)
        for layer in (self.first, *self.up):
            scaled_(layer, 1.0)
        scaled_(self.last, SILU_GAIN)

    def forward(self, code: Tensor) -> Tensor:
        x = self.first(code)
        for block, up in zip(reversed(self.blocks), reversed(self.up), strict=True):
            x = up(F.interpolate(block(x), scale_factor=2.0, mode="nearest"))
        image: Tensor = self.last(F.silu(x))
        return image


WIDTHS = {4: (1, 2, 4), 8: (1, 2, 4, 4)}
"""Channels from the picture inwards, in those of the outermost, by the factor between picture and map."""
LEAST = 1e-3
"""Smallest deviation that a channel is divided by; one that never changes stays near 0."""

CODES = {4: 4, 8: 8}
"""Channels of the map, by the factor: 0.25 and 0.125 numbers a pixel."""


class MapAutoencoder(nn.Module):
    """Pictures to maps and back; `factor` 4 (32 to 96 pixels, 1.0 M weights) or 8 (96 to 256 pixels, 2.0 M).

    Sides of the pictures are multiples of `factor`. Maps have no fixed scale: a generator standardises them over
    the pictures of its set.
    """

    def __init__(self, factor: int, channels: int = 3, width: int = 32) -> None:
        super().__init__()
        self.factor, self.code = factor, CODES[factor]
        widths = tuple(width * times for times in WIDTHS[factor])
        self.encoder = MapEncoder(channels, widths, self.code)
        self.decoder = MapDecoder(channels, widths, self.code)

    def encode(self, image: Tensor) -> Tensor:
        """[B, C, H, W] in [-1, 1] to [B, code, H / factor, W / factor]."""
        code: Tensor = self.encoder(image)
        return code

    def decode(self, code: Tensor) -> Tensor:
        """[B, code, h, w] to [B, C, h * factor, w * factor], in [-1, 1] but for overshoots."""
        image: Tensor = self.decoder(code)
        return image

    def forward(self, image: Tensor) -> Tensor:
        return self.decode(self.encode(image))


def map_radius(factor: int) -> int:
    """Input pixels beyond which none touches an output pixel of a `MapAutoencoder`, from the worst place of a cell."""
    levels, worst = factor.bit_length() - 1, 0
    for place in range(factor):
        low, high = place - 1, place + 1
        for _ in range(levels):  # a convolution, from the half by nearest doubling, and a block of two
            low, high = (low - 1) // 2 - 2, (high + 1) // 2 + 2
        low, high = low - 2, high + 2
        for _ in range(levels):
            low, high = 2 * (low - 2) - 1, 2 * (high + 2) + 2
        worst = max(worst, place - low + 1, high - place + 1)
    return worst


_PIXELS = 1 << 20
"""Of pictures that go through the autoencoder at once, where no gradient is wanted: 256 MB in its largest layer."""


def _by_parts(of: Callable[[Tensor], Tensor], x: Tensor, pixels: int) -> Tensor:
    """`of` rows of x, a few pictures of so many pixels at a time, unless gradients are wanted."""
    if torch.is_grad_enabled():
        return of(x)
    return torch.cat([of(part) for part in x.split(max(1, _PIXELS // pixels))])


class Representation(nn.Module):
    """Pictures of 1 to 4 channels to standardised maps and back, through one autoencoder of colour pictures.

    Grey pictures are given to it as colour, and alpha as a second grey picture, whose maps follow the first ones'.
    mean, deviation: of each channel of the maps over the pictures of a set; 0 and 1 until `calibrate`.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, factor: int, channels: int) -> None:
        super().__init__()
        self.autoencoder, self.channels = MapAutoencoder(factor), channels
        self.code = self.autoencoder.code * (2 if channels in (2, 4) else 1)
        self.register_buffer("mean", torch.zeros(self.code, 1, 1))
        self.register_buffer("deviation", torch.ones(self.code, 1, 1))

    def encode(self, image: Tensor) -> Tensor:
        """[B, channels, H, W] in [-1, 1] to [B, code, H / factor, W / factor], not standardised."""
        colours = 3 if self.channels >= 3 else 1
        parts = [image[:, :colours], *([image[:, colours:]] if self.channels in (2, 4) else [])]
        pixels = image.shape[2] * image.shape[3]
        return torch.cat([_by_parts(self.autoencoder.encode, part.expand(-1, 3, -1, -1), pixels) for part in parts], 1)

    def calibrate(self, maps: Tensor) -> None:
        """Takes mean and deviation of each channel from maps [N, code, h, w], computed in float64."""
        numbers = maps.numel() // self.code
        parts = maps.split(1024)  # in float64 all of them would be several times as large
        mean = sum(part.double().sum((0, 2, 3)) for part in parts) / numbers
        square = sum((part.double() - mean[:, None, None]).square().sum((0, 2, 3)) for part in parts) / numbers
        with torch.no_grad():
            self.mean.copy_(mean[:, None, None])
            self.deviation.copy_(square.sqrt().clamp_min(LEAST)[:, None, None])

    def standardised(self, maps: Tensor) -> Tensor:
        return (maps - self.mean) / self.deviation

    def divided(self, maps: Tensor) -> tuple[Tensor, ...]:
        """Maps [B, code, h, w], not standardised, to those of the autoencoder: of colours, and of alpha."""
        return tuple(maps.split(self.autoencoder.code, 1))

    def parts(self, maps: Tensor) -> tuple[Tensor, ...]:
        """Standardised maps [B, code, h, w] to those of the autoencoder, not standardised."""
        return self.divided(maps * self.deviation + self.mean)

    def decode(self, maps: Tensor) -> Tensor:
        """Standardised maps [B, code, h, w] to pictures [B, channels, H, W] in [-1, 1]."""
        pixels = maps.shape[2] * maps.shape[3] * self.autoencoder.factor**2
        images = [_by_parts(self.autoencoder.decode, part, pixels) for part in self.parts(maps)]
        colours = images[0] if self.channels >= 3 else images[0].mean(1, keepdim=True)
        return torch.cat([colours, *(alpha.mean(1, keepdim=True) for alpha in images[1:])], 1).clamp(-1, 1)
