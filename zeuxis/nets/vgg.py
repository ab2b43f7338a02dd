"""Feature stacks of two classifiers of ImageNet: AlexNet and VGG16, without their dense layers.

They hold no weights of their own: build one, or `vgg16(tensors)` from what `zeuxis data weights add`
converted. Both take pictures in [-1, 1] and normalise them as their classifiers were trained
(mean .485 .456 .406 and deviation .229 .224 .225 on [0, 1]).
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""ImageNet's mean and deviation moved to [-1, 1], in the digits that LPIPS uses (Zhang et al. 2018)."""


class Trunk(nn.Module):
    """Convolutions with a ReLU after each: RGB [B, 3, H, W] in [-1, 1] to the maps at its taps."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList()

    def normalised(self, image: Tensor) -> Tensor:
        shift, scale = (image.new_tensor(x).reshape(1, 3, 1, 1) for x in (SHIFT, SCALE))
        return (image - shift) / scale


class AlexNet(Trunk):
    """AlexNet in one stream (Krizhevsky 2014, arXiv 1404.5997); five taps, after every ReLU."""

    channels = (64, 192, 384, 256, 256)
    """Of the taps."""

    def __init__(self) -> None:
        super().__init__()
        ins = (3, *self.channels[:-1])
        shapes = ((11, 4, 2), (5, 1, 2), (3, 1, 1), (3, 1, 1), (3, 1, 1))
        for i, o, (kernel, stride, padding) in zip(ins, self.channels, shapes, strict=True):
            self.convs.append(nn.Conv2d(i, o, kernel, stride=stride, padding=padding))

    def forward(self, image: Tensor) -> list[Tensor]:
        x, taps = self.normalised(image), []
        for i, conv in enumerate(self.convs):
            x = relu(conv(max_pool2d(x, 3, 2) if i in (1, 2) else x))
            taps.append(x)
        return taps


class VGG16(Trunk):
    """The 13 convolutions of VGG16 (Simonyan and Zisserman 2015, arXiv 1409.1556).

    taps: which of the 13 ReLUs are returned, counted from 0; the default is relu1_2, 2_2, 3_3, 4_3
    and 5_3. Nothing behind the last tap is computed. raw: the maps before the ReLU, as ESRGAN's
    content loss takes them.
    """

    blocks = (2, 2, 3, 3, 3)
    widths = (64, 128, 256, 512, 512)

    def __init__(self, taps: tuple[int, ...] = (1, 3, 6, 9, 12), raw: bool = False) -> None:
        super().__init__()
        self.taps, self.raw = taps, raw
        self.pooled: list[int] = []
        channels = 3
        for count, width in zip(self.blocks, self.widths, strict=True):
            self.pooled.append(len(self.convs))
            for _ in range(count):
                self.convs.append(nn.Conv2d(channels, width, 3, padding=1))
                channels = width

    def forward(self, image: Tensor) -> list[Tensor]:
        x, taps = self.normalised(image), []
        for i in range(max(self.taps) + 1):
            before = self.convs[i](max_pool2d(x, 2) if i and i in self.pooled else x)
            x = relu(before)
            if i in self.taps:
                taps.append(before if self.raw else x)
        return taps


def _filled(make: Callable[[], Trunk], tensors: Mapping[str, Tensor]) -> Trunk:
    with torch.device("meta"):  # no first weights are drawn that would be thrown away
        net = make()
    net.load_state_dict({name: t for name, t in tensors.items() if name.startswith("convs.")}, assign=True)
    return net.eval().requires_grad_(False)


def alexnet(tensors: Mapping[str, Tensor]) -> Trunk:
    """AlexNet from `convs.N.weight` and `convs.N.bias`; other tensors are left alone."""
    return _filled(AlexNet, tensors)


def vgg16(tensors: Mapping[str, Tensor], taps: tuple[int, ...] = (1, 3, 6, 9, 12), raw: bool = False) -> Trunk:
    """VGG16 from `convs.N.weight` and `convs.N.bias`; other tensors are left alone."""
    return _filled(lambda: VGG16(taps, raw), tensors)


def heads(tensors: Mapping[str, Tensor]) -> list[Tensor]:
    """LPIPS's weights per tap, `heads.N` [C_N], in their order."""
    return [tensors[f"heads.{i}"] for i in range(sum(name.startswith("heads.") for name in tensors))]
