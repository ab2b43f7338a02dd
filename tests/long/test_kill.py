"""SIGKILL at random moments: every run folder opens afterwards, and ends with the weights of the undisturbed run."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.stories.commands import Ended, in_process, kill_group, start
from zeuxis import catalog
from zeuxis.draw import Stream, key_of
from zeuxis.runs import Run

pytestmark = pytest.mark.long

SMALL = {
    "dcgan": ["--width", "8", "--batch", "32"],
    "r3gan": ["--width", "8", "--batch", "32"],
    "progan": ["--base", "32", "--most", "16", "--latent", "16", "--batch", "32"],
}
KILLS = {"dcgan": 17, "r3gan": 17, "progan": 16}
OPTIONS = ["--checkpoint-every", "1s"]


def _line(recipe: str, run: str) -> list[str]:
    return [
        "train",
        recipe,
        "fashion-mini",
        "--run",
        run,
        "--steps",
        "300",
        "--compute",
        "plain",
        *SMALL[recipe],
        *OPTIONS,
    ]


def _log(run: Path) -> list[dict]:
    """The log without what the clock says."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "clock"} for line in lines]


def _killed_after(seconds: float, line: list[str], place: Path) -> bool:
    """Whether the process was still there to be killed."""
    process = start(*line, cwd=place)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        kill_group(process)
        return True
    process.communicate()
    return False


def _go_on(recipe: str, place: Path) -> Ended:
    """By `resume`, or by the same command where no run.json was written yet."""
    if (place / "r" / "run.json").exists():
        Run.open(place / "r")
        return in_process("resume", "r", *OPTIONS, cwd=place)
    return in_process(*_line(recipe, "r"), cwd=place)


@pytest.mark.parametrize("recipe", SMALL)
def test_kill_at_random_moments(recipe, tmp_path, capsys):
    """Every third run is killed a second time, while it goes on."""
    if recipe not in catalog.names():
        pytest.skip(f"there is no {recipe}")
    began = time.monotonic()
    calm = in_process(*_line(recipe, "calm"), cwd=tmp_path)
    whole = time.monotonic() - began
    assert calm.code == 0, calm
    wanted, log = Run.open(tmp_path / "calm").finish["weights_sha256"], _log(tmp_path / "calm")
    moments = Stream(key_of("kills", recipe)).uniform(KILLS[recipe], 2, low=0.1).tolist()
    done, early, late = 0, 0, 0
    for i, (first, second) in enumerate(moments):
        late += not _killed_after(first * whole, _line(recipe, "r"), tmp_path)
        begun = (tmp_path / "r" / "run.json").exists()
        early += not begun
        if begun and i % 3 == 0:
            Run.open(tmp_path / "r")
            _killed_after(second * whole, ["resume", "r", *OPTIONS], tmp_path)
        ended = _go_on(recipe, tmp_path)
        assert ended.code == 0 and not ended.errors, f"kill {i} at {first:.3f}: {ended}"
        assert Run.open(tmp_path / "r").finish["weights_sha256"] == wanted, f"kill {i} at {first:.3f}"
        assert _log(tmp_path / "r") == log, f"kill {i} at {first:.3f}"
        assert (tmp_path / "r" / "report.html").exists()
        done += 1
        shutil.rmtree(tmp_path / "r")
    with capsys.disabled():
        print(f"\n{recipe}: {done} kills in {whole:.0f} s each, {early} before run.json, {late} after the end")
