"""How different samples are from one another: mean pairwise distance, its ratio to real, Vendi score."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from zeuxis.metrics.distances import blocks, pair, rows, squared
from zeuxis.metrics.result import Result


def _mean_and_error(samples: Tensor) -> tuple[float, float]:
    """Mean over pairs i != j of |x_i - x_j| and its delete-one jackknife standard error (0 below three samples)."""
    n = len(samples)
    to_others = torch.zeros(n, dtype=torch.float64)
    for here, there, distance in blocks(samples, samples):
        if here == there:
            distance.fill_diagonal_(0.0)
        to_others[here] += distance.sum(1)
    total = to_others.sum()
    if n < 3:
        return float(total) / (n * (n - 1)), 0.0
    left_out = (total - 2 * to_others) / ((n - 1) * (n - 2))
    return float(total) / (n * (n - 1)), math.sqrt((n - 1) / n * float((left_out - left_out.mean()).square().sum()))


def mean_pairwise_distance(samples: Any) -> Result:
    """Mean Euclidean distance over all pairs of [n, ...], n >= 2, with a jackknife interval.

    0 where all samples are equal. Raises BadInput.
    """
    x, _ = pair(samples, samples, least=2)
    value, error = _mean_and_error(x)
    return Result(value, len(x), max(0.0, value - 1.96 * error), value + 1.96 * error)


def diversity_ratio(fake: Any, real: Any, held_out: Any = None) -> Result:
    """Mean pairwise distance of `fake` over that of `real`: near 1 when healthy, near 0 in collapse.

    fake [n, ...], real [m, ...], n, m >= 2; 1 where neither has any spread, infinite where
    only `real` has none. floor: the ratio for held-out real samples. The interval joins
    both jackknife errors (delta method). Warn below 0.5. Raises BadInput.
    """
    a, b = pair(fake, real, least=2)
    (top, top_error), (bottom, bottom_error) = _mean_and_error(a), _mean_and_error(b)
    floor = None if held_out is None else diversity_ratio(held_out, real).value
    if bottom == 0.0:
        return Result(1.0 if top == 0.0 else math.inf, len(a), floor=floor)
    value = top / bottom
    error = math.hypot(top_error / bottom, value * bottom_error / bottom)
    return Result(value, len(a), max(0.0, value - 1.96 * error), value + 1.96 * error, floor)


def cosine_kernel(samples: Tensor) -> Tensor:
    """Cosine similarities [n, n] of [n, d]; a sample of norm 0 is like itself only."""
    unit = functional.normalize(samples, dim=1)
    return (unit @ unit.T).fill_diagonal_(1.0)


def gaussian_kernel(sigma: float) -> Callable[[Tensor], Tensor]:
    """The kernel exp(-d^2 / (2 sigma^2)); `sigma` in the units of the samples."""
    return lambda samples: torch.exp(-squared(samples, samples).fill_diagonal_(0.0) / (2.0 * sigma**2))


def vendi_of_kernel(kernel: Any) -> float:
    """exp of the entropy of the eigenvalues of K / n (Friedman and Dieng 2022): 1 for equal samples, n for unlike ones.

    kernel: symmetric similarities [n, n] with ones on the diagonal.
    """
    k = torch.as_tensor(kernel).double()
    eigenvalues = torch.linalg.eigvalsh(k / len(k)).clamp(min=0.0)
    return math.exp(-float(torch.special.xlogy(eigenvalues, eigenvalues).sum()))


def vendi(samples: Any, kernel: Callable[[Tensor], Tensor] = cosine_kernel, real: Any = None) -> Result:
    """Vendi score of [n, ...]: the effective number of different samples, 1 to n.

    It grows with n: compare equal n only. floor: the score of `real`. No interval. Raises BadInput.
    """
    x = rows(samples).double()
    floor = None if real is None else vendi_of_kernel(kernel(rows(real).double()))
    return Result(vendi_of_kernel(kernel(x)), len(x), floor=floor)
