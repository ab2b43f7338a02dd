"""Writes files of weights again as `store.save` writes them today: the same tensors bit for bit, the same words.

python tools/rewrite_weights.py zeuxis/weights/bundled/*.safetensors
"""

import sys
from pathlib import Path

import safetensors

from zeuxis.weights import store


def rewrite(path: Path) -> None:
    """Tensors as they lie in the file, packed ones too. Raises RuntimeError where a bit would change."""
    words = store.words(path)
    before = _tensors(path)
    store.save(path, before, words)
    if store.content_hash(_tensors(path)) != store.content_hash(before) or store.words(path) != words:
        raise RuntimeError(f"{path} is not what it was")


def _tensors(path: Path) -> dict[str, store.Tensor]:
    with safetensors.safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name).clone() for name in file.keys()}


if __name__ == "__main__":
    for name in sys.argv[1:]:
        rewrite(Path(name))
        print(name)
