"""Weights as safetensors files: written whole, hashed by content, with words of their own inside."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from zeuxis.data.files import write_bytes
from zeuxis.errors import BadInput


def content_hash(tensors: Mapping[str, Tensor]) -> str:
    """sha256 over names, dtypes, shapes and bytes, in the order of the names; metadata does not count."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        t = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}|{t.dtype}|{tuple(t.shape)}|".encode())
        digest.update(t.reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b"")
    return digest.hexdigest()


def save(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, object]) -> None:
    """Writes one file, whole or not at all; `metadata` values become JSON strings."""
    # safetensors refuses shared memory and strides; copies are contiguous and apart
    flat = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    words = {k: v if isinstance(v, str) else json.dumps(v, sort_keys=True) for k, v in metadata.items()}
    write_bytes(path, safetensors.torch.save(flat, metadata=words))


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata. Raises BadInput where the file is missing or damaged."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return {k: file.get_tensor(k) for k in file.keys()}, dict(file.metadata() or {})
    except FileNotFoundError:
        raise BadInput("no such weights", str(path)) from None
    except (safetensors.SafetensorError, OSError) as error:
        raise BadInput(f"weights cannot be read: {error}", str(path)) from None


def words(path: Path) -> dict[str, str]:
    """The metadata alone, without reading a tensor. Raises BadInput as `load` does."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except FileNotFoundError:
        raise BadInput("no such weights", str(path)) from None
    except (safetensors.SafetensorError, OSError) as error:
        raise BadInput(f"weights cannot be read: {error}", str(path)) from None
