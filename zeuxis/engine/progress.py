"""What a person sees while a run goes on: one line on a terminal, alarms always, silence elsewhere."""

import sys
import time
from collections.abc import Mapping

from zeuxis.engine.budget import words_for
from zeuxis.errors import one_line
from zeuxis.spelling import spelled


def say(line: str) -> None:
    """One line on stderr, where there is one, clear of the moving line."""
    if sys.stderr is not None:
        print(("\r\x1b[K" if sys.stderr.isatty() else "") + one_line(spelled(line)), file=sys.stderr, flush=True)


class Display:
    """The moving line: how far, how fast, how long still, losses."""

    def __init__(self, steps: int, batch: int, done: int = 0, shows: bool | None = None) -> None:
        self.steps, self.batch, self.first = steps, batch, done
        self.start = self.last = time.monotonic()
        self.shows = (sys.stderr is not None and sys.stderr.isatty()) if shows is None else shows

    def rate(self, step: int) -> float:
        """Images per second since this process took up the run."""
        return (step - self.first) * self.batch / max(time.monotonic() - self.start, 1e-9)

    def show(self, step: int, terms: Mapping[str, Mapping[str, float]]) -> None:
        now = time.monotonic()
        if not self.shows or (now - self.last < 0.2 and step < self.steps):
            return
        self.last = now
        left = (self.steps - step) * (now - self.start) / max(step - self.first, 1)
        losses = "  ".join(f"{phase} {sum(t.values()):.3f}" for phase, t in terms.items())
        bar = "━" * round(24 * step / self.steps)
        line = f"{bar:<24} {step / self.steps:4.0%}  {self.rate(step):,.0f} images/s  {words_for(left)} left  {losses}"
        print("\r\x1b[K" + line[:118], end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self.shows:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
