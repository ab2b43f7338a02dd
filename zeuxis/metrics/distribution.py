"""How far two sets of samples are apart as distributions: Fréchet distance, KID, precision, recall, density, coverage.

Every function takes features (or pixels) [n, ...] of generated and real samples, and
`held_out` real ones, whose value against `real` becomes the floor.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from zeuxis.errors import BadInput, counted
from zeuxis.metrics.distances import BLOCK, blocks, nearest, pair
from zeuxis.metrics.result import Result, proportion


def _root(samples: Tensor) -> tuple[Tensor, Tensor]:
    """Mean [d] and a factor F [min(n, d), d] with F'F = the unbiased covariance, in float64."""
    x = samples.double()
    mean = x.mean(0)
    factor = (x - mean) / math.sqrt(len(x) - 1)
    return mean, torch.linalg.qr(factor, mode="r").R if len(x) > x.shape[1] else factor


def frechet(fake: Any, real: Any, held_out: Any = None) -> Result:
    """Fréchet distance of Gaussians fitted to both sides (Heusel et al. 2017, arXiv 1706.08500).

    |m_r - m_f|^2 + tr(S_r + S_f) - 2 tr (S_r S_f)^(1/2), the last trace as the sum of singular
    values of F_r F_f' with F'F = S: exact also for fewer samples than dimensions, never complex.
    Biased upwards by about b / n: compare equal n only, and against the floor of an equally
    large held-out part; no interval. Raises BadInput below two samples a side.
    """
    a, b = pair(fake, real, least=2)
    (mean_a, root_a), (mean_b, root_b) = _root(a), _root(b)
    spread = root_a.square().sum() + root_b.square().sum()
    shared = torch.linalg.svdvals(root_a @ root_b.T).sum()
    value = float((mean_a - mean_b).square().sum() + spread - 2 * shared)
    floor = None if held_out is None else frechet(held_out, real).value
    return Result(max(0.0, value), len(a), floor=floor)


def _kernel_sums(a: Tensor, b: Tensor, same: bool) -> tuple[Tensor, Tensor]:
    """Row and column sums of (x.y / d + 1)^3, the diagonal left out where both sides are the same."""
    by_row, by_column = torch.zeros(len(a), dtype=torch.float64), torch.zeros(len(b), dtype=torch.float64)
    for i in range(0, len(a), BLOCK):
        for j in range(0, len(b), BLOCK):
            k = (a[i : i + BLOCK].double() @ b[j : j + BLOCK].double().T / a.shape[1] + 1.0).pow_(3)
            if same and i == j:
                k.fill_diagonal_(0.0)
            by_row[i : i + BLOCK] += k.sum(1)
            by_column[j : j + BLOCK] += k.sum(0)
    return by_row, by_column


def kid(fake: Any, real: Any, held_out: Any = None) -> Result:
    """Kernel inception distance: unbiased squared MMD with k(x, y) = (x.y / d + 1)^3 (Bińkowski et al. 2018).

    All samples at once, n and m may differ (arXiv 1801.01401, eq. 4); unbiased, so slightly below 0
    is normal; the custom is to print it times 1000. The interval is value -+ 1.96 jackknife errors
    over samples of both sides, rough near 0. Raises BadInput below three samples a side.
    """
    a, b = pair(fake, real, least=3)
    n, m = len(a), len(b)
    own_a, own_b = _kernel_sums(a, a, True)[0], _kernel_sums(b, b, True)[0]
    cross_a, cross_b = _kernel_sums(a, b, False)
    total_a, total_b, total_cross = own_a.sum(), own_b.sum(), cross_a.sum()
    mean_b, mean_cross = total_b / (m * (m - 1)), total_cross / (n * m)
    value = float(total_a / (n * (n - 1)) + mean_b - 2 * mean_cross)
    without_a = (total_a - 2 * own_a) / ((n - 1) * (n - 2)) - 2 * (total_cross - cross_a) / ((n - 1) * m)
    without_b = (total_b - 2 * own_b) / ((m - 1) * (m - 2)) - 2 * (total_cross - cross_b) / (n * (m - 1))
    parts = [(k - 1) / k * float((x - x.mean()).square().sum()) for k, x in ((n, without_a), (m, without_b))]
    error = math.sqrt(sum(parts))
    floor = None if held_out is None else kid(held_out, real).value
    return Result(value, n, value - 1.96 * error, value + 1.96 * error, floor)


@dataclass(frozen=True)
class Support:
    """How two sets cover one another; each a Result. Equal distributions of equal size: density about 1,
    coverage about 1 - 2^-k."""

    precision: Result
    recall: Result
    density: Result
    coverage: Result


def _radii(samples: Tensor, k: int) -> Tensor:
    """Distance to the k-th neighbour, the sample itself not counted, float64 [n]."""
    if not 1 <= k < len(samples):
        raise BadInput(
            f"cannot find {counted(k, 'neighbour')} of a sample",
            f"among {counted(len(samples), 'sample')}",
            "use fewer or more",
        )
    return nearest(samples, samples, k + 1)[0][:, k]


_SLACK = 1e-9  # a tie is a tie also after rounding: relative to the radius


def _inside(queries: Tensor, centres: Tensor, radii: Tensor, strict: bool) -> Tensor:
    """How many balls hold each query, int64 [q]; `strict` leaves out the surface."""
    bar = radii * (1.0 - _SLACK if strict else 1.0 + _SLACK)
    count = torch.zeros(len(queries), dtype=torch.int64)
    for here, there, distance in blocks(queries, centres):
        within = distance < bar[there] if strict else distance <= bar[there]
        count[here] += within.sum(1)
    return count


def support(fake: Any, real: Any, held_out: Any = None, k: int = 5, k_precision: int = 3) -> Support:
    """Precision and recall (Kynkäänniemi et al. 2019, arXiv 1904.06991; k = 3, surface counted) and density
    and coverage (Naeem et al. 2020, arXiv 2002.09797; k = 5, surface left out).

    precision: share of fakes inside some ball of a real sample; recall: of reals inside some ball
    of a fake; density: balls of reals around each fake, over k (may exceed 1); coverage: share of
    reals whose ball holds a fake. Use equal numbers on both sides. Intervals hold the other side
    fixed. Raises BadInput where k neighbours do not exist.
    """
    a, b = pair(fake, real, least=2)
    radii = _radii(b, k)
    precise = _inside(a, b, _radii(b, k_precision), False) > 0
    recalled = _inside(b, a, _radii(a, k_precision), False) > 0
    around = _inside(a, b, radii, True).double()
    covered = nearest(b, a)[0][:, 0] < radii * (1.0 - _SLACK)
    value, error = float(around.mean()) / k, float(around.std(correction=1)) / (k * math.sqrt(len(a)))
    measured = Support(
        precision=proportion(int(precise.sum()), len(a)),
        recall=proportion(int(recalled.sum()), len(b)),
        density=Result(value, len(a), max(0.0, value - 1.96 * error), value + 1.96 * error),
        coverage=proportion(int(covered.sum()), len(b)),
    )
    if held_out is None:
        return measured
    base = support(held_out, real, None, k, k_precision)
    floors = {name: getattr(base, name).value for name in ("precision", "recall", "density", "coverage")}
    return Support(**{name: replace(getattr(measured, name), floor=floor) for name, floor in floors.items()})
