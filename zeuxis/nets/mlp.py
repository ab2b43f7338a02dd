"""Fully connected networks for small pictures (Goodfellow et al. 2014, arXiv 1406.2661).

With classes both take the label as a one-hot vector beside their input (Mirza and
Osindero 2014, arXiv 1411.1784).
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, one_hot

from zeuxis.nets.conditional import needed
from zeuxis.nets.init import SLOPE


def beside(x: Tensor, label: Tensor | None, classes: int) -> Tensor:
    """[B, F] and labels [B] to [B, F + classes]; x itself where there are no classes."""
    return torch.cat([x, one_hot(needed(label), classes).to(x.dtype)], 1) if classes else x


class MLPGenerator(nn.Module):
    """Latents [B, latent] to pictures [B, *shape] in [-1, 1].

    Dense layers of `hidden` with leaky ReLU 0.2, a dense layer to the pixels, tanh;
    `norm`: batch norm on every hidden layer but the first.
    """

    def __init__(
        self, latent: int, hidden: Sequence[int], shape: tuple[int, int, int], classes: int = 0, norm: bool = True
    ) -> None:
        super().__init__()
        self.shape, self.classes = shape, classes
        self.dense = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise([latent + classes, *hidden]))
        self.norm = nn.ModuleList(nn.BatchNorm1d(b) if norm and i else nn.Identity() for i, b in enumerate(hidden))
        self.last = nn.Linear(hidden[-1], math.prod(shape))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = beside(z, label, self.classes)
        for dense, norm in zip(self.dense, self.norm, strict=True):
            x = leaky_relu(norm(dense(x)), SLOPE)
        return torch.tanh(self.last(x)).reshape(-1, *self.shape)


class MLPCritic(nn.Module):
    """Pictures [B, *shape] to logits [B]: dense layers of `hidden` with leaky ReLU 0.2, then one output."""

    def __init__(self, shape: tuple[int, int, int], hidden: Sequence[int], classes: int = 0) -> None:
        super().__init__()
        self.classes = classes
        self.dense = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise([math.prod(shape) + classes, *hidden]))
        self.last = nn.Linear(hidden[-1], 1)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        x = beside(image.flatten(1), label, self.classes)
        for dense in self.dense:
            x = leaky_relu(dense(x), SLOPE)
        logits: Tensor = self.last(x)[:, 0]
        return logits
