import errno
import json
import os
import signal
import subprocess
import sys

import pytest
import torch

from tests.unit.engine.fakes import Plain, streams
from zeuxis import catalog
from zeuxis.engine import loop
from zeuxis.engine import train as engine
from zeuxis.engine.budget import Budget
from zeuxis.engine.compute import ComputeOptions
from zeuxis.engine.loop import LoopOptions
from zeuxis.engine.phases import play
from zeuxis.engine.train import Start
from zeuxis.errors import BadInput, MachineGaveOut, Stopped
from zeuxis.runs import Run, lock
from zeuxis.weights import checkpoint

ALWAYS, SELDOM = LoopOptions(-1.0, quiet=True), LoopOptions(1e9, quiet=True)


@pytest.fixture
def train(monkeypatch, tmp_path):
    """Trains the plain recipe; `wrong` is part of it, though not of run.json."""

    def run(wrong=None, steps=6, options=ALWAYS, **start):
        made = Plain(**({"wrong": wrong} if wrong else {}))
        monkeypatch.setattr(Run, "recipe", property(lambda self: made))
        monkeypatch.setattr(engine, "settings_of", lambda recipe: {"batch": recipe.batch})
        begin = Start(**{"compute": "plain", **start})
        return engine.train(made, streams(), tmp_path / "run", Budget(steps=steps), None, begin, options)

    return run


def inf_at(*attempts, step=3):
    """Infinity in one step of the given attempts."""
    return lambda m: torch.tensor(torch.inf if m.step == step and m.draw.attempt in attempts else 0.0)


def kinds(run, kind):
    return [{k: v for k, v in line.items() if k not in ("clock", "kind")} for line in run.log(kind)]


def test_it_finishes(train, tmp_path):
    run = train()
    assert run.finish["steps"] == 6 and run.finish["images"] == 24 and run.finish["attempts"] == 1
    assert [line["step"] for line in kinds(run, "step")] == [1, 2, 3, 4, 5, 6]
    assert run.weights_hash() == run.finish["weights_sha256"]
    assert checkpoint.newest(run.path / "checkpoints")[0].step == 6
    assert len(list((run.path / "checkpoints").iterdir())) == 1  # a finished run is half as large


def test_infinity_rewinds_with_half_the_rate(train, monkeypatch, capfd):
    rates = []

    def watched(state, *more):
        seen = play(state, *more)
        rates.append((state.step, state.attempt, state.optimizers["net"].torch.param_groups[0]["lr"]))
        return seen

    monkeypatch.setattr(loop, "play", watched)
    run = train(inf_at(0))
    full, half = [(step, 0, 0.01) for step in (1, 2, 3, 4)], [(step, 1, 0.005) for step in (4, 5, 6)]
    assert rates == full + half
    assert kinds(run, "rewind") == [
        {"step": 3, "images": 12, "attempt": 1, "words": "net/error was not finite in step 4"}
    ]
    assert run.finish["attempts"] == 2 and "back to step 3 at half the rate (attempt 1 of 3)" in capfd.readouterr().err


@pytest.mark.parametrize("options", [ALWAYS, SELDOM], ids=["near", "far"])
def test_every_rewind_stays_in_the_log(train, options):
    run = train(inf_at(0, 1), options=options)
    assert [line["attempt"] for line in kinds(run, "rewind")] == [1, 2] and run.finish["attempts"] == 3


def test_infinity_for_ever_gives_out_and_the_run_opens(train, tmp_path):
    with pytest.raises(MachineGaveOut, match=r"net/error was not finite in step 4, after 3 attempts") as error:
        train(inf_at(*range(10)))
    assert error.value.exit_code == 4
    run = Run.open(tmp_path / "run")
    assert not run.finished and [line["attempt"] for line in kinds(run, "rewind")] == [1, 2, 3]
    assert all(bool(torch.isfinite(t).all()) for t in run.tensors().values())


def test_infinity_stops_at_once_where_asked(train, tmp_path):
    with pytest.raises(MachineGaveOut):
        train(inf_at(0), options=LoopOptions(-1.0, on_nan="stop", quiet=True))
    assert kinds(Run.open(tmp_path / "run"), "rewind") == []


def test_weights_that_break_in_the_last_step_are_not_kept(train, monkeypatch):
    """The loss is finite, the step is not: seen before anything is called finished."""

    def breaking(state, *more):
        seen = play(state, *more)
        if state.step == 6 and state.attempt == 0:
            state.optimizers["net"].parameters[0].data.fill_(torch.nan)
        return seen

    monkeypatch.setattr(loop, "play", breaking)
    run = train(options=SELDOM)
    assert run.finish["steps"] == 6 and run.finish["attempts"] == 2
    assert all(bool(torch.isfinite(t).all()) for t in run.tensors().values())


