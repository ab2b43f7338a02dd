"""The README's first command, whole: ends with a verdict and a page."""

import subprocess
from pathlib import Path

import pytest

WORDS = ("HELPED", "HURT", "NO USEFUL GAIN", "UNDECIDED")


@pytest.mark.long
def test_demo(tmp_path: Path, project: Path) -> None:
    """In a copy of the project's files, so that a demo that is there already does not answer for this one."""
    copy = tmp_path / "zeuxis"
    subprocess.run(["git", "clone", "-q", str(project), str(copy)], check=True)
    done = subprocess.run(["sh", "scripts/demo"], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    print(done.stdout)
    assert done.stdout.startswith(WORDS)
    page = Path(done.stdout.splitlines()[-1].removeprefix("report: "))
    assert page.is_file() and "<svg" in page.read_text(encoding="utf-8")
