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
from torch import nn

from zeuxis.data.dataset import Dataset
from zeuxis.data.memory import Subset
from zeuxis.data.split import split_dataset
from zeuxis.engine.batches import feeders, to_image
from zeuxis.engine.levers import starting
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.table import lay
from zeuxis.engine.turns import play
from zeuxis.jobs.sampling import generate, seeds_of
from zeuxis.jobs.study.arms import predictions
from zeuxis.jobs.training import Source
from zeuxis.metrics.classification import recalls
from zeuxis.recipes.classifier import Classifier
from zeuxis.runs import Run

PER_CLASS = 100
STEPS = 1500
NEEDED = 0.80


def judge(data: Dataset) -> tuple[Classifier, nn.ModuleDict]:
    """A classifier trained on real pictures alone."""
    recipe, levers = Classifier(policy="light", domain="garments"), starting("cpu")
    table = lay(recipe, data.spec, seed=0, steps=STEPS, batch=recipe.batch, levers=levers)
    feeds = feeders(recipe.feeds(), {"images": data}, 0, "cpu", True)
    while table.step < table.steps:
        play(table, feeds, Ranks())
    return recipe, nn.ModuleDict({**table.players, **table.averaged}).eval()


def spread(images: torch.Tensor) -> float:
    """Mean distance between two pictures, over pixels in [-1, 1]."""
    return float(torch.pdist(to_image(images).flatten(1)).mean())


def examine(folder: str) -> bool:
    """Prints the table of one run; True where every aim is met."""
    run = Run.open(folder)
    data = Source.from_words(run.record["data"]).open()
    split = split_dataset(data, seed=run.record["seed"], validation=0.1, test=0.0)
    parts = np.asarray(data.parts)
    test = Subset(data, np.flatnonzero(parts == "test"))
    train = Subset(data, split.train)
    recipe, players = judge(train)
    real = recalls(predictions(recipe, players, test), test.labels, data.spec.condition)
    accuracy = float(np.mean(real))

    labels = torch.arange(data.spec.condition).repeat_interleave(PER_CLASS)
    seeds = seeds_of("benchmark", 0, len(labels))
    fakes = torch.cat(list(generate(run.recipe, run.players(), seeds, labels)))
    agree = [
        float((recipe.logits(players, to_image(fakes[labels == c])).argmax(1) == c).float().mean())
        for c in range(data.spec.condition)
    ]
    train_labels = torch.from_numpy(np.asarray(train.labels))
    ratio = []
    print(f"{folder}: {run.record['recipe']}, {run.finish['images']:,} images in {run.finish['seconds']:.0f} s")
    print(f"judge: {accuracy:.1%} balanced accuracy on {len(test)} real test pictures (needed: {NEEDED:.0%})")
    print(f"{'class':<12} {'agreement':>9} {'spread':>7} {'real':>7} {'ratio':>6}")
    for c, name in enumerate(data.spec.classes):
        mine = train.images(torch.nonzero(train_labels == c)[:PER_CLASS, 0])
        fake_spread, real_spread = spread(fakes[labels == c]), spread(mine)
        ratio.append(fake_spread / real_spread)
        print(f"{name:<12} {agree[c]:>9.0%} {fake_spread:>7.2f} {real_spread:>7.2f} {ratio[-1]:>6.2f}")
    mean, above = float(np.mean(agree)), sum(a >= 0.5 for a in agree)
    print(f"agreement {mean:.1%} on average (aim 80 %), {above} of {len(agree)} classes at 50 % or more (aim 9 of 10)")
    print(f"spread within a class {np.mean(ratio):.2f} of the real one on average (aim 0.50), least {min(ratio):.2f}")
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
