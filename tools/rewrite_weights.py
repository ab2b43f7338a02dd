"""Writes files of weights again as `store.save` writes them today: the same tensors bit for bit, the same words.

    python tools/rewrite_weights.py zeuxis/weights/bundled/*.safetensors
    python tools/rewrite_weights.py zeuxis/weights/bundled/jpeg.safetensors --purpose '{"task": "jpeg"}'

`--purpose` says anew what they are for, in the fields of `zeuxis.weights.bundled.Purpose`.
"""

import argparse
import json
from pathlib import Path

import safetensors

from zeuxis.weights import store
from zeuxis.weights.bundled import Purpose


def rewrite(path: Path, purpose: str | None = None) -> None:
    """Tensors as they lie in the file, packed ones too. Raises RuntimeError where a bit would change."""
    words = store.words(path)
    if purpose is not None:
        Purpose(**json.loads(purpose))
        words["purpose"] = purpose
    before = _tensors(path)
    store.save(path, before, words)
    if store.content_hash(_tensors(path)) != store.content_hash(before) or store.words(path) != words:
        raise RuntimeError(f"{path} is not what it was")


def _tensors(path: Path) -> dict[str, store.Tensor]:
    with safetensors.safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name).clone() for name in file.keys()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--purpose", help="JSON")
    asked = parser.parse_args()
    for file in asked.files:
        rewrite(file, asked.purpose)
        print(file)
