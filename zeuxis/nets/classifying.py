"""Small residual classifiers without batch norm, so that real and made pictures never share running statistics."""

from torch import Tensor, nn

GRID = 4
"""Rows and columns of means that the dense layer reads."""


def group_norm(channels: int, per_group: int = 8) -> nn.GroupNorm:
    """Group norm (Wu and He 2018, arXiv 1803.08494) with `per_group` channels a group where that divides evenly."""
    return nn.GroupNorm(channels // per_group if channels % per_group == 0 else 1, channels)


class Halving(nn.Module):
    """Residual block that halves the sides: [B, c_in, H, W] -> [B, c_out, ceil(H/2), ceil(W/2)].

    Main path norm, conv3x3 stride 2, norm, conv3x3; shortcut average pool and conv1x1
    (the "D" variant of He et al. 2019, arXiv 1812.01187). Pre-activation.
    """

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            group_norm(c_in),
            nn.ReLU(),
            nn.Conv2d(c_in, c_out, 3, 2, 1, bias=False),
            group_norm(c_out),
            nn.ReLU(),
            nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False),
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False), nn.Conv2d(c_in, c_out, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.main(x) + self.shortcut(x)
        return out


def stem_halvings(size: tuple[int, int]) -> int:
    """How often the stem halves the sides before the residual blocks: once below 48 pixels, else twice."""
    return 1 if min(size) < 48 else 2


def block_count(size: tuple[int, int]) -> int:
    """Residual halvings after the stem: two, three for the largest pictures (smaller side 96 or more)."""
    return 3 if min(size) >= 96 else 2


class ResidualClassifier(nn.Module):
    """Pictures [B, C, H, W] in [-1, 1] to logits [B, classes]; any sides of 8 pixels or more.

    A conv3x3 stride 2 stem of `width` channels (two of them from 48 pixels on), residual
    halvings of 2, 3 (and 4) times `width`, group norm, ReLU, means over a 4x4 grid, one dense layer.
    The grid keeps where things are: over a global average it gained two to five points on 500 steps.
    `size` is (height, width); it decides the depth, and other sizes can be read too.
    Train and eval mode compute the same.
    """

    def __init__(self, channels: int, size: tuple[int, int], classes: int, width: int = 24) -> None:
        super().__init__()
        stem: list[nn.Module] = [nn.Conv2d(channels, width, 3, 2, 1, bias=False)]
        for _ in range(stem_halvings(size) - 1):
            stem += [group_norm(width), nn.ReLU(), nn.Conv2d(width, width, 3, 2, 1, bias=False)]
        widths = [width * (i + 1) for i in range(block_count(size) + 1)]
        blocks = [Halving(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True)]
        last = widths[-1]
        pool = nn.AdaptiveAvgPool2d(GRID)
        self.body = nn.Sequential(*stem, *blocks, group_norm(last), nn.ReLU(), pool, nn.Flatten())
        self.head = nn.Linear(last * GRID**2, classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def features(self, image: Tensor) -> Tensor:
        """[B, dim]: the input of the dense layer."""
        out: Tensor = self.body(image)
        return out

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = self.head(self.features(image))
        return out
