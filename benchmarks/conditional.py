"""Does a conditional generator draw what it is asked for, and does it vary? `python benchmarks/conditional.py RUN...`

Draws 100 pictures of each class from each run, asks a classifier that was trained on real
pictures (and reaches 80 % on the test part), and compares the mean distance between
pictures of one class with that of real ones. The classifier is trained here, on the
training part of the run's own set, from a fixed seed; the test part is read once.
"""

import argparse
import sys

import numpy as np
import torch
from judging import judge, parts_of
from results import record

from zeuxis.engine.batches import to_image
from zeuxis.jobs.capabilities.recognizes import predictions
from zeuxis.jobs.sampling import generate, seeds_of
from zeuxis.metrics.classification import recalls
from zeuxis.runs import Run

PER_CLASS = 100
NEEDED = 0.80


def spread(images: torch.Tensor) -> float:
    """Mean distance between two pictures, over pixels in [-1, 1]."""
    return float(torch.pdist(to_image(images).flatten(1)).mean())


def examine(folder: str) -> bool:
    """Prints the table of one run; True where every aim is met."""
    run = Run.open(folder)
    parts = parts_of(run)
    train, test, spec = parts.train, parts.test, parts.train.spec
    recipe, networks = judge(train)
    real = recalls(predictions(recipe, networks, test), test.labels, spec.condition)
    accuracy = float(np.mean(real))

    labels = torch.arange(spec.condition).repeat_interleave(PER_CLASS)
    seeds = seeds_of("benchmark", 0, len(labels))
    fakes = torch.cat(list(generate(run.recipe, run.networks(), seeds, labels)))
    agree = [
        float((recipe.logits(networks, to_image(fakes[labels == c])).argmax(1) == c).float().mean())
        for c in range(spec.condition)
    ]
    train_labels = torch.from_numpy(np.asarray(train.labels))
    ratio = []
    print(f"{folder}: {run.record['recipe']}, {run.finish['images']:,} images in {run.finish['seconds']:.0f} s")
    print(f"judge: {accuracy:.1%} balanced accuracy on {len(test)} real test pictures (needed: {NEEDED:.0%})")
    print(f"{'class':<12} {'agreement':>9} {'spread':>7} {'real':>7} {'ratio':>6}")
    for c, name in enumerate(spec.classes):
        mine = train.images(torch.nonzero(train_labels == c)[:PER_CLASS, 0])
        fake_spread, real_spread = spread(fakes[labels == c]), spread(mine)
        ratio.append(fake_spread / real_spread)
        print(f"{name:<12} {agree[c]:>9.0%} {fake_spread:>7.2f} {real_spread:>7.2f} {ratio[-1]:>6.2f}")
    mean, above = float(np.mean(agree)), sum(a >= 0.5 for a in agree)
    print(f"agreement {mean:.1%} on average (aim 80 %), {above} of {len(agree)} classes at 50 % or more (aim 9 of 10)")
    print(f"spread within a class {np.mean(ratio):.2f} of the real one on average (aim 0.50), least {min(ratio):.2f}")
    figures = {"images": run.finish["images"], "train_seconds": run.finish["seconds"], "judge": accuracy}
    figures |= {"agreement": mean, "classes": above, "spread": float(np.mean(ratio)), "least_spread": min(ratio)}
    record("conditional", [run.record["recipe"]], figures | {"least_agreement": min(agree)})
    good = accuracy >= NEEDED and mean >= 0.8 and above >= len(agree) - 1 and float(np.mean(ratio)) >= 0.5
    print("every aim is met" if good else "an aim is missed")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+")

    met = [examine(folder) for folder in parser.parse_args().runs]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
