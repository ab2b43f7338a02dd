"""What the benchmarks of generators share: the pictures of a run, divided, and a judge trained on real ones."""

from dataclasses import dataclass

import numpy as np
from torch import nn

from zeuxis.data.dataset import Dataset
from zeuxis.data.memory import Subset
from zeuxis.data.split import split_dataset
from zeuxis.engine.batches import feeders
from zeuxis.engine.levers import starting
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.table import lay
from zeuxis.engine.turns import play
from zeuxis.jobs.training import HELD_OUT, Source
from zeuxis.recipes.classifier import Classifier
from zeuxis.runs import Run

STEPS = 1500


@dataclass(frozen=True)
class Parts:
    """What the run trained on, and the test part that it never saw."""

    train: Dataset
    test: Dataset


def parts_of(run: Run) -> Parts:
    """The pictures of a run on a set with an official test part."""
    data = Source.from_words(run.record["data"]).open()
    split = split_dataset(data, seed=run.record["seed"], validation=HELD_OUT, test=0.0)
    return Parts(Subset(data, split.train), Subset(data, np.flatnonzero(np.asarray(data.parts) == "test")))


def judge(data: Dataset) -> tuple[Classifier, nn.ModuleDict]:
    """A classifier trained on real pictures alone."""
    recipe, levers = Classifier(policy="light", domain="garments"), starting("cpu")
    table = lay(recipe, data.spec, seed=0, steps=STEPS, batch=recipe.batch, levers=levers)
    feeds = feeders(recipe.feeds(), {"images": data}, 0, "cpu", True)
    while table.step < table.steps:
        play(table, feeds, Ranks())
    return recipe, nn.ModuleDict({**table.players, **table.averaged}).eval()
