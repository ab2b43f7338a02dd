"""Classes out of trained networks: what they take pictures for, and how much of each class they find."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Dataset
from zeuxis.data.files import write_json
from zeuxis.engine.batches import to_image
from zeuxis.jobs.capability import Capability
from zeuxis.jobs.sources import Material
from zeuxis.metrics.classification import balanced_accuracy, recalls
from zeuxis.pages.recalls import section
from zeuxis.recipes.recipe import Recipe, Recognizes
from zeuxis.runs import Run

_AT_ONCE = 256


@torch.no_grad()
def predictions(recipe: Recipe, networks: nn.ModuleDict, data: Dataset, device: str = "cpu") -> Tensor:
    """Predicted class of every picture, int64 [N]."""
    assert isinstance(recipe, Recognizes)
    parts = torch.arange(len(data)).split(_AT_ONCE)
    predicted = [recipe.logits(networks, to_image(data.images(p), device)).argmax(1).cpu() for p in parts]
    return torch.cat(predicted)


def write_recalls(run: Run, held: Dataset) -> dict[str, Any]:
    """Writes recalls.json: balanced accuracy and recalls per class, 0 to 1, of the finished weights on held-out
    pictures. The recall of a class without any is null, and so is the mean. Returns what was written."""
    device, classes = run.record["compute"]["device"], run.spec.condition
    guess = predictions(run.recipe, run.networks().to(device), held, device)
    labels = np.asarray(held.labels)
    each = recalls(guess, labels, classes)
    record = {
        "format": 1,
        "balanced_accuracy": None if None in each else balanced_accuracy(guess, labels, classes).value,
        "recalls": each,
        "pictures": np.bincount(labels, minlength=classes).tolist(),
    }
    write_json(run.path / "recalls.json", record)
    return record


def finish(run: Run, given: Material) -> None:
    if given.held_out is not None:
        write_recalls(run, given.held_out)


CAPABILITY = Capability(Recognizes, 0, finish, section=section)
