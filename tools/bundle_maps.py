"""Puts an autoencoder of `train_autoencoder.py` into the package, in eight bits each: python tools/bundle_maps.py FILE

The card, NAME.md beside it, is written by hand.
"""

import argparse
from pathlib import Path

from bundle import LICENCE

from zeuxis.data.dataset import Spec
from zeuxis.recipes.autoencoder import Autoencoder
from zeuxis.recipes.recipe import settings_of
from zeuxis.weights import bundled, store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    a = parser.parse_args()
    tensors, words = store.load(a.file)
    factor = int(words["factor"])
    levels = factor.bit_length() - 1
    settings = settings_of(Autoencoder(body="map", damage="clean", levels=levels))
    side = {4: 64, 8: 96}[factor]
    record = {"format": "zeuxis weights 1", "range": "[-1, 1]", "licence": LICENCE, "recipe": "autoencoder"}
    record |= {"settings": settings, "spec": Spec(3, side, side).to_json(), "conditional": False}
    record |= {"purpose": {"task": "maps", "factor": factor}}
    path = bundled.FOLDER / f"autoencoder-{factor}.safetensors"
    store.save(path, store.packed({f"restorer.{k}": v.float() for k, v in tensors.items()}), record)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {sum(t.numel() for t in tensors.values()):,} weights")


if __name__ == "__main__":
    main()
