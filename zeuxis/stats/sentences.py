"""A verdict in words for people: what was found, and why that may be said and no more."""

from collections.abc import Callable

from zeuxis.errors import counted
from zeuxis.stats.found import FEWEST, HELPED, HURT, NO_USEFUL_GAIN, UNDECIDED, Interval, Verdict

MANY = 100
"""Repeats from which on test pictures are the better advice: what is left to gain by repeats is next to nothing."""


def points(x: float, sign: bool = False) -> str:
    """Two decimals, or one significant digit where that would round a number to 0; no negative zero."""
    if abs(x) < 1e-9:
        return "0"
    digits = ".2f" if abs(x) >= 0.005 else ".1g"
    return f"{x:{'+' if sign else ''}{digits}}"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _range(ends: Interval) -> str:
    return f"{points(ends[0], True)} to {points(ends[1], True)}"


def round_up(n: int) -> int:
    """To two significant digits, for a figure that is an estimate."""
    unit: int = 10 ** max(len(str(n)) - 2, 0)
    return -(-n // unit) * unit


def _over(verdict: Verdict) -> str:
    return f"over {counted(verdict.repeats, 'repeat')} and {counted(verdict.test_pictures, 'test picture')}"


def _neither(verdict: Verdict) -> str:
    return f"{counted(verdict.repeats, 'repeat')} can call neither HELPED nor HURT"


def _sight(verdict: Verdict) -> str:
    if verdict.mde80 is None and verdict.error:
        chose = f"{verdict.left_out} of them chose share 0, and " if verdict.left_out else ""
        return f"{_neither(verdict)}: {chose}the smallest possible p is {verdict.smallest_p:.3g}"
    if verdict.mde80 is None:
        return "nothing varied, so this study cannot say how small an effect it would have called"
    return f"a study like this one detects an effect of about {points(verdict.mde80)} points in four cases out of five"


def _further(verdict: Verdict) -> str:
    """What it would take to call the margin; empty where this study had it, or where nothing varied."""
    margin = points(verdict.margin)
    if verdict.pictures_for_margin:
        assumed = "" if verdict.error_pictures else "with as much luck of the test pictures as the plan reckons with, "
        return (
            f"; {assumed}no number of repeats detects {margin} points on "
            f"{counted(verdict.test_pictures, 'test picture')} like these: "
            f"it takes at least about {round_up(verdict.pictures_for_margin):,}"
        )
    if (verdict.repeats_for_margin or 0) > MANY:
        there = counted(verdict.test_pictures, "test picture")
        return f"; to detect {margin} points takes more than {there}: repeats alone hardly reach it"
    more = _more(verdict)
    return f"; to detect {margin} points takes a new study of about {counted(more, 'repeat')}" if more else ""


def _more(verdict: Verdict) -> int | None:
    """Repeats that would call the margin; None where it takes no more than there are, too many, or is not known."""
    more = verdict.repeats_for_margin
    return more if more and verdict.repeats < more <= MANY else None


def _short_of_choices(verdict: Verdict) -> bool:
    """Whether so many repeats chose share 0 that neither HELPED nor HURT is possible, whatever the others show."""
    return verdict.repeats >= FEWEST and 0 < verdict.repeats - verdict.left_out < FEWEST


def _called(verdict: Verdict, treatment: str, measure: str) -> str:
    higher = verdict.verdict == HELPED
    assert verdict.interval95 is not None
    ends = verdict.interval95 if higher else (-verdict.interval95[1], -verdict.interval95[0])
    label = verdict.verdict + (" CLEARLY" if verdict.clearly else "")
    small = f", less than the margin of {points(verdict.margin)} points" if ends[1] < verdict.margin else ""
    return (
        f"{label}: with {treatment}, {measure} was {points(abs(verdict.mean))} points "
        f"{'higher' if higher else 'lower'} on average {_over(verdict)} "
        f"(95 % interval {points(ends[0])} to {points(ends[1])}{small}); {_sight(verdict)}."
    )


def all_left_out(verdict: Verdict) -> bool:
    """Whether every repeat chose share 0, so that nothing but the rival was ever run."""
    return verdict.left_out == verdict.repeats


def _no_useful_gain(verdict: Verdict, treatment: str, measure: str) -> str:
    if all_left_out(verdict):
        return (
            f"NO USEFUL GAIN: in all {counted(verdict.repeats, 'repeat')} the validation pictures chose to leave out "
            f"{treatment}, so the difference in {measure} is 0 points by choice; its size was not measured."
        )
    assert verdict.interval90 is not None
    chose = f" ({verdict.left_out} of them left it out by choice and count as 0)" if verdict.left_out else ""
    return (
        f"NO USEFUL GAIN: with {treatment}, {measure} {_differed(verdict.mean)} on average "
        f"{_over(verdict)}{chose}, and the 90 % interval ({_range(verdict.interval90)}) lies within "
        f"{points(verdict.margin)} points of no difference; {_sight(verdict)}."
    )


def _difference(verdict: Verdict, treatment: str, measure: str, label: str = "") -> str:
    """label: what the interval is called; empty where it was told before."""
    ends = f" ({label} {_range(verdict.interval95)})" if verdict.interval95 and label else ""
    return f"with {treatment}, {measure} {_differed(verdict.mean)} on average {_over(verdict)}{ends}"


def _differed(mean: float) -> str:
    """ "was 0.08 points higher" or "lower", or "was the same"."""
    if points(abs(mean)) == "0":
        return "was the same"
    return f"was {points(abs(mean))} points {'higher' if mean > 0 else 'lower'}"


def _no_better(verdict: Verdict, measure: str) -> str:
    """That no arm does better than guessing, with the figures."""
    assert verdict.guessing is not None
    arms = ", ".join(f"{points(value)} % {name}" for name, value in verdict.guessing.arms.items())
    return (
        f"the classifiers were not shown to do better than guessing ({measure} {arms}; guessing gives "
        f"{points(verdict.guessing.chance)} %)"
    )


def _side(verdict: Verdict) -> str:
    """Where the 95 % interval lies: "lies above 0", "lies below 0", "includes 0"."""
    assert verdict.interval95 is not None
    low, high = verdict.interval95
    return "lies above 0" if low > 0 else "lies below 0" if high < 0 else "includes 0"


def _reason(verdict: Verdict, treatment: str, alpha: float) -> str:
    """Why nothing is called, where the interval alone does not tell; empty where it does. It stands first."""
    side = _side(verdict)
    assert verdict.interval95 is not None
    there = f"the 95 % interval {side} ({_range(verdict.interval95)} points)"
    if _short_of_choices(verdict):
        enough = -(-FEWEST * verdict.repeats // (verdict.repeats - verdict.left_out))
        return (
            f"{there}, {'and' if side == 'includes 0' else 'but'} {verdict.left_out} of the "
            f"{counted(verdict.repeats, 'repeat')} chose to leave out {treatment} (share 0), and then "
            f"{_neither(verdict)} (the smallest possible p is {verdict.smallest_p:.3g}); a new study of about "
            f"{counted(enough, 'repeat')} could, if the same share leaves them out"
        )
    if side == "includes 0":
        return ""
    called = HELPED if side == "lies above 0" else HURT
    return (
        f"{there}, but the repeats do not agree well enough: p is {verdict.p:.3g}, and {called} needs {alpha:g} at most"
    )


def _undecided(verdict: Verdict, treatment: str, measure: str, alpha: float) -> str:
    if verdict.repeats < FEWEST:
        return (
            f"UNDECIDED: cannot decide: {_least(verdict)}; {_described(verdict, treatment, measure)}; "
            "fewer than 6 repeats cannot call an effect of any size."
        )
    if verdict.guessing is not None:
        return (
            f"UNDECIDED: {_no_better(verdict, measure)}, so this study cannot say whether {treatment} made a "
            "difference; it takes classifiers that learn something: more time, more labels, or larger pictures."
        )
    if reason := _reason(verdict, treatment, alpha):
        rest = "" if _short_of_choices(verdict) else f"; {_sight(verdict)}{_further(verdict)}"
        return f"UNDECIDED: {reason}; {_difference(verdict, treatment, measure)}{rest}."
    return (
        f"UNDECIDED: {_difference(verdict, treatment, measure, '95 % interval')}, "
        f"too uncertain to call it a gain, a loss or no useful gain; {_sight(verdict)}{_further(verdict)}."
    )


_SENTENCES: dict[str, Callable[[Verdict, str, str], str]] = {
    HELPED: _called,
    HURT: _called,
    NO_USEFUL_GAIN: _no_useful_gain,
}


def sentence_of(verdict: Verdict, treatment: str, measure: str, alpha: float = 0.05) -> str:
    """One sentence: the verdict, why no other, the mean and interval in points, and what such a study can call."""
    if verdict.verdict == UNDECIDED:
        said = _undecided(verdict, treatment, measure, alpha)
    else:
        said = _SENTENCES[verdict.verdict](verdict, treatment, measure)
    return f"{said[:-1]}; {verdict.shortage}." if verdict.shortage and verdict.verdict != HELPED else said


def _least(verdict: Verdict) -> str:
    """The smallest p that these repeats can give, and why it is no smaller."""
    least = f"with {counted(verdict.repeats, 'repeat')} the smallest possible p is {verdict.smallest_p:g}"
    if not verdict.left_out:
        return least
    every = "it" if verdict.repeats == 1 else "all of them"
    who = every if all_left_out(verdict) else f"{verdict.left_out} of them"
    return f"{least}, since {who} chose share 0 on validation"


def _described(verdict: Verdict, treatment: str, measure: str) -> str:
    if all_left_out(verdict):
        return f"nothing was measured of {treatment}"
    return _difference(verdict, treatment, measure, "95 % interval, for description only,")


def _evidence(verdict: Verdict, alpha: float) -> str:
    how = "exact" if verdict.repeats <= 20 else "sampled"
    assert verdict.interval95 is not None
    return (
        f"HELPED or HURT needs p of at most {alpha:g} and a 95 % interval on one side of 0: the {how} sign-flip test "
        f"over the repeats gives p = {verdict.p:.3g} and the interval over repeats and test pictures, "
        f"{_range(verdict.interval95)}, {_side(verdict)}."
    )


def _equal(verdict: Verdict) -> str:
    assert verdict.interval90 is not None
    low, high = verdict.interval90
    inside = -verdict.margin < low and high < verdict.margin
    small = (
        f" It also needs {verdict.pictures_for_none:,} equally weighed test pictures, so that a difference of "
        f"{points(verdict.margin)} points would show in them; these are fewer."
        if (inside or not verdict.error) and verdict.verdict == UNDECIDED
        else ""
    )
    return (
        f"NO USEFUL GAIN needs a 90 % interval inside {points(-verdict.margin, True)} to "
        f"{points(verdict.margin, True)}: {_range(verdict.interval90)} {'lies' if inside else 'does not lie'} "
        f"inside.{small}"
    )


def _some_left_out(verdict: Verdict, treatment: str) -> str:
    if not verdict.left_out:
        return ""
    where = f"In {verdict.left_out} of {counted(verdict.repeats, 'repeat')}"
    low = (
        f", and the test can give no p below {verdict.smallest_p:.3g}"
        if verdict.repeats - verdict.left_out < FEWEST
        else ""
    )
    return f"{where} validation chose to leave out {treatment}: there the difference is 0 by choice{low}."


def _parts(verdict: Verdict) -> str:
    if not verdict.error or verdict.error_pictures is None:
        return ""
    share = 100 * (verdict.error_pictures / verdict.error) ** 2
    part = f"{share:.0f} %" if share >= 1 else "hardly anything"
    rest = ", and more repeats would not take that part away" if share >= 0.5 else ""
    return (
        f"The result speaks of pictures like the {counted(verdict.test_pictures, 'test picture')}, not of these alone: "
        f"of its variance {part} comes from which pictures these happen to be{rest}."
    )


_NEW_STUDY = (
    "More repeats are a new study in another folder (--study), and all runs are trained again. That is a fair second "
    "look if its number of repeats is fixed before it begins and both studies are reported."
)


def why_of(verdict: Verdict, treatment: str, alpha: float) -> str:
    """The rule applied to this study's numbers, in plain sentences."""
    left_out = (
        f"Every repeat chose share 0 on validation: the run with {treatment} is the rival's own run and every "
        f"difference is 0. Validation found no use for {treatment} at the shares offered; the effect was not measured. "
        "More repeats would not measure it either: that takes a generator whose pictures validation finds a use for, "
        "as more training or more pictures may give."
    )
    chance = "" if verdict.guessing is None else _capital(_no_better(verdict, "balanced accuracy")) + "."
    if verdict.repeats < FEWEST:
        few = f"Fewer than 6 repeats never decide: {_least(verdict)}."
        return " ".join(filter(None, (few, chance, left_out if all_left_out(verdict) else _NEW_STUDY)))
    if verdict.guessing is not None:
        learned = "A comparison of classifiers that learned nothing says nothing of what they were trained on."
        return " ".join(filter(None, (chance, learned, left_out if all_left_out(verdict) else "")))
    if all_left_out(verdict):
        return left_out
    equal = _equal(verdict) if verdict.verdict in (NO_USEFUL_GAIN, UNDECIDED) else ""
    again = _NEW_STUDY if verdict.verdict == UNDECIDED and (_short_of_choices(verdict) or _more(verdict)) else ""
    parts = (_evidence(verdict, alpha), _some_left_out(verdict, treatment), equal, _parts(verdict), again)
    return " ".join(filter(None, parts))
