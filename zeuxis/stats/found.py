"""What a study found: the four names, and the numbers behind them."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from zeuxis.stats.chance import Guessing

HELPED, HURT, NO_USEFUL_GAIN, UNDECIDED = "HELPED", "HURT", "NO USEFUL GAIN", "UNDECIDED"
FEWEST = 6
"""Repeats below which nothing is ever decided: 2 / 2^5 is above 0.05."""
Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a study may say. Differences, means, errors, intervals, margin and mde80 are in points (0 to 100).

    sd: of the differences over the repeats; error: standard error of the mean over repeats and test pictures,
    error_pictures: the part of it that comes from the test pictures, which no number of repeats takes away; df:
    degrees of freedom of the intervals. These and the intervals are None with a single repeat.
    smallest_p: the least that the sign-flip test can give with the repeats whose difference is not 0 by choice.
    mde80: the true difference that such a study would call four times in five; None where the smallest p is above
    alpha, so that nothing can be called (below six repeats not of share 0), and without spread. repeats_for_margin:
    repeats that would call the margin as often on these test pictures; None without spread and where no number
    does: then pictures_for_margin is how many test pictures it takes at the least. Where error_pictures is 0 and
    the margin below mde80, both reckon with the lean that the plan assumes; both are None where six repeats or more
    can call nothing. pictures_for_none: how many equally weighed test pictures NO USEFUL GAIN needs.
    guessing: where no arm was shown to do better than guessing; then nothing can be called, whatever the differences.
    shortage: what the study's training was short of, in words; empty where of nothing.
    `sentence` and `why` are for people.
    """

    verdict: str
    clearly: bool
    sentence: str = ""
    why: str = ""
    repeats: int
    test_pictures: int
    margin: float
    differences: tuple[float, ...]
    mean: float
    sd: float | None
    error: float | None
    error_pictures: float | None
    df: float | None
    interval95: Interval | None
    interval90: Interval | None
    p: float
    smallest_p: float
    mde80: float | None
    repeats_for_margin: int | None
    pictures_for_margin: int | None
    pictures_for_none: int
    shares: tuple[float, ...] | None = None
    guessing: Guessing | None = None
    shortage: str = ""

    @property
    def left_out(self) -> int:
        """Repeats that chose share 0, so that their difference is 0 by choice."""
        return sum(share == 0 for share in self.shares or ())

    def to_json(self) -> dict[str, Any]:
        """Plain lists, numbers, strings and None under the names of the fields.

        Where every repeat chose share 0, mean, sd and error are None: nothing of the effect was measured.
        """
        values = dataclasses.asdict(self)
        if self.left_out == self.repeats:
            values |= dict.fromkeys(("mean", "sd", "error"))
        return {key: list(item) if isinstance(item, tuple) else item for key, item in values.items()}
