"""The verdict of a study: HELPED, HURT, NO USEFUL GAIN or UNDECIDED, from what every repeat did on every test picture.

It speaks of the population that the test part was drawn from, not of these test pictures alone: the interval is that
of `twoway`, over repeats and test pictures. The rule, in this order, for one primary comparison named before the
study began:

1. fewer than six repeats: UNDECIDED, whatever they show (the smallest possible p is above 0.05); so too where no arm
   was shown to do better than guessing: classifiers that learned nothing tell nothing of what they were trained on;
2. HELPED: sign-flip p over the repeats <= alpha and the 95 % interval lies above 0; HURT: mirrored;
   clearly, where the interval also lies beyond the margin;
3. NO USEFUL GAIN: the 90 % interval (two one-sided 5 % tests) lies inside (-margin, +margin), and the test part is
   large enough that a difference of the margin would show in it: log(20) / margin pictures of equal weight, of
   which one at least would change in 19 of 20 such test parts, so that silence of a small part proves nothing;
4. else UNDECIDED.

The sign-flip test stays beside the interval because Student's t is a little too ready with six and seven repeats;
from eight on it changes next to nothing (docs/statistics.md).

A repeat in which validation chose share 0 trained nothing new: its treatment is the rival's own
run and its difference is 0. Where every repeat chose it, all differences are 0 and NO USEFUL GAIN is said for this
reason: the recommended treatment is the rival. `why` says so, because it means that validation
found no use for the treatment, not that its effect was measured and found small. Below six
repeats step 1 comes first even then: a handful of choices is no more evidence than a handful of
differences.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zeuxis.errors import BadInput
from zeuxis.stats import paired
from zeuxis.stats.chance import Guessing
from zeuxis.stats.found import FEWEST, HELPED, HURT, NO_USEFUL_GAIN, UNDECIDED, Interval, Verdict
from zeuxis.stats.paired import NEEDED, Array
from zeuxis.stats.sentences import sentence_of, why_of
from zeuxis.stats.twoway import LEAN, Examined, TwoWay, balanced, two_way

_AGREEING = {6: 1.81, 7: 1.36, 8: 1.20}
"""Effects, in sd over the repeats, that the sign-flip test finds four times in five where it is stricter than t. With
six repeats all signs must agree, P = Phi(effect)^6 = 0.8; with seven by simulation (benchmarks/verdict_rates.py)."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One secondary comparison, in points: `p_holm` is p adjusted over the family.

    judged: "better", "worse" or "open"; None where so few repeats cannot judge so many comparisons, whatever they
    show: then `repeats_needed` is how many could.
    """

    comparison: str
    mean: float
    p: float
    p_holm: float
    interval95: Interval
    judged: str | None
    repeats_needed: int | None

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"interval95": list(self.interval95)}


def pictures_for_none(margin: float) -> int:
    """How many equally weighed test pictures NO USEFUL GAIN needs for this margin in points: log(20) / margin."""
    return math.ceil(math.log(20.0) / min(margin / 100.0, 1.0))


def rule(
    repeats: int,
    p: float,
    ends95: Interval,
    ends90: Interval,
    margin: float,
    alpha: float = 0.05,
    fine: bool = True,
    guessing: bool = False,
) -> str:
    """The name of the verdict from its numbers alone: the first condition that holds, else UNDECIDED.

    fine: whether the test part is large enough for NO USEFUL GAIN; guessing: whether no arm does better than that.
    """
    if repeats < FEWEST or guessing:
        return UNDECIDED
    holds = {
        HELPED: p <= alpha and ends95[0] > 0,
        HURT: p <= alpha and ends95[1] < 0,
        NO_USEFUL_GAIN: fine and -margin < ends90[0] and ends90[1] < margin,
    }
    return next((name for name, true in holds.items() if true), UNDECIDED)


def _check(margin: float, alpha: float) -> None:
    if not (margin > 0 and np.isfinite(margin)):
        raise BadInput("the margin must be a positive number of points", f"{margin}", "give, for example, 0.5")
    if not 0.0 < alpha <= 0.05:
        raise BadInput("alpha must lie above 0 and not above 0.05", f"{alpha}", "leave it at 0.05")


def _rounded(rows: Array) -> Array:
    """Without the dust of floating point, so that ties of the sign-flip test are ties."""
    return np.round(rows, 6)


def calls(tables: Any, *, margin: float, examined: Examined | None = None, alpha: float = 0.05) -> list[str]:
    """The verdict's name for every study of tables [studies, repeats, pictures]: that of `verdict`, many at once.

    examined: classes and groups of the test pictures; None for one class without groups. Of a table of differences
    alone, [studies, repeats], nothing is called: it holds no word of the luck of the test pictures, which is in every
    repeat alike, so that no claim on other pictures can rest on it.
    """
    _check(margin, alpha)
    values = np.asarray(tables)
    if values.ndim < 3:
        return [UNDECIDED] * len(paired.table(values))
    examined = examined or Examined.of(np.zeros(values.shape[2], np.int64))
    if values.shape[1] < 2:
        return [UNDECIDED] * len(values)
    estimates = [two_way(100.0 * x, examined) for x in values]
    p = paired.sign_flip_rows(_rounded(np.stack([one.rows for one in estimates]))).tolist()
    fine = examined.effective >= pictures_for_none(margin)
    return [
        rule(values.shape[1], p_, one.interval(0.95), one.interval(0.90), margin, alpha, fine)
        for p_, one in zip(p, estimates, strict=True)
    ]


def _check_shares(row: Array, shares: Sequence[float] | None) -> tuple[float, ...] | None:
    if shares is None:
        return None
    if len(shares) != len(row) or not all(0.0 <= share <= 1.0 for share in shares):
        raise BadInput("needs one share from 0 to 1 per repeat", f"{list(shares)}")
    if any(share == 0 and difference != 0 for share, difference in zip(shares, row, strict=True)):
        raise BadInput("a repeat with share 0 has a difference", f"{list(shares)}", "share 0 is the rival's own run")
    return tuple(float(share) for share in shares)


def _power(
    estimate: TwoWay | None, sd: float | None, free: int, margin: float, examined: Examined, alpha: float
) -> dict[str, Any]:
    """mde80, repeats_for_margin and pictures_for_margin; see `Verdict`. free: repeats that did not choose share 0."""
    nothing = dict.fromkeys(("mde80", "repeats_for_margin", "pictures_for_margin"))
    if estimate is None or sd is None or estimate.error == 0:
        return nothing
    able = paired.smallest_p(free) <= alpha
    if len(estimate.rows) >= FEWEST and not able:
        return nothing
    least = max(paired.detectable(estimate.error, estimate.df), _AGREEING.get(free, 0.0) * sd)
    fixed = math.sqrt(estimate.pictures)
    if fixed == 0 and least > margin:
        # an estimate of 0 is no proof that the test part has no luck: then as much as the plan reckons with
        fixed = 100.0 * LEAN / math.sqrt(examined.effective)
    more = paired.repeats_for(margin, sd, fixed)
    pictures = None if more is not None else math.ceil(len(examined.classes) * NEEDED * fixed**2 / margin**2)
    mde80 = least if able else None
    return {"mde80": mde80, "repeats_for_margin": more, "pictures_for_margin": pictures}


def verdict(
    x: Any,
    examined: Examined,
    *,
    margin: float,
    shares: Sequence[float] | None = None,
    alpha: float = 0.05,
    guessing: Guessing | None = None,
    treatment: str = "the generated pictures",
    measure: str = "balanced accuracy",
    shortage: str = "",
) -> Verdict:
    """The verdict of one primary comparison from x [repeats, test pictures], the treatment's hits minus the rival's.

    x: -1, 0 or 1 for every repeat and test picture. `shares`: what every repeat chose on validation; a share of 0
    must come with a difference of exactly 0. `guessing`: that of the two arms (see `chance`). `alpha` (at most 0.05)
    bounds p; the intervals stay at 95 and 90 %. `treatment` and `measure` only name things in the sentence,
    `shortage` ends it unless it says HELPED. Raises BadInput.
    """
    _check(margin, alpha)
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 2 or values.shape[1:] != examined.classes.shape or not np.isin(values, (-1, 0, 1)).all():
        raise BadInput("needs -1, 0 or 1 for every repeat and test picture", f"shape {values.shape}")
    repeats = len(values)
    row = _rounded(paired.table(100.0 * balanced(values, examined)))[0]
    chosen = _check_shares(row, shares)
    estimate = two_way(100.0 * values, examined) if repeats > 1 else None
    sd = float(row.std(ddof=1)) if repeats > 1 else None
    free = repeats - sum(share == 0 for share in chosen or ())
    by_choice = bool(chosen) and not any(chosen or ())
    ends95, ends90 = (estimate.interval(0.95), estimate.interval(0.90)) if estimate and not by_choice else (None, None)
    p = paired.sign_flip(row)
    needed = pictures_for_none(margin)
    fine = by_choice or examined.effective >= needed
    everything = (0.0, 0.0) if by_choice else (-math.inf, math.inf)
    name = rule(repeats, p, ends95 or everything, ends90 or everything, margin, alpha, fine, guessing is not None)
    low, high = ends95 or everything
    whole = Verdict(
        verdict=name,
        clearly=(name == HELPED and low >= margin) or (name == HURT and high <= -margin),
        repeats=repeats,
        test_pictures=values.shape[1],
        margin=float(margin),
        differences=tuple(row.tolist()),
        mean=float(row.mean()),
        sd=sd,
        error=estimate.error if estimate else None,
        error_pictures=math.sqrt(estimate.pictures) if estimate else None,
        df=estimate.df if estimate else None,
        interval95=ends95,
        interval90=ends90,
        p=p,
        smallest_p=paired.smallest_p(free),
        pictures_for_none=needed,
        shares=chosen,
        guessing=guessing,
        shortage=shortage,
        **_power(None if guessing else estimate, sd, free, margin, examined, alpha),
    )
    sentence, why = sentence_of(whole, treatment, measure, alpha), why_of(whole, treatment, alpha)
    return dataclasses.replace(whole, sentence=sentence, why=why)


def secondary(
    arms: Mapping[str, Any], pairs: Sequence[tuple[str, str]], examined: Examined, alpha: float = 0.05
) -> tuple[Comparison, ...]:
    """Comparisons beside the primary one, as one Holm family: for each pair (a, b), does a differ from b?

    `arms` maps a name to its hits, bool [repeats, test pictures], paired by position. A comparison is judged where p
    by Holm is at most `alpha` and the 95 % interval lies on one side of 0.
    Raises BadInput for an unknown arm, other shapes and fewer than two repeats.
    """
    unknown = [name for pair in pairs for name in pair if name not in arms]
    if unknown or len({np.shape(hits) for hits in arms.values()}) > 1:
        raise BadInput("every arm compared needs its hits in every repeat", ", ".join(unknown) or "unequal shapes")
    if not pairs:
        return ()
    estimates = [two_way(100.0 * np.subtract(arms[a], arms[b], dtype=np.float64), examined) for a, b in pairs]
    p = paired.sign_flip_rows(_rounded(np.stack([one.rows for one in estimates]))).tolist()
    needed = paired.fewest_repeats(len(pairs), alpha)
    able = len(estimates[0].rows) >= needed
    return tuple(
        Comparison(
            comparison=f"{a} against {b}",
            mean=one.mean,
            p=raw,
            p_holm=adjusted,
            interval95=one.interval(0.95),
            judged=_judged(adjusted, one.interval(0.95), alpha) if able else None,
            repeats_needed=None if able else needed,
        )
        for (a, b), one, raw, adjusted in zip(pairs, estimates, p, paired.holm(p), strict=True)
    )


def _judged(p_holm: float, ends: Interval, alpha: float) -> str:
    if p_holm > alpha or ends[0] <= 0 <= ends[1]:
        return "open"
    return "better" if ends[0] > 0 else "worse"
