"""The verdict of a study: HELPED, HURT, NO USEFUL GAIN or UNDECIDED, from paired differences in points.

The rule, in this order, for one primary comparison named before the study began:

1. fewer than six repeats: UNDECIDED, whatever they show (the smallest possible p is above 0.05);
2. HELPED: sign-flip p <= alpha and the BCa 95 % interval lies above 0; HURT: mirrored;
   clearly, where the interval also lies beyond the margin;
3. NO USEFUL GAIN: the 90 % interval (two one-sided 5 % tests; Student's t below 20 repeats,
   where BCa is too narrow, BCa from there on) lies inside (-margin, +margin);
4. else UNDECIDED.

A repeat in which validation chose share 0 trained nothing new: its treatment is the rival's own
run and its difference is 0. Where every repeat chose it, all differences are 0 and step 3 holds
by itself: the recommended treatment is the rival. `why` says so, because it means that validation
found no use for the treatment, not that its effect was measured and found small. Below six
repeats step 1 comes first even then: a handful of choices is no more evidence than a handful of
differences.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zeuxis.errors import BadInput
from zeuxis.stats import paired
from zeuxis.stats.found import HELPED, HURT, NO_USEFUL_GAIN, UNDECIDED, Interval, Verdict
from zeuxis.stats.paired import Array
from zeuxis.stats.words import sentence_of, why_of

FEWEST = 6
"""Repeats below which nothing is ever decided: 2 / 2^5 is above 0.05."""
SWITCH = 20
"""Repeats from which on the equivalence interval is BCa instead of Student's t."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One secondary comparison, in points: `p_holm` is p adjusted over the family."""

    comparison: str
    mean: float
    p: float
    p_holm: float
    bca95: Interval

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"bca95": list(self.bca95)}


def rule(repeats: int, p: float, bca95: Interval, equivalence90: Interval, margin: float, alpha: float = 0.05) -> str:
    """The name of the verdict from its numbers alone: the first condition that holds, else UNDECIDED."""
    if repeats < FEWEST:
        return UNDECIDED
    holds = {
        HELPED: p <= alpha and bca95[0] > 0,
        HURT: p <= alpha and bca95[1] < 0,
        NO_USEFUL_GAIN: -margin < equivalence90[0] and equivalence90[1] < margin,
    }
    return next((name for name, true in holds.items() if true), UNDECIDED)


def _check(margin: float, alpha: float) -> None:
    if not (margin > 0 and np.isfinite(margin)):
        raise BadInput("the margin must be a positive number of points", f"{margin}", "give, for example, 0.5")
    if not 0.0 < alpha <= 0.05:
        raise BadInput("alpha must lie above 0 and not above 0.05", f"{alpha}", "leave it at 0.05")


def _equivalence(rows: Array) -> Array:
    if rows.shape[1] < 2:
        return np.full((len(rows), 2), np.nan)
    return paired.t_interval_rows(rows, 0.90) if rows.shape[1] < SWITCH else paired.bca_rows(rows, 0.90)


def calls(tables: Any, *, margin: float, alpha: float = 0.05) -> list[str]:
    """The verdict's name for every row of [studies, repeats]: the same numbers as `verdict`, many at once."""
    _check(margin, alpha)
    rows = paired.table(tables)
    p, bca95, equivalence90 = paired.sign_flip_rows(rows), paired.bca_rows(rows), _equivalence(rows)
    numbers = zip(p.tolist(), bca95.tolist(), equivalence90.tolist(), strict=True)
    return [rule(rows.shape[1], p_, tuple(b), tuple(e), margin, alpha) for p_, b, e in numbers]


def _check_shares(row: Array, shares: Sequence[float] | None) -> tuple[float, ...] | None:
    if shares is None:
        return None
    if len(shares) != len(row) or not all(0.0 <= share <= 1.0 for share in shares):
        raise BadInput("needs one share from 0 to 1 per repeat", f"{list(shares)}")
    if any(share == 0 and difference != 0 for share, difference in zip(shares, row, strict=True)):
        raise BadInput("a repeat with share 0 has a difference", f"{list(shares)}", "share 0 is the rival's own run")
    return tuple(float(share) for share in shares)


def verdict(
    differences: Sequence[float] | Any,
    *,
    margin: float,
    shares: Sequence[float] | None = None,
    alpha: float = 0.05,
    treatment: str = "the generated pictures",
    measure: str = "balanced accuracy",
) -> Verdict:
    """The verdict of one primary comparison from its paired differences (treatment minus rival, in points).

    `shares`: what every repeat chose on validation; a share of 0 must come with a
    difference of exactly 0. `alpha` (at most 0.05) bounds p; the intervals stay at 95
    and 90 %. `treatment` and `measure` only name things in the sentence. Raises BadInput.
    """
    _check(margin, alpha)
    rows = paired.table(differences)
    if len(rows) != 1:
        raise BadInput("expected one sequence of differences", f"shape {rows.shape}", "give one number per repeat")
    repeats, chosen = rows.shape[1], _check_shares(rows[0], shares)
    sd = float(rows[0].std(ddof=1)) if repeats > 1 else None
    spread = sd if sd and not paired.constant_rows(rows)[0] else None
    low, high = paired.bca_rows(rows)[0].tolist()
    equal_low, equal_high = _equivalence(rows)[0].tolist()
    p = float(paired.sign_flip_rows(rows)[0])
    name = rule(repeats, p, (low, high), (equal_low, equal_high), margin, alpha)
    found = Verdict(
        verdict=name,
        clearly=(name == HELPED and low >= margin) or (name == HURT and high <= -margin),
        repeats=repeats,
        margin=float(margin),
        differences=tuple(rows[0].tolist()),
        mean=float(rows.mean()),
        sd=sd,
        bca95=(low, high),
        equivalence90=(equal_low, equal_high) if repeats > 1 else None,
        p=p,
        smallest_p=paired.smallest_p(repeats),
        mde80=paired.minimum_detectable_effect(spread, repeats) if spread and repeats >= FEWEST else None,
        repeats_for_margin=paired.repeats_for(margin, spread) if spread else None,
        shares=chosen,
    )
    sentence, why = sentence_of(found, treatment, measure), why_of(found, treatment, alpha)
    return dataclasses.replace(found, sentence=sentence, why=why)


def secondary(arms: Mapping[str, Sequence[float]], pairs: Sequence[tuple[str, str]]) -> tuple[Comparison, ...]:
    """Comparisons beside the primary one, as one Holm family: for each pair (a, b), does a differ from b?

    `arms` maps a name to its values in points, one per repeat, paired by position.
    Raises BadInput for an unknown arm or unequal lengths.
    """
    unknown = [name for pair in pairs for name in pair if name not in arms]
    if unknown or len({len(values) for values in arms.values()}) > 1:
        raise BadInput("every arm compared needs one value per repeat", ", ".join(unknown) or "unequal lengths")
    if not pairs:
        return ()
    rows = paired.table([np.subtract(arms[a], arms[b], dtype=np.float64) for a, b in pairs])
    p = paired.sign_flip_rows(rows).tolist()
    intervals = paired.bca_rows(rows).tolist()
    return tuple(
        Comparison(comparison=f"{a} against {b}", mean=float(row.mean()), p=raw, p_holm=adjusted, bca95=tuple(ends))
        for (a, b), row, raw, adjusted, ends in zip(pairs, rows, p, paired.holm(p), intervals, strict=True)
    )
