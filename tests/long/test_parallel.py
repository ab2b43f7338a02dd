"""Two processes by torchrun, as a person starts them, for every recipe."""

import json
import os
import subprocess
import sys

import pytest

from tests.laws.helper import NAMES
from zeuxis import catalog
from zeuxis.runs import Run


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_parallel(name, tmp_path, project):
    """The engine itself refuses to finish where the two end with different bits."""
    preset = ["--preset", "tiny"] if "tiny" in catalog.load(name).presets else []
    # "--" keeps torchrun from reading --run as a flag of its own
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "--",
        "zeuxis.cli",
        "train",
        name,
        "fashion-mini",
        "--run",
        str(tmp_path / "run"),
        "--steps",
        "4",
        "--compute",
        "plain",
    ]
    environment = {**os.environ, "PYTHONPATH": str(project), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        [*command, *preset, "--device", "cpu"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    run = Run.open(tmp_path / "run")
    assert run.finish["steps"] == 4 and run.record["world"] == 2
    assert run.weights_hash() == run.finish["weights_sha256"]
    assert json.loads((tmp_path / "run" / "run.json").read_text())["compute"]["threads"] == 1
