"""Noise: Gaussian, grain, Poisson, speckle, salt and pepper. Strengths are grey levels of 255; nothing is clipped
unless it is said."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zeuxis.degrade.blur import gaussian_blur
from zeuxis.degrade.degradation import LEVELS, Degraded, Kind, Range, chance, spread, within
from zeuxis.draw import Draw

COUNTED = 40.0
"""Poisson means below this are drawn by counting, those above by a Cornish-Fisher expansion."""


def round_bytes(x: Tensor) -> Tensor:
    """x as a file of 8 bits would hold it: cut to [-1, 1] and rounded to 255 steps; rounding passes the gradient on."""
    clamped = x.clamp(-1, 1)
    return clamped + (((clamped + 1) * 127.5).round() / 127.5 - 1 - clamped).detach()


def is_grey(image: Tensor) -> Tensor:
    """bool [B]: all channels of the sample are equal."""
    return (image == image[:, :1]).flatten(1).all(1)


def normal_like(image: Tensor, draw: Draw, grey: Tensor) -> Tensor:
    """Standard normal numbers shaped like `image`; one plane for all channels where grey [B] is true."""
    noise = replace(draw, device=str(image.device)).at("noise").normal(len(image), *image.shape[1:])
    noise = noise.to(image.dtype)
    return torch.where(spread(grey), noise[:, :1], noise)


@dataclass(frozen=True)
class GaussianNoise:
    """Sensor noise: y = x + sigma n, n standard normal, sigma in grey levels of 255; not clipped, as papers do it.

    grey: share of the samples whose channels get the same noise; a grey picture always does.
    clipped: share of the samples that are cut and rounded to 8 bits afterwards, as a file is.
    """

    sigma: Range = (0.0, 50.0)
    grey: float = 0.0
    clipped: float = 0.0

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        sigma = spread(within(self.sigma, draw, "sigma", image))
        same = chance(self.grey, draw, "grey", image) | is_grey(image)
        noisy = image + normal_like(image, draw, same) * (sigma / 127.5)
        if self.clipped > 0:
            noisy = torch.where(spread(chance(self.clipped, draw, "clipped", image)), round_bytes(noisy), noisy)
        return Degraded(noisy, level=sigma)


@dataclass(frozen=True)
class Grain:
    """Grain of film: noise of deviation `sigma` grey levels, equal in all channels, in clumps of `size` pixels.

    The noise is blurred by a Gaussian of `size` and brought back to its deviation.
    """

    sigma: Range = (5.0, 20.0)
    size: Range = (0.4, 1.0)

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        sigma, size = within(self.sigma, draw, "sigma", image), within(self.size, draw, "size", image)
        noise = replace(draw, device=str(image.device)).at("noise").normal(len(image), 1, *image.shape[2:])
        clumps = gaussian_blur(noise.to(image.dtype), size, math.ceil(4 * self.size[1]))
        deviation = clumps.square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(1e-12)
        return Degraded(image + clumps / deviation * spread(sigma / 127.5))


def poisson(mean: Tensor, u: Tensor) -> Tensor:
    """Poisson counts with the given means for numbers u uniform in (0, 1): the inverse of the distribution.

    Exact by adding up probabilities for means below 40; above, the Cornish-Fisher expansion (doi 10.2307/1400905)
    to the order of skewness, whose error is far below one count's share of the deviation.
    """
    mean, u = mean.double(), u.double()
    few = mean.clamp(max=COUNTED)
    probability = torch.exp(-few)
    total, count = probability.clone(), torch.zeros_like(mean)
    for k in range(1, int(COUNTED + 10 * math.sqrt(COUNTED))):
        more = u > total
        count = count + more
        probability = probability * few / k
        total = total + probability
    z = math.sqrt(2) * torch.special.erfinv(2 * u - 1)
    many = torch.floor(mean + mean.sqrt() * z + (z * z - 1) / 6 + 0.5).clamp_min(0)
    return torch.where(mean < COUNTED, count, many)


@dataclass(frozen=True)
class Poisson:
    """Shot noise: counts of light whose deviation at white is `sigma` grey levels, so (255 / sigma)^2 counts there."""

    sigma: Range = (0.0, 30.0)
    grey: float = 0.0

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        sigma = spread(within(self.sigma, draw, "sigma", image))
        same = spread(chance(self.grey, draw, "grey", image) | is_grey(image))
        peak = (255 / sigma.clamp_min(1e-3)).double().square()
        u = replace(draw, device=str(image.device)).at("noise").uniform(len(image), *image.shape[1:])
        u = u.double() + 2.0**-25
        light = ((image.detach() + 1) / 2).clamp_min(0).double()
        own = poisson(light * peak, u) / peak - light
        mean = light.mean(1, keepdim=True)
        shared = poisson(mean * peak, u[:, :1]) / peak - mean
        noise = torch.where(same, shared.expand_as(own), own) * 2
        return Degraded(torch.where(sigma > 0, image + noise.to(image.dtype), image))


@dataclass(frozen=True)
class Speckle:
    """Multiplying noise: light times 1 + (sigma / 255) n, so the deviation at white is `sigma` grey levels."""

    sigma: Range = (0.0, 30.0)
    grey: float = 0.0

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        sigma = spread(within(self.sigma, draw, "sigma", image))
        same = chance(self.grey, draw, "grey", image) | is_grey(image)
        return Degraded(image + (image + 1) * normal_like(image, draw, same) * (sigma / 255))


@dataclass(frozen=True)
class SaltPepper:
    """Dead pixels: a `share` of the pixels is white or black, by equal chances, in all channels at once."""

    share: Range = (0.0, 0.05)

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        share = spread(within(self.share, draw, "share", image))
        u = replace(draw, device=str(image.device)).at("noise").uniform(len(image), 1, *image.shape[2:]).to(image.dtype)
        colour = torch.where(u < share / 2, torch.ones_like(u), -torch.ones_like(u))
        return Degraded(torch.where(u < share, colour, image))


WORDS = {
    "noise": Kind("Gaussian noise, not clipped", LEVELS, GaussianNoise, (0, 50), (0, 1000)),
    "noise-8bit": Kind(
        "Gaussian noise, clipped and rounded to 8 bits as in a file",
        LEVELS,
        lambda r: GaussianNoise(r, clipped=1.0),
        (0, 50),
        (0, 1000),
    ),
    "noise-grey": Kind(
        "Gaussian noise, the same in all channels", LEVELS, lambda r: GaussianNoise(r, grey=1.0), (0, 50), (0, 1000)
    ),
    "grain": Kind("clumped grey noise of film", LEVELS, Grain, (5, 20), (0, 1000)),
    "poisson": Kind("shot noise, given by its deviation at white", LEVELS, Poisson, (0, 30), (0, 1000)),
    "speckle": Kind("multiplying noise, given by its deviation at white", LEVELS, Speckle, (0, 30), (0, 1000)),
    "salt-pepper": Kind("white and black pixels", "share of the pixels", SaltPepper, (0, 0.05), (0, 1)),
}
