"""Nets that grow with their resolution (Karras et al. 2018, arXiv 1710.10196, and the code published with it).

A *level* is a number from 0 (the start resolution) to the count of doublings. At a whole
level the nets work at that resolution; between two the newer one fades in.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Size = tuple[int, int]
GAIN = math.sqrt(2)
SLOPE = 0.2


def doublings(size: Size, most: int, least: int = 4) -> int:
    """How often both sides can be halved, `most` at most, with the smaller one staying `least` or more."""
    count = 0
    while count < most and size[0] % 2 == 0 and size[1] % 2 == 0 and min(size) // 2 >= least:
        size, count = (size[0] // 2, size[1] // 2), count + 1
    return count


def channels_at(stage: int, base: int, most: int, least: int) -> int:
    """Channels of a stage: base / 2^stage, between `least` and `most`; the start resolution is stage 1."""
    return max(least, min(base >> stage, most))


def pixel_norm(x: Tensor, eps: float = 1e-8) -> Tensor:
    """x / sqrt(mean over dimension 1 of x^2 + eps): every pixel's features get the mean square 1 (section 4.2)."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + eps)


def group_size(n: int, most: int) -> int:
    """The largest divisor of n that is `most` or less."""
    return max(g for g in range(1, max(1, min(n, most)) + 1) if n % g == 0)


def minibatch_stddev(x: Tensor, group: int) -> Tensor:
    """Standard deviation within groups, averaged over features and pixels: [B, C, H, W] to [B] (section 3).

    Sample i belongs to the group i mod (B / group), as in the source, so a batch dealt out
    to processes in strides falls into the same groups. 1e-8 under the root, as in the source.
    """
    size = group_size(len(x), group)
    y = x.reshape(size, len(x) // size, -1)
    y = y - y.mean(0, keepdim=True)
    return (y.square().mean(0) + 1e-8).sqrt().mean(1).repeat(size)


def halve(image: Tensor, times: int = 1) -> Tensor:
    """Means over blocks of 2^times pixels."""
    return F.avg_pool2d(image, 2**times) if times else image


def double(image: Tensor, times: int = 1) -> Tensor:
    """Every pixel becomes a block of 2^times pixels."""
    return F.interpolate(image, scale_factor=float(2**times), mode="nearest") if times else image


def split_level(level: float) -> tuple[int, float]:
    """(resolution that is worked at, how far it has faded in): 1.0 gives (1, 1.0), 1.25 gives (2, 0.25)."""
    whole = math.ceil(level - 1e-6)
    return (whole, 1.0) if level >= whole - 1e-6 else (whole, level - whole + 1)


def at_level(image: Tensor, level: float, top: int) -> Tensor:
    """A picture of full size as the critic sees it at `level`: made smaller, and faded like a generated one."""
    whole, share = split_level(level)
    small = halve(image, top - whole)
    return small if share == 1.0 else torch.lerp(double(halve(small)), small, share)


class EqualLinear(nn.Module):
    """Dense layer with weights N(0, 1), scaled by gain / sqrt(fan in) at run time (section 4.1); bias 0."""

    def __init__(self, fan_in: int, out: int, gain: float = GAIN) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out, fan_in))
        self.bias = nn.Parameter(torch.zeros(out))
        self.scale = gain / math.sqrt(fan_in)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias)


class EqualConv(nn.Module):
    """Convolution of stride 1 that keeps the size, with run-time scale as in EqualLinear."""

    def __init__(self, c_in: int, c_out: int, kernel: int, gain: float = GAIN) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(c_out, c_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(c_out))
        self.scale = gain / math.sqrt(c_in * kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.weight.shape[2] // 2)


def _lrelu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, SLOPE)


def _normed(x: Tensor) -> Tensor:
    return pixel_norm(_lrelu(x))


class Pair(nn.Module):
    """Two 3x3 convolutions, `act` after each."""

    def __init__(self, c_in: int, c_middle: int, c_out: int, act: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.one, self.two, self.act = EqualConv(c_in, c_middle, 3), EqualConv(c_middle, c_out, 3), act

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.two(self.act(self.one(x))))


class Grown(nn.Module):
    """A net that remembers the level it last trained at: a buffer, so that samples need no progress.

    It stays on the host wherever the net is moved: what is worked out depends on its value.
    """

    level: Tensor

    def __init__(self, top: int) -> None:
        super().__init__()
        self.top = top
        self.register_buffer("level", torch.zeros(()))

    def _apply(self, *given: Any, **more: Any) -> Self:
        level = self.level
        super()._apply(*given, **more)
        self.level = level
        return self

    def remember(self, level: float | None) -> float:
        """The given level, written down in train mode; None gives the remembered one."""
        if level is None:
            return min(float(self.level), float(self.top))
        if self.training:
            self.level.fill_(level)
        return level


