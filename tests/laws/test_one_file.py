"""Law 16: a new recipe is one new file. A toy is dropped in; everything else is found by itself."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "write-a-recipe.md"
ONE = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
"""The recipe that the documentation works through."""
TWO = {
    "critic that sees pictures": "critic that sees two streams of pictures",
    '{"images": BatchSpec(size=self.batch)}': '{k: BatchSpec(k, size=self.batch) for k in ("images", "more")}',
    'self.judge(m.networks, m.batch["images"].image, None)': (
        'torch.cat([self.judge(m.networks, m.batch[k].image, None) for k in ("images", "more")])'
    ),
}
"""What makes it one of two streams."""


def of_two_streams(toy):
    for old, new in TWO.items():
        assert toy.count(old) == 1, old
        toy = toy.replace(old, new)
    return toy


TOY = of_two_streams(ONE)

TRAIN = """
import sys
from pathlib import Path

import torch

from zeuxis import catalog
from zeuxis.data.memory import MemoryDataset
from zeuxis.engine import loop, train as engine
from zeuxis.engine.budget import Budget
from zeuxis.engine.loop import LoopOptions
from zeuxis.engine.train import Start
from zeuxis.errors import Stopped

path, options = Path(sys.argv[1]), LoopOptions(checkpoint_seconds=-1.0)
streams = {k: MemoryDataset((torch.arange(12 * 64) * (i + 3) % 256).to(torch.uint8).reshape(12, 1, 8, 8))
           for i, k in enumerate(("images", "more"))}
play, played = loop.play, []


def stopping(*arguments):
    played.append(0)
    if len(played) == 3:
        raise Stopped(15)
    return play(*arguments)


loop.play = stopping
try:
    engine.train(catalog.load("toy")(), streams, path, Budget(steps=6), None, Start(compute="plain"), options)
except Stopped:
    print("stopped")
loop.play = play
run = engine.resume(path, streams, None, options)
print(run.finish["steps"], sorted(run._from_checkpoint()))
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory, project):
    """A copy of the package with the toy in it, and nothing else changed."""
    place = tmp_path_factory.mktemp("house")
    for folder in ("zeuxis", "tests/laws"):
        unwanted = shutil.ignore_patterns("__pycache__", "test_one_file.py")
        shutil.copytree(project / folder, place / folder, ignore=unwanted)
    for file in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(project / file, place / file)
    (place / "zeuxis" / "recipes" / "toy.py").write_text(TOY)
    (place / "train_toy.py").write_text(TRAIN)
    return place


def python(house, *arguments):
    """A command in the copy; its standard output."""
    environment = {**os.environ, "PYTHONPATH": str(house), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *arguments], cwd=house, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_toy_is_listed(house):
    assert "A toy: one painter against a critic" in python(house, "-m", "zeuxis.cli", "--help")
    assert "--lr" in python(house, "-m", "zeuxis.cli", "train", "toy", "--help")


def test_toy_trains_resumes_samples_and_reports(house):
    lines = python(house, "train_toy.py", "run").splitlines()
    assert lines[0] == "stopped" and lines[1].startswith("6 ") and "painter.0.weight" in lines[1]
    made = json.loads(python(house, "-m", "zeuxis.cli", "sample", "run", "-n", "3", "--out", "made", "--json"))
    assert len(made["files"]) >= 3 and all((house / file).stat().st_size for file in made["files"])
    python(house, "-m", "zeuxis.cli", "report", "run")
    assert "toy" in (house / "run" / "report.html").read_text()


def test_toy_keeps_the_laws(house):
    """By the laws as they stand: they find the toy in the catalog."""
    laws = [str(f) for f in sorted((house / "tests/laws").glob("test_*.py")) if "tests.laws.helper" in f.read_text()]
    out = python(house, "-m", "pytest", *laws, "-k", "toy", "-q", "-p", "no:cacheprovider")
    passed = out.rpartition("\n")[0].rpartition("\n")[2] or out
    assert " passed" in passed and "failed" not in passed and int(passed.split(" passed")[0].split()[-1]) >= 18


def test_the_recipe_of_the_documentation_trains_by_the_command(house):
    recipe = house / "zeuxis" / "recipes" / "toy.py"
    two = recipe.read_text()
    recipe.write_text(ONE)
    try:
        command = (
            "-m",
            "zeuxis.cli",
            "train",
            "toy",
            "fashion-mini",
            "--steps",
            "2",
            "--compute",
            "plain",
            "--run",
            "one",
        )
        assert "report.html" in python(house, *command)
    finally:
        recipe.write_text(two)
