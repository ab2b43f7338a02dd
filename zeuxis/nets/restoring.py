"""Nets that give a picture of the same size back: a U-Net on a half-size grid, and a plain stack."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))) without norm or bias, as in DRUNet (Zhang et al. 2021, arXiv 2008.13751)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.second(F.relu(self.first(x)))
        return x + change


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(width) for _ in range(count)))


class RestoringUNet(nn.Module):
    """U-Net of residual blocks on the picture folded 2x2 into channels; what it gives is added to the picture.

    [B, channels, H, W], and [B, extra, H, W] beside it, to [B, channels, H, W]; H and W multiples of `multiple_of`.
    Folding makes each layer four times cheaper (FFDNet, Zhang et al. 2018, arXiv 1710.04026); strided 2x2
    convolutions down, transposed ones up, skips by addition (DRUNet).
    """

    def __init__(self, channels: int, width: int, levels: int, blocks: int, extra: int = 0) -> None:
        super().__init__()
        widths = [width << k for k in range(levels)]
        self.head = nn.Conv2d(4 * (channels + extra), width, 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(_blocks(w, blocks), nn.Conv2d(w, 2 * w, 2, 2, bias=False)) for w in widths[:-1]
        )
        self.body = _blocks(widths[-1], blocks)
        self.up = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(2 * w, w, 2, 2, bias=False), _blocks(w, blocks))
            for w in reversed(widths[:-1])
        )
        self.tail = nn.Conv2d(width, 4 * channels, 3, padding=1)
        nn.init.normal_(self.tail.weight, std=1e-3)  # so that the first answer is the picture itself
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]
        for module in self.modules():
            if isinstance(module, ResidualBlock):  # deep sums of blocks stay calm at the start
                nn.init.kaiming_normal_(module.first.weight)
                module.second.weight.data.mul_(0.1)

    def forward(self, image: Tensor, extra: Tensor | None = None) -> Tensor:
        seen = image if extra is None else torch.cat([image, extra], 1)
        x = self.head(F.pixel_unshuffle(seen, 2))
        kept = []
        for down in self.down:
            kept.append(x)
            x = down(x)
        x = self.body(x)
        for up in self.up:
            x = up[0](x) + kept.pop()  # type: ignore[index]
            x = up[1](x)  # type: ignore[index]
        return image + F.pixel_shuffle(self.tail(x), 2)


def unet_radius(levels: int, blocks: int) -> int:
    """Pixels from which on an input pixel cannot touch an output pixel.

    A 3x3 convolution on a grid folded by s reaches s pixels, and s - 1 more lie within the cell that it shares.
    """
    steps = [2 << k for k in range(levels)]
    convs = 2 * blocks
    reach = 2 * 2  # head and tail
    reach += sum(2 * convs * s for s in steps[:-1]) + convs * steps[-1]
    return reach + steps[-1]  # the cell of the coarsest grid


class RestoringStack(nn.Module):
    """DnCNN without batch norm (Zhang et al. 2017, arXiv 1608.03981): a plain stack that gives the difference."""

    def __init__(self, channels: int, width: int, layers: int, extra: int = 0) -> None:
        super().__init__()
        middle = [nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU()) for _ in range(layers - 2)]
        self.body = nn.Sequential(nn.Conv2d(channels + extra, width, 3, padding=1), nn.ReLU(), *middle)
        self.tail = nn.Conv2d(width, channels, 3, padding=1)
        nn.init.normal_(self.tail.weight, std=1e-3)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor, extra: Tensor | None = None) -> Tensor:
        seen = image if extra is None else torch.cat([image, extra], 1)
        change: Tensor = self.tail(self.body(seen))
        return image + change


BODIES: dict[str, Callable[[int, int, int, int, int], nn.Module]] = {
    "unet": lambda channels, width, levels, blocks, extra: RestoringUNet(channels, width, levels, blocks, extra),
    "plain": lambda channels, width, levels, blocks, extra: RestoringStack(
        channels, width, 2 + 2 * blocks * levels, extra
    ),
}
