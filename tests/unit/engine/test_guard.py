import json
import os
import signal

import pytest

from zeuxis.engine.guard import Log, Stop, stop_flag
from zeuxis.runs import Run


def test_log_is_cut_back_to_its_length(tmp_path):
    path = tmp_path / "log.jsonl"
    log = Log(path)
    log.add("step", step=1)
    kept = log.length
    log.add("step", step=2)
    path.write_bytes(path.read_bytes() + b'{"kind": "st')
    again = Log(path, kept)
    again.add("step", step=3)
    again.sync()
    assert [line["step"] for line in Run(tmp_path).log()] == [1, 3] and path.stat().st_size == again.length


def test_a_half_written_line_is_left_out(tmp_path):
    Log(tmp_path / "log.jsonl").add("alarm", name="x")
    with open(tmp_path / "log.jsonl", "ab") as file:
        file.write(b'{"kind": "step", "st')
    assert Run(tmp_path).log() == [{"kind": "alarm", "name": "x"}]


def test_numbers_that_are_not_finite_become_null(tmp_path):
    Log(tmp_path / "log.jsonl").add("step", a=float("nan"), b={"c": float("inf"), "d": 0.1234567891234}, e=3)
    line = json.loads((tmp_path / "log.jsonl").read_text())
    assert line == {"kind": "step", "a": None, "b": {"c": None, "d": 0.123456789}, "e": 3}


def test_other_processes_do_not_write(tmp_path):
    log = Log(tmp_path / "log.jsonl", writes=False)
    log.add("step", step=1)
    log.sync()
    assert log.length > 0 and not (tmp_path / "log.jsonl").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_sets_the_flag(number):
    before = signal.getsignal(number)
    with stop_flag() as stop:
        assert stop.number == 0
        os.kill(os.getpid(), number)
        signal.sigpending()  # handlers run between two instructions
        assert stop.number == number
    assert signal.getsignal(number) == before


def test_a_second_signal_ends_at_once(monkeypatch):
    sent, handlers = [], []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(number))
    monkeypatch.setattr(signal, "signal", lambda number, handler: handlers.append(handler))
    stop = Stop()
    stop.handle(15, None)
    assert sent == []
    stop.handle(15, None)
    assert sent == [15] and handlers == [signal.SIG_DFL]
