"""Blurs: Gaussian, anisotropic Gaussian, motion and disk, each sample with its own kernel.

Beyond the border the picture is mirrored, the edge pixel repeated (half-sample symmetric). A kernel of strength
zero is a single one in the middle, so the picture keeps its bits.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from zeuxis.degrade.degradation import Degraded, Kind, Range, power, spread, transposed, within
from zeuxis.draw import Draw

GAMMA = 2.2
"""Exponent from the picture's own values to linear light, as deblurring papers use it."""
REACH = 4.0
"""A Gaussian is cut at this many standard deviations."""
Blur = Callable[[Tensor], Tensor]


def mirror(n: int, before: int, after: int, device: torch.device | str = "cpu") -> Tensor:
    """Indices that extend a line of n pixels by `before` and `after`, the edge pixel repeated, [before + n + after]."""
    place = torch.arange(-before, n + after, device=device) % (2 * n)
    return torch.minimum(place, 2 * n - 1 - place)


def along(x: Tensor, taps: Tensor, dim: int) -> Tensor:
    """x [B, C, H, W] with the symmetric kernel taps [B, K], K odd, along `dim` (2 or 3), mirrored at the borders.

    Summed tap by tap: a sample's bits do not depend on its neighbours, nor on the precision of convolutions.
    """
    n, reach = x.shape[dim], taps.shape[1] // 2
    wide = x.index_select(dim, mirror(n, reach, reach, x.device))
    total = wide.narrow(dim, 0, n) * spread(taps[:, 0])
    for k in range(1, taps.shape[1]):
        total = total + wide.narrow(dim, k, n) * spread(taps[:, k])
    return total


def convolve(x: Tensor, kernels: Tensor) -> Tensor:
    """x [B, C, H, W] with its own kernel of kernels [B, K, K], K odd, for each sample, mirrored at the borders.

    Kernels here are even (equal after half a turn), so convolution and correlation are one.
    """
    reach = kernels.shape[1] // 2
    wide = x.index_select(2, mirror(x.shape[2], reach, reach, x.device))
    wide = wide.index_select(3, mirror(x.shape[3], reach, reach, x.device))
    return torch.cat([_convolve_one(w[None], k) for w, k in zip(wide, kernels, strict=True)]) if len(x) else x


def _convolve_one(wide: Tensor, kernel: Tensor) -> Tensor:
    # Sample by sample, so that its bits do not depend on the batch; two planes at least, because CUDA's depthwise
    # kernels keep full precision whatever TF32 setting the caller has.
    planes = max(2, wide.shape[1])
    weight = kernel.expand(planes, 1, -1, -1)
    with torch.autocast(wide.device.type, enabled=False):
        seen = F.conv2d(wide.expand(-1, planes, -1, -1) if wide.shape[1] == 1 else wide, weight, groups=planes)
    return seen[:, : wide.shape[1]]


def bell(sigma: Tensor, reach: int) -> Tensor:
    """Gaussian taps [B, 2 reach + 1] that sum to 1, for sigma [B] in pixels; sigma 0 is a single one."""
    place = torch.arange(-reach, reach + 1, dtype=torch.float64, device=sigma.device)
    weight = torch.exp(-0.5 * (place / sigma.double().clamp_min(1e-3)[:, None]).square())
    return (weight / weight.sum(1, keepdim=True)).to(sigma.dtype)