def test_a_full_disk_gives_out_and_the_run_resumes(train, tmp_path, monkeypatch):
    save, calls = checkpoint.store.save, []

    def full(path, *more):
        calls.append(path)
        if len(calls) == 4:
            with checkpoint.plain_errors(path):
                raise OSError(errno.ENOSPC, "No space left on device")
        save(path, *more)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.store, "save", full)
        with pytest.raises(MachineGaveOut, match="disk is full"):
            train()
    assert checkpoint.newest(tmp_path / "run" / "checkpoints")[0].step == 2
    assert engine.resume(tmp_path / "run", streams(), None, ALWAYS).finish["steps"] == 6


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_says_how_to_go_on(train, tmp_path, monkeypatch, number):
    def signalled(state, *more):
        seen = play(state, *more)
        if state.step == 3:
            os.kill(os.getpid(), number)
        return seen

    with monkeypatch.context() as patch:
        patch.setattr(loop, "play", signalled)
        with pytest.raises(Stopped, match="zeuxis resume") as error:
            train(options=SELDOM)
    assert error.value.exit_code == 128 + number
    assert checkpoint.newest(tmp_path / "run" / "checkpoints")[0].step == 3
    assert engine.resume(tmp_path / "run", streams(), None, SELDOM).finish["steps"] == 6


def test_other_pictures_are_refused(train, tmp_path):
    run = train()
    (run.path / "finish.json").unlink()
    with pytest.raises(BadInput, match="not those that this run began with"):
        engine.resume(run.path, streams(9), None, ALWAYS)


def test_a_second_process_is_refused(train, tmp_path):
    code = (
        "import sys; from pathlib import Path; from zeuxis.runs import lock\ntry: lock(Path(sys.argv[1]))\n"
        "except Exception as error: print(error)"
    )
    with lock(tmp_path / "run"):
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "run")], capture_output=True, text=True)
    assert f"another process is at work in this folder, process {os.getpid()}" in done.stdout
    with lock(tmp_path / "run"):
        pass


def test_a_run_is_not_begun_twice(train):
    train()
    with pytest.raises(BadInput, match="a finished run is there already"):
        train()


@pytest.mark.parametrize("wrong", [{"streams": {}}, {"recipe": catalog.load("gan")()}, {"start": Start(micro=3)}])
def test_bad_input_writes_nothing(tmp_path, wrong):
    given = {"recipe": Plain(), "streams": streams(), "start": Start(compute="plain")} | wrong
    if not isinstance(given["recipe"], Plain):
        given["streams"] = {"more": streams()["images"]}
    with pytest.raises(BadInput):
        engine.train(given["recipe"], given["streams"], tmp_path / "run", Budget(steps=2), None, given["start"], ALWAYS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("compute", [ComputeOptions(channels_last=True, fused=True), ComputeOptions(micro=2)])
def test_compute_options_change_no_more_than_rounding(train, tmp_path, compute, monkeypatch):
    whole = train()
    os.rename(whole.path, tmp_path / "plain")
    other = train(compute=compute, micro=compute.micro)
    for key, value in Run(tmp_path / "plain").tensors().items():
        torch.testing.assert_close(other.tensors()[key], value, rtol=1e-4, atol=1e-6)


def test_what_plays_now_and_then_is_in_every_line_of_the_log(monkeypatch, tmp_path):
    made = Plain(every=3)
    monkeypatch.setattr(Run, "recipe", property(lambda self: made))
    monkeypatch.setattr(engine, "settings_of", lambda recipe: {"batch": recipe.batch})
    run = engine.train(made, streams(), tmp_path / "run", Budget(steps=9), None, Start(compute="plain"), SELDOM)
    lines = kinds(run, "step")
    assert [line["step"] for line in lines] == [3, 6, 9] and all("error" in line["terms"]["net"] for line in lines)


def test_the_time_of_earlier_processes_counts(train, monkeypatch, tmp_path):
    def stops(*given):
        os.kill(os.getpid(), signal.SIGTERM)
        return play(*given)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "play", stops)
        with pytest.raises(Stopped):
            train()
    newest = sorted((tmp_path / "run" / "checkpoints").iterdir())[-1] / "manifest.json"
    manifest = json.loads(newest.read_text())
    assert manifest["seconds"] > 0
    newest.write_text(json.dumps(manifest | {"seconds": 100.0}))
    run = engine.resume(tmp_path / "run", streams(), None, SELDOM)
    assert 100 < run.finish["seconds"] < 160
    assert run.finish["images_per_second"] == pytest.approx(24 / run.finish["seconds"], abs=0.1)
