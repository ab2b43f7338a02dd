"""The net that says how sure a restored picture is."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEAST = 1e-3
"""Of a width, in units of [-1, 1]: an eighth of a grey level."""
TYPICAL = 0.05
"""Of a width at first: some six grey levels."""


class IntervalHead(nn.Module):
    """A picture and what was made of it, [B, C, H, W] each, to two widths [B, C, H, W]: below and above the answer.

    Plain 3x3 convolutions on both, folded 2x2 into channels (FFDNet); H and W even. In place of heads on the trunk
    (Angelopoulos et al. 2022, arXiv 2202.05265), so that it fits whatever restored the picture. The widths are
    above `LEAST`.
    """

    def __init__(self, channels: int, width: int, depth: int) -> None:
        super().__init__()
        sides = [12 * channels, *[width] * depth]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in zip(sides, sides[1:]))
        self.last = nn.Conv2d(width, 8 * channels, 3, padding=1)
        nn.init.normal_(self.last.weight, std=1e-2)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        apart = (after - before) / TYPICAL
        x = F.pixel_unshuffle(torch.cat([after, apart, apart.abs()], 1), 2)
        for conv in self.convs:
            x = F.relu(conv(x))
        widths = LEAST + TYPICAL * F.softplus(F.pixel_shuffle(self.last(x), 2)).float()
        lower, upper = widths.chunk(2, 1)
        return lower, upper


def interval_radius(depth: int) -> int:
    """Pixels beyond which none touches a width: two per convolution and one by the folding."""
    return 2 * (depth + 1) + 1
