"""Restoring and enlarging nets as files of ncnn, layer by layer: the text of its .param and the bytes of its .bin.

ncnn (github.com/Tencent/ncnn, BSD-3-Clause) is a runtime for CPUs with Winograd convolutions; nothing of it is
imported here. Written is what a net learned; what it adds that to, its base, stays with torch (`base_of`).
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import fusion

from zeuxis.nets.restoring import ResidualBlock, RestoringStack, RestoringUNet
from zeuxis.nets.upscaling import BASES, ConvBlock, PlainUpscaler, ResidualUpscaler, SpanUpscaler, folded

MAGIC = 7767517
"""The first line of a .param file."""
FLOAT32 = bytes(4)
"""What stands before the weights of a convolution: a tag that says how they are kept; 0 for float32."""
INPUT, OUTPUT = "given", "learned"
"""Names of the first and the last blob."""

Value = int | float
_ADD, _MULTIPLY = 0, 2  # operations of BinaryOp


@dataclass(frozen=True, eq=False)
class Files:
    """A net for ncnn: [inputs, H, W] float32, blob `INPUT`, to blob `OUTPUT`, what the net adds to its base."""

    param: bytes  # text
    weights: bytes
    inputs: int


@dataclass(frozen=True, eq=False)
class Layer:
    """One line of a .param and its part of the .bin. keys: what ncnn's documentation calls parameter ids."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    keys: Mapping[int, Value]
    weights: bytes


class Sheet:
    """Layers in the order in which they are computed."""

    def __init__(self) -> None:
        self.layers = [Layer("Input", (), INPUT, {}, b"")]

    def add(self, kind: str, *inputs: str, keys: Mapping[int, Value] | None = None, weights: bytes = b"") -> str:
        """The name of the new layer's one output."""
        name = f"b{len(self.layers)}"
        self.layers.append(Layer(kind, inputs, name, keys or {}, weights))
        return name

    def files(self, inputs: int) -> Files:
        """The last layer's output becomes `OUTPUT`."""
        text = param_text(self.layers)
        return Files(text.encode("ascii"), b"".join(layer.weights for layer in self.layers), inputs)


def _line(kind: str, name: str, inputs: list[str], outputs: list[str], keys: Mapping[int, Value]) -> str:
    fields = [kind, name, str(len(inputs)), str(len(outputs)), *inputs, *outputs]
    return " ".join([*fields, *(f"{key}={value}" for key, value in keys.items())])


def param_text(layers: list[Layer]) -> str:
    """The .param of layers in order; a blob that several layers read is split into as many, as ncnn wants it."""
    uses = Counter(name for layer in layers for name in layer.inputs)
    copies = {name: iter([f"{name}_{k}" for k in range(n)]) for name, n in uses.items() if n > 1}
    lines = []
    for layer in layers:
        inputs = [next(copies[name]) if name in copies else name for name in layer.inputs]
        output = OUTPUT if layer is layers[-1] else layer.output
        lines.append(_line(layer.kind, layer.output, inputs, [output], layer.keys))
        if layer.output in copies:
            outputs = [f"{output}_{k}" for k in range(uses[layer.output])]
            lines.append(_line("Split", f"{output}_split", [output], outputs, {}))
    blobs = len(layers) + sum(n for n in uses.values() if n > 1)
    return "\n".join([str(MAGIC), f"{len(lines)} {blobs}", *lines]) + "\n"


# ------------------------------------------------------------------ layers


def _bytes(values: Tensor) -> bytes:
    return np.ascontiguousarray(values.detach().cpu().numpy(), dtype="<f4").tobytes()


def _window(layer: nn.Conv2d | nn.ConvTranspose2d, weight: Tensor) -> tuple[dict[int, Value], bytes]:
    """Keys and weights of a convolution either way; weight: [out, in, h, w]."""
    height, width = layer.kernel_size
    keys: dict[int, Value] = {0: layer.out_channels, 1: width, 11: height, 3: layer.stride[1], 13: layer.stride[0]}
    keys |= {4: int(layer.padding[1]), 14: int(layer.padding[0]), 5: int(layer.bias is not None), 6: weight.numel()}
    bias = b"" if layer.bias is None else _bytes(layer.bias)
    return keys, FLOAT32 + _bytes(weight) + bias


def _conv(sheet: Sheet, x: str, layer: nn.Module, relu: bool = False) -> str:
    """A convolution, and a ReLU in the same pass."""
    conv = cast(nn.Conv2d, layer)
    keys, weights = _window(conv, conv.weight)
    return sheet.add("Convolution", x, keys=keys | ({9: 1} if relu else {}), weights=weights)


def _transposed(sheet: Sheet, x: str, layer: nn.Module) -> str:
    conv = cast(nn.ConvTranspose2d, layer)
    keys, weights = _window(conv, conv.weight.transpose(0, 1))
    return sheet.add("Deconvolution", x, keys=keys, weights=weights)


def _prelu(sheet: Sheet, x: str, layer: nn.Module) -> str:
    slopes = cast(nn.PReLU, layer).weight
    return sheet.add("PReLU", x, keys={0: slopes.numel()}, weights=_bytes(slopes))


def _both(sheet: Sheet, a: str, b: str, operation: int = _ADD) -> str:
    return sheet.add("BinaryOp", a, b, keys={0: operation})


def _number(sheet: Sheet, x: str, operation: int, number: float) -> str:
    return sheet.add("BinaryOp", x, keys={0: operation, 1: 1, 2: float(number)})


def _shuffled(sheet: Sheet, x: str, factor: int) -> str:
    return sheet.add("PixelShuffle", x, keys={0: factor})


