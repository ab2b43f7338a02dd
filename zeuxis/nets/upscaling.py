"""Nets that enlarge pictures: the plain stack of Real-ESRGAN, SPAN, and SRResNet.

All map [B, C, H, W] in [-1, 1] to [B, C, H * scale, W * scale], not cut at the ends of the range. They work on the
small picture and unfold channels into pixels at the end. What they give is added to a base, the picture enlarged
without learning; the last layer then begins at zero, so that the first answer is the base itself.
"""

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zeuxis.nets.init import scaled_

PRELU_SLOPE = 0.25
"""Where the learned negative slope of a PReLU begins (He et al. 2015, arXiv 1502.01852)."""
PRELU_GAIN = math.sqrt(2 / (1 + PRELU_SLOPE**2))
"""Keeps the variance through it."""


def _symmetric(x: Tensor, margin: int) -> Tensor:
    """[B, C, H, W] with `margin` pixels more on each side, mirrored with the edge pixel repeated."""
    for dim in (2, 3):
        first, last = x.narrow(dim, 0, margin), x.narrow(dim, x.shape[dim] - margin, margin)
        x = torch.cat([first.flip(dim), x, last.flip(dim)], dim)
    return x


def bicubic(x: Tensor, scale: int) -> Tensor:
    """Enlarged as MATLAB's imresize does it: Keys' kernel with a = -0.5, mirrored at the border; sides of 2 or more."""
    wide = F.interpolate(_symmetric(x, 2), scale_factor=scale, mode="bicubic", antialias=True)
    margin = 2 * scale
    return wide[:, :, margin:-margin, margin:-margin]


def nearest(x: Tensor, scale: int) -> Tensor:
    """Every pixel becomes a square of scale x scale."""
    return F.interpolate(x, scale_factor=scale, mode="nearest")


BASES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "bicubic": bicubic,
    "nearest": nearest,
    "none": lambda x, scale: x.new_zeros(()),
}
"""What a net's answer is added to, by name."""
BASE_REACH = 2
"""Input pixels beyond which none touches any of the bases."""


def _zero_(layer: nn.Conv2d) -> None:
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


Conv = Callable[[int, int], nn.Module]
"""(channels in, channels out) to a layer that acts as a 3x3 convolution."""


def plain_conv(a: int, b: int) -> nn.Conv2d:
    return nn.Conv2d(a, b, 3, padding=1)


class BranchedConv(nn.Module):
    """1x1, 3x3 and 1x1 convolutions without anything between them, beside a 1x1: one 3x3 convolution in the end.

    The inner maps are `GAIN` times as wide (Conv3XC of SPAN, Wan et al. 2024, arXiv 2311.12770). The border is
    padded before the first 1x1, so that its bias lies there too, as in the one convolution it folds to.
    """

    GAIN = 2

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(a, self.GAIN * a, 1)
        self.middle = nn.Conv2d(self.GAIN * a, self.GAIN * b, 3)
        self.leave = nn.Conv2d(self.GAIN * b, b, 1)
        self.skip = nn.Conv2d(a, b, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.leave(self.middle(self.enter(F.pad(x, (1, 1, 1, 1))))) + self.skip(x)
        return out

    @torch.no_grad()
    def folded(self) -> nn.Conv2d:
        """The one 3x3 convolution that gives the same, border included; computed in float64."""
        enter, middle, leave, skip = (
            (m.weight.double(), m.bias.double())  # type: ignore[union-attr]
            for m in (self.enter, self.middle, self.leave, self.skip)
        )
        weight = torch.einsum("pmhw,mc->pchw", middle[0], enter[0][:, :, 0, 0])
        bias = middle[0].sum((2, 3)) @ enter[1] + middle[1]
        weight = torch.einsum("op,pchw->ochw", leave[0][:, :, 0, 0], weight)
        bias = leave[0][:, :, 0, 0] @ bias + leave[1] + skip[1]
        weight[:, :, 1:2, 1:2] += skip[0]
        conv = plain_conv(self.enter.in_channels, self.leave.out_channels).to(self.enter.weight)
        conv.weight.copy_(weight)
        conv.bias.copy_(bias)  # type: ignore[union-attr]
        return conv


def folded(net: nn.Module) -> nn.Module:
    """A copy of the net with every branched convolution folded into one; fold once, before pictures go through."""
    net = copy.deepcopy(net)
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, BranchedConv):
                setattr(module, name, child.folded())
    return net


