"""Resizing by the formula of MATLAB's imresize, which published benchmarks are made with, and its linear damages.

The weights are written out per output pixel and applied tap by tap: rows of a batch are independent bit for bit,
any scale and any channel count goes, and float64 is exact to its own rounding.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from zeuxis.degrade.blur import mirror
from zeuxis.degrade.degradation import Degraded, Kind, Range, adjoint, transposed, within
from zeuxis.draw import Draw
from zeuxis.errors import BadInput, nearest


def cubic(d: Tensor, scale: float) -> Tensor:
    """Keys' cubic with a = -1/2 (doi 10.1109/TASSP.1981.1163711), stretched by 1 / scale when shrinking."""
    s = min(scale, 1.0)
    x = (d * s).abs()
    inner = (1.5 * x - 2.5) * x * x + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return s * torch.where(x <= 1, inner, torch.where(x <= 2, outer, torch.zeros_like(x)))


def triangle(d: Tensor, scale: float) -> Tensor:
    """Linear interpolation, stretched by 1 / scale when shrinking."""
    s = min(scale, 1.0)
    return s * (1 - (d * s).abs()).clamp_min(0)


def overlap(d: Tensor, scale: float) -> Tensor:
    """The share of an output pixel that an input pixel covers: exact means of areas."""
    return ((1 / scale + 1) / 2 - d.abs()).clamp(0, min(1.0, 1 / scale)) * scale


@dataclass(frozen=True)
class Kernel:
    """A weight of (distance in input pixels, scale), and how many input pixels it spans at scale 1 and above."""

    weight: Callable[[Tensor, float], Tensor]
    width: float


KERNELS = {"bicubic": Kernel(cubic, 4), "bilinear": Kernel(triangle, 2), "area": Kernel(overlap, 2)}
"""The kinds of resizing by name."""


def contributions(n: int, size: int, scale: float, kind: str) -> tuple[Tensor, Tensor]:
    """Which of n input pixels make each of `size` output pixels: indices int64 and weights float64, [size, taps].

    Output pixel i (from 1) lies at i / scale + (1 - 1 / scale) / 2; weights are divided by their sum, pixels
    beyond the border are mirrored with the edge repeated.
    """
    kernel = KERNELS[kind]
    width = kernel.width / min(scale, 1.0)
    place = torch.arange(1, size + 1, dtype=torch.float64) / scale + 0.5 * (1 - 1 / scale)
    left = torch.floor(place - width / 2)
    taps = left[:, None] + torch.arange(math.ceil(width) + 2, dtype=torch.float64)
    weight = kernel.weight(place[:, None] - taps, scale)
    weight = weight / weight.sum(1, keepdim=True)
    used = (weight != 0).any(0)
    low, high = int(taps.min()) - 1, int(taps.max()) - 1
    mirrored = mirror(n, max(0, -low), max(0, high - n + 1))
    index = mirrored[taps.to(torch.int64) - 1 + max(0, -low)]
    return index[:, used], weight[:, used]


def _resized_along(x: Tensor, dim: int, size: int, scale: float, kind: str) -> Tensor:
    index, weight = contributions(x.shape[dim], size, scale, kind)
    index, weight = index.to(x.device), weight.to(x)
    shape = [1] * x.ndim
    shape[dim] = size
    total = x.index_select(dim, index[:, 0]) * weight[:, 0].reshape(shape)
    for k in range(1, index.shape[1]):
        total = total + x.index_select(dim, index[:, k]) * weight[:, k].reshape(shape)
    return total


def resize(x: Tensor, size: tuple[int, int], scale: tuple[float, float] | None = None, kind: str = "bicubic") -> Tensor:
    """x [B, C, H, W] at size (height, width); scale (vertical, horizontal) is the ratio of sizes where not given.

    kind: bicubic, bilinear (both widened against aliasing when shrinking) or area. The smaller scale goes first,
    as in MATLAB. BadInput for another kind.
    """
    if kind not in KERNELS:
        raise BadInput(f"no such kind of resizing: {kind}", mend=nearest(kind, sorted(KERNELS)))
    scales = scale or (size[0] / x.shape[2], size[1] / x.shape[3])
    for axis in (0, 1) if scales[0] <= scales[1] else (1, 0):
        if x.shape[2 + axis] != size[axis] or scales[axis] != 1:
            x = _resized_along(x, 2 + axis, size[axis], scales[axis], kind)
    return x


