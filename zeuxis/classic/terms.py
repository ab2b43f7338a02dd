"""What the sparse solvers share: the objective and how far from its least value it is.

Signals are rows [n, d], atoms are rows [K, d] (as in scikit-learn), codes are [n, K].
"""

from dataclasses import fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

State = TypeVar("State")

GROUP = 1024
"""Signals that are solved together: few enough that their codes stay in the processor's cache."""


def unit(dictionary: Tensor) -> Tensor:
    """Atoms [K, d] at length 1; an atom of zeros stays."""
    length: Tensor = dictionary.norm(dim=1, keepdim=True)
    return dictionary / length.clamp(min=torch.finfo(dictionary.dtype).tiny)


def kept(state: State, which: Tensor) -> State:
    """A frozen dataclass of tensors [n, ...] (or None) with only the rows `which`."""
    whole: Any = state
    rows = {f.name: getattr(whole, f.name) for f in fields(whole)}
    some: State = replace(whole, **{name: None if t is None else t[which] for name, t in rows.items()})
    return some


def soft(x: Tensor, threshold: float) -> Tensor:
    """sign(x) max(|x| - threshold, 0)."""
    return x - x.clamp(-threshold, threshold)


def objective(signals: Tensor, dictionary: Tensor, codes: Tensor, penalty: float) -> Tensor:
    """1/2 ||y - a D||^2 + penalty ||a||_1 of each signal, [n]: what scikit-learn's `sparse_encode` calls alpha."""
    return 0.5 * (signals - codes @ dictionary).square().sum(1) + penalty * codes.abs().sum(1)


def largest_eigenvalue(dictionary: Tensor) -> float:
    """Of D^T D: the Lipschitz constant of the gradient, from the smaller of the two Gram matrices."""
    d = dictionary.double()
    gram = d.T @ d if d.shape[0] > d.shape[1] else d @ d.T
    return float(torch.linalg.eigvalsh(gram)[-1])


def duality_gap(signals: Tensor, residual: Tensor, correlation: Tensor, codes: Tensor, penalty: float) -> Tensor:
    """(objective, gap) of each signal, [2, n]: the objective less the dual value of the scaled residual.

    `residual` is y - a D, `correlation` [n] the largest |residual D^T|. The dual of the lasso is
    1/2 ||y||^2 - 1/2 ||y - u||^2 over all u with |u D^T| <= penalty (Kim et al. 2007,
    doi 10.1109/JSTSP.2007.910971); the gap bounds how far the objective is above its least value.
    """
    scale = (penalty / correlation.clamp(min=1e-30)).clamp(max=1.0)
    energy = residual.square().sum(1)
    primal = 0.5 * energy + penalty * codes.abs().sum(1)
    dual = scale * (signals * residual).sum(1) - 0.5 * scale.square() * energy
    return torch.stack([primal, primal - dual])
