"""Nets that fill holes: a U-Net of gated convolutions, Fourier blocks for its smallest map, and a critic of patches."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from zeuxis.nets.init import LEAKY_GAIN, SLOPE, scaled_

GATED_GAIN = 2.2
"""Gain of the first weights at which elu(f) * sigmoid(g) has the second moment of the input, for normal f and g."""
TYPICAL = 0.2
"""Size of the differences of photographs from the mean nearby, so that the net's numbers are near 1."""
FARTHEST = 32
"""Cells: the reach of the largest square that known pixels are averaged over."""


class GatedConv(nn.Module):
    """elu(conv(x)) * sigmoid(conv'(x)), 3x3: [B, a, H, W] to [B, b, H / stride, W / stride].

    The gate learns which places hold something to pass on (Yu et al. 2019, arXiv 1806.03589, eq. 3).
    `separable`: a 3x3 convolution per channel, then 1x1: a ninth of the multiplications and a little.
    """

    def __init__(self, a: int, b: int, stride: int = 1, dilation: int = 1, separable: bool = False) -> None:
        super().__init__()
        place = {"stride": stride, "padding": dilation, "dilation": dilation}
        if separable:
            layers = [nn.Conv2d(a, a, 3, groups=a, bias=False, **place), nn.Conv2d(a, 2 * b, 1)]  # type: ignore[arg-type]
            scaled_(layers[0], 1.0)
        else:
            layers = [nn.Conv2d(a, 2 * b, 3, **place)]  # type: ignore[arg-type]
        scaled_(layers[-1], GATED_GAIN)
        self.conv = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        feature, gate = self.conv(x).chunk(2, 1)
        return F.elu(feature) * torch.sigmoid(gate)


class Residual(nn.Module):
    """x + branch(x)."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.branch(x)
        return out


class SpectralTransform(nn.Module):
    """A 1x1 convolution on the spectrum, so that every place touches every other: [B, a, H, W] to [B, b, H, W].

    conv1 to half of the channels, ReLU; beside what that gives, its orthonormal spectrum with real and
    imaginary parts as channels through conv1, ReLU and back; conv1 (Chi et al. 2020, Fast Fourier Convolution).
    """

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        half = max(1, b // 2)
        self.enter = nn.Conv2d(a, half, 1)
        self.mix = nn.Conv2d(2 * half, 2 * half, 1)
        self.leave = nn.Conv2d(half, b, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.enter(x))
        wide = torch.promote_types(x.dtype, torch.float32)  # there is no transform in bfloat16
        spectrum = torch.fft.rfft2(x.to(wide), norm="ortho")
        mixed = F.relu(self.mix(torch.cat([spectrum.real, spectrum.imag], 1)))
        real, imaginary = mixed.to(wide).chunk(2, 1)
        far = torch.fft.irfft2(torch.complex(real, imaginary), s=x.shape[-2:], norm="ortho")
        out: Tensor = self.leave(x + far)
        return out


class FourierConv(nn.Module):
    """LaMa's fast Fourier convolution (Suvorov et al. 2022, arXiv 2109.07161), [B, width, H, W] to the same; ReLU.

    Three quarters of the channels are global: local = conv3(local, global), global = conv3(local) + spectral(global).
    Without the published batch norm, whose statistics would tie the pictures of a batch together.
    """

    def __init__(self, width: int, share: float = 0.75) -> None:
        super().__init__()
        far = round(share * width)
        self.parts = [width - far, far]
        self.near = nn.Conv2d(width, width - far, 3, padding=1)
        self.cross = nn.Conv2d(width - far, far, 3, padding=1)
        self.far = SpectralTransform(far, far)

    def forward(self, x: Tensor) -> Tensor:
        near, far = x.split(self.parts, 1)
        return F.relu(torch.cat([self.near(x), self.cross(near) + self.far(far)], 1))


def box_mean(x: Tensor, reach: int) -> Tensor:
    """Means over squares of 2 `reach` + 1 pixels; zeros beyond the frame."""
    side = 2 * reach + 1
    rows = F.avg_pool2d(x, (side, 1), 1, (reach, 0))
    return F.avg_pool2d(rows, (1, side), 1, (0, reach))


def nearby_mean(image: Tensor, known: Tensor, cell: int, most: int) -> Tensor:
    """Means of the known pixels around each place, near ones first: [B, C, H, W]; 0 where none is in reach.

    Normalised convolution (Knutsson and Westin 1993): means over squares of reach r = 1, 2, 4 ... pixels, weighed by
    1 / r^2, of the picture and of what is known of it, one divided by the other. From r = `cell` on they are taken
    on the picture shrunk by `cell`, up to `most` of its pixels. image: zeros in holes.
    """
    both = torch.cat([image, known], 1)
    total = sum(box_mean(both, r) / r**2 for r in _doubling(1, cell - 1))
    small = F.avg_pool2d(both, cell)
    far = torch.stack([box_mean(small, r) / (r * cell) ** 2 for r in _doubling(1, most)]).sum(0)
    total = total + (F.interpolate(far, scale_factor=float(cell), mode="bilinear") if cell > 1 else far)
    return total[:, :-1] / total[:, -1:].clamp_min(1e-12)


def _doubling(low: int, high: int) -> list[int]:
    return [low << k for k in range(max(0, high // low).bit_length())]


@dataclass(frozen=True)
class Shape:
    """Of an inpainting net: `width` channels on the largest map, twice as many on each of `levels` - 1 smaller ones.

    fold: pixels of the picture along a side of one of the largest map's; dilations: of the gated middle's 3x3
    convolutions; blocks: of a Fourier middle; separable: 3x3 convolutions per channel, then 1x1.
    """

    width: int = 32
    levels: int = 2
    fold: int = 2
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16)
    blocks: int = 3
    separable: bool = False

    @property
    def cell(self) -> int:
        """Pixels of the picture along a side of one of the smallest map's."""
        return self.fold << (self.levels - 1)

    def radius(self) -> int:
        """A distance in pixels beyond which no input pixel touches an output pixel, with a gated middle.

        What the net reaches, and what the means that it reads do: `FARTHEST` cells, and one and a half by their
        blending. With r on the map of half the sides, a place reads pixels 2r + 2 away (half of it, rounded down,
        plus r, twice, plus 1 of the strided 3x3 convolution); each 3x3 convolution on the map itself adds its
        dilation.
        """
        reach = sum(self.dilations) + (1 if self.levels > 1 else 2)  # down's second; alone: head and tail
        for level in reversed(range(self.levels - 1)):
            reach = 2 * reach + 2 + (2 if level else 3)  # down's second and up; on the largest map head, up and tail
        return self.fold * reach + self.fold - 1 + self.cell * (FARTHEST + 1) + self.cell // 2


