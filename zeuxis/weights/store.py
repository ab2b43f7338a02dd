"""Weights as safetensors files: written whole, sealed by a hash of their content, with words of their own inside."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from zeuxis.data.files import write_bytes
from zeuxis.errors import BadInput, counted, system_words

R = TypeVar("R")
_ENTRY = "zeuxis"
"""The one entry of the metadata: safetensors writes several in a random order, and equal files have equal bytes."""

_SEAL = "seal"
"""Beside the words: a hash over them and the tensors, which every reading of the tensors is held against."""

STEPS = ":steps"
"""Follows the name of a packed tensor, in that of the lengths of its steps."""


def content_hash(tensors: Mapping[str, Tensor]) -> str:
    """sha256 over names, dtypes, shapes and bytes, in the order of the names; metadata does not count."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        t = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}|{t.dtype}|{tuple(t.shape)}|".encode())
        digest.update(t.reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b"")
    return digest.hexdigest()


def save(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, object]) -> None:
    """Writes one file, whole or not at all; `metadata` values become JSON strings. Equal content gives equal bytes.

    What `load` finds changed afterwards it refuses.
    """
    # safetensors refuses shared memory and strides; copies are contiguous and apart
    flat = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    fields = {k: v if isinstance(v, str) else json.dumps(v, sort_keys=True) for k, v in metadata.items()}
    entry = json.dumps({**fields, _SEAL: _seal(flat, fields)}, sort_keys=True)
    write_bytes(path, safetensors.torch.save(flat, metadata={_ENTRY: entry}))


_AGAIN = "copy the file again"


def _seal(tensors: Mapping[str, Tensor], fields: Mapping[str, str]) -> str:
    return hashlib.sha256((content_hash(tensors) + json.dumps(fields, sort_keys=True)).encode()).hexdigest()


def _words_of(file: Any) -> tuple[dict[str, str], str | None]:
    """What `save` wrote beside the tensors, and its seal; of another tool's file the metadata. Raises ValueError."""
    metadata = dict(file.metadata() or {})
    fields = json.loads(metadata[_ENTRY]) if _ENTRY in metadata else metadata
    if not isinstance(fields, dict) or not all(isinstance(v, str) for v in fields.values()):
        raise ValueError("its metadata are no words")
    return fields, fields.pop(_SEAL, None) if _ENTRY in metadata else None


def packed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Kernels and matrices as int8, a length of step for each first index; all other numbers as float16.

    `load` gives float32 back, each number within half a step: 1/254 of the largest beside it.
    """
    small: dict[str, Tensor] = {}
    for name, t in tensors.items():
        if not t.is_floating_point() or t.ndim < 2:
            small[name] = t.to(torch.float16) if t.is_floating_point() else t
            continue
        rows = t.detach().float().flatten(1)
        steps = (rows.abs().amax(1) / 127).to(torch.float16)  # a row too small for float16 is nothing
        whole = torch.where(steps[:, None] > 0, rows / steps[:, None].float(), 0).round()
        small[name], small[name + STEPS] = whole.clamp(-127, 127).to(torch.int8).reshape(t.shape), steps
    return small


def _unpacked(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    unpacked = {k: v for k, v in tensors.items() if not k.endswith(STEPS)}
    for name in [k.removesuffix(STEPS) for k in tensors if k.endswith(STEPS)]:
        steps = tensors[name + STEPS].float()
        unpacked[name] = unpacked[name].float() * steps.reshape(-1, *[1] * (unpacked[name].ndim - 1))
    return unpacked


def check_same(ours: Mapping[str, Tensor], given: Mapping[str, Tensor], where: str) -> None:
    """Raises BadInput where weights are of other networks than ours: nets change from version to version."""
    shapes = [{name: tuple(tensor.shape) for name, tensor in each.items()} for each in (ours, given)]
    odd = sorted(name for name in {*ours, *given} if shapes[0].get(name) != shapes[1].get(name))
    if odd:
        what = f"another version of zeuxis wrote these weights: {counted(len(odd), 'tensor')} differ, such as {odd[0]}"
        raise BadInput(what, where, "use the version that wrote them, which its run.json names, or train anew")


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors, those of `packed` as float32, and metadata.

    Raises BadInput where the file is missing, damaged, or not what `save` wrote, to the bit.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            tensors = {k: file.get_tensor(k) for k in file.keys()}
            fields, seal = _words_of(file)
        if seal is not None and seal != _seal(tensors, fields):
            raise BadInput("these weights are not those that were written", str(path), _AGAIN)
        return _unpacked(tensors), fields
    except BadInput:
        raise
    except FileNotFoundError:
        raise BadInput("no such weights", str(path)) from None
    except OSError as error:
        raise BadInput(f"weights cannot be read: {system_words(error)}", str(path)) from None
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise _no_weights(path) from error


def _no_weights(path: Path) -> BadInput:
    return BadInput("weights cannot be read: the file is cut short, damaged, or of another kind", str(path), _AGAIN)


def words(path: Path) -> dict[str, str]:
    """The metadata alone, without reading a tensor. Raises BadInput as `load` does."""
    return _head(path, lambda file: _words_of(file)[0])


def names(path: Path) -> list[str]:
    """The names of the tensors alone, without reading one. Raises BadInput as `load` does."""
    return _head(path, lambda file: list(file.keys()))


def _head(path: Path, read: Callable[[Any], R]) -> R:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return read(file)
    except FileNotFoundError:
        raise BadInput("no such weights", str(path)) from None
    except OSError as error:
        raise BadInput(f"weights cannot be read: {system_words(error)}", str(path)) from None
    except (safetensors.SafetensorError, ValueError) as error:
        raise _no_weights(path) from error
