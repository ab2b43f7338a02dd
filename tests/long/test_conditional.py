"""Five minutes of a conditional generator: it draws what it is asked for, and varies."""

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
    done = subprocess.run(
        [sys.executable, "benchmarks/conditional.py", run], cwd=project, capture_output=True, text=True
    )
    print(done.stdout)
    assert done.returncode == 0 and "every aim is met" in done.stdout, done.stdout + done.stderr
