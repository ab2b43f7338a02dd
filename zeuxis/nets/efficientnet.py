"""EfficientNet-Lite0 as a measure of pictures: 1,280 features of a classifier of ImageNet.

EfficientNet (Tan and Le 2019, arXiv 1905.11946) without squeeze-and-excitation, with ReLU6 and the smallest stem and
head, as Google released it for small devices; names of parameters as in the package that carries them. It holds no
weights of its own.
"""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)  # fmt: skip
"""Blocks, kernel, stride of the first, expansion, channels."""
STEM, HEAD, EPS = 32, 1280, 1e-3
SIDE = 224
"""Pixels of the pictures that it was trained on."""


class Same(nn.Conv2d):
    """A convolution with TensorFlow's padding: where it is odd, one more at the bottom and at the right."""

    def forward(self, x: Tensor) -> Tensor:
        pads = []
        for side, kernel, stride in zip(reversed(x.shape[2:]), reversed(self.kernel_size), reversed(self.stride)):
            lacking = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            pads += [lacking // 2, lacking - lacking // 2]
        return super().forward(F.pad(x, pads))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPS)


class Block(nn.Module):
    """An inverted residual: expand, filter each channel, project; the input is added where shapes allow."""

    def __init__(self, given: int, wanted: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = given * expansion
        self.expands, self.adds = expansion > 1, stride == 1 and given == wanted
        if self.expands:
            self._expand_conv, self._bn0 = Same(given, inner, 1, bias=False), _norm(inner)
        self._depthwise_conv = Same(inner, inner, kernel, stride, groups=inner, bias=False)
        self._bn1 = _norm(inner)
        self._project_conv, self._bn2 = Same(inner, wanted, 1, bias=False), _norm(wanted)

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        inner = F.relu6(self._bn1(self._depthwise_conv(inner)))
        out: Tensor = self._bn2(self._project_conv(inner))
        return x + out if self.adds else out


class EfficientNetLite0(nn.Module):
    """RGB pictures [B, 3, H, W] in [-1, 1], made 224 pixels square, to features [B, 1280]."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = Same(3, STEM, 3, 2, bias=False), _norm(STEM)
        given, blocks = STEM, []
        for count, kernel, stride, expansion, wanted in STAGES:
            for i in range(count):
                blocks.append(Block(given, wanted, kernel, 1 if i else stride, expansion))
                given = wanted
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = Same(given, HEAD, 1, bias=False), _norm(HEAD)
        self._fc = nn.Linear(HEAD, 1000)

    def features(self, image: Tensor) -> Tensor:
        """Of pictures of any size, enlarged or shrunk to 224 pixels."""
        x = F.interpolate(image, (SIDE, SIDE), mode="bicubic", antialias=True, align_corners=False).clamp(-1, 1)
        x = F.relu6(self._bn0(self._conv_stem(x * (127.5 / 128) + 0.5 / 128)))
        for block in self._blocks:
            x = block(x)
        x = F.relu6(self._bn1(self._conv_head(x)))
        return x.mean((2, 3))

    def forward(self, image: Tensor) -> Tensor:
        """Logits [B, 1000] of the classes of ImageNet."""
        logits: Tensor = self._fc(self.features(image))
        return logits


def efficientnet_lite0(tensors: Mapping[str, Tensor]) -> EfficientNetLite0:
    """With its weights, frozen."""
    net = EfficientNetLite0()
    net.load_state_dict(tensors)
    return net.requires_grad_(False).eval()
