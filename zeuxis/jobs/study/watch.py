"""How far a study is: its jobs counted, the time that is left, and how far off the plan was, as lines for people."""

import time

from zeuxis.engine.budget import off_words, words_for
from zeuxis.engine.progress import say
from zeuxis.errors import counted
from zeuxis.jobs.executing.executor import Spec
from zeuxis.jobs.study.job_graph import ready
from zeuxis.jobs.study.place import Place
from zeuxis.jobs.study.plan import arms_of

_PRIOR = 0.15
"""Share of a study's planned seconds that the plan counts as, beside what was measured."""


def pace_of(busy: float, spent: float, prior: float) -> float:
    """Seconds that a planned second takes: by the plan at first, more and more by what was measured.

    busy: seconds of all slots; spent: planned seconds of what they did.
    """
    return (busy + prior) / max(spent + prior, 1e-9)


class Watch:
    """Counts finished jobs by their planned seconds and says how long is left."""

    def __init__(self, place: Place, shows: bool) -> None:
        self.costs, self.slots, self.shows = place.plan.seconds, place.plan.slots, shows
        gan = place.asked.generates
        self.jobs = place.asked.repeats * (arms_of(place.asked) + gan)
        self.whole = place.asked.repeats * (
            arms_of(place.asked) * self.costs["classifier"] + (self.costs["generator"] if gan else 0.0)
        )
        there = [p.stem for p in place.folder.glob("repeats/*/*.json") if p.stem != "draw"]
        self.done, self.spent = len(there), sum(self._cost(name) for name in there)
        self.first, self.start = self.spent, time.monotonic()

    def _cost(self, name: str) -> float:
        return self.costs["generator" if name == "generator" else "classifier"]

    def cost_of(self, spec: Spec) -> float:
        return self._cost(spec["arm"] or spec["kind"])

    def count(self, spec: Spec) -> None:
        self.done += 1
        self.spent += self.cost_of(spec)
        begun = (self.slots - 1) * self.whole / max(self.jobs, 1) / 2  # the other slots' jobs are half done on average
        busy = (time.monotonic() - self.start) * self.slots
        pace = pace_of(busy, self.spent - self.first + begun, _PRIOR * self.whole)
        left = max(self.whole - self.spent, 0.0) * pace / self.slots
        if self.shows:
            done = f"{self.done} of {counted(self.jobs, 'job')} done"
            say(f"zeuxis: {done} ({spec['name']}), about {words_for(left)} left")


def begin_words(place: Place) -> str:
    """What there is to do, what a job is, and when the first of those that start now ends: nothing is heard before."""
    watch = Watch(place, shows=False)
    first = [watch.cost_of(spec) for spec in ready(place)[: watch.slots]]
    what = "one generator or one classifier" if place.asked.generates else "one classifier"
    jobs = f"{counted(max(watch.jobs - watch.done, 0), 'job')} to do, {watch.slots} at once (a job trains {what})"
    return f"zeuxis: {jobs}" + (f"; the first is done in about {words_for(min(first))}" if first else "")


def progress_words(place: Place) -> str:
    """What of a study that was begun is done, and how long the rest takes."""
    watch = Watch(place, shows=False)
    left = words_for(max(watch.whole - watch.spent, 0.0) / watch.slots)
    return f"zeuxis: begun before: {watch.done} of {counted(watch.jobs, 'job')} done, about {left} left"


def estimate_words(seconds: float, planned: float) -> str:
    """How far off the plan's estimate was, as a line for people."""
    return (
        f"zeuxis: the study took {words_for(seconds)}, {off_words(seconds, planned)} the planned {words_for(planned)}"
    )
