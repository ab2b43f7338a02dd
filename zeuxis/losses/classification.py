"""Losses and scores of classifiers, from logits [B, K] and labels."""

import torch
from torch import Tensor
from torch.nn import functional as F


def cross_entropy(logits: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
    """-sum_k q_k log p_k per sample [B], in nats; target: int64 [B], or shares of the classes float [B, K].

    `smoothing` s spreads that much of the target evenly: q = (1 - s) target + s / K
    (Szegedy et al. 2016, arXiv 1512.00567, section 7).
    """
    return F.cross_entropy(logits, target, label_smoothing=smoothing, reduction="none")


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """sum(weight * values) / sum(weight) of two [B]: scalar."""
    return (weight * values).mean() / weight.mean()


def accuracy(logits: Tensor, label: Tensor) -> Tensor:
    """Share of samples whose largest logit is at their label int64 [B]: scalar in [0, 1]."""
    return (logits.argmax(1) == label).to(logits.dtype).mean()


def recalls(logits: Tensor, label: Tensor) -> Tensor:
    """Share of each class that is found, float64 [K]; NaN for a class without samples. label: int64 [B]."""
    classes = logits.shape[1]
    correct = label[logits.argmax(1) == label]
    hits, sizes = (torch.bincount(x, minlength=classes).double() for x in (correct, label))
    return hits / sizes


def balanced_accuracy(logits: Tensor, label: Tensor) -> Tensor:
    """Mean recall of the classes that occur: scalar in [0, 1]. label: int64 [B]."""
    return recalls(logits, label).nanmean()
