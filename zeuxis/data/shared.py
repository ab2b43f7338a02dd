"""A dataset decoded once into one file, which several processes map instead of reading the pictures again each."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zeuxis.data.dataset import Dataset
from zeuxis.data.files import plain_errors
from zeuxis.data.memory import MemoryDataset
from zeuxis.data.origin import Origin

_BESIDE = ("groups", "sources", "parts", "generated")
_AT_ONCE = 256
_HEAD = 8  # bytes of the length of what is known beside the pixels


@contextlib.contextmanager
def shared(dataset: Dataset, folder: Path) -> Iterator[str | None]:
    """Path of a file in `folder` that `mapped` opens as an equal dataset, gone when the block ends.

    None where the disk has not twice the room that it takes. Raises BadInput and MachineGaveOut as writing does.
    """
    path = folder / f".pixels.{os.getpid()}.tmp"
    spec = dataset.spec
    if 2 * len(dataset) * spec.channels * spec.height * spec.width > shutil.disk_usage(folder).free:
        yield None
        return
    try:
        with plain_errors(path):
            _write(dataset, path)
        yield str(path)
    finally:
        path.unlink(missing_ok=True)


def _write(dataset: Dataset, path: Path) -> None:
    spec = dataset.spec
    known: dict[str, Any] = {name: getattr(dataset, name, None) for name in _BESIDE}
    origins: list[Origin] | None = getattr(dataset, "origins", None)
    known["origins"] = None if origins is None else [asdict(one) for one in origins]
    known["labels"] = None if dataset.labels is None else np.asarray(dataset.labels).tolist()
    known |= {"classes": spec.classes, "shape": [len(dataset), spec.channels, spec.height, spec.width]}
    head = json.dumps(known).encode()
    with open(path, "wb") as file:
        file.write(len(head).to_bytes(_HEAD, "little") + head)
        for start in range(0, len(dataset), _AT_ONCE):
            file.write(dataset.images(np.arange(start, min(start + _AT_ONCE, len(dataset)))).contiguous().numpy().data)


def mapped(path: str | Path) -> MemoryDataset:
    """The dataset that `shared` wrote; its pixels are pages of the file, which all processes have in common."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(_HEAD), "little")
        known: dict[str, Any] = json.loads(file.read(size))
    pixels = np.memmap(path, np.uint8, "c", _HEAD + size, tuple(known.pop("shape")))
    known["classes"] = tuple(known["classes"])
    known["origins"] = known["origins"] and [Origin(**one) for one in known["origins"]]
    return MemoryDataset(torch.from_numpy(pixels), **known)
