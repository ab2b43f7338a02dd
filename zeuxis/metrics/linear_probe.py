"""A linear classifier on features: what a set of pictures teaches of its classes."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

DECAY = 0.1
"""Weight of half the squared norm beside the mean cross entropy, on standardised features."""
_STEPS, _LEAST = 200, 1e-6


@dataclass(frozen=True)
class Probe:
    """Multinomial logistic regression on standardised features."""

    mean: Tensor
    scale: Tensor
    weight: Tensor
    bias: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """The likeliest class of each row [n, d], int64 [n]."""
        return ((features.double() - self.mean) / self.scale @ self.weight + self.bias).argmax(1)


def fit_probe(features: Tensor, labels: Tensor, classes: int) -> Probe:
    """Learns from features [n, d] and labels int64 [n] in [0, classes), by L-BFGS in float64 from zero.

    It has one answer: the loss is strictly convex in the weights.
    """
    x = features.double()
    mean, scale = x.mean(0), x.std(0, correction=0).clamp_min(_LEAST)
    x = (x - mean) / scale
    weight = torch.zeros(x.shape[1], classes, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, tolerance_grad=1e-7, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = cross_entropy(x @ weight + bias, labels) + 0.5 * DECAY * weight.square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        optimizer.step(loss)
    return Probe(mean, scale, weight.detach(), bias.detach())
