"""How far a study is: its jobs counted, the time that is left, and how far off the plan was, as lines for people."""

from collections.abc import Sequence
from pathlib import Path

from zeuxis.engine.budget import off_words, words_for
from zeuxis.engine.progress import say
from zeuxis.errors import counted
from zeuxis.jobs.executing.executor import Spec
from zeuxis.jobs.study.clock import working
from zeuxis.jobs.study.job_graph import ready
from zeuxis.jobs.study.place import Place
from zeuxis.jobs.study.plan import arms_of
from zeuxis.pages.read import number, read_object

_PRIOR = 0.05
"""Share of a study's planned seconds that the plan counts as, beside what was measured."""
_NEARLY = 0.95
"""Of its expected length that a job has behind it at most: how much longer one takes that should be done is unknown."""


def pace_of(busy: float, spent: float, prior: float) -> float:
    """Seconds that a planned second takes: by the plan at first, more and more by what was measured.

    busy: seconds that jobs took; spent: those that were planned for them.
    """
    return (busy + prior) / max(spent + prior, 1e-9)


def left_words(seconds: float) -> str:
    """As `words_for`, from ten minutes on without seconds: an estimate is no closer than that."""
    minutes = round(seconds / 60)
    return f"{minutes} min" if 10 <= minutes < 60 else words_for(60 * minutes if minutes >= 60 else seconds)


class Watch:
    """Counts finished jobs and says how long is left: by the plan, by how long those that are done took, and by how
    long others have been running. All of it is in the study's folder."""

    def __init__(self, place: Place, shows: bool) -> None:
        self.place, self.costs, self.slots, self.shows = place, place.plan.seconds, place.plan.slots, shows
        repeats, generators = place.asked.repeats, int(place.asked.generates)
        self.planned = {"generator": repeats * generators, "classifier": repeats * arms_of(place.asked)}
        self.jobs = sum(self.planned.values())
        self.whole = sum(n * self.costs[kind] for kind, n in self.planned.items() if n)
        self.took: dict[str, list[float]] = {"generator": [], "classifier": []}
        for path in place.folder.glob("repeats/*/*.json"):
            if path.stem != "draw":
                self._add(path)
        self.first = self.spent

    @property
    def done(self) -> int:
        return sum(map(len, self.took.values()))

    @property
    def spent(self) -> float:
        """Planned seconds of what is done."""
        return sum(len(took) * self.costs[kind] for kind, took in self.took.items() if took)

    def _add(self, path: Path) -> None:
        kind = _kind(path.stem)
        self.took[kind].append(number(read_object(path).get("seconds")) or self.costs[kind])

    def cost_of(self, spec: Spec) -> float:
        return self.costs[_kind(spec["arm"] or spec["kind"])]

    def _length(self, kind: str) -> float:
        """Seconds that one more such job takes: as those that are done, and one as the pace of all jobs has it."""
        pace = pace_of(sum(map(sum, self.took.values())), self.spent, _PRIOR * self.whole)
        return (sum(self.took[kind]) + pace * self.costs[kind]) / (len(self.took[kind]) + 1)

    def left(self, running: Sequence[tuple[str, float]]) -> float:
        """Seconds until all is done. running: the name of each job that runs, and for how long it has."""
        lengths = {kind: self._length(kind) for kind, n in self.planned.items() if n}
        work = sum((self.planned[kind] - len(self.took[kind])) * length for kind, length in lengths.items())
        longest = 0.0
        for name, seconds in running:
            length = lengths[_kind(name.rpartition(", ")[2])]
            behind = min(seconds, _NEARLY * length)
            work, longest = work - behind, max(longest, length - behind)
        return max(work / self.slots, longest, 0.0)

    def count(self, spec: Spec, running: Sequence[tuple[str, float]]) -> None:
        """running: as `left` has it."""
        self._add(self.place.repeat(spec["repeat"]) / f"{spec['arm'] or spec['kind']}.json")
        if self.shows:
            done = f"{self.done} of {counted(self.jobs, 'job')} done"
            say(f"zeuxis: {done} ({spec['name']}), about {left_words(self.left(running))} left")


def _kind(name: str) -> str:
    """What the plan calls a job of this name: a generator, or the classifier of an arm."""
    return "generator" if name == "generator" else "classifier"


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
    left = left_words(watch.left(working(place.folder)))
    return f"zeuxis: begun before: {watch.done} of {counted(watch.jobs, 'job')} done, about {left} left"


def estimate_words(seconds: float, planned: float) -> str:
    """How far off the plan's estimate was, as a line for people."""
    return (
        f"zeuxis: the study took {words_for(seconds)}, {off_words(seconds, planned)} the planned {words_for(planned)}"
    )
