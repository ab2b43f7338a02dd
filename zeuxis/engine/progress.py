"""What a person sees while a run goes on: a moving line on a terminal, else one now and then, and every alarm."""

import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from zeuxis import platform
from zeuxis.engine.budget import pace_words, words_for
from zeuxis.errors import one_line
from zeuxis.spelling import spelled


def say(line: str) -> None:
    """One line on stderr, where there is one, clear of the moving line."""
    if sys.stderr is not None:
        print(("\r\x1b[K" if sys.stderr.isatty() else "") + one_line(spelled(line)), file=sys.stderr, flush=True)


_MOVING, _OFTEN = 0.2, 30.0  # seconds between two states of a line that moves, and between lines where none can
_SETTLED, _SLOW = 20.0, 0.6  # seconds after which a rate can be held against the measured one; the share that is told


class Display:
    """How far, how fast, how long still, losses: a moving line on a terminal, else a line every half minute.

    shows: False is for nothing at all. expected: images per second as measured before; once, when the run falls much
    behind, that is told.
    """

    def __init__(
        self, steps: int, batch: int, done: int = 0, shows: bool = True, expected: float | None = None
    ) -> None:
        self.steps, self.batch, self.first = steps, batch, done
        self.start = self.last = time.monotonic()
        self.shows, self.expected = shows and sys.stderr is not None, expected
        self.moves = self.shows and sys.stderr.isatty()

    def rate(self, step: int) -> float:
        """Images per second since this process took up the run."""
        return (step - self.first) * self.batch / max(time.monotonic() - self.start, 1e-9)

    def show(self, step: int, terms: Mapping[str, Mapping[str, float]], score: float | None = None) -> None:
        """score: the newest held-out one, for which losses are no substitute."""
        now = time.monotonic()
        last = step == self.steps
        if not self.shows or (now - self.last < (_MOVING if self.moves else _OFTEN) and not (last and self.moves)):
            return
        left = (self.steps - step) * (now - self.start) / max(step - self.first, 1)
        self._tell_slow(step, now - self.start, left)
        self.last = now
        losses = "  ".join(f"{phase} loss {sum(t.values()):.3f}" for phase, t in terms.items())
        losses += "" if score is None else f"  held-out score {score:.3f}"
        state = f"{step / self.steps:4.0%}  {pace_words(self.rate(step))}  {words_for(left)} left  {losses}"
        if not self.moves:
            say(f"zeuxis: {' '.join(state.split())}")
            return
        bar = "━" * round(24 * step / self.steps)
        print("\r\x1b[K" + f"{bar:<24} {state}"[: self._width()], end="", file=sys.stderr, flush=True)

    def _width(self) -> int:
        return max(20, min(118, shutil.get_terminal_size((118, 24)).columns - 1))

    def _tell_slow(self, step: int, seconds: float, left: float) -> None:
        if self.expected is None or seconds < _SETTLED:
            return
        if (rate := self.rate(step)) >= _SLOW * self.expected:
            return
        crowded = platform.crowded()
        busy = f" (other programs are at work: {crowded})" if crowded else ""
        say(
            f"zeuxis: {pace_words(rate)} now{busy}, {pace_words(self.expected)} were measured before it began: about "
            f"{words_for(left)} left; Ctrl-C keeps what is done"
        )
        self.expected = None

    def close(self) -> None:
        if self.moves:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def pictures_done(total: int, shows: bool = True) -> Iterator[Callable[[int], None]]:
    """Shows how many of so many pictures are done, whenever the function that it gives is told."""
    display = Display(total, 1, shows=shows)
    try:
        yield lambda done: display.show(done, {})
    finally:
        display.close()