CONVS: dict[bool, Conv] = {False: plain_conv, True: BranchedConv}
"""The 3x3 convolutions of a body, by whether they train in branches."""


def _last(width: int, channels: int, scale: int, base: str) -> nn.Conv2d:
    layer = plain_conv(width, channels * scale**2)
    if base != "none":
        _zero_(layer)
    return layer


class PlainUpscaler(nn.Module):
    """SRVGGNetCompact of Real-ESRGAN (Wang et al. 2021, arXiv 2107.10833): conv, `blocks` more, conv, shuffle, base.

    3x3 convolutions with a PReLU of a slope per channel after each but the last. The source's base is "nearest".
    Weights begin as He et al. have it, so that a signal passes all layers from the start.
    """

    def __init__(
        self, channels: int, scale: int, width: int, blocks: int, base: str = "bicubic", conv: Conv = plain_conv
    ) -> None:
        super().__init__()
        self.scale, self.base = scale, base
        convs = [conv(channels, width), *(conv(width, width) for _ in range(blocks))]
        for layer in convs:
            if isinstance(layer, nn.Conv2d):
                scaled_(layer, PRELU_GAIN)
        self.body = nn.Sequential(*(m for layer in convs for m in (layer, nn.PReLU(width, PRELU_SLOPE))))
        self.last = _last(width, channels, scale, base)

    def forward(self, image: Tensor) -> Tensor:
        detail = F.pixel_shuffle(self.last(self.body(image)), self.scale)
        return detail + BASES[self.base](image, self.scale)


def plain_radius(blocks: int) -> int:
    """Input pixels beyond which none touches an output pixel: one per 3x3 convolution."""
    return blocks + 2