# ------------------------------------------------------------------ nets


def _blocks(sheet: Sheet, x: str, blocks: nn.Module) -> str:
    for block in cast("list[ResidualBlock]", blocks):
        x = _both(sheet, x, _conv(sheet, _conv(sheet, x, block.first, relu=True), block.second))
    return x


def _unet(sheet: Sheet, net: nn.Module) -> int:
    assert isinstance(net, RestoringUNet)
    x = _conv(sheet, sheet.add("Reorg", INPUT, keys={0: 2}), net.head)  # Reorg of mode 0 is pixel_unshuffle
    kept = []
    for blocks, shrink in cast("list[tuple[nn.Module, nn.Module]]", net.down):
        kept.append(x)
        x = _conv(sheet, _blocks(sheet, x, blocks), shrink)
    x = _blocks(sheet, x, net.body)
    for grow, blocks in cast("list[tuple[nn.Module, nn.Module]]", net.up):
        x = _blocks(sheet, _both(sheet, _transposed(sheet, x, grow), kept.pop()), blocks)
    _shuffled(sheet, _conv(sheet, x, net.tail), 2)
    return net.head.in_channels // 4


def _stack(sheet: Sheet, net: nn.Module) -> int:
    assert isinstance(net, RestoringStack)
    x, layers = INPUT, [m for m in net.body.modules() if isinstance(m, nn.Conv2d)]
    for layer in layers:
        x = _conv(sheet, x, layer, relu=True)
    _conv(sheet, x, net.tail)
    return layers[0].in_channels


def _plain(sheet: Sheet, net: nn.Module) -> int:
    assert isinstance(net, PlainUpscaler)
    x, layers = INPUT, list(net.body)
    for conv, act in zip(layers[::2], layers[1::2]):
        x = _prelu(sheet, _conv(sheet, x, conv), act)
    _shuffled(sheet, _conv(sheet, x, net.last), net.scale)
    return cast(nn.Conv2d, layers[0]).in_channels


def _attended(sheet: Sheet, x: str, convs: nn.Module) -> tuple[str, str]:
    one, two, three = cast("list[nn.Module]", convs)
    first = sheet.add("Swish", _conv(sheet, x, one))
    last = _conv(sheet, sheet.add("Swish", _conv(sheet, first, two)), three)
    share = _number(sheet, sheet.add("Sigmoid", last), _ADD, -0.5)
    return _both(sheet, _both(sheet, last, x), share, _MULTIPLY), first


def _span(sheet: Sheet, net: nn.Module) -> int:
    assert isinstance(net, SpanUpscaler)
    x = first = _conv(sheet, _number(sheet, INPUT, _MULTIPLY, net.LEVELS), net.first)
    kept, inner = [], first
    for block in net.blocks:
        x, inner = _attended(sheet, x, cast(nn.Module, block.convs))
        kept.append(x)
    wide = sheet.add("Concat", first, _conv(sheet, x, net.after), kept[0], inner, keys={0: 0})
    joined = _number(sheet, _conv(sheet, wide, net.join), _MULTIPLY, 1 / net.LEVELS)
    _shuffled(sheet, _conv(sheet, joined, net.last), net.scale)
    return cast(nn.Conv2d, net.first).in_channels


def _normed(sheet: Sheet, x: str, layer: nn.Module, norm: nn.Module) -> str:
    """A convolution and the batch norm after it, at rest, as one."""
    conv = cast(nn.Conv2d, layer)
    return _conv(sheet, x, fusion.fuse_conv_bn_eval(conv, norm) if isinstance(norm, nn.BatchNorm2d) else conv)


def _residual(sheet: Sheet, net: nn.Module) -> int:
    assert isinstance(net, ResidualUpscaler)
    head, act = net.first
    x = _number(sheet, _number(sheet, INPUT, _MULTIPLY, 0.5), _ADD, 0.5)
    x = start = _prelu(sheet, _conv(sheet, x, head), act)
    for block in cast("list[ConvBlock]", net.blocks):
        inner = _prelu(sheet, _normed(sheet, x, block.conv1, block.norm1), block.act)
        x = _both(sheet, x, _normed(sheet, inner, block.conv2, block.norm2))
    x = _both(sheet, start, _normed(sheet, x, *net.merge))
    for conv, shuffle, act in cast("list[tuple[nn.Module, nn.PixelShuffle, nn.Module]]", net.up):
        x = _prelu(sheet, _shuffled(sheet, _conv(sheet, x, conv), shuffle.upscale_factor), act)
    _conv(sheet, x, net.last)
    return cast(nn.Conv2d, head).in_channels


_WRITERS: dict[type[nn.Module], Callable[[Sheet, nn.Module], int]] = {
    RestoringUNet: _unet,
    RestoringStack: _stack,
    PlainUpscaler: _plain,
    SpanUpscaler: _span,
    ResidualUpscaler: _residual,
}
"""Adds the layers of a net and gives the number of channels that it reads, by its class."""


def is_known(net: nn.Module) -> bool:
    """Whether `files` can write it."""
    return type(net) in _WRITERS


@torch.no_grad()
def files(net: nn.Module) -> Files:
    """The net in eval mode for ncnn, float32; branches are folded. KeyError for a net that is not known."""
    write, sheet = _WRITERS[type(net)], Sheet()
    return sheet.files(write(sheet, folded(net).eval()))


def base_of(net: nn.Module, image: Tensor) -> Tensor:
    """What a known net adds its answer to: the picture [B, C, H, W] itself, or enlarged."""
    if isinstance(net, (RestoringUNet, RestoringStack)):
        return image
    return BASES[cast(str, net.base)](image, cast(int, net.scale))
