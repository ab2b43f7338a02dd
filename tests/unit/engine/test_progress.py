"""What a person sees while a run goes on."""

import sys

import pytest

from zeuxis import platform
from zeuxis.engine import progress
from zeuxis.engine.progress import Display


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    return found


def _run(clock, display, steps, seconds_per_step):
    for step in range(1, steps + 1):
        clock.now += seconds_per_step
        display.show(step, {"critic": {"loss": 0.5}})
    display.close()


def test_where_no_line_can_move_one_comes_every_half_minute(clock, capsys):
    """A training of a quarter of an hour said nothing at all, where stderr is a file, a pipe or a notebook."""
    _run(clock, Display(100, 8), 100, 1.0)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        f"zeuxis: {n}% 8 images/s {left} left critic loss 0.500"
        for n, left in ((30, "1 min 10 s"), (60, "40 s"), (90, "10 s"))
    ]


@pytest.mark.parametrize(("expected", "told"), [(None, 0), (8.0, 0), (13.0, 0), (14.0, 1), (100.0, 1)])
def test_a_run_much_slower_than_measured_says_so_once(clock, capsys, monkeypatch, expected, told):
    monkeypatch.setattr(platform, "crowded", lambda: "")
    _run(clock, Display(100, 8, expected=expected), 100, 1.0)
    slow = [line for line in capsys.readouterr().err.splitlines() if "were measured" in line]
    assert len(slow) == told
    if told:
        words = f"8 images/s now, {expected:,.0f} images/s were measured before it began: about 1 min 10 s left"
        assert slow == [f"zeuxis: {words}; Ctrl-C keeps what is done"]


def test_a_run_that_slows_down_on_its_way_says_so_and_why(clock, capsys, monkeypatch):
    """Another program began to work beside it after two minutes, and nothing was said of it."""
    monkeypatch.setattr(platform, "crowded", lambda: "load 5.2 on 2 cores")
    display = Display(300, 8, expected=9.0)
    _run(clock, display, 120, 1.0)
    assert "were measured" not in capsys.readouterr().err
    for step in range(121, 300):
        clock.now += 5.0
        display.show(step, {})
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "were measured" in line]
    assert " now (other programs are at work: load 5.2 on 2 cores), 9 images/s were measured" in line


def test_nothing_is_shown_where_nothing_is_to_be(clock, capsys):
    _run(clock, Display(100, 8, shows=False, expected=1000.0), 100, 1.0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("columns", [30, 80, 400])
def test_a_line_on_a_terminal_is_no_wider_than_it(clock, capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    _run(clock, Display(10, 8), 10, 1.0)
    states = capsys.readouterr().err.split("\r\x1b[K")[1:-1]
    assert (
        len(states) == 10
        and max(map(len, states)) <= min(columns - 1, 118)
        and "100%" in states[-1] + "100%" * (columns < 40)
    )


def test_the_newest_score_stands_beside_the_losses(clock, capsys):
    display = Display(100, 8)
    clock.now += 40
    display.show(50, {"classifier": {"loss": 0.5}}, 0.8214)
    assert capsys.readouterr().err.strip().endswith("classifier loss 0.500 held-out score 0.821")
