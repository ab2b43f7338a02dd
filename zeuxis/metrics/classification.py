"""How well labels were predicted: confusion counts, recalls, balanced accuracy."""

import math
from typing import Any

import torch
from torch import Tensor

from zeuxis.errors import BadInput, counted
from zeuxis.metrics.result import Result, wilson


def confusion(predicted: Any, labels: Any, classes: int) -> Tensor:
    """Counts, int64 [classes, classes]: row = true class, column = predicted class.

    predicted, labels: integers in [0, classes), [n]. Raises BadInput.
    """
    guess, truth = (torch.as_tensor(x).detach().cpu().reshape(-1) for x in (predicted, labels))
    if len(guess) != len(truth) or len(truth) == 0:
        raise BadInput(
            "needs one prediction per label", f"{counted(len(guess), 'prediction')}, {counted(len(truth), 'label')}"
        )
    both = torch.cat([guess, truth]).to(torch.int64)
    if int(both.min()) < 0 or int(both.max()) >= classes:
        raise BadInput("a class lies outside the known ones", f"{int(both.min())} to {int(both.max())} of {classes}")
    flat = truth.to(torch.int64) * classes + guess.to(torch.int64)
    return torch.bincount(flat, minlength=classes * classes).reshape(classes, classes)


def recalls(predicted: Any, labels: Any, classes: int) -> list[float | None]:
    """Share of each class that was found, 0 to 1; None for a class without labels. Raises BadInput."""
    counts = confusion(predicted, labels, classes)
    hits, sizes = counts.diagonal().tolist(), counts.sum(1).tolist()
    return [hit / size if size else None for hit, size in zip(hits, sizes, strict=True)]


def balanced_accuracy(predicted: Any, labels: Any, classes: int) -> Result:
    """Mean recall over the classes that have labels, 0 to 1, as sklearn's balanced_accuracy_score.

    The interval (square-and-add of Wilson's, Zou and Donner 2008) covers the choice of
    test images for this one trained network, not another training. Raises BadInput.
    """
    counts = confusion(predicted, labels, classes)
    pairs = [(h, s) for h, s in zip(counts.diagonal().tolist(), counts.sum(1).tolist(), strict=True) if s]
    shares, ends = [h / s for h, s in pairs], [wilson(h, s) for h, s in pairs]
    value = math.fsum(shares) / len(shares)
    below = math.hypot(*(share - low for share, (low, _) in zip(shares, ends, strict=True))) / len(shares)
    above = math.hypot(*(high - share for share, (_, high) in zip(shares, ends, strict=True))) / len(shares)
    return Result(value, int(counts.sum()), value - below, value + above, features="labels")
