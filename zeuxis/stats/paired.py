"""Paired tests and intervals over repeats: sign-flip, BCa, t, Holm, Nadeau-Bengio, McNemar, power.

The unit is the repeat, d_r = treatment(r) - rival(r). `*_rows` work on tables
[tables, repeats] at once; the plain names take one sequence of differences.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zeuxis.draw import Draw
from zeuxis.errors import BadInput

Array = NDArray[np.float64]
ENUMERATED = 20
"""Up to this many repeats the sign-flip test visits every sign vector."""
FLIPS = 99_999
"""Random sign vectors above that."""
_CELLS = 1 << 22  # float64 numbers held at once by the blocked loops: 32 MB


def table(values: Any) -> Array:
    """`values` as float64 [tables, repeats]; a single sequence becomes one row. Raises BadInput."""
    rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise BadInput("no differences to compare", f"shape {rows.shape}", "give one number per repeat")
    if not np.isfinite(rows).all():
        raise BadInput("a difference is not a finite number", "", "leave out or redo the repeat that failed")
    return rows


def _one(values: Any) -> Array:
    rows = table(values)
    if len(rows) != 1:
        raise BadInput("expected one sequence of differences", f"shape {rows.shape}", "give one number per repeat")
    return rows


def constant_rows(rows: Array) -> NDArray[np.bool_]:
    """Which rows have no spread beyond rounding, bool [tables]."""
    scale = np.maximum(1.0, np.abs(rows).max(1))
    flat: NDArray[np.bool_] = np.ptp(rows, axis=1) <= 1e-12 * scale
    return flat


def _signed_sums(rows: Array, first_positive: bool) -> Array:
    """Sums of every sign vector, [tables, 2^repeats], or half of them with the first sign fixed to plus."""
    sums = rows[:, :1] if first_positive else np.zeros((len(rows), 1))
    for column in rows[:, 1 if first_positive else 0 :].T:
        sums = np.concatenate([sums + column[:, None], sums - column[:, None]], axis=1)
    return sums


def _count_exact(rows: Array, bar: Array) -> NDArray[np.int64]:
    """#{s: |sum s d| >= bar} by outer sums of two halves; s and -s have the same size, so one of them is visited."""
    half = (rows.shape[1] + 1) // 2
    first, second = _signed_sums(rows[:, :half], True), _signed_sums(rows[:, half:], False)
    step = max(1, _CELLS // (len(rows) * second.shape[1]))
    count = np.zeros(len(rows), dtype=np.int64)
    for start in range(0, first.shape[1], step):
        sums = first[:, start : start + step, None] + second[:, None, :]
        count += (np.abs(sums) >= bar[:, None, None]).sum((1, 2))
    return 2 * count


def _p_random(rows: Array, bar: Array, seed: int) -> Array:
    stream = Draw(seed).at("sign-flip")
    step = max(1, _CELLS // (rows.shape[1] + len(rows)))
    count = np.zeros(len(rows), dtype=np.int64)
    for start in range(0, FLIPS, step):
        index = torch.arange(start, min(start + step, FLIPS))
        signs = 2.0 * stream.keep(0.5, index, rows.shape[1]).numpy() - 1.0
        count += (np.abs(rows @ signs.T) >= bar[:, None]).sum(1)
    return np.asarray((1 + count) / (1 + FLIPS), dtype=np.float64)


def sign_flip_rows(tables: Any, seed: int = 0) -> Array:
    """Two-sided sign-flip p of every row of [tables, repeats], float64 [tables]. See `sign_flip`."""
    rows = table(tables)
    # ties count; the slack covers the rounding of sums taken in another order
    bar = np.abs(rows.sum(1)) - 1e-12 * np.maximum(1.0, np.abs(rows).sum(1))
    if rows.shape[1] > ENUMERATED:
        return _p_random(rows, bar, seed)
    step = max(1, _CELLS >> (rows.shape[1] - 1))
    counts = [_count_exact(rows[i : i + step], bar[i : i + step]) for i in range(0, len(rows), step)]
    return np.asarray(np.concatenate(counts) / 2.0 ** rows.shape[1], dtype=np.float64)


def sign_flip(differences: Sequence[float] | Any, seed: int = 0) -> float:
    """Two-sided paired sign-flip (Fisher randomisation) test of "d is symmetric about 0".

    p = #{s in {-1, 1}^R: |sum s_r d_r| >= |sum d_r|} / 2^R, exact up to R = 20;
    above, 99,999 seeded sign vectors and p = (1 + count) / (1 + 99,999).
    Equals scipy.stats.permutation_test(permutation_type="samples"). Raises BadInput
    for no or non-finite differences.
    """
    return float(sign_flip_rows(_one(differences), seed)[0])


def smallest_p(repeats: int) -> float:
    """The smallest p that `sign_flip` can give with so many repeats: 2 / 2^R, and 1e-5 where signs are drawn."""
    return 2.0 ** (1 - repeats) if repeats <= ENUMERATED else 1.0 / (1 + FLIPS)


def _quantiles(ordered: Array, shares: Array) -> Array:
    """Linear quantiles (numpy's default kind) of sorted rows [n, B] at shares [n, 2]."""
    place = np.clip(shares, 0.0, 1.0) * (ordered.shape[1] - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, ordered.shape[1] - 1)
    below, above = np.take_along_axis(ordered, low, 1), np.take_along_axis(ordered, high, 1)
    return np.asarray(below + (place - low) * (above - below), dtype=np.float64)


def _bca_block(rows: Array, weights: Array, level: float) -> Array:
    from scipy.special import ndtr, ndtri

    mean = rows.mean(1, keepdims=True)
    resampled = np.sort(rows @ weights.T, axis=1)
    slack = 1e-12 * np.maximum(1.0, np.abs(rows).max(1, keepdims=True))
    below = (resampled < mean - slack).sum(1) + (resampled <= mean + slack).sum(1)
    total = 2 * len(weights)
    bias = ndtri(np.clip(below, 1, total - 1) / total)[:, None]
    u = (rows - mean) / np.where(constant_rows(rows)[:, None], 1.0, np.abs(rows - mean).max(1, keepdims=True))
    acceleration = ((u**3).sum(1) / (6.0 * np.maximum((u**2).sum(1), 1.0) ** 1.5))[:, None]
    z = bias + ndtri(0.5 + np.array([[-level / 2, level / 2]]))
    ends = _quantiles(resampled, ndtr(bias + z / np.maximum(1.0 - acceleration * z, 1e-12)))
    # an end that is 0 but for rounding must not count as on one side of 0
    return np.where(constant_rows(rows)[:, None], mean, np.where(np.abs(ends) <= slack, 0.0, ends))


def bca_rows(tables: Any, level: float = 0.95, resamples: int = 9_999, seed: int = 0) -> Array:
    """BCa interval of the mean of every row of [tables, repeats], float64 [tables, 2]. See `bca`."""
    rows = table(tables)
    if not 0.0 < level < 1.0 or resamples < 1:
        raise BadInput("level must lie between 0 and 1, resamples be positive", f"{level}, {resamples}")
    repeats = rows.shape[1]
    picks = Draw(seed).at("bca").integers(resamples, repeats, high=repeats)
    weights = torch.zeros(resamples, repeats, dtype=torch.float64)
    weights.scatter_add_(1, picks, torch.full(picks.shape, 1.0 / repeats, dtype=torch.float64))
    step = max(1, _CELLS // resamples)
    return np.concatenate([_bca_block(rows[i : i + step], weights.numpy(), level) for i in range(0, len(rows), step)])


def bca(
    differences: Sequence[float] | Any, level: float = 0.95, resamples: int = 9_999, seed: int = 0
) -> tuple[float, float]:
    """Bias-corrected and accelerated bootstrap interval of the mean (Efron 1987), resampling repeats.

    Where all differences are equal it is the point twice. Much too narrow below
    about 20 repeats (false calls 16 % at R = 5): never a verdict by itself.
    Reference: scipy.stats.bootstrap(method="BCa"). Raises BadInput.
    """
    low, high = bca_rows(_one(differences), level, resamples, seed)[0]
    return float(low), float(high)


def t_interval_rows(tables: Any, level: float = 0.95) -> Array:
    """Student's t interval of the mean of every row of [tables, repeats], float64 [tables, 2]."""
    from scipy.special import stdtrit

    rows = table(tables)
    repeats = rows.shape[1]
    if repeats < 2:
        raise BadInput("an interval needs two repeats or more", f"{repeats}", "run more repeats")
    error = np.where(constant_rows(rows), 0.0, rows.std(1, ddof=1)) / math.sqrt(repeats)
    half = stdtrit(repeats - 1, 0.5 + level / 2) * error
    return np.stack([rows.mean(1) - half, rows.mean(1) + half], 1)


def t_interval(differences: Sequence[float] | Any, level: float = 0.95) -> tuple[float, float]:
    """mean -+ t_{R-1} sd / sqrt(R); the point twice where all differences are equal. Raises BadInput below R = 2."""
    low, high = t_interval_rows(_one(differences), level)[0]
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down adjusted p values, in the order given: max over j <= i of min(1, (m-j+1) p_(j))."""
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise BadInput("p values must be numbers from 0 to 1", f"{p_values!r}")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order]))
    return [float(value) for value in adjusted]


def nadeau_bengio(differences: Sequence[float] | Any, ratio: float) -> tuple[float, float]:
    """Corrected resampled t test (Nadeau and Bengio 2003): (t, two-sided p), df = J - 1.

    t = mean / sqrt((1/J + ratio) s^2), ratio = test size / training size. Only for
    random re-splits of one pool; with a fixed test part the correction destroys
    power for nothing. Without any spread t is 0 or infinite. Raises BadInput.
    """
    from scipy.special import stdtr

    row = _one(differences)[0]
    if len(row) < 2 or not ratio >= 0:
        raise BadInput("needs two splits or more and a ratio that is not negative", f"{len(row)}, {ratio}")
    mean = float(row.mean())
    if constant_rows(row[None])[0]:
        return (math.copysign(math.inf, mean), 0.0) if abs(mean) > 1e-12 else (0.0, 1.0)
    t = mean / math.sqrt((1.0 / len(row) + ratio) * float(row.var(ddof=1)))
    return t, float(2.0 * stdtr(len(row) - 1, -abs(t)))


def mcnemar(b: int, c: int) -> float:
    """Exact two-sided McNemar p from the discordant counts: min(1, 2 P(Bin(b + c, 1/2) <= min(b, c))).

    Compares two trained networks on one test part, never two methods. Raises BadInput.
    """
    from scipy.stats import binom

    if b < 0 or c < 0:
        raise BadInput("discordant counts cannot be negative", f"{b}, {c}")
    return min(1.0, float(2.0 * binom.cdf(min(b, c), b + c, 0.5)))


def clopper_pearson_upper(k: int, n: int, delta: float) -> float:
    """One-sided exact upper limit of a proportion after k of n (Clopper and Pearson 1934), confidence 1 - delta."""
    from scipy.stats import beta

    if not 0 <= k <= n or n < 1 or not 0.0 < delta < 1.0:
        raise BadInput("needs 0 <= k <= n, n >= 1 and delta between 0 and 1", f"k={k}, n={n}, delta={delta}")
    return 1.0 if k == n else float(beta.ppf(1.0 - delta, k + 1, n - k))


def minimum_detectable_effect(sd: float, repeats: int, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """The true mean that a two-sided paired t test of so many repeats finds with this power, in units of `sd`.

    Solved from the noncentral t; 1.00 sd at R = 10, 0.66 at R = 20. The sign-flip test
    has about the same power from R = 8 on, and less below. Raises BadInput below R = 2.
    """
    from scipy.optimize import brentq
    from scipy.stats import nct
    from scipy.stats import t as student

    if repeats < 2 or not sd >= 0:
        raise BadInput("needs two repeats or more and a spread that is not negative", f"{repeats}, {sd}")
    bar = student.ppf(1.0 - alpha / 2, repeats - 1)
    # the far tail, below -bar, is left out: under 0.1 % of the power here, and nct is unsteady there
    noncentrality = brentq(lambda shift: nct.sf(bar, repeats - 1, shift) - power, 0.0, 20.0 + 10.0 * bar)
    return sd * float(noncentrality) / math.sqrt(repeats)


def repeats_for(margin: float, sd: float) -> int:
    """Repeats that find a mean of `margin` with 80 % power, about 2 + 7.85 (sd / margin)^2, at least 6.

    7.85 = (1.96 + 0.842)^2; the 2 makes up for t in place of the normal. Raises BadInput.
    """
    if not margin > 0 or not sd >= 0 or not math.isfinite(sd):
        raise BadInput("needs a positive margin and a spread that is not negative", f"{margin}, {sd}")
    return max(6, math.ceil(2.0 + 7.85 * (sd / margin) ** 2))
