"""What the benchmarks of generators share: the pictures of a run, divided, and a judge trained on real ones."""

from dataclasses import dataclass

from torch import nn

from zeuxis.data.dataset import Dataset
from zeuxis.data.memory import Subset
from zeuxis.engine.batches import batch_samplers
from zeuxis.engine.compute import starting
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.phases import play
from zeuxis.engine.state import build_state
from zeuxis.jobs.sources import material, sources_of
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
    sources = sources_of(run.record)
    given = material(run.recipe, sources, run.record["seed"])
    split = given.splits.get("images")
    assert split is not None and len(split.test), "the set of the run has no official test part"
    return Parts(given.train, Subset(sources[0].open(), split.test))


def judge(data: Dataset) -> tuple[Classifier, nn.ModuleDict]:
    """A classifier trained on real pictures alone."""
    recipe, compute = Classifier(policy="light", domain="garments"), starting("cpu")
    state = build_state(recipe, data.spec, seed=0, steps=STEPS, batch=recipe.batch, compute=compute)
    samplers = batch_samplers(recipe.batch_specs(), {"images": data}, 0, "cpu", True)
    while state.step < state.steps:
        play(state, samplers, Ranks())
    return recipe, nn.ModuleDict({**state.networks, **state.ema}).eval()
