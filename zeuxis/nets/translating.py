"""Nets from a picture to a picture of another kind: a U-Net with skips, and residual blocks; heads that compare places.

Norms are instance norms: with the one picture in a batch for which pix2pix is published its batch norm is one, and
nothing of other pictures enters a result.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zeuxis.nets.init import SLOPE
from zeuxis.nets.picture_norm import PictureNorm
from zeuxis.nets.randomness import Dropout

UPS = ("resize", "transposed", "shuffle")
"""How a map is doubled: resized and a convolution, a transposed convolution, or pixels out of channels."""


def doubled(taken: int, given: int, how: str, size: int = 4, smooth: bool = False) -> nn.Module:
    """[B, taken, H, W] to [B, given, 2 H, 2 W].

    size: of the transposed convolution's kernel, 4 or 3. smooth: resized by the filter of CUT, which is bilinear, in
    place of repeating pixels; from flat label maps that makes no texture.
    """
    if how == "transposed":
        return nn.ConvTranspose2d(taken, given, size, 2, 1, output_padding=size % 2)
    if how == "shuffle":
        return nn.Sequential(nn.Conv2d(taken, 4 * given, 3, padding=1), nn.PixelShuffle(2))
    mode = "bilinear" if smooth else "nearest"
    return nn.Sequential(nn.Upsample(scale_factor=2, mode=mode), nn.Conv2d(taken, given, 3, padding=1))


def filled(image: Tensor, multiple: int) -> tuple[Tensor, tuple[slice, slice]]:
    """[B, C, H, W] mirrored on all sides up to multiples of `multiple`, and where the picture lies in it.

    Mirrored again where a side is shorter than what it lacks: what is seen keeps the statistics of the picture.
    """
    inner = []
    for axis in (2, 3):
        side = image.shape[axis]
        lacking = -side % multiple
        before = lacking // 2
        if lacking:
            place = torch.arange(-before, side + lacking - before, device=image.device) % max(1, 2 * side - 2)
            image = image.index_select(axis, torch.minimum(place, 2 * side - 2 - place).clamp(min=0))
        inner.append(slice(before, before + side))
    return image, (inner[0], inner[1])


class UNetTranslator(nn.Module):
    """pix2pix's generator (Isola et al. 2017, arXiv 1611.07004, 6.1.1): [B, channels, H, W] to [B, target, H, W].

    `depth` 4x4 convolutions of stride 2 (width, 2, 4, 8 and again 8 widths), as many doublings back, each beside the
    map of its size; leaky ReLU 0.2 down and ReLU up; tanh. Norms but at the first and the innermost map; dropout in
    up to three doublings after the innermost. Sides that are no multiples of 2^depth are filled up, mirrored.
    """

    def __init__(self, channels: int, target: int, width: int, depth: int, up: str, dropout: float) -> None:
        super().__init__()
        self.multiple = 1 << depth
        widths = [width * min(8, 1 << k) for k in range(depth)]
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise([channels, *widths]))
        self.down_norm = nn.ModuleList(
            PictureNorm(b, affine=True) if 0 < k < depth - 1 else nn.Identity() for k, b in enumerate(widths)
        )
        given = [*reversed(widths[:-1]), target]
        taken = [widths[-1], *(2 * w for w in reversed(widths[:-1]))]
        self.up = nn.ModuleList(doubled(a, b, up) for a, b in zip(taken, given, strict=True))
        self.up_norm = nn.ModuleList(PictureNorm(b, affine=True) for b in given[:-1])
        drops = [dropout if 0 < k <= 3 and widths[-1 - k] == widths[-1] else 0.0 for k in range(depth - 1)]
        self.drop = nn.ModuleList(Dropout(p) if p else nn.Identity() for p in drops)

    def forward(self, image: Tensor) -> Tensor:
        whole, (rows, columns) = filled(image, self.multiple)
        return self._answer(whole)[..., rows, columns]

    def _answer(self, image: Tensor) -> Tensor:
        x, maps = image, []
        for k, (down, norm) in enumerate(zip(self.down, self.down_norm, strict=True)):
            x = norm(down(F.leaky_relu(x, SLOPE) if k else x))
            maps.append(x)
        skips = reversed(maps[:-1])
        for up, norm, drop, skip in zip(self.up, self.up_norm, self.drop, skips):
            x = torch.cat([skip, drop(norm(up(F.relu(x))))], 1)
        return torch.tanh(self.up[-1](F.relu(x)))


class _Block(nn.Module):
    """Two 3x3 convolutions with norms, added to what came in; borders mirrored."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1, padding_mode="reflect") for _ in range(2))
        self.norms = nn.ModuleList(PictureNorm(width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu(self.norms[0](self.convs[0](x)))
        out: Tensor = x + self.norms[1](self.convs[1](inner))
        return out


def _blur(x: Tensor) -> Tensor:
    """Every second pixel of [B, C, H, W] after a 3x3 binomial filter (Zhang 2019, arXiv 1904.11486)."""
    one = x.new_tensor([0.25, 0.5, 0.25])
    kernel = (one[:, None] * one).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), kernel, stride=2, groups=x.shape[1])