def _offsets(reach: int, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Distances of the kernel's pixels along and across a direction, [B, K, K]; angle [B] in degrees from the
    x axis, counter-clockwise as seen."""
    place = torch.arange(-reach, reach + 1, dtype=torch.float64, device=angle.device)
    cos, sin = (f(angle.double() * (math.pi / 180))[:, None, None] for f in (torch.cos, torch.sin))
    x, y = place[None, None, :], -place[None, :, None]
    return x * cos + y * sin, y * cos - x * sin


def _of_sum_one(kernel: Tensor, like: Tensor) -> Tensor:
    # Kernels are made in float64, so that their rounding does not depend on the batch.
    return (kernel / kernel.sum((1, 2), keepdim=True)).to(like.dtype)


def anisotropic_kernel(sigma_along: Tensor, sigma_across: Tensor, angle: Tensor, reach: int) -> Tensor:
    """Gaussian kernels [B, K, K] with their own sigma (pixels, [B]) along the direction `angle` [B] and across it."""
    u, v = _offsets(reach, angle)
    a, b = (s.double().clamp_min(1e-3)[:, None, None] for s in (sigma_along, sigma_across))
    return _of_sum_one(torch.exp(-0.5 * ((u / a).square() + (v / b).square())), sigma_along)


def motion_kernel(length: Tensor, angle: Tensor, reach: int) -> Tensor:
    """Straight lines of `length` [B] pixels at `angle` [B] degrees, one pixel wide, soft edges, [B, K, K].

    A pixel weighs 1 minus its distance to the line; up to length 1 the kernel is a single one.
    """
    u, v = _offsets(reach, angle)
    half = ((length.double() - 1) / 2).clamp_min(0)[:, None, None]
    distance = torch.sqrt((u.abs() - half).clamp_min(0).square() + v.square())
    return _of_sum_one((1 - distance).clamp_min(0) * (distance < 1 - 1e-6), length)


def disk_kernel(radius: Tensor, reach: int) -> Tensor:
    """Disks of `radius` [B] pixels with an edge one pixel soft, [B, K, K]; up to radius 1/2 a single one."""
    u, v = _offsets(reach, torch.zeros_like(radius))
    edge = radius.double().clamp_min(0.5)[:, None, None] + 0.5
    return _of_sum_one((edge - torch.sqrt(u.square() + v.square())).clamp(0, 1), radius)


def gaussian_blur(x: Tensor, sigma: Tensor, reach: int | None = None) -> Tensor:
    """x [B, C, H, W] blurred by a Gaussian of sigma [B] pixels, rows and then columns.

    reach: radius at which all kernels are cut; four times the greatest sigma where not given.
    """
    reach = math.ceil(REACH * float(sigma.max())) if reach is None else reach
    taps = bell(sigma, reach)
    return along(along(x, taps, 3), taps, 2)


def in_light(blur: Blur, x: Tensor, linear: bool) -> Tensor:
    """`blur(x)`, or where `linear` the same in linear light: values in [0, 1] to the power 2.2, blurred, and back."""
    if not linear:
        return blur(x)
    light = power(((x + 1) / 2).clamp(1e-6, 1), GAMMA)
    return power(blur(light), 1 / GAMMA) * 2 - 1


@dataclass(frozen=True)
class Gaussian:
    """Softly out of focus: a Gaussian of standard deviation `sigma` pixels; linear: blur in linear light."""

    sigma: Range = (0.2, 3.0)
    linear: bool = False

    @property
    def straight(self) -> bool:
        return not self.linear

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        sigma = within(self.sigma, draw, "sigma", image)
        reach = math.ceil(REACH * self.sigma[1])
        return Degraded(in_light(lambda x: gaussian_blur(x, sigma, reach), image, self.linear))

    adjoint = transposed


@dataclass(frozen=True)
class Anisotropic:
    """A Gaussian with two standard deviations, each in `sigma` pixels, at `angle` degrees; linear: in linear light."""

    sigma: Range = (0.2, 3.0)
    angle: Range = (0.0, 180.0)
    linear: bool = False

    @property
    def straight(self) -> bool:
        return not self.linear

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        first, second = (within(self.sigma, draw, name, image) for name in ("along", "across"))
        reach = math.ceil(REACH * self.sigma[1])
        kernels = anisotropic_kernel(first, second, within(self.angle, draw, "angle", image), reach)
        return Degraded(in_light(lambda x: convolve(x, kernels), image, self.linear))

    adjoint = transposed


@dataclass(frozen=True)
class Motion:
    """A straight shake of `length` pixels at `angle` degrees from the x axis; linear: blur in linear light."""

    length: Range = (3.0, 15.0)
    angle: Range = (0.0, 180.0)
    linear: bool = False

    @property
    def straight(self) -> bool:
        return not self.linear

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        length = within(self.length, draw, "length", image)
        reach = math.ceil(max(self.length[1] - 1, 0) / 2) + 1
        kernels = motion_kernel(length, within(self.angle, draw, "angle", image), reach)
        return Degraded(in_light(lambda x: convolve(x, kernels), image, self.linear))

    adjoint = transposed


@dataclass(frozen=True)
class Disk:
    """A lens out of focus: a disk of `radius` pixels; linear: blur in linear light."""

    radius: Range = (1.0, 5.0)
    linear: bool = False

    @property
    def straight(self) -> bool:
        return not self.linear

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        kernels = disk_kernel(within(self.radius, draw, "radius", image), math.ceil(self.radius[1] + 0.5))
        return Degraded(in_light(lambda x: convolve(x, kernels), image, self.linear))

    adjoint = transposed


WORDS = {
    "blur": Kind("Gaussian blur", "pixels (sigma)", Gaussian, (0.2, 3.0), (0, 100)),
    "blur-linear": Kind(
        "Gaussian blur in linear light", "pixels (sigma)", lambda r: Gaussian(r, True), (0.2, 3.0), (0, 100)
    ),
    "anisotropic": Kind("Gaussian blur, longer in one direction", "pixels (sigma)", Anisotropic, (0.2, 3.0), (0, 100)),
    "motion": Kind("straight shake at any angle", "pixels (length)", Motion, (3, 15), (0, 500)),
    "motion-linear": Kind(
        "straight shake in linear light", "pixels (length)", lambda r: Motion(r, linear=True), (3, 15), (0, 500)
    ),
    "disk": Kind("lens out of focus", "pixels (radius)", Disk, (1, 5), (0, 100)),
}
