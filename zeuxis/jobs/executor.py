"""Maps job specs over processes: each slot is one worker that takes one spec after another."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zeuxis import platform
from zeuxis.engine.guard import stop_flag
from zeuxis.errors import MachineGaveOut, Stopped, ZeuxisError, command

Spec = dict[str, Any]
_PATIENCE = 9.0  # seconds that all workers together have to save and go


class JobFailed(ZeuxisError):
    """A job of a study ended with an error; carries the job's own words and exit code."""

    def __init__(self, words: str, code: int, mend: str = "") -> None:
        super().__init__(words, "", mend)
        self.exit_code = code


@dataclass
class _Worker:
    process: subprocess.Popen[str]
    listener: threading.Thread
    spec: Spec | None = None

    def lost(self, where: Path) -> JobFailed:
        """Why the process ended without an answer: somebody ended it, which is no fault, or it crashed."""
        name = self.spec["name"] if self.spec else "its start"
        try:
            crash = platform.crash_of(self.process.wait(timeout=_PATIENCE))
        except subprocess.TimeoutExpired:  # it fell silent, and is ended with the others
            crash = ""
        if crash:
            return JobFailed(f"a fault in zeuxis: a worker crashed at {name}: {crash}", 1, "its own words are above")
        mend = f"continue with `{command('resume', where)}`"
        return JobFailed(f"a worker died at {name}", MachineGaveOut.exit_code, mend)

    def give(self, spec: Spec, where: Path) -> None:
        """Raises JobFailed where the process has died since its last job."""
        assert self.process.stdin
        self.spec = spec
        try:
            self.process.stdin.write(json.dumps(spec) + "\n")
            self.process.stdin.flush()
        except OSError as error:
            raise self.lost(where) from error


def device_of(slot: int, devices: int, visible: str | None) -> str:
    """The GPU of a slot, for CUDA_VISIBLE_DEVICES; `visible`: that variable as the person set it, if at all."""
    named = [name.strip() for name in (visible or "").split(",") if name.strip()]
    return (named or [str(i) for i in range(devices)])[:devices][slot % devices]


def _start(slot: int, answers: "queue.Queue[tuple[int, str]]", devices: int) -> _Worker:
    environment = platform.child_environment(1)
    if devices:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        environment["CUDA_VISIBLE_DEVICES"] = device_of(slot, devices, visible)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "zeuxis.jobs.worker"],  # -P: nothing is imported from the folder one is in
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        **platform.child_options(),
    )

    def listen() -> None:
        assert process.stdout
        with process.stdout:
            for line in process.stdout:
                answers.put((slot, line))
        answers.put((slot, ""))

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    return _Worker(process, listener)


def run_all(
    ready: Callable[[], list[Spec]], slots: int, finished: Callable[[Spec], None], where: Path, devices: int = 0
) -> None:
    """Runs every spec that `ready()` offers, `slots` at a time, until it offers none.

    ready reads the folder and offers what can start now, most urgent first; a spec is
    known by its "name". Raises Stopped on a signal once the workers have saved and gone,
    JobFailed with the words of the first job that failed.
    """
    answers: queue.Queue[tuple[int, str]] = queue.Queue()
    workers: dict[int, _Worker] = {}
    with stop_flag() as stop:
        try:
            while True:
                if stop.number:
                    raise Stopped(stop.number, str(where), f"continue with `{command('resume', where)}`")
                _hand_out(ready, workers, slots, answers, devices, where)
                if not any(w.spec for w in workers.values()):
                    return
                _hear(answers, workers, finished, where)
        finally:
            _dismiss(workers)


def _hand_out(
    ready: Callable[[], list[Spec]],
    workers: dict[int, _Worker],
    slots: int,
    answers: "queue.Queue[tuple[int, str]]",
    devices: int,
    where: Path,
) -> None:
    busy = {w.spec["name"] for w in workers.values() if w.spec}
    if len(busy) >= slots:
        return
    for spec in ready():
        if spec["name"] in busy:
            continue
        slot = next((i for i in range(slots) if i not in workers or workers[i].spec is None), None)
        if slot is None:
            return
        if slot not in workers:
            workers[slot] = _start(slot, answers, devices)
        workers[slot].give(spec, where)
        busy.add(spec["name"])


def _hear(
    answers: "queue.Queue[tuple[int, str]]",
    workers: dict[int, _Worker],
    finished: Callable[[Spec], None],
    where: Path,
) -> None:
    try:
        slot, line = answers.get(timeout=0.5)
    except queue.Empty:
        return
    worker = workers[slot]
    if not line:
        raise worker.lost(where)
    answer = json.loads(line)
    if "error" in answer:
        mend = f"then `{command('resume', where)}`" if answer["code"] == MachineGaveOut.exit_code else ""
        raise JobFailed(answer["error"], answer["code"], mend)
    spec, worker.spec = worker.spec, None
    assert spec is not None
    finished(spec)


def _dismiss(workers: dict[int, _Worker]) -> None:
    """Asks the busy ones to save and go, lets the idle ones end, and leaves nobody behind."""
    for worker in workers.values():
        assert worker.process.stdin
        with contextlib.suppress(OSError):  # closing flushes, and the reader may have died
            worker.process.stdin.close()
        if worker.spec:
            platform.ask_to_stop(worker.process.pid)
    limit = time.monotonic() + _PATIENCE
    for worker in workers.values():
        try:
            worker.process.wait(timeout=max(limit - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
        worker.listener.join(timeout=5)


def run_here(ready: Callable[[], list[Spec]], work: Callable[[Spec], None], finished: Callable[[Spec], None]) -> None:
    """The same in this process, one spec after another: for small studies and tests."""
    while specs := ready():
        work(specs[0])
        finished(specs[0])
