"""Puts trunks and view of a run of `latentgan` into the package, in eight bits each: python tools/bundle_pair.py RUN

What is of classes is left out: with the weights that give them their place, the pictures of a new class became one.
What they add to the generator's smallest map on average stays, in its bias.
The card, NAME.md beside it, is written by hand.
"""

import argparse
from pathlib import Path

from bundle import LICENCE

from zeuxis.runs import Run
from zeuxis.weights import bundled, store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--snapshot")
    a = parser.parse_args()
    run = Run.open(a.run)
    tensors = dict(run.tensors(a.snapshot))
    added = tensors["generator.embedding.weight"] @ tensors["generator.of_class.weight"].T
    tensors["generator.trunk.dense.bias"] = tensors["generator.trunk.dense.bias"] + added.mean(0)
    trunks = {k: v for k, v in tensors.items() if ".trunk." in k or k.startswith("codes.view.")}
    factor = run.recipe.stride(run.spec)
    record = {"format": "zeuxis weights 1", "range": "[-1, 1]", "licence": LICENCE, "recipe": "latentgan"}
    record |= {"settings": run.record["settings"], "spec": run.spec.unlabelled().to_json(), "conditional": False}
    record |= {"purpose": {"task": "generate", "factor": factor}}
    path = bundled.FOLDER / f"latent-pair-{factor}.safetensors"
    store.save(path, store.packed(trunks), record)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {sum(t.numel() for t in trunks.values()):,} weights")


if __name__ == "__main__":
    main()
