"""How long a study was worked on, over every time it was taken up: the one figure in which equal ones may differ."""

import time
from pathlib import Path

from zeuxis.data.files import write_json
from zeuxis.pages.read import mapping, number, read_object


class Clock:
    """clock.json of a study: seconds; at_least, true where a process that worked on it was killed; and jobs, for each
    that runs the seconds at which it began.

    What a killed process did after its last finished job is in no file, so the seconds are then too few. started: since
    when this time counts, by the monotonic clock; begun: whether results are there already.
    """

    def __init__(self, folder: Path, started: float, begun: bool) -> None:
        self.path, self.started = folder / "clock.json", started
        there = read_object(self.path)
        self.before = number(there.get("seconds")) or 0.0
        self.began: dict[str, float] = {}
        self.at_least = there.get("running") is True or there.get("at_least") is True or (begun and not there)

    @property
    def now(self) -> float:
        """How many seconds it was worked on so far."""
        return self.before + time.monotonic() - self.started

    def begin(self, job: str) -> None:
        self.began[job] = round(self.now, 1)
        self.save()

    def end(self, job: str) -> None:
        self.began.pop(job, None)
        self.save()

    def working(self) -> list[tuple[str, float]]:
        """Each job that runs, and for how many seconds it has."""
        return [(job, max(0.0, self.now - began)) for job, began in self.began.items()]

    def save(self, running: bool = True) -> float:
        """Writes how long it was worked on so far, and returns it."""
        seconds = round(self.now, 1)
        jobs = self.began if running else {}
        write_json(self.path, {"seconds": seconds, "at_least": self.at_least, "running": running, "jobs": jobs})
        return seconds


def working(folder: Path) -> list[tuple[str, float]]:
    """As `Clock.working`, of a study that another process works on; empty where none does."""
    path = folder / "clock.json"
    record = read_object(path)
    seconds = number(record.get("seconds"))
    if record.get("running") is not True or seconds is None:
        return []
    now = seconds + max(0.0, time.time() - path.stat().st_mtime)
    jobs = {job: number(began) for job, began in mapping(record.get("jobs")).items()}
    return [(str(job), max(0.0, now - began)) for job, began in jobs.items() if began is not None]
