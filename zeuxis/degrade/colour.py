"""Damage to colour: grey, sepia, fading, colour at low resolution. A second or fourth channel is left alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from zeuxis.degrade.degradation import Degraded, Kind, Range, power, spread, transposed, within
from zeuxis.degrade.jpeg import from_ycc, to_ycc
from zeuxis.degrade.resize import resize
from zeuxis.draw import Draw

SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))
"""Rows: red, green and blue of a toned print from red, green and blue in [0, 1], the usual matrix of photo editors."""


def on_colours(image: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """`change` for the first three channels, or for the one grey channel."""
    colours = 3 if image.shape[1] >= 3 else 1
    changed = change(image[:, :colours])
    return torch.cat([changed, image[:, colours:]], 1) if image.shape[1] > colours else changed


def greyed(image: Tensor) -> Tensor:
    """Red, green and blue all equal to the full-range luma of ITU-R BT.601; a picture without colours as it is."""
    if image.shape[1] < 3:
        return image
    return on_colours(image, lambda x: (0.299 * x[:, :1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:]).expand(-1, 3, -1, -1))


def toned(image: Tensor) -> Tensor:
    """A sepia print, cut to [-1, 1]; a picture without colours as it is."""
    if image.shape[1] < 3:
        return image

    def print_of(x: Tensor) -> Tensor:
        light = (x + 1) / 2
        rows = [sum(weight * light[:, i] for i, weight in enumerate(row)) for row in SEPIA]
        return torch.stack([torch.as_tensor(row) for row in rows], 1).clamp(0, 1) * 2 - 1

    return on_colours(image, print_of)


@dataclass(frozen=True)
class Grey:
    """The luma alone. A grey picture should stay grey, so `clean` is the grey picture."""

    straight: ClassVar[bool] = True

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        seen = greyed(image)
        return Degraded(seen, clean=seen)

    adjoint = transposed


@dataclass(frozen=True)
class Sepia:
    """A toned print, mixed with the picture by `strength` 0 to 1; `clean` is as grey as this is toned."""

    strength: Range = (0.5, 1.0)

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        strength = spread(within(self.strength, draw, "strength", image))
        seen = image + strength * (toned(image) - image)
        return Degraded(seen, clean=image + strength * (greyed(image) - image))


@dataclass(frozen=True)
class Fading:
    """Colours of an old print, by `strength` 0 to 1: less contrast on a lifted black, another gamma, a colour cast.

    At strength s the contrast falls by up to 0.6 s, the gamma moves by up to 0.4 s either way, and the cast takes
    up to 0.2 s of each colour's light; how much of each is drawn for each sample.
    """

    strength: Range = (0.0, 1.0)

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        s = spread(within(self.strength, draw, "strength", image))
        contrast = 1 - 0.6 * s * spread(within((0.0, 1.0), draw, "contrast", image))
        black = (1 - contrast) * spread(within((0.2, 0.9), draw, "black", image))
        gamma = 1 + 0.4 * s * spread(within((-1.0, 1.0), draw, "gamma", image))
        rolled = replace(draw, device=str(image.device)).at("cast").uniform(len(image), 3)
        cast = 1 - 0.2 * s * rolled.to(image.dtype)[:, :, None, None]

        def fade(x: Tensor) -> Tensor:
            light = power(((x + 1) / 2).clamp(1e-6, 1), gamma)
            return (black + contrast * light) * cast[:, : x.shape[1]] * 2 - 1

        return Degraded(torch.where(s > 0, on_colours(image, fade), image))


@dataclass(frozen=True)
class LowColour:
    """Colour at low resolution: Cb and Cr a `factor` smaller and back by bicubic, the luma untouched."""

    factor: Range = (1.0, 4.0)
    straight: ClassVar[bool] = True

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        if image.shape[1] < 3:
            return Degraded(image)
        factors = within(self.factor, draw, "factor", image, host=True).tolist()
        seen = [on_colours(x[None], lambda rgb: _coarse(rgb, f)) for x, f in zip(image, factors, strict=True)]
        return Degraded(torch.cat(seen) if seen else image)

    adjoint = transposed


def _coarse(rgb: Tensor, factor: float) -> Tensor:
    full = (rgb.shape[2], rgb.shape[3])
    small = (max(1, round(full[0] / factor)), max(1, round(full[1] / factor)))
    if small == full:
        return rgb
    ycc = to_ycc(rgb)
    return from_ycc(torch.cat([ycc[:, :1], resize(resize(ycc[:, 1:], small), full)], 1))


WORDS = {
    "grey": Kind("no colour; wanted back without colour", "none", lambda r: Grey(), None),
    "sepia": Kind("toned brown; wanted back without colour", "strength", Sepia, (0.5, 1), (0, 1)),
    "fading": Kind("less contrast, another gamma, a colour cast", "strength", Fading, (0, 1), (0, 1)),
    "low-colour": Kind("colour at low resolution", "times smaller", LowColour, (1, 4), (1, 64)),
}
