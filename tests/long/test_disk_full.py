"""A disk that fills up in the middle of a run: one line, exit code 4, and the run goes on once there is space."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.stories.commands import in_process
from zeuxis.runs import Run

pytestmark = pytest.mark.long

LINE = ["train", "dcgan", "fashion-mini", "--steps", "400", "--compute", "plain", "--width", "8", "--batch", "16"]
LINE += ["--checkpoint-every", "0.2s"]


def _fill(disk: Path) -> None:
    with open(disk / "filler", "wb", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue


def inner(disk: Path) -> None:
    """In the mount namespace: trains, fills the disk once a checkpoint past the first stands, frees it, resumes."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(disk)], check=True)
    command, run = [sys.executable, "-m", "zeuxis.cli"], disk / "r"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*command, *LINE, "--run", str(run)], **pipes)
    saved = run / "checkpoints"
    while process.poll() is None and not (saved.is_dir() and any(int(p.name) for p in saved.glob("[0-9]*"))):
        time.sleep(0.01)
    _fill(disk)
    out, err = process.communicate()
    first = {"code": process.returncode, "out": out, "err": err.splitlines(), "opens": Run.open(run).record["steps"]}
    full = subprocess.run([*command, "resume", str(run)], capture_output=True, text=True)
    (disk / "filler").unlink()
    then = subprocess.run([*command, "resume", str(run)], capture_output=True, text=True)
    finish = Run.open(run).finish
    print(json.dumps({"first": first, "full": [full.returncode, full.stderr], "then": [then.returncode, then.stderr],
                      "hash": finish.get("weights_sha256")}))  # fmt: skip


@pytest.fixture
def namespace():
    if sys.platform != "linux" or shutil.which("unshare") is None:
        pytest.skip("mount namespaces are Linux's; the writer's own error is tested elsewhere")
    tried = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True)
    if tried.returncode:
        pytest.skip("mounting is not allowed here; the writer's own error is tested elsewhere")


def test_a_small_disk_fills_up(namespace, tmp_path, project):
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-c", "import pathlib; from tests.long import test_disk_full as t; "
         f"t.inner(pathlib.Path({str(disk)!r}))"], cwd=project, capture_output=True, text=True, env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    first = found["first"]
    news = [line for line in first["err"] if not line.startswith("zeuxis: ")]
    assert first["code"] == 4 and first["out"] == "" and first["opens"] == 400
    assert (
        len(news) == 1
        and news[0].startswith("error: the disk is full (")
        and "; free some space, then continue with `zeuxis resume" in news[0]
    )
    assert found["full"][0] == 4 and found["then"][0] == 0, found
    calm = in_process(*LINE, "--run", "calm", cwd=tmp_path)
    assert calm.code == 0 and Run.open(tmp_path / "calm").finish["weights_sha256"] == found["hash"]
