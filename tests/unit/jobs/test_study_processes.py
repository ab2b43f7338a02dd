"""The processes of a study: dead workers, memory running out, GPUs by slot, locks of orphans."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from zeuxis import platform
from zeuxis.errors import BadInput
from zeuxis.jobs.executing import executor, local, worker
from zeuxis.jobs.study import repeat_jobs

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def _process(code: str = "import sys; sys.stdin.read()") -> local._Worker:
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, text=True)
    return local._Worker(process, SimpleNamespace(join=lambda timeout: None))


def _local(*workers: local._Worker) -> local.Local:
    """An executor with these workers in its slots."""
    made = local.Local(len(workers))
    made._workers = dict(enumerate(workers))
    return made


def test_a_worker_that_died_at_its_next_job_is_a_failed_job_to_resume():
    dead = _process("")
    dead.process.wait()
    run = _local(dead)
    run.submit({"name": "00/none", "much": "x" * 100_000})
    (outcome,) = run.poll(0)
    told = executor.failure_of(outcome, Path("st"))
    assert told.exit_code == 4
    assert str(told) == "a worker died at 00/none; continue with `zeuxis resume st`"
    run.cancel(1)
    assert dead.process.stdin.closed


def test_a_worker_that_fell_silent_is_a_failed_job_to_resume():
    dead = _process("")
    dead.spec = {"name": "01/light"}
    run = _local(dead)
    run._answers.put((dead, ""))
    told = executor.failure_of(*run.poll(0), Path("st"))
    run.cancel(1)
    assert told.exit_code == 4 and "zeuxis resume st" in str(told)


def test_a_worker_that_died_idle_gives_its_slot_to_another():
    dead = _process("")
    run = _local(dead)
    run._answers.put((dead, ""))
    assert run.poll(0) == [] and run._workers == {} and dead.process.returncode is not None


@posix
def test_workers_share_one_deadline(monkeypatch):
    """All of them ignore the wish; the patience for both together is that for one."""
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('set', flush=True); signal.pause()"
    both = {}
    for i in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "set\n"
        process.stdout.close()
        both[i] = local._Worker(process, SimpleNamespace(join=lambda timeout: None), {"name": "00/none"})
    waits, now = [], iter([0.0, 0.05, 0.2])
    monkeypatch.setattr(local, "time", SimpleNamespace(monotonic=lambda: next(now)))
    for w in both.values():
        wait = w.process.wait
        monkeypatch.setattr(
            w.process, "wait", lambda timeout=None, wait=wait: (waits.append(timeout), wait(timeout))[1]
        )
    _local(*both.values()).cancel(0.2)
    assert waits == [pytest.approx(0.15), None, 0.0, None]
    assert [w.process.returncode for w in both.values()] == [-signal.SIGKILL] * 2


def test_slots_take_the_gpus_that_the_person_left_visible():
    assert [local.device_of(i, 2, None) for i in range(3)] == ["0", "1", "0"]
    assert [local.device_of(i, 2, "5, 7") for i in range(3)] == ["5", "7", "5"]
    assert local.device_of(1, 2, "GPU-a,GPU-b") == "GPU-b" and local.device_of(0, 1, "") == "0"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
    ],
)
def test_memory_running_out_has_words_and_code_4(error):
    assert worker.in_words(error) == {"error": "the memory is used up; close other programs", "code": 4}


def test_other_errors_keep_their_words_or_are_faults():
    assert worker.in_words(BadInput("wrong", "here")) == {"error": "wrong (here)", "code": 2}
    told = worker.in_words(ValueError("odd"))
    assert told["code"] == 1 and told["error"].startswith("a fault in zeuxis: ValueError: odd")


@posix
@pytest.mark.parametrize(
    ("code", "exit_code", "words"),
    [
        ("import os; os.kill(os.getpid(), 9)", 4, "a worker died at 00/none; continue with `zeuxis resume st`"),
        ("import os; os.kill(os.getpid(), 15)", 4, "a worker died at 00/none; continue with `zeuxis resume st`"),
        ("import os; os.abort()", 1, "a worker crashed at 00/none: SIGABRT"),
        ("raise SystemExit(3)", 1, "a worker crashed at 00/none: exit code 3"),
    ],
)
def test_who_was_killed_is_to_resume_and_who_crashed_is_a_fault(code, exit_code, words):
    ended = _process(code)
    ended.spec = {"name": "00/none"}
    told = executor.failure_of(ended.lost(ended.spec), Path("st"))
    assert told.exit_code == exit_code and words in str(told)
    _local(ended).cancel(1)


def test_a_fault_in_a_job_is_told_as_what_it_is(tmp_path):
    """By a real worker: a spec that it cannot even read ends as a fault with its kind, and the worker lives on."""
    with pytest.raises(executor.JobFailed, match="a fault in zeuxis: KeyError: 'at'") as told:
        spec = {"name": "00/none", "work": "zeuxis.jobs.study.repeat_jobs:work_on"}
        executor.run_all(lambda: [spec], local.Local(1), print, tmp_path)
    assert told.value.exit_code == 1


def test_a_worker_whose_parent_is_gone_is_quiet():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as answer:
        assert not worker._tell(answer, {"done": "00/none"})


def test_a_lock_of_an_orphan_is_waited_for(tmp_path, monkeypatch):
    held, waited = platform.acquire(tmp_path / ".lock"), []
    monkeypatch.setattr(time, "sleep", lambda s: (waited.append(s), len(waited) == 3 and held.release()))
    repeat_jobs._until_free(tmp_path)
    assert len(waited) == 3
    monkeypatch.undo()
    with platform.acquire(tmp_path / ".lock"):
        repeat_jobs._until_free(tmp_path, 0.0)  # no longer than that: the run then says who holds it
    repeat_jobs._until_free(tmp_path / "new")
    assert not (tmp_path / "new").exists()


DEADLY = """
import os
from pathlib import Path


def work(spec):
    file = Path(spec["at"])
    if not file.exists():
        file.touch()
        os.kill(os.getpid(), 9)
    file.write_text("done")
"""


@posix
def test_a_job_whose_process_was_killed_is_begun_anew_by_another(tmp_path, capsys, monkeypatch):
    """The first time it kills itself; the study goes on as if nothing had been."""
    (tmp_path / "deadly.py").write_text(DEADLY)
    file = tmp_path / "result"

    def ready():
        missing = not (file.exists() and file.read_text())
        return [{"name": "a", "work": "deadly:work", "at": str(file)}] * missing

    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    executor.run_all(ready, local.Local(1), lambda spec: None, tmp_path)
    assert file.read_text() == "done" and "begun anew" in capsys.readouterr().err