def gated_middle(width: int, shape: Shape) -> nn.Module:
    """A gated convolution per dilation, each added to its input."""
    return nn.Sequential(*(Residual(GatedConv(width, width, 1, d, shape.separable)) for d in shape.dilations))


def fourier_middle(width: int, shape: Shape) -> nn.Module:
    """Residual blocks of two Fourier convolutions."""
    pairs = [nn.Sequential(FourierConv(width), FourierConv(width)) for _ in range(shape.blocks)]
    return nn.Sequential(*(Residual(pair) for pair in pairs))


MIDDLES: dict[str, Callable[[int, Shape], nn.Module]] = {"gated": gated_middle, "fourier": fourier_middle}
"""What stands between the halves of the U-Net, by body."""


class InpaintingUNet(nn.Module):
    """A picture [B, C, H, W] and what is known of it [B, 1, H, W] (1, and 0 in holes) to a whole picture [B, C, H, W].

    What lies in holes is not read. The net reads and gives differences from the mean of the known pixels nearby, so
    that the first answer is a smooth filling, and a lighter picture gives a lighter answer. Gated convolutions on the
    picture folded into channels, a middle by `body` on the smallest map, nearest doubling and skips on the way up.
    H and W must be multiples of `shape.cell`. The answer is not cut at the ends of the range.
    """

    def __init__(self, channels: int, shape: Shape, body: str = "gated") -> None:
        super().__init__()
        widths, separable = [shape.width << k for k in range(shape.levels)], shape.separable
        self.fold, self.cell = shape.fold, shape.cell
        self.head = GatedConv(shape.fold**2 * (channels + 1), shape.width, separable=separable)
        self.down = nn.ModuleList(
            nn.Sequential(GatedConv(w, 2 * w, 2, separable=separable), GatedConv(2 * w, 2 * w, separable=separable))
            for w in widths[:-1]
        )
        self.middle = MIDDLES[body](widths[-1], shape)
        self.up = nn.ModuleList(GatedConv(3 * w, w, separable=separable) for w in reversed(widths[:-1]))
        self.tail = nn.Conv2d(shape.width, shape.fold**2 * channels, 3, padding=1)
        nn.init.normal_(self.tail.weight, std=5e-3)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor, known: Tensor) -> Tensor:
        seen = torch.where(known > 0, image, 0.0)
        mean = nearby_mean(seen, known, self.cell, FARTHEST)
        x = self.head(F.pixel_unshuffle(torch.cat([(seen - mean) * known / TYPICAL, 1 - known], 1), self.fold))
        kept = []
        for down in self.down:
            kept.append(x)
            x = down(x)
        x = self.middle(x)
        for up in self.up:
            x = up(torch.cat([F.interpolate(x, scale_factor=2.0), kept.pop()], 1))
        return mean + TYPICAL * F.pixel_shuffle(self.tail(x), self.fold)


class PatchCritic(nn.Module):
    """Pictures [B, C, H, W] and their holes [B, 1, H, W] (1 in holes) to logits [B, 1, h, w] and the maps before them.

    5x5 convolutions of stride 2, 2, 2, 1 with width, 2, 4 and 4 times as many channels, leaky ReLU, spectral norm:
    SN-PatchGAN (Yu et al. 2019, arXiv 1806.03589), with three halvings in place of six and one logit per place.
    """

    STRIDES = (2, 2, 2, 1)

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        maps = [channels + 1, width, 2 * width, 4 * width, 4 * width]
        convs = [nn.Conv2d(a, b, 5, s, padding=2) for a, b, s in zip(maps, maps[1:], self.STRIDES)]
        head = nn.Conv2d(maps[-1], 1, 5, padding=2)
        for conv in (*convs, head):
            scaled_(conv, LEAKY_GAIN)
        self.convs = nn.ModuleList(spectral_norm(conv) for conv in convs)
        self.head = spectral_norm(head)

    def forward(self, image: Tensor, hole: Tensor) -> tuple[Tensor, list[Tensor]]:
        x, maps = torch.cat([image, hole], 1), []
        for conv in self.convs:
            x = F.leaky_relu(conv(x), SLOPE)
            maps.append(x)
        return self.head(x), maps


def hole_share(hole: Tensor, like: Tensor) -> Tensor:
    """The share [B, 1, h, w] of hole in the piece of the picture that belongs to each logit of `like` [B, 1, h, w].

    LaMa takes the nearest pixel of the mask; by the share thin strokes are not lost.
    """
    return F.adaptive_avg_pool2d(hole, (like.shape[2], like.shape[3]))
