"""Processes that do the jobs of a study."""

import queue

from zeuxis.jobs import executor


def test_a_worker_imports_nothing_from_the_folder_one_is_in(tmp_path, monkeypatch):
    """A person's own random.py, or a clone called zeuxis, in the folder in which the command was typed."""
    (tmp_path / "zeuxis").mkdir()
    (tmp_path / "random.py").write_text("from pathlib import Path\nPath('EXECUTED').touch()\n")
    monkeypatch.chdir(tmp_path)
    answers: queue.Queue = queue.Queue()
    worker = executor._start(0, answers, 0)
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    assert worker.process.wait(60) == 0
    worker.listener.join()
    assert not (tmp_path / "EXECUTED").exists()
