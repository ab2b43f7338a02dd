"""How far a net sees, by changing one pixel."""

import math

import torch
from torch import Tensor, nn

from zeuxis.draw import Stream, key_of


def noise(*shape: int, name: str = "pictures") -> Tensor:
    """float64 in [-1, 1)."""
    return Stream(key_of(name)).uniform(*shape, low=-1.0).double()


@torch.no_grad()
def randomised(net: nn.Module) -> nn.Module:
    """The net in float64 and eval mode, no weight of it zero: variance 1 / inputs, so that nothing fades."""
    net = net.double().eval()
    for name, p in net.named_parameters():
        fan = math.prod(p.shape[1:]) if p.ndim > 1 else 1
        p.copy_(Stream(key_of("weights", name)).normal(*p.shape) / math.sqrt(fan))
    return net


@torch.no_grad()
def reach(net: nn.Module, side: int, scale: int = 1, cell: int = 4) -> int:
    """The largest distance, in input pixels along an axis, from any changed pixel to an output pixel that it moves."""
    image, farthest = noise(1, 1, side, side), 0
    before = net(image)
    middle = side // 2
    for shift in range(cell):  # every place within a cell
        row = column = middle + shift
        other = image.clone()
        other[0, 0, row, column] += 0.5
        moved = (net(other) != before)[0].any(0).nonzero() // scale
        farthest = max(farthest, int((moved - torch.tensor([row, column])).abs().max()))
    return farthest
