"""Budgets: how much work was asked for, in steps, images or time, and what it comes to."""

import math
import re
from dataclasses import dataclass

from zeuxis.errors import BadInput

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Budget:
    """Exactly one of the three is given."""

    steps: int | None = None
    images: int | None = None
    seconds: float | None = None
    asked: str = ""

    def __post_init__(self) -> None:
        given = [v for v in (self.steps, self.images, self.seconds) if v is not None]
        if len(given) != 1:
            raise BadInput("give one budget", "", "one of --steps, --images, --budget")
        if given[0] <= 0:
            what = f"a budget must be above zero, not {given[0]:g}"
            raise BadInput(what, "", "give more --steps, --images or --budget")

    def in_steps(self, batch: int, seconds_per_step: float | None = None) -> int:
        """Steps of `batch` images; a time needs the measured `seconds_per_step`."""
        if self.steps is not None:
            return self.steps
        if self.images is not None:
            return max(1, round(self.images / batch))
        assert self.seconds is not None and seconds_per_step is not None
        return max(1, round(self.seconds / seconds_per_step))


def parse_time(text: str) -> float:
    """Seconds of "90s", "8m", "1.5h" or "1h30m". Raises BadInput, also for a number without a unit, 0 aside."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        if not float(text):
            return 0.0
        raise BadInput(f"`{text}` has no unit", "--budget", f"write {text}m or {text}s")
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    if not parts or "".join(n + u for n, u in parts) != text:
        raise BadInput(f"`{text}` is not a time", "--budget", "write 90s, 8m or 1h30m")
    return sum(float(n) * _UNITS[u] for n, u in parts)


def time_value(seconds: float) -> str:
    """As `parse_time` reads it, rounded up to five minutes, or to hours from two on."""
    minutes = seconds / 60
    return f"{max(5, 5 * math.ceil(minutes / 5))}m" if minutes <= 115 else f"{math.ceil(minutes / 60)}h"


def off_words(seconds: float, planned: float) -> str:
    """How far a time was off: "40 % less than", to be followed by what was planned."""
    off = round(100 * (seconds / max(planned, 1e-9) - 1))
    return f"{abs(off)} % {'more' if off > 0 else 'less'} than" if off else "about as long as"


def words_for(seconds: float) -> str:
    """A time as people say it: 42 s, 5 min 20 s, 2 h 05 min."""
    s = round(seconds)
    if s < 60:
        return f"{s} s"
    if s < 3600:
        return f"{s // 60} min {s % 60:02d} s"
    return f"{s // 3600} h {s % 3600 // 60:02d} min"


def pace_words(images_per_second: float) -> str:
    """A speed as people say it: 1,250 images/s, 42 images/s, 0.35 images/s."""
    return f"{images_per_second:,.0f} images/s" if images_per_second >= 10 else f"{images_per_second:.2g} images/s"
