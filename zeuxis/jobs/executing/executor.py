"""What runs jobs: specs go out, outcomes come in, results are read from files, wherever the jobs ran."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from zeuxis.engine.guard import stop_flag
from zeuxis.errors import MachineGaveOut, Stopped, ZeuxisError, command

Spec = dict[str, Any]
"""A job as plain JSON. name: its own among the jobs of one run, for people; work: "package.module:function", which gets
the spec; at: where it finds its inputs. All else decides the result."""
PATIENCE = 9.0
"""Seconds that all jobs together have to save and go."""
_TICK = 0.5  # seconds between looks at the stop flag


class JobFailed(ZeuxisError):
    """A job ended with an error; carries the job's own words and exit code."""

    def __init__(self, words: str, code: int, mend: str = "") -> None:
        super().__init__(words, "", mend)
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


def run_all(ready: Callable[[], list[Spec]], executor: Executor, finished: Callable[[Spec], None], where: Path) -> None:
    """Runs every spec that `ready()` offers until it offers none.

    ready: reads the results in the folder `where` and offers what can start now, most urgent first. Raises Stopped on a
    signal once the jobs have saved and gone, JobFailed with the words of the first that failed or was lost.
    """
    out: set[str] = set()
    with stop_flag() as stop:
        try:
            while True:
                if stop.number:
                    raise Stopped(stop.number, str(where), f"continue with `{command('resume', where)}`")
                waiting = [spec for spec in ready() if spec["name"] not in out]
                for spec in waiting[: executor.slots - len(out)]:
                    executor.submit(spec)
                    out.add(spec["name"])
                if not out:
                    return
                for outcome in executor.poll(_TICK):
                    out.remove(outcome.spec["name"])
                    if not isinstance(outcome, Done):
                        raise failure_of(outcome, where)
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
