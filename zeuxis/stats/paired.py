"""The sign-flip test over repeats, Holm's adjustment and power; the interval is in `twoway`.

The unit is the repeat, d_r = treatment(r) - rival(r). `sign_flip_rows` works on tables [tables, repeats] at once.
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
    """The smallest p of `sign_flip` with so many repeats that are not 0: 2 / 2^R, and 1e-5 where signs are drawn."""
    return min(1.0, 2.0 ** (1 - repeats)) if repeats <= ENUMERATED else 1.0 / (1 + FLIPS)


def fewest_repeats(comparisons: int, alpha: float = 0.05) -> int:
    """Repeats from which on one of so many comparisons can pass Holm's first step, which asks for alpha / comparisons.

    6 for one, 7 for two and three, 8 for four to six.
    """
    return next(repeats for repeats in range(1, 64) if comparisons * smallest_p(repeats) <= alpha)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down adjusted p values, in the order given: max over j <= i of min(1, (m-j+1) p_(j))."""
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise BadInput("p values must be numbers from 0 to 1", f"{p_values!r}")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order]))
    return [float(value) for value in adjusted]


def detectable(error: float, df: float, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """The true mean that a two-sided t test with this standard error finds with this power, in the unit of `error`.

    Solved from the noncentral t: 2.8 errors with many degrees of freedom, 3.16 with 9, 3.53 with 5. Raises BadInput.
    """
    from scipy.optimize import brentq
    from scipy.stats import nct
    from scipy.stats import t as student

    if not df > 0 or not error >= 0:
        raise BadInput("needs degrees of freedom above 0 and an error that is not negative", f"{df}, {error}")
    bar = student.ppf(1.0 - alpha / 2, df)
    # the far tail, below -bar, is left out: under 0.1 % of the power here, and nct is unsteady there
    return error * float(brentq(lambda shift: nct.sf(bar, df, shift) - power, 0.0, 20.0 + 10.0 * bar))


NEEDED = (1.959964 + 0.841621) ** 2
"""7.85: variances of the mean that the square of an effect must hold to be found with 80 % power at 5 %."""


def repeats_for(margin: float, sd: float, fixed: float = 0.0) -> int | None:
    """Repeats that find a mean of `margin` with 80 % power, about 2 + 7.85 sd^2 / (margin^2 - 7.85 fixed^2).

    sd: over repeats; fixed: the part of the standard error that repeats do not lessen. 6 at the least; the 2 makes up
    for t in place of the normal. None where no number of repeats does it. Raises BadInput.
    """
    if not margin > 0 or not (sd >= 0 and fixed >= 0) or not math.isfinite(sd + fixed):
        raise BadInput("needs a positive margin and spreads that are not negative", f"{margin}, {sd}, {fixed}")
    room = margin**2 - NEEDED * fixed**2
    return max(6, math.ceil(2.0 + NEEDED * sd**2 / room)) if room > 0 else None
