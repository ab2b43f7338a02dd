"""How long a study was worked on, over every time it was taken up: the one figure in which equal ones may differ."""

import time
from pathlib import Path

from zeuxis.data.files import write_json
from zeuxis.pages.read import number, read_object


class Clock:
    """clock.json of a study: seconds, and at_least, true where a process that worked on it was killed.

    What a killed process did after its last finished job is in no file, so the seconds are then too few. started: since
    when this time counts, by the monotonic clock; begun: whether results are there already.
    """

    def __init__(self, folder: Path, started: float, begun: bool) -> None:
        self.path, self.started = folder / "clock.json", started
        there = read_object(self.path)
        self.before = number(there.get("seconds")) or 0.0
        self.at_least = there.get("running") is True or there.get("at_least") is True or (begun and not there)

    def save(self, running: bool = True) -> float:
        """Writes how long it was worked on so far, and returns it."""
        seconds = round(self.before + time.monotonic() - self.started, 1)
        write_json(self.path, {"seconds": seconds, "at_least": self.at_least, "running": running})
        return seconds