class AttentionBlock(nn.Module):
    """SPAB: three convolutions with SiLU between; (c3 + x) * (sigmoid(c3) - 1/2), an attention without parameters.

    Returns it and what the first convolution gave, after its SiLU, which is what the source hands on.
    """

    def __init__(self, width: int, conv: Conv) -> None:
        super().__init__()
        self.convs = nn.ModuleList(conv(width, width) for _ in range(3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first = F.silu(self.convs[0](x))
        last = self.convs[2](F.silu(self.convs[1](first)))
        return (last + x) * (torch.sigmoid(last) - 0.5), first


class SpanUpscaler(nn.Module):
    """SPAN (Wan et al. 2024, arXiv 2311.12770): `blocks` attention blocks, four maps joined by a 1x1, shuffle, base.

    Joined are the first map, the last block's through one more convolution, the first block's, and what is inside
    the last block. As published the net works on grey levels of 255, where its attention is not flat; they are
    brought back to the picture's scale before the last layer. Own: no mean colour, and the base.
    """

    LEVELS = 127.5

    def __init__(
        self, channels: int, scale: int, width: int, blocks: int, base: str = "bicubic", conv: Conv = plain_conv
    ) -> None:
        super().__init__()
        self.scale, self.base = scale, base
        self.first = conv(channels, width)
        self.blocks = nn.ModuleList(AttentionBlock(width, conv) for _ in range(blocks))
        self.after = conv(width, width)
        self.join = nn.Conv2d(4 * width, width, 1)
        self.last = _last(width, channels, scale, base)

    def forward(self, image: Tensor) -> Tensor:
        x = first = self.first(self.LEVELS * image)
        kept, inner = [], first
        for block in self.blocks:
            x, inner = block(x)
            kept.append(x)
        joined = self.join(torch.cat([first, self.after(x), kept[0], inner], 1)) / self.LEVELS
        return F.pixel_shuffle(self.last(joined), self.scale) + BASES[self.base](image, self.scale)


def span_radius(blocks: int) -> int:
    """Input pixels beyond which none touches an output pixel: three per block, and three layers around them."""
    return 3 * blocks + 3


Maker = Callable[[int, int, int, int, str, Conv], nn.Module]
"""(channels, scale, width, blocks, base, conv) to a net."""

BODIES: dict[str, tuple[Maker, Callable[[int], int]]] = {
    "plain": (PlainUpscaler, plain_radius),
    "span": (SpanUpscaler, span_radius),
}
"""Nets for speed, and how far each one sees, by body."""


STEPS = {2: (2,), 3: (3,), 4: (2, 2)}
"""Enlargements one after the other, by scale."""
NORMS: dict[str, Callable[[int], nn.Module]] = {"none": lambda width: nn.Identity(), "batch": nn.BatchNorm2d}


class ConvBlock(nn.Module):
    """x + norm(conv(prelu(norm(conv(x))))), [B, width, H, W].

    Without a norm the second convolution begins at a tenth, as BasicSR has it, so that many blocks stay calm.
    """

    def __init__(self, width: int, norm: str) -> None:
        super().__init__()
        self.conv1, self.conv2 = plain_conv(width, width), plain_conv(width, width)
        self.norm1, self.norm2 = NORMS[norm](width), NORMS[norm](width)
        self.act = nn.PReLU()
        if norm == "none":
            scaled_(self.conv1, PRELU_GAIN)
            scaled_(self.conv2, 0.1)

    def forward(self, x: Tensor) -> Tensor:
        inner: Tensor = self.norm2(self.conv2(self.act(self.norm1(self.conv1(x)))))
        return x + inner


class ResidualUpscaler(nn.Module):
    """SRResNet (Ledig et al. 2017, arXiv 1609.04802, figure 4): residual blocks, pixel shuffles by 2, PReLU.

    A first and a last convolution of ends x ends, `blocks` blocks and a convolution that are skipped as a whole,
    then for each step a convolution to four times (scale 3: nine times) the width and a shuffle. One slope per
    PReLU. As published: width 64, 16 blocks, ends 9, norm "batch", base "none"; the small picture is read in [0, 1].
    """

    def __init__(
        self, channels: int, scale: int, width: int, blocks: int, ends: int = 9, norm: str = "batch", base: str = "none"
    ) -> None:
        super().__init__()
        self.scale, self.base = scale, base
        self.first = nn.Sequential(nn.Conv2d(channels, width, ends, padding=ends // 2), nn.PReLU())
        self.blocks = nn.Sequential(*(ConvBlock(width, norm) for _ in range(blocks)))
        self.merge = nn.Sequential(plain_conv(width, width), NORMS[norm](width))
        self.up = nn.Sequential(
            *(nn.Sequential(plain_conv(width, width * s**2), nn.PixelShuffle(s), nn.PReLU()) for s in STEPS[scale])
        )
        self.last = nn.Conv2d(width, channels, ends, padding=ends // 2)
        if norm == "none":
            for layer in (self.first[0], *(up[0] for up in self.up)):  # type: ignore[index]
                scaled_(layer, PRELU_GAIN)
            scaled_(self.merge[0], 1.0)
        if base != "none":
            _zero_(self.last)

    def forward(self, image: Tensor) -> Tensor:
        x = self.first((image + 1) / 2)
        detail: Tensor = self.last(self.up(x + self.merge(self.blocks(x))))
        return detail + BASES[self.base](image, self.scale)


def residual_radius(scale: int, blocks: int, ends: int) -> int:
    """Input pixels beyond which none touches an output pixel; batch norms hold still at inference."""
    reach = ends // 2
    for step in reversed(STEPS[scale]):
        reach = (step - 1 + reach) // step + 1  # seen from the worst pixel of a cell, and the convolution before it
    return max(BASE_REACH, reach + 1 + 2 * blocks + ends // 2)
