"""Jobs in this process, one after another: for small studies and tests."""

from collections.abc import Callable

from zeuxis.jobs.executing.executor import Done, Outcome, Spec


class Here:
    """Does each job where it is asked what has ended; what the job raises passes through."""

    slots = 1

    def __init__(self, work: Callable[[Spec], None]) -> None:
        self.work = work
        self.waiting: list[Spec] = []

    def submit(self, spec: Spec) -> None:
        self.waiting.append(spec)

    def poll(self, seconds: float) -> list[Outcome]:
        specs, self.waiting = self.waiting, []
        for spec in specs:
            self.work(spec)
        return [Done(spec) for spec in specs]

    def cancel(self, patience: float) -> None:
        self.waiting = []
