"""The study on labelled photographs of 64 pixels: killed once, goes on, ends with a page; 40 minutes of two cores."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.long
def test_photographs(tmp_path: Path, project: Path, large_data: Path) -> None:
    table, study = tmp_path / "photographs.csv", tmp_path / "study"
    make = [sys.executable, "tools/photographs.py", str(large_data / "trashnet-600"), str(table)]
    subprocess.run(make, cwd=project, check=True)
    command = [
        sys.executable,
        "-m",
        "zeuxis.cli",
        "augment",
        str(table),
        "--size",
        "64",
        "--repeats",
        "6",
        "--budget",
        "40m",
        "--study",
        str(study),
    ]
    first = subprocess.Popen(command, cwd=project)
    while len(list(study.glob("repeats/*/*.json"))) < 8 and first.poll() is None:
        time.sleep(1)  # until a generator and some arms are done: the kill must hit a study at work
    assert first.poll() is None, "the study ended before it could be killed"
    before = {path: path.read_bytes() for path in study.glob("repeats/*/*.json")}
    first.send_signal(signal.SIGKILL)
    first.wait()
    subprocess.run(command, cwd=project, check=True)
    assert all(path.read_bytes() == content for path, content in before.items()), "a finished job was done again"
    verdict = json.loads((study / "verdict.json").read_text())
    print(verdict["sentence"])
    assert verdict["repeats"] == 6 and (study / "report.html").is_file()
