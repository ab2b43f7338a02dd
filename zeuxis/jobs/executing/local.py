"""Jobs in processes of this machine: each slot is one worker that takes one spec after another."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from zeuxis import platform
from zeuxis.jobs.executing.executor import PATIENCE, Done, Failed, Lost, Outcome, Spec


@dataclass(eq=False)
class _Worker:
    process: subprocess.Popen[str]
    listener: threading.Thread
    spec: Spec | None = None

    def lost(self, spec: Spec) -> Failed | Lost:
        """Why the process ended without an answer: somebody ended it, which is no fault, or it crashed."""
        try:
            crash = platform.crash_of(self.process.wait(timeout=PATIENCE))
        except subprocess.TimeoutExpired:  # it fell silent, and is ended with the others
            crash = ""
        if not crash:
            return Lost(spec)
        message = f"a fault in zeuxis: a worker crashed at {spec['name']}: {crash}"
        return Failed(spec, message, 1, "its own words are above")

    def give(self, spec: Spec) -> bool:
        """False where the process has died since its last job."""
        assert self.process.stdin
        try:
            self.process.stdin.write(json.dumps(spec) + "\n")
            self.process.stdin.flush()
        except OSError:
            return False
        self.spec = spec
        return True


def device_of(slot: int, devices: int, visible: str | None) -> str:
    """The GPU of a slot, for CUDA_VISIBLE_DEVICES; `visible`: that variable as the person set it, if at all."""
    named = [name.strip() for name in (visible or "").split(",") if name.strip()]
    return (named or [str(i) for i in range(devices)])[:devices][slot % devices]


def _end(workers: Sequence[_Worker], patience: float) -> None:
    for worker in workers:
        assert worker.process.stdin
        with contextlib.suppress(OSError):  # closing flushes, and the reader may have died
            worker.process.stdin.close()
        if worker.spec:
            platform.ask_to_stop(worker.process.pid)
    limit = time.monotonic() + patience
    for worker in workers:
        try:
            worker.process.wait(timeout=max(limit - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
        worker.listener.join(timeout=5)


class Local:
    """An Executor of `slots` processes; devices: GPUs that they share, 0 for none."""

    def __init__(self, slots: int, devices: int = 0) -> None:
        self.slots, self.devices = slots, devices
        self._answers: queue.Queue[tuple[_Worker, str]] = queue.Queue()
        self._workers: dict[int, _Worker] = {}
        self._ended: list[Outcome] = []

    def submit(self, spec: Spec) -> None:
        """To a worker that is idle, or a new one."""
        slot = next(i for i in range(self.slots) if i not in self._workers or self._workers[i].spec is None)
        if slot not in self._workers:
            self._workers[slot] = self._start(slot)
        worker = self._workers[slot]
        if not worker.give(spec):
            self._ended.append(worker.lost(spec))
            self._forget(worker)

    def poll(self, seconds: float) -> list[Outcome]:
        if not self._ended:
            with contextlib.suppress(queue.Empty):
                self._hear(*self._answers.get(timeout=seconds))
        ended, self._ended = self._ended, []
        return ended

    def _hear(self, worker: _Worker, line: str) -> None:
        """An answer of a worker; "" where it fell silent, which counts where it had a job."""
        if worker not in self._workers.values():  # it is known to be dead
            return
        spec, worker.spec = worker.spec, None
        if not line:
            self._ended += [worker.lost(spec)] if spec is not None else []
            self._forget(worker)
            return
        assert spec is not None, line
        answer = json.loads(line)
        if "error" in answer:
            self._ended.append(Failed(spec, answer["error"], answer["code"]))
        else:
            self._ended.append(Done(spec))

    def _forget(self, worker: _Worker) -> None:
        """A dead worker's slot is free for another."""
        self._workers = {slot: other for slot, other in self._workers.items() if other is not worker}
        worker.spec = None
        _end([worker], 0.0)

    def cancel(self, patience: float) -> None:
        """Asks the busy ones to save and go, lets the idle ones end, and leaves nobody behind."""
        workers, self._workers = list(self._workers.values()), {}
        _end(workers, patience)

    def _start(self, slot: int) -> _Worker:
        environment = platform.child_environment(1)
        if self.devices:
            visible = os.environ.get("CUDA_VISIBLE_DEVICES")
            environment["CUDA_VISIBLE_DEVICES"] = device_of(slot, self.devices, visible)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "zeuxis.jobs.executing.worker"],  # -P: nothing from the folder one is in
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
                    self._answers.put((worker, line))
            self._answers.put((worker, ""))

        worker = _Worker(process, threading.Thread(target=listen, daemon=True))
        worker.listener.start()
        return worker
