"""Processes that do the jobs of a study."""

import os

import pytest

from zeuxis.data.files import write_first
from zeuxis.jobs.executing.executor import Done, JobFailed, Lost, Spec, key_of_spec, run_all
from zeuxis.jobs.executing.here import Here
from zeuxis.jobs.executing.local import Local


def test_a_worker_imports_nothing_from_the_folder_one_is_in(tmp_path, monkeypatch):
    """A person's own random.py, or a clone called zeuxis, in the folder in which the command was typed."""
    (tmp_path / "zeuxis").mkdir()
    (tmp_path / "random.py").write_text("from pathlib import Path\nPath('EXECUTED').touch()\n")
    monkeypatch.chdir(tmp_path)
    worker = Local(1)._start(0)
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    assert worker.process.wait(60) == 0
    worker.listener.join()
    assert not (tmp_path / "EXECUTED").exists()


def test_jobs_run_in_the_order_of_their_needs_and_once_each():
    """By an executor of two slots that ends them in the other order: a job that is out is not offered twice."""
    done: list[str] = []
    started: list[str] = []

    class Backwards:
        slots = 2

        def __init__(self) -> None:
            self.out: list[Spec] = []

        def submit(self, spec):
            started.append(spec["name"])
            self.out.append(spec)
            assert len(self.out) <= 2

        def poll(self, seconds):
            return [Done(self.out.pop())]

        def cancel(self, patience):
            assert not self.out

    def ready():
        free = [{"name": name} for name in ("a", "b", "c") if name not in done]
        return free if len(done) < 2 else [*free, *([] if "last" in done else [{"name": "last"}])]

    run_all(ready, Backwards(), lambda spec: done.append(spec["name"]), "st")
    assert started == ["a", "b", "c", "last"] and sorted(done) == ["a", "b", "c", "last"]


class Dying:
    """An executor whose jobs are lost so many times each before they are done."""

    slots = 2

    def __init__(self, deaths):
        self.deaths, self.out, self.tries = dict(deaths), [], []

    def submit(self, spec):
        self.out.append(spec)
        self.tries.append(spec["name"])

    def poll(self, seconds):
        found, self.out = self.out, []
        ended = []
        for spec in found:
            self.deaths[spec["name"]] = left = self.deaths.get(spec["name"], 0) - 1
            ended.append(Done(spec) if left < 0 else Lost(spec))
        return ended

    def cancel(self, patience):
        self.out = []


def test_a_job_that_was_lost_is_begun_anew_and_not_for_ever(capsys):
    done = []

    def ready():
        return [{"name": n} for n in "abc" if n not in done]

    executor = Dying({"b": 2})
    run_all(ready, executor, lambda spec: done.append(spec["name"]), "st")
    assert sorted(done) == ["a", "b", "c"] and executor.tries.count("b") == 3
    assert capsys.readouterr().err.count("the process of b was ended by somebody; it is begun anew") == 2
    done.clear()
    with pytest.raises(JobFailed, match="a worker died at b"):
        run_all(ready, Dying({"b": 3}), lambda spec: done.append(spec["name"]), "st")
    done.clear()
    with pytest.raises(JobFailed, match="a worker died"):
        run_all(ready, Dying({"a": 1, "b": 1, "c": 1}), lambda spec: done.append(spec["name"]), "st")


def test_here_works_one_after_another_and_what_a_job_raises_passes_through():
    seen = []
    run_all(lambda: [{"name": n} for n in "ab" if n not in seen], Here(lambda s: seen.append(s["name"])), print, "st")
    assert seen == ["a", "b"]

    def broken(spec):
        raise ValueError(spec["name"])

    with pytest.raises(ValueError, match="c"):
        run_all(lambda: [{"name": "c"}], Here(broken), print, "st")


def test_a_spec_is_known_by_what_decides_its_result():
    spec = {"name": "repeat 1, none", "repeat": 0, "at": {"study": "here"}}
    assert key_of_spec(spec) == key_of_spec({"repeat": 0, "at": {"study": "moved"}, "name": "repeat 1, none"})
    assert key_of_spec(spec) != key_of_spec({**spec, "repeat": 1})


@pytest.mark.parametrize("links", [True, False])
def test_of_two_results_the_first_one_stays(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", lambda *names: (_ for _ in ()).throw(OSError("no hard links here")))
    for value in (1, 2):
        write_first(tmp_path / "sub" / "r.json", {"value": value})
    assert (tmp_path / "sub" / "r.json").read_text() == '{\n "value": 1\n}\n'
    assert [p.name for p in (tmp_path / "sub").iterdir()] == ["r.json"]