class ResidualTranslator(nn.Module):
    """CycleGAN's generator (Zhu et al. 2017, arXiv 1703.10593, 7.2; Johnson et al. 2016, arXiv 1603.08155).

    [B, channels, H, W] to [B, target, H, W]: a 7x7 convolution to `width`, two halvings to 4 width, `blocks` residual
    blocks, two doublings, a 7x7 convolution and tanh; instance norm without gains; borders mirrored. smooth: halved by
    a convolution of stride 1 and a blur, and doubled by a filter, as in CUT, against checkerboards. change: what the
    net gives, t in [-1, 1], is laid over the picture, (1 - |t|) x + t, so that it begins with the picture itself. Sides
    of 16 or more that are no multiples of 4 are filled up, mirrored.

    Raises ValueError for `change` where channels and target differ.
    """

    def __init__(
        self, channels: int, target: int, width: int, blocks: int, up: str, smooth: bool = False, change: bool = False
    ) -> None:
        super().__init__()
        if change and channels != target:
            raise ValueError(f"a change needs as many channels as are given, not {target} of {channels}")
        self.multiple, self.smooth, self.change = 4, smooth, change
        self.first = nn.Conv2d(channels, width, 7, padding=3, padding_mode="reflect")
        step = 1 if smooth else 2
        pairs = [(width, 2 * width), (2 * width, 4 * width)]
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, step, 1) for a, b in pairs)
        self.blocks = nn.ModuleList(_Block(4 * width) for _ in range(blocks))
        self.up = nn.ModuleList(doubled(b, a, up, 3, smooth) for a, b in reversed(pairs))
        self.norms = nn.ModuleList(PictureNorm(w) for w in (width, 2 * width, 4 * width, 2 * width, width))
        self.last = nn.Conv2d(width, target, 7, padding=3, padding_mode="reflect")

    def read(self, image: Tensor, compared: int, blocks: int | None = None) -> tuple[Tensor, list[Tensor]]:
        """The map after `blocks` residual blocks, of which the first `compared` count here: these alone by default; and
        the maps on the way: the picture, both halvings before their norms, those after the first and the last of the
        compared blocks (the places that CUT compares, arXiv 2007.15651, C.1).
        """
        x, seen = F.relu(self.norms[0](self.first(image))), [image]
        for conv, norm in zip(self.down, (self.norms[1], self.norms[2]), strict=True):
            x = conv(x)
            seen.append(x)
            x = F.relu(norm(x))
            x = _blur(x) if self.smooth else x
        for k, block in enumerate(self.blocks[: blocks or compared]):
            x = block(x)
            if k in (0, compared - 1):
                seen.append(x)
        return x, seen

    def forward(self, image: Tensor) -> Tensor:
        whole, (rows, columns) = filled(image, self.multiple)
        return self.answered(self.read(whole, len(self.blocks))[0], whole)[..., rows, columns]

    def answered(self, x: Tensor, image: Tensor) -> Tensor:
        """The picture that the map after the last residual block becomes, of which `image` was given."""
        for up, norm in zip(self.up, (self.norms[3], self.norms[4]), strict=True):
            x = F.relu(norm(up(x)))
        painted = torch.tanh(self.last(x))
        return (1 - painted.abs()) * image + painted if self.change else painted


def residual_radius(blocks: int) -> int:
    """Input pixels beyond which none touches an output pixel but through the norms; a bound."""
    return 21 + 8 * blocks


class PatchProjector(nn.Module):
    """CUT's heads (Park et al. 2020, arXiv 2007.15651, C.1): maps at some places to vectors of length 1.

    One head for each map, with `channels` given in their order: two dense layers to `dim` with a ReLU between.
    """

    def __init__(self, channels: Sequence[int], dim: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Sequential(nn.Linear(c, dim), nn.ReLU(), nn.Linear(dim, dim)) for c in channels)

    def forward(self, maps: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """[B, n, dim] of maps [B, C, H, W] at places, int64 [B, n] in the order of rows."""
        vectors = []
        for head, x, at in zip(self.heads, maps, places, strict=True):
            flat = x.flatten(2).transpose(1, 2)
            chosen = flat.gather(1, at[..., None].expand(-1, -1, flat.shape[2]))
            vectors.append(F.normalize(head(chosen), dim=2))
        return vectors
