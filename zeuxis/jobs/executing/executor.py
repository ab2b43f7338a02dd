"""What runs jobs: specs go out, outcomes come in, results are read from files, wherever the jobs ran."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from zeuxis.engine.guard import stop_flag
from zeuxis.engine.progress import say
from zeuxis.errors import MachineGaveOut, Stopped, ZeuxisError, command

Spec = dict[str, Any]
"""A job as plain JSON. name: its own among the jobs of one run, for people; work: "package.module:function", which gets
the spec; at: where it finds its inputs. All else decides the result."""
PATIENCE = 9.0
"""Seconds that all jobs together have to save and go."""
_TICK = 0.5  # seconds between looks at the stop flag
_AGAIN = 2  # times that a job is begun anew where its process was ended by somebody
_SHARE = 0.1  # of all jobs: where more are lost, something is wrong with the machine


class JobFailed(ZeuxisError):
    """A job ended with an error; carries the job's own words and exit code."""

    def __init__(self, message: str, code: int, mend: str = "") -> None:
        super().__init__(message, "", mend)
        self.exit_code = code


@dataclass(frozen=True)
class Done:
    """The job's result is written."""

    spec: Spec


@dataclass(frozen=True)
class Failed:
    """The job ended with an error of its own: final, for it would end so again. code: its exit code."""

    spec: Spec
    words: str
    code: int
    mend: str = ""


@dataclass(frozen=True)
class Lost:
    """The job's process was ended by somebody, which is no fault: the same job may succeed elsewhere or later."""

    spec: Spec


Outcome = Done | Failed | Lost


class Executor(Protocol):
    """Runs up to `slots` specs at a time. A job may start more than once: the first result that is written stays."""

    slots: int

    def submit(self, spec: Spec) -> None:
        """Starts a job and returns at once."""
        ...

    def poll(self, seconds: float) -> list[Outcome]:
        """What has ended, after `seconds` at most where jobs run elsewhere."""
        ...

    def cancel(self, patience: float) -> None:
        """Asks every job to save and go, waits, then ends what is left: no process outlives this."""
        ...


def key_of_spec(spec: Spec) -> str:
    """Hex sha256 of all that decides the result: equal specs have equal results, wherever they ran."""
    deciding = {name: value for name, value in spec.items() if name != "at"}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def run_all(
    ready: Callable[[], list[Spec]],
    executor: Executor,
    finished: Callable[[Spec], None],
    where: Path,
    starting: Callable[[Spec], None] = lambda spec: None,
) -> None:
    """Runs every spec that `ready()` offers until it offers none.

    ready: reads the results in the folder `where` and offers what can start now, most urgent first; starting, finished:
    told of every job that begins, and of every one that is done. A job that was lost
    is begun anew, twice at most, and a tenth of the jobs that were begun, two at least, in all. Raises Stopped on a
    signal once the jobs have saved and gone, JobFailed with the words of the first that failed or was lost for good.
    """
    out: set[str] = set()
    lost: Counter[str] = Counter()
    begun = 0
    with stop_flag() as stop:
        try:
            while True:
                if stop.number:
                    raise Stopped(stop.number, str(where), f"continue with `{command('resume', where)}`")
                waiting = [spec for spec in ready() if spec["name"] not in out]
                for spec in waiting[: executor.slots - len(out)]:
                    starting(spec)
                    executor.submit(spec)
                    out.add(spec["name"])
                    begun += 1
                if not out:
                    return
                for outcome in executor.poll(_TICK):
                    name = outcome.spec["name"]
                    out.remove(name)
                    lost[name] += isinstance(outcome, Lost)
                    if isinstance(outcome, Lost) and lost[name] <= _AGAIN and lost.total() <= max(2, _SHARE * begun):
                        say(f"zeuxis: the process of {name} was ended by somebody; it is begun anew")
                    elif not isinstance(outcome, Done):
                        raise failure_of(outcome, where)
                    else:
                        finished(outcome.spec)
        finally:
            executor.cancel(PATIENCE)


def failure_of(outcome: Failed | Lost, where: Path) -> JobFailed:
    """The outcome as an error, with what goes on from the folder `where` the machine gave out."""
    again = command("resume", where)
    if isinstance(outcome, Lost):
        return JobFailed(
            f"a worker died at {outcome.spec['name']}", MachineGaveOut.exit_code, f"continue with `{again}`"
        )
    gave_out = f"then `{again}`" if outcome.code == MachineGaveOut.exit_code else ""
    return JobFailed(outcome.words, outcome.code, outcome.mend or gave_out)
