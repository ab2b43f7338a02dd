"""A verdict in words for people: what was found, and why that may be said and no more."""

from collections.abc import Callable

from zeuxis.errors import counted
from zeuxis.stats.found import FEWEST, HELPED, HURT, NO_USEFUL_GAIN, UNDECIDED, Interval, Verdict


def points(x: float, sign: bool = False) -> str:
    """Two decimals, or one significant digit where that would round a number to 0; no negative zero."""
    if abs(x) < 1e-9:
        return "0"
    digits = ".2f" if abs(x) >= 0.005 else ".1g"
    return f"{x:{'+' if sign else ''}{digits}}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _range(ends: Interval) -> str:
    return f"{points(ends[0], True)} to {points(ends[1], True)}"


def round_up(n: int) -> int:
    """To two significant digits, for a figure that is an estimate."""
    unit: int = 10 ** max(len(str(n)) - 2, 0)
    return -(-n // unit) * unit


def _over(found: Verdict) -> str:
    return f"over {counted(found.repeats, 'repeat')} and {counted(found.test_pictures, 'test picture')}"


def _sight(found: Verdict) -> str:
    if found.mde80 is None and found.error:
        why = (
            f"{found.left_out} of its {counted(found.repeats, 'repeat')} chose share 0, and " if found.left_out else ""
        )
        return f"this study can call no effect of any size: {why}the smallest possible p is {found.smallest_p:.3g}"
    if found.mde80 is None:
        return "nothing varied, so this study cannot say how small an effect it would have called"
    return f"a study like this one calls effects from about {points(found.mde80)} points on, four times in five"


def _further(found: Verdict) -> str:
    """What it would take to call the margin; empty where this study had it, or where nothing varied."""
    margin = points(found.margin)
    if found.pictures_for_margin:
        assumed = "" if found.error_pictures else "where single pictures favour one arm as the plan assumes, "
        return (
            f"; {assumed}no number of repeats calls {margin} points on "
            f"{counted(found.test_pictures, 'test picture')} like these: "
            f"it takes at least about {round_up(found.pictures_for_margin):,}"
        )
    free = found.repeats - found.left_out
    if found.mde80 is None and found.left_out and 0 < free < FEWEST:
        enough = counted(-(-FEWEST * found.repeats // free), "repeat")
        return f"; it takes {FEWEST} that do not choose share 0, of about {enough} if as many go on doing so"
    more = found.repeats_for_margin
    return f"; to call {margin} points takes about {counted(more, 'repeat')}" if more and more > found.repeats else ""


def _called(found: Verdict, treatment: str, measure: str) -> str:
    higher = found.verdict == HELPED
    assert found.interval95 is not None
    ends = found.interval95 if higher else (-found.interval95[1], -found.interval95[0])
    label = found.verdict + (" CLEARLY" if found.clearly else "")
    small = f", less than the margin of {points(found.margin)} points" if ends[1] < found.margin else ""
    return (
        f"{label}: with {treatment}, {measure} was {points(abs(found.mean))} points "
        f"{'higher' if higher else 'lower'} on average {_over(found)} "
        f"(95 % interval {points(ends[0])} to {points(ends[1])}{small}); {_sight(found)}."
    )


def all_left_out(found: Verdict) -> bool:
    """Whether every repeat chose share 0, so that nothing but the rival was ever run."""
    return found.left_out == found.repeats


def _no_useful_gain(found: Verdict, treatment: str, measure: str) -> str:
    if all_left_out(found):
        return (
            f"NO USEFUL GAIN: in all {counted(found.repeats, 'repeat')} the validation pictures chose to leave out "
            f"{treatment}, so the difference in {measure} is 0 points by choice; its size was not measured."
        )
    assert found.interval90 is not None
    return (
        f"NO USEFUL GAIN: with {treatment}, {measure} differed by {points(found.mean, True)} points on average "
        f"{_over(found)}, and the 90 % interval ({_range(found.interval90)}) lies within {points(found.margin)} points "
        f"of no difference; {_sight(found)}."
    )


def _difference(found: Verdict, treatment: str, measure: str, label: str) -> str:
    ends = f" ({label} {_range(found.interval95)})" if found.interval95 else ""
    return f"with {treatment}, {measure} differed by {points(found.mean, True)} points on average {_over(found)}{ends}"


def _no_better(found: Verdict, measure: str) -> str:
    """That no arm does better than guessing, with the figures."""
    assert found.guessing is not None
    arms = ", ".join(f"{points(value)} % {name}" for name, value in found.guessing.arms.items())
    return (
        f"the classifiers were not shown to do better than guessing ({measure} {arms}; guessing gives "
        f"{points(found.guessing.chance)} %)"
    )


def _undecided(found: Verdict, treatment: str, measure: str) -> str:
    if found.repeats < FEWEST:
        return (
            f"UNDECIDED: cannot decide: {_least(found)}; {_described(found, treatment, measure)}; "
            "fewer than 6 repeats cannot call an effect of any size."
        )
    if found.guessing is not None:
        return (
            f"UNDECIDED: {_no_better(found, measure)}, so this study cannot say whether {treatment} made a difference; "
            "it takes classifiers that learn something: more time, more labels, or larger pictures."
        )
    return (
        f"UNDECIDED: {_difference(found, treatment, measure, '95 % interval')}, "
        f"too uncertain to call it a gain, a loss or no useful gain; {_sight(found)}{_further(found)}."
    )


_SENTENCES: dict[str, Callable[[Verdict, str, str], str]] = {
    HELPED: _called,
    HURT: _called,
    NO_USEFUL_GAIN: _no_useful_gain,
    UNDECIDED: _undecided,
}


def sentence_of(found: Verdict, treatment: str, measure: str) -> str:
    """One sentence: the verdict, the mean and interval in points, and what such a study can call."""
    said = _SENTENCES[found.verdict](found, treatment, measure)
    return f"{said[:-1]}; {found.shortage}." if found.shortage and found.verdict != HELPED else said


def _least(found: Verdict) -> str:
    """The smallest p that these repeats can give, and why it is no smaller."""
    least = f"with R = {found.repeats} the smallest possible p is {found.smallest_p:g}"
    if not found.left_out:
        return least
    every = "it" if found.repeats == 1 else "all of them"
    who = every if all_left_out(found) else f"{found.left_out} of them"
    return f"{least}, since {who} chose share 0 on validation"


def _described(found: Verdict, treatment: str, measure: str) -> str:
    if all_left_out(found):
        return f"nothing was measured of {treatment}"
    return _difference(found, treatment, measure, "95 % interval, for description only,")


def _evidence(found: Verdict, alpha: float) -> str:
    how = "exact" if found.repeats <= 20 else "sampled"
    assert found.interval95 is not None
    side = "lies above 0" if found.interval95[0] > 0 else "lies below 0" if found.interval95[1] < 0 else "includes 0"
    return (
        f"HELPED or HURT needs p of at most {alpha:g} and a 95 % interval on one side of 0: the {how} sign-flip test "
        f"over the repeats gives p = {found.p:.3g} and the interval over repeats and test pictures, "
        f"{_range(found.interval95)}, {side}."
    )


def _equal(found: Verdict) -> str:
    assert found.interval90 is not None
    low, high = found.interval90
    inside = -found.margin < low and high < found.margin
    small = (
        f" It also needs {found.pictures_for_none:,} equally weighed test pictures, so that a difference of "
        f"{points(found.margin)} points would show in them; these are fewer."
        if (inside or not found.error) and found.verdict == UNDECIDED
        else ""
    )
    return (
        f"NO USEFUL GAIN needs a 90 % interval inside {points(-found.margin, True)} to {points(found.margin, True)}: "
        f"{_range(found.interval90)} {'lies' if inside else 'does not lie'} inside.{small}"
    )


def _some_left_out(found: Verdict, treatment: str) -> str:
    if not found.left_out:
        return ""
    where = f"In {found.left_out} of {counted(found.repeats, 'repeat')}"
    low = (
        f", and the test can give no p below {found.smallest_p:.3g}" if found.repeats - found.left_out < FEWEST else ""
    )
    return f"{where} validation chose to leave out {treatment}: there the difference is 0 by choice{low}."


def _parts(found: Verdict) -> str:
    if not found.error or found.error_pictures is None:
        return ""
    share = 100 * (found.error_pictures / found.error) ** 2
    part = f"{share:.0f} %" if share >= 1 else "hardly anything"
    rest = ", and more repeats would not take that part away" if share >= 0.5 else ""
    return (
        f"The result speaks of pictures like the {counted(found.test_pictures, 'test picture')}, not of these alone: "
        f"of its variance {part} comes from which pictures these happen to be{rest}."
    )


def why_of(found: Verdict, treatment: str, alpha: float) -> str:
    """The rule applied to this study's numbers, in plain sentences."""
    left_out = (
        f"Every repeat chose share 0 on validation: the run with {treatment} is the rival's own run and every "
        f"difference is 0. Validation found no use for {treatment} at the shares offered; the effect was not measured. "
        "More repeats would not measure it either: that takes a generator whose pictures validation finds a use for, "
        "as more training or more pictures may give."
    )
    chance = "" if found.guessing is None else _capital(_no_better(found, "balanced accuracy")) + "."
    if found.repeats < FEWEST:
        few = f"Fewer than 6 repeats never decide: {_least(found)}."
        return " ".join(filter(None, (few, chance, left_out if all_left_out(found) else "")))
    if found.guessing is not None:
        learned = "A comparison of classifiers that learned nothing says nothing of what they were trained on."
        return " ".join(filter(None, (chance, learned, left_out if all_left_out(found) else "")))
    if all_left_out(found):
        return left_out
    equal = _equal(found) if found.verdict in (NO_USEFUL_GAIN, UNDECIDED) else ""
    parts = (_evidence(found, alpha), _some_left_out(found, treatment), equal, _parts(found))
    return " ".join(filter(None, parts))