class GrowingGenerator(Grown):
    """Latents [B, latent] and labels to linear pictures; widths[k] is the number of channels of level k.

    forward(z, label, level) gives the picture at the working resolution of `level`; picture(z, label)
    gives full size at the remembered level. z and the one-hot label are joined, then pixel-normed.
    """

    def __init__(self, latent: int, classes: int, channels: int, start: Size, widths: list[int]) -> None:
        super().__init__(len(widths) - 1)
        self.classes, self.start = classes, (widths[0], *start)
        self.dense = EqualLinear(latent + classes, math.prod(self.start), GAIN / 4)
        self.first = EqualConv(widths[0], widths[0], 3)
        self.blocks = nn.ModuleList(Pair(a, b, b, _normed) for a, b in pairwise(widths))
        self.to_rgb = nn.ModuleList(EqualConv(w, channels, 1, 1.0) for w in widths)

    def code(self, z: Tensor, label: Tensor | None) -> Tensor:
        z = z.to(self.dense.weight.dtype)
        if self.classes == 0:
            return pixel_norm(z)
        if label is None:
            raise ValueError("this net was built with classes and needs a label per sample")
        return pixel_norm(torch.cat([z, F.one_hot(label, self.classes).to(z.dtype)], 1))

    def forward(self, z: Tensor, label: Tensor | None = None, level: float | None = None) -> Tensor:
        whole, share = split_level(self.remember(level))
        x = _normed(self.dense(self.code(z, label)).reshape(-1, *self.start))
        x, before = _normed(self.first(x)), None
        for block in list(self.blocks)[:whole]:
            before, x = x, block(double(x))
        image: Tensor = self.to_rgb[whole](x)
        if share == 1.0 or before is None:
            return image
        return torch.lerp(double(self.to_rgb[whole - 1](before)), image, share)

    def picture(self, z: Tensor, label: Tensor | None) -> Tensor:
        """[B, C, H, W] of full size, clipped to [-1, 1]: the source has no tanh at the end."""
        image = self(z, label)
        return double(image, self.top - split_level(self.remember(None))[0]).clamp(-1, 1)


class GrowingCritic(Grown):
    """Pictures at the working resolution of `level` to outputs [B, 1 + classes]: logit, then class logits.

    The last block reads one more map, the minibatch standard deviation. In eval mode the map
    holds its running mean over training instead, so that a logit does not depend on neighbours.
    """

    usual: Tensor

    def __init__(
        self, channels: int, classes: int, start: Size, widths: list[int], hidden: int, group: int = 4
    ) -> None:
        super().__init__(len(widths) - 1)
        self.group = group
        self.from_rgb = nn.ModuleList(EqualConv(channels, w, 1) for w in widths)
        self.blocks = nn.ModuleList(Pair(b, b, a, _lrelu) for a, b in pairwise(widths))
        self.last = EqualConv(widths[0] + 1, widths[0], 3)
        self.dense = EqualLinear(widths[0] * start[0] * start[1], hidden)
        self.head = EqualLinear(hidden, 1 + classes, 1.0)
        self.register_buffer("usual", torch.zeros(()))

    def spread(self, x: Tensor) -> Tensor:
        """The map's value per sample [B]."""
        if not self.training:
            return self.usual.to(x.dtype).expand(len(x))
        value = minibatch_stddev(x, self.group)
        with torch.no_grad():
            self.usual.lerp_(value.mean().to(self.usual.dtype), 0.01)
        return value

    def features(self, image: Tensor, level: float | None = None) -> Tensor:
        """[B, hidden], of a picture at the working resolution of `level`."""
        whole, share = split_level(self.remember(level))
        x = _lrelu(self.from_rgb[whole](image))
        for k in range(whole, 0, -1):
            x = halve(self.blocks[k - 1](x))
            if k == whole and share != 1.0:
                x = torch.lerp(_lrelu(self.from_rgb[k - 1](halve(image))), x, share)
        extra = self.spread(x)[:, None, None, None].expand(-1, 1, *x.shape[2:])
        x = _lrelu(self.last(torch.cat([x, extra], 1)))
        return _lrelu(self.dense(x.flatten(1)))

    def forward(self, image: Tensor, level: float | None = None) -> Tensor:
        out: Tensor = self.head(self.features(image, level))
        return out

    def of_picture(self, image: Tensor, net: Callable[[Tensor], Tensor]) -> Tensor:
        """`net` (forward or features) of a picture of full size, at the remembered level."""
        return net(at_level(image, self.remember(None), self.top))
