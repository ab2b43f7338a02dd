"""A study on real labelled photographs with odd, damaged and malicious files among them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stories.commands import in_process

pytestmark = pytest.mark.long


def test_a_study_among_odd_files(large_data, tmp_path):
    tool = large_data.parent / "tools" / "odd-files"
    photographs = large_data / "trashnet-600"
    if not tool.is_file() or not photographs.is_dir():
        pytest.skip("the photographs, or the tool that writes odd files, are not here")
    odd = tmp_path / "odd"
    subprocess.run([sys.executable, str(tool), str(odd)], check=True, capture_output=True)
    classes = sorted(p.name for p in photographs.iterdir() if p.is_dir())
    for name in classes:
        (tmp_path / "pics" / name).mkdir(parents=True)
        for file in sorted((photographs / name).glob("*.jpg"))[:40]:
            shutil.copy(file, tmp_path / "pics" / name)
    for i, file in enumerate(sorted(p for p in odd.rglob("*") if p.is_file())):
        shutil.copy(file, tmp_path / "pics" / classes[i % len(classes)] / f"odd-{i}-{file.name}")
    done = in_process(
        "augment", "pics", "--study", "st", "--size", "32", "--repeats", "2", "--budget", "30s", "--out", "mixed",
        "--recipe", "cgan", "--generator", "width=8", "--classifier", "width=8", cwd=tmp_path,
    )  # fmt: skip
    assert done.code == 0 and not done.errors, done
    assert (tmp_path / "st" / "report.html").stat().st_size > 10_000
    skipped = json.loads((tmp_path / "st" / "study.json").read_text())["data"]["skipped"]
    assert skipped >= 7 and f"zeuxis: {skipped} files skipped" in done.err
    assert "bomb.png: " in done.err and "UNDECIDED" in done.out
    assert len(list(Path(tmp_path / "mixed").iterdir())) == len(classes) + 1
    strict = in_process("augment", "pics", "--study", "st2", "--size", "32", "--strict", cwd=tmp_path)
    assert strict.code == 2 and len(strict.errors) == 1 and not (tmp_path / "st2").exists()
