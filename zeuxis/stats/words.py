"""A verdict in words for people: what was found, and why that may be said and no more."""

from collections.abc import Callable

from zeuxis.stats.found import HELPED, HURT, NO_USEFUL_GAIN, UNDECIDED, Verdict

# all six signs must agree, P = Phi(effect)^6 = 0.8; the t test of mde80 needs 1.44 sd only
_SIX = 1.79


def points(x: float, sign: bool = False) -> str:
    """Two decimals, or one significant digit where that would round a number to 0; no negative zero."""
    if abs(x) < 1e-9:
        return "0"
    digits = ".2f" if abs(x) >= 0.005 else ".1g"
    return f"{x:{'+' if sign else ''}{digits}}"


def _range(ends: tuple[float, float]) -> str:
    return f"{points(ends[0], True)} to {points(ends[1], True)}"


def _repeats(found: Verdict) -> str:
    return "1 repeat" if found.repeats == 1 else f"{found.repeats} repeats"


def _sight(found: Verdict) -> str:
    if found.mde80 is None:
        return "the repeats did not differ, so this run cannot say how small an effect it would have seen"
    return f"the smallest effect that this run could have seen is about {points(found.mde80)} points"


def _called(found: Verdict, treatment: str, measure: str) -> str:
    higher = found.verdict == HELPED
    ends = found.bca95 if higher else (-found.bca95[1], -found.bca95[0])
    label = found.verdict + (" CLEARLY" if found.clearly else "")
    small = f", less than the margin of {points(found.margin)} points" if ends[1] < found.margin else ""
    return (
        f"{label}: with {treatment}, {measure} was {points(abs(found.mean))} points "
        f"{'higher' if higher else 'lower'} on average over {_repeats(found)} "
        f"(95 % interval {points(ends[0])} to {points(ends[1])}{small}); {_sight(found)}."
    )


def all_left_out(found: Verdict) -> bool:
    """Whether every repeat chose share 0, so that nothing but the rival was ever run."""
    return bool(found.shares) and not any(found.shares or ())


def _no_useful_gain(found: Verdict, treatment: str, measure: str) -> str:
    if all_left_out(found):
        return (
            f"NO USEFUL GAIN: in all {_repeats(found)} the validation pictures chose to leave out {treatment}, so the "
            f"difference in {measure} is 0 points (interval 0 to 0) by choice; the size of an effect was not measured."
        )
    ends = found.equivalence90 or found.bca95
    return (
        f"NO USEFUL GAIN: with {treatment}, {measure} differed by {points(found.mean, True)} points on average over "
        f"{_repeats(found)}, and the 90 % interval ({_range(ends)}) lies within {points(found.margin)} points "
        f"of no difference; {_sight(found)}."
    )


def _difference(found: Verdict, treatment: str, measure: str, label: str) -> str:
    return (
        f"with {treatment}, {measure} differed by {points(found.mean, True)} points on average over "
        f"{_repeats(found)} ({label} {_range(found.bca95)})"
    )


def _undecided(found: Verdict, treatment: str, measure: str) -> str:
    if found.repeats < 6:
        return (
            f"UNDECIDED: cannot decide: with R = {found.repeats} the smallest possible p is {found.smallest_p:g}; "
            f"{_difference(found, treatment, measure, '95 % interval, for description only,')}; "
            "fewer than 6 repeats cannot call an effect of any size."
        )
    more = found.repeats_for_margin
    enough = more is None or more <= found.repeats
    further = "" if enough else f"; to see {points(found.margin)} points takes about {more} repeats"
    return (
        f"UNDECIDED: {_difference(found, treatment, measure, '95 % interval')}, "
        f"too uncertain to call it a gain, a loss or no useful gain; {_sight(found)}{further}."
    )


_SENTENCES: dict[str, Callable[[Verdict, str, str], str]] = {
    HELPED: _called,
    HURT: _called,
    NO_USEFUL_GAIN: _no_useful_gain,
    UNDECIDED: _undecided,
}


def sentence_of(found: Verdict, treatment: str, measure: str) -> str:
    """One sentence: the verdict, the mean and interval in points, and what the run could have seen."""
    return _SENTENCES[found.verdict](found, treatment, measure)


def _evidence(found: Verdict, alpha: float) -> str:
    how = "exact" if found.repeats <= 20 else "sampled"
    side = "lies above 0" if found.bca95[0] > 0 else "lies below 0" if found.bca95[1] < 0 else "includes 0"
    return (
        f"HELPED or HURT needs p of at most {alpha:g} and a 95 % interval on one side of 0: the {how} sign-flip test "
        f"gives p = {found.p:.3g} and the BCa interval, {_range(found.bca95)}, {side}."
    )


def _equal(found: Verdict) -> str:
    if found.equivalence90 is None:
        return ""
    kind = "Student's t" if found.repeats < 20 else "BCa"
    low, high = found.equivalence90
    inside = "lies inside" if -found.margin < low and high < found.margin else "does not lie inside"
    return (
        f"NO USEFUL GAIN needs a 90 % interval inside {points(-found.margin, True)} to {points(found.margin, True)}: "
        f"the {kind} interval, {_range(found.equivalence90)}, {inside}."
    )


def _power(found: Verdict) -> str:
    if found.mde80 is None or found.sd is None:
        return ""
    six = f" With 6 repeats all six must point the same way, which takes about {points(_SIX * found.sd)} points."
    return (
        f"An effect of {points(found.mde80)} points would be found four times in five by a paired t test with this "
        f"spread (sd {points(found.sd)} points).{six if found.repeats == 6 else ''}"
    )


def why_of(found: Verdict, treatment: str, alpha: float) -> str:
    """The rule applied to this run's numbers, in plain sentences."""
    left_out = (
        f"Every repeat chose share 0 on validation: the run with {treatment} is the rival's own run and every "
        f"difference is 0. Validation found no use for {treatment} at the shares offered; the effect was not measured."
    )
    if not all_left_out(found):
        left_out = ""
    if found.repeats < 6:
        few = (
            f"Fewer than 6 repeats never decide: with {found.repeats} the smallest possible p is {found.smallest_p:g}."
        )
        return " ".join(filter(None, (few, left_out)))
    if left_out:
        return left_out
    equal = _equal(found) if found.verdict in (NO_USEFUL_GAIN, UNDECIDED) else ""
    return " ".join(filter(None, (_evidence(found, alpha), equal, _power(found))))
