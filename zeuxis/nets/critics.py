"""Critics of photographs: SRGAN's, the U-Net of Real-ESRGAN that judges every pixel, and pix2pix's of patches.

`read` gives the logits and the maps inside, which a generator can be asked to match (feature matching, Wang et al.
2018, arXiv 1711.11585, eq. 4); calling a critic gives the logits alone.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from zeuxis.nets.init import LEAKY_GAIN, SLOPE, normal_, scaled_
from zeuxis.nets.picture_norm import PictureNorm

Size = tuple[int, int]


def _identity(layer: nn.Module) -> nn.Module:
    return layer


NORMS: dict[str, tuple[Callable[[nn.Module], nn.Module], Callable[[int], nn.Module]]] = {
    "none": (_identity, lambda width: nn.Identity()),
    "batch": (_identity, nn.BatchNorm2d),
    "group": (_identity, lambda width: nn.GroupNorm(math.gcd(8, width), width)),
    "instance": (_identity, PictureNorm),
    "spectral": (spectral_norm, lambda width: nn.Identity()),
}
"""What is done to a layer, and what stands behind it, by norm."""


class Critic(nn.Module):
    """What both critics share: the call gives logits, `read` the maps inside as well."""

    def read(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits, and maps [B, ., ., .] from the first layer on."""
        raise NotImplementedError

    def forward(self, image: Tensor) -> Tensor:
        return self.read(image)[0]


class PyramidCritic(Critic):
    """SRGAN's critic (Ledig et al. 2017, arXiv 1609.04802, figure 4): [B, C, H, W] to logits [B].

    Eight 3x3 convolutions, width to 8 width, every second of stride 2; leaky ReLU 0.2; a norm behind all but the
    first ("batch" as published; "group", which ties no pictures together; "spectral" in the layers between the first
    and the last; "none"); dense layers to `dense` and 1. As published the dense layer reads the whole last map, which
    ties the critic to `size`; with `pool` it reads the map's mean, and takes pictures of any size.
    """

    def __init__(
        self, channels: int, size: Size, width: int = 64, dense: int = 1024, norm: str = "batch", pool: bool = False
    ) -> None:
        super().__init__()
        wrap, behind = NORMS[norm]
        widths = [channels, *(width << k for k in range(4) for _ in range(2))]
        pairs = list(pairwise(widths))
        convs = [nn.Conv2d(a, b, 3, 1 + i % 2, 1) for i, (a, b) in enumerate(pairs)]
        for layer in convs:
            scaled_(layer, LEAKY_GAIN)
        self.convs = nn.ModuleList([convs[0], *map(wrap, convs[1:])])
        self.norms = nn.ModuleList(behind(b) if i else nn.Identity() for i, (_, b) in enumerate(pairs))
        height, breadth = (-(-side // 16) for side in size)
        self.pool = pool
        self.dense = wrap(nn.Linear(widths[-1] * (1 if pool else height * breadth), dense))
        self.last = nn.Linear(dense, 1)

    def read(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        x, maps = image, []
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), SLOPE)
            maps.append(x)
        flat = x.mean((2, 3)) if self.pool else x.flatten(1)
        logits: Tensor = self.last(F.leaky_relu(self.dense(flat), SLOPE))[:, 0]
        return logits, maps


class UNetCritic(Critic):
    """Real-ESRGAN's critic (Wang et al. 2021, arXiv 2107.10833, figure 6): [B, C, H, W] to logits [B, 1, H, W].

    A convolution, three halvings by 4x4 convolutions to 8 width, bilinear doublings with a 3x3 convolution and a
    skip by addition each, three convolutions; leaky ReLU 0.2; spectral norm and no bias but for the two ends.
    Pictures of any size from 8 pixels on: a map is enlarged to the size of the one that it meets.
    """

    def __init__(self, channels: int, width: int = 64) -> None:
        super().__init__()
        widths = [width << k for k in range(4)]
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, 2, 1, bias=False)) for a, b in pairwise(widths))
        ups = pairwise(reversed(widths))
        self.up = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 3, padding=1, bias=False)) for a, b in ups)
        self.out = nn.ModuleList(spectral_norm(nn.Conv2d(width, width, 3, padding=1, bias=False)) for _ in range(2))
        self.last = nn.Conv2d(width, 1, 3, padding=1)

    def read(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        x = F.leaky_relu(self.first(image), SLOPE)
        maps = [x]
        for down in self.down:
            x = F.leaky_relu(down(x), SLOPE)
            maps.append(x)
        for up, skip in zip(self.up, reversed(maps[:-1]), strict=True):
            wide = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
            x = F.leaky_relu(up(wide), SLOPE) + skip
        for out in self.out:
            x = F.leaky_relu(out(x), SLOPE)
        logits: Tensor = self.last(x)
        return logits, maps


class PatchCritic(Critic):
    """pix2pix's critic (Isola et al. 2017, arXiv 1611.07004, 6.1.2): [B, C, H, W] to logits [B, h, w] of patches.

    `halvings` 4x4 convolutions of stride 2, width to 2^(halvings - 1) width, one of stride 1 to twice that, one to a
    logit; leaky ReLU 0.2. Patches have 16, 34, 70 (published) or 142 pixels with 1, 2, 3 or 4 halvings; pictures
    2^halvings * 4 pixels and more, and wider maps than 8 width there are none. norm: "none", or "instance" behind all
    but the first and the last layer (as published, with one picture in a batch) and weights N(0, 0.02^2).
    """

    def __init__(self, channels: int, width: int = 64, halvings: int = 3, norm: str = "none") -> None:
        super().__init__()
        widths = [channels, *(width * min(8, 1 << k) for k in range(halvings + 1))]
        strides = [2] * halvings + [1]
        behind = NORMS[norm][1]
        pairs = zip(pairwise(widths), strides, strict=True)
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 4, stride, 1) for (a, b), stride in pairs)
        self.norms = nn.ModuleList(behind(b) if k else nn.Identity() for k, b in enumerate(widths[1:]))
        self.last = nn.Conv2d(widths[-1], 1, 4, 1, 1)
        for layer in self.convs:
            scaled_(layer, LEAKY_GAIN)
        if norm == "instance":
            normal_(self)

    def read(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        x, maps = image, []
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), SLOPE)
            maps.append(x)
        logits: Tensor = self.last(x)[:, 0]
        return logits, maps


class ScaledCritics(nn.Module):
    """pix2pixHD's critics (Wang et al. 2018, arXiv 1711.11585, 3.2): one for each of the sizes 1, 1/2, 1/4 ...

    [B, C, H, W] to logits [B, h, w] of each.
    """

    def __init__(self, channels: int, width: int, halvings: int, norm: str, scales: int) -> None:
        super().__init__()
        self.critics = nn.ModuleList(PatchCritic(channels, width, halvings, norm) for _ in range(scales))

    def forward(self, image: Tensor) -> list[Tensor]:
        logits = []
        for k, critic in enumerate(self.critics):
            image = F.avg_pool2d(image, 3, 2, 1, count_include_pad=False) if k else image
            logits.append(critic(image))
        return logits


def feature_distance(fake: list[Tensor], real: list[Tensor]) -> Tensor:
    """Mean absolute difference of the maps of two batches, averaged over the layers; no gradient into `real`."""
    return torch.stack([(f - r.detach()).abs().mean() for f, r in zip(fake, real, strict=True)]).mean()