def by_scale(x: Tensor, scale: float, kind: str) -> Tensor:
    """x [B, C, H, W] at ceil(H scale) x ceil(W scale). BadInput where the scale is not positive and finite."""
    if not (math.isfinite(scale) and scale > 0):
        raise BadInput(f"a scale must be positive, not {scale}")
    height, width = (math.ceil(n * scale - 1e-6) for n in x.shape[2:])
    return resize(x, (max(height, 1), max(width, 1)), (scale, scale), kind)


def bicubic(x: Tensor, scale: float) -> Tensor:
    """MATLAB's imresize(x, scale, "bicubic"), not cut to any range: [B, C, ceil(H scale), ceil(W scale)].

    float32 or float64 of any range and any channel count. BadInput where the scale is not positive and finite.
    """
    return by_scale(x, scale, "bicubic")


def downscale(x: Tensor, factor: float, kind: str = "bicubic") -> Tensor:
    """x [B, C, H, W] made `factor` times smaller, sides rounded up."""
    return by_scale(x, 1 / factor, kind)


def upscale(x: Tensor, factor: float, kind: str = "bicubic") -> Tensor:
    """x [B, C, H, W] made `factor` times larger, sides rounded up."""
    return by_scale(x, factor, kind)


@dataclass(frozen=True)
class Downscale:
    """`factor` times smaller, the same for all samples; kind: bicubic, bilinear or area."""

    factor: float = 2.0
    kind: str = "bicubic"
    straight: ClassVar[bool] = True

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        return Degraded(downscale(image, self.factor, self.kind))

    def adjoint(self, y: Tensor, draw: Draw, size: tuple[int, int] | None = None) -> Tensor:
        """A'y, [B, C, *size], or of `factor` times the size of y where none is given."""
        return adjoint(self, y, draw, size or (round(y.shape[2] * self.factor), round(y.shape[3] * self.factor)))


@dataclass(frozen=True)
class LowResolution:
    """Detail lost: down by a factor and up to the old size, the kinds drawn for each sample and way; factor 1: none."""

    factor: Range = (1.0, 4.0)
    straight: ClassVar[bool] = True

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        factors = within(self.factor, draw, "factor", image, host=True).tolist()
        kinds = replace(draw, device="cpu").at("kinds").integers(len(image), 2, high=len(KERNELS)).tolist()
        names = sorted(KERNELS)
        seen = [_down_up(x[None], f, names[a], names[b]) for x, f, (a, b) in zip(image, factors, kinds, strict=True)]
        return Degraded(torch.cat(seen) if seen else image)

    adjoint = transposed


def _down_up(x: Tensor, factor: float, down: str, up: str) -> Tensor:
    full = (x.shape[2], x.shape[3])
    small = (max(1, round(full[0] / factor)), max(1, round(full[1] / factor)))
    return resize(resize(x, small, kind=down), full, kind=up)


WORDS = {
    "low-resolution": Kind("down and up again, by random kinds", "times smaller", LowResolution, (1, 4), (1, 64)),
    "down": Kind(
        "smaller, by bicubic as MATLAB has it", "times smaller", lambda r: Downscale(r[0]), (2, 2), (1, 64), one=True
    ),
    "down-area": Kind(
        "smaller, by means of areas", "times smaller", lambda r: Downscale(r[0], "area"), (2, 2), (1, 64), one=True
    ),
    "down-bilinear": Kind(
        "smaller, by bilinear", "times smaller", lambda r: Downscale(r[0], "bilinear"), (2, 2), (1, 64), one=True
    ),
}
