"""Five minutes of a conditional generator: it draws what it is asked for, and varies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.long
@pytest.mark.parametrize("recipe", ["r3gan", "cgan"])
def test_conditional(recipe: str, tmp_path: Path, project: Path) -> None:
    run = str(tmp_path / recipe)
    train = [sys.executable, "-m", "zeuxis.cli", "train", recipe, "fashion-mini", "--budget", "5m", "--run", run]
    subprocess.run(train, cwd=project, check=True)
    judge = [sys.executable, "benchmarks/conditional.py", run]
    elsewhere = {**os.environ, "BENCHMARK_RESULTS": str(tmp_path)}
    done = subprocess.run(judge, cwd=project, env=elsewhere, capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0 and "every aim is met" in done.stdout, done.stdout + done.stderr
