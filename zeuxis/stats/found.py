"""What a study found: the four names, and the numbers behind them."""

import dataclasses
from dataclasses import dataclass
from typing import Any

HELPED, HURT, NO_USEFUL_GAIN, UNDECIDED = "HELPED", "HURT", "NO USEFUL GAIN", "UNDECIDED"
Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a study may say. Differences, means, intervals, margin and mde80 are in points (0 to 100).

    sd, equivalence90: None with a single repeat. mde80 (smallest effect seen with 80 %
    power): None below six repeats, where no effect can be called, and without spread.
    repeats_for_margin: None without spread. `sentence` and `why` are for people.
    """

    verdict: str
    clearly: bool
    sentence: str = ""
    why: str = ""
    repeats: int
    margin: float
    differences: tuple[float, ...]
    mean: float
    sd: float | None
    bca95: Interval
    equivalence90: Interval | None
    p: float
    smallest_p: float
    mde80: float | None
    repeats_for_margin: int | None
    shares: tuple[float, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain lists, numbers, strings and None under the names of the fields."""
        return {key: list(item) if isinstance(item, tuple) else item for key, item in dataclasses.asdict(self).items()}
