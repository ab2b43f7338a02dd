"""Published restoration nets whose weights lie in third-party packages, for comparison beside our own.

Each takes and gives pictures in [-1, 1]. `filled` builds one from numbered tensors, `N.weight` and
`N.bias` in the order in which the layers run, as `zeuxis data weights add` writes them.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, pad, pixel_shuffle, pixel_unshuffle, relu

_SLOPE = 0.2


def _conv(ins: int, outs: int) -> nn.Conv2d:
    return nn.Conv2d(ins, outs, 3, padding=1)


def layers(net: nn.Module) -> list[nn.Module]:
    """The layers with weights, in the order in which they run."""
    return [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.PReLU)]


def filled(make: Callable[[], nn.Module], tensors: Mapping[str, Tensor]) -> nn.Module:
    """The net with its weights, frozen; shapes and number of tensors must fit exactly (RuntimeError, KeyError)."""
    with torch.device("meta"):
        net = make()
    left = set(tensors)
    for i, layer in enumerate(layers(net)):
        state = {name: tensors[f"{i}.{name}"] for name in layer.state_dict()}
        layer.load_state_dict(state, assign=True)
        left -= {f"{i}.{name}" for name in state}
    if left:
        raise KeyError(f"tensors without a place: {', '.join(sorted(left))}")
    return net.eval().requires_grad_(False)


class FFDNet(nn.Module):
    """Gaussian noise of a known level (Zhang et al. 2018, arXiv 1710.04026), on the picture folded 2x2.

    noise: the net gives the noise in place of the clean picture, and the level's plane comes before
    the folded picture (Tassano et al. 2019), not behind it.
    """

    def __init__(self, channels: int, width: int, depth: int, noise: bool = False) -> None:
        super().__init__()
        self.noise = noise
        widths = [4 * channels + 1, *[width] * (depth - 1)]
        self.convs = nn.ModuleList(_conv(i, o) for i, o in zip(widths, [*widths[1:], 4 * channels], strict=True))

    def forward(self, image: Tensor, level: Tensor) -> Tensor:
        """[B, C, H, W], and the standard deviation [B, 1, 1, 1] on the 0..255 scale, to [B, C, H, W], not cut."""
        height, width = image.shape[-2:]
        x = pad((image + 1) / 2, (0, width % 2, 0, height % 2), mode="replicate")
        folded = pixel_unshuffle(x, 2)
        plane = (level / 255).to(x).expand(-1, 1, *folded.shape[-2:])
        y = torch.cat((plane, folded) if self.noise else (folded, plane), 1)
        for conv in self.convs[:-1]:
            y = relu(conv(y))
        y = pixel_shuffle(self.convs[-1](y), 2)
        clean = x - y if self.noise else y
        return clean[..., :height, :width] * 2 - 1


class SRMDNF(nn.Module):
    """Super-resolution told the blur (Zhang et al. 2018, arXiv 1712.06116), noise-free: 12 convolutions, shuffle.

    code: the blur kernel's 15 principal coefficients; they are spread over the picture as 15 channels.
    """

    def __init__(self, scale: int, code: tuple[float, ...], width: int = 128, depth: int = 12) -> None:
        super().__init__()
        self.scale, self.code = scale, code
        widths = [3 + len(code), *[width] * (depth - 1)]
        self.convs = nn.ModuleList(_conv(i, o) for i, o in zip(widths, [*widths[1:], 3 * scale**2], strict=True))

    def forward(self, image: Tensor) -> Tensor:
        """RGB [B, 3, H, W] to [B, 3, H * scale, W * scale], not cut."""
        code = image.new_tensor(self.code).reshape(1, -1, 1, 1).expand(len(image), -1, *image.shape[-2:])
        x = torch.cat(((image + 1) / 2, code), 1)
        for conv in self.convs[:-1]:
            x = relu(conv(x))
        return pixel_shuffle(self.convs[-1](x), self.scale) * 2 - 1


class DenseBlock(nn.Module):
    """Five convolutions that each see all maps before them; 0.2 of the last is added to the input."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        outs = (*[growth] * 4, width)
        self.convs = nn.ModuleList(_conv(width + i * growth, o) for i, o in enumerate(outs))

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for conv in self.convs[:-1]:
            maps.append(leaky_relu(conv(torch.cat(maps, 1)), _SLOPE))
        last: Tensor = self.convs[-1](torch.cat(maps, 1))
        return x + 0.2 * last


class RRDBNet(nn.Module):
    """ESRGAN's generator, x4 (Wang et al. 2018, arXiv 1809.00219): blocks of three dense blocks each."""

    scale = 4

    def __init__(self, blocks: int = 23, width: int = 64, growth: int = 32) -> None:
        super().__init__()
        self.first = _conv(3, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(*(DenseBlock(width, growth) for _ in range(3))) for _ in range(blocks)
        )
        self.body = _conv(width, width)
        self.up = nn.ModuleList(_conv(width, width) for _ in range(2))
        self.fine = _conv(width, width)
        self.last = _conv(width, 3)

    def forward(self, image: Tensor) -> Tensor:
        """RGB [B, 3, H, W] to [B, 3, 4 H, 4 W], not cut."""
        first = self.first((image + 1) / 2)
        x = first
        for block in self.blocks:
            x = x + 0.2 * block(x)
        x = first + self.body(x)
        for up in self.up:
            x = leaky_relu(up(interpolate(x, scale_factor=2, mode="nearest")), _SLOPE)
        large: Tensor = self.last(leaky_relu(self.fine(x), _SLOPE))
        return large * 2 - 1


class CompactSR(nn.Module):
    """Real-ESRGAN's compact net, x4 (Wang et al. 2021, arXiv 2107.10833): a plain stack and the enlarged pixels."""

    scale = 4

    def __init__(self, convs: int = 16, width: int = 64) -> None:
        super().__init__()
        stack: list[nn.Module] = [_conv(3, width), nn.PReLU(width)]
        for _ in range(convs):
            stack += [_conv(width, width), nn.PReLU(width)]
        self.stack = nn.Sequential(*stack, _conv(width, 3 * self.scale**2))

    def forward(self, image: Tensor) -> Tensor:
        """RGB [B, 3, H, W] to [B, 3, 4 H, 4 W], not cut."""
        x = (image + 1) / 2
        near = interpolate(x, scale_factor=self.scale, mode="nearest")
        return (pixel_shuffle(self.stack(x), self.scale) + near) * 2 - 1
