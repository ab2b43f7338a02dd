"""Puts the weights of a run into the package, in eight bits each: python tools/bundle.py RUN NAME --purpose JSON

Only the networks that restore go in. The card, NAME.md beside it, is written by hand.
"""

import argparse
import json

from zeuxis.runs import Run
from zeuxis.weights import bundled, store
from zeuxis.weights.bundled import Purpose

LICENCE = "Apache-2.0; trained on openly licensed photographs, which the card names"
KEPT = ("recipe", "settings", "spec", "conditional")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("name")
    parser.add_argument("--snapshot", help="weights kept under this name; default: those at the end, or the newest")
    parser.add_argument(
        "--purpose", required=True, help='fields of bundled.Purpose: \'{"task": "upscale", "scale": 3}\''
    )
    a = parser.parse_args()
    purpose = json.loads(a.purpose)
    Purpose(**purpose)
    run = Run.open(a.run)
    restoring = set(run.recipe.average().networks)
    tensors = {k: v for k, v in run.tensors(a.snapshot).items() if k.partition(".")[0] in restoring}
    words = {"format": "zeuxis weights 1", "range": "[-1, 1]", "licence": LICENCE, "purpose": purpose}
    words |= {key: run.record[key] for key in KEPT} | {"data_digest": run.record["sources"]["images"]["digest"]}
    if (run.path / "calibration.json").exists():
        words["calibration"] = json.loads((run.path / "calibration.json").read_text())
    path = bundled.FOLDER / f"{a.name}.safetensors"
    store.save(path, store.packed(tensors), words)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {sum(t.numel() for t in tensors.values()):,} weights")


if __name__ == "__main__":
    main()
