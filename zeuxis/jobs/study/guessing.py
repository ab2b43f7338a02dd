"""Pictures without labels: those of a folder, or of the training part that a repeat did not draw, labels hidden.

Its rival guesses them.

Pseudo-labels (Lee 2013): every picture gets the class that a classifier of the labelled ones finds most likely.
"""

from typing import Any

import numpy as np
import torch

from zeuxis.data.dataset import Dataset
from zeuxis.data.memory import MemoryDataset, Subset
from zeuxis.jobs.capabilities.recognizes import predictions
from zeuxis.jobs.study.job_graph import best_policy
from zeuxis.jobs.study.place import Place
from zeuxis.jobs.study.unlabelled import kept
from zeuxis.runs import Run


def undrawn(place: Place, drawn: dict[str, list[int]]) -> list[int]:
    """Positions of the training part that a repeat did not draw, ascending."""
    return sorted(set(place.split.train.tolist()) - set(drawn["train"]))


def guessed(place: Place, r: int, drawn: dict[str, list[int]]) -> MemoryDataset:
    """The unlabelled pictures, in memory, each with the label that the finished rival of the repeat guesses."""
    rival = best_policy(place, r)
    assert rival is not None, f"the rival of repeat {r + 1} is not known yet"
    run = Run.open(place.repeat(r) / "arms" / rival)
    data: Dataset = Subset(place.dataset, undrawn(place, drawn))
    if place.others:
        data = kept(place.folder, place.others)
    labels = predictions(run.recipe, run.networks().to(place.compute.device), data, place.compute.device)
    return MemoryDataset(data.images(torch.arange(len(data))), labels.numpy(), place.dataset.spec.classes)


def joined(own: Dataset, others: MemoryDataset) -> MemoryDataset:
    """Labelled pictures, then those with guessed labels."""
    images = torch.cat([own.images(torch.arange(len(own))), others.pixels])
    return MemoryDataset(images, np.concatenate([np.asarray(own.labels), np.asarray(others.labels)]), others.classes)


def described(place: Place, others: MemoryDataset, drawn: dict[str, list[int]]) -> dict[str, Any]:
    """How many pictures were guessed, and the share of right guesses: for the record, nothing is decided by it.

    None is right or wrong of a folder whose classes nobody knows.
    """
    if place.others:
        return {"pictures": len(others), "right": None}
    right = np.asarray(place.dataset.labels)[undrawn(place, drawn)] == others.labels
    return {"pictures": len(others), "right": round(float(right.mean()), 4)}
