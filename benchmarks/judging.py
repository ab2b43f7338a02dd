"""What the benchmarks of generators share: the pictures of a run, divided, and a judge trained on real ones."""

from dataclasses import dataclass

from torch import nn

from zeuxis.data.dataset import Dataset
from zeuxis.data.memory import Subset
from zeuxis.engine.batches import feeders
from zeuxis.engine.levers import starting
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.table import lay
from zeuxis.engine.turns import play
from zeuxis.jobs.opening import Source, material
from zeuxis.recipes.classifier import Classifier
from zeuxis.runs import Run

STEPS = 1500


@dataclass(frozen=True)
class Parts:
    """What the run trained on, and the test part that it never saw."""

    train: Dataset
    test: Dataset


def parts_of(run: Run) -> Parts:
    """The training pictures of a run, as it divided them, and the official test part of its set."""
    source = Source.from_words(run.record["data"])
    given = material(run.recipe, source, run.record["seed"])
    assert given.split is not None and len(given.split.test), "the set of the run has no official test part"
    return Parts(given.train, Subset(source.open(), given.split.test))


def judge(data: Dataset) -> tuple[Classifier, nn.ModuleDict]:
    """A classifier trained on real pictures alone."""
    recipe, levers = Classifier(policy="light", domain="garments"), starting("cpu")
    table = lay(recipe, data.spec, seed=0, steps=STEPS, batch=recipe.batch, levers=levers)
    feeds = feeders(recipe.feeds(), {"images": data}, 0, "cpu", True)
    while table.step < table.steps:
        play(table, feeds, Ranks())
    return recipe, nn.ModuleDict({**table.players, **table.averaged}).eval()
