"""Law 16: a new recipe is one new file. A toy is dropped in; everything else is found by itself."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PAGE = Path(__file__).resolve().parents[2] / "docs" / "write-a-recipe.md"
ONE = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
"""The recipe that the documentation works through."""
TWO = {
    "critic that sees pictures": "critic that sees pictures of two domains",
    '    labels: ClassVar[str] = "ignored"\n': (
        '    labels: ClassVar[str] = "ignored"\n    sources: ClassVar[tuple[str, ...]] = ("images", "more")\n'
    ),
    '{"images": BatchSpec(size=self.batch)}': '{k: BatchSpec(k, size=self.batch) for k in ("images", "more")}',
    'self.judge(m.networks, m.batch["images"].image, None)': (
        'torch.cat([self.judge(m.networks, m.batch[k].image, None) for k in ("images", "more")])'
    ),
}
"""What makes it one of two domains."""
PAIRED = '''"""A toy: one convolution from a picture to its partner."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from zeuxis.recipes.recipe import BatchSpec, Optimizer, Phase, Recipe, Terms, Yardstick


@dataclass(frozen=True, kw_only=True)
class Partner(Recipe):
    """Mean squared error of a convolution."""

    batch: int = 4  # pictures a step
    lr: float = 1e-2  # of the one net
    labels: ClassVar[str] = "ignored"
    sources: ClassVar[tuple[str, ...]] = ("images", "targets")
    paired: ClassVar[bool] = True
    scale: ClassVar[int] = 1
    multiple_of: ClassVar[int] = 1
    receptive_field: ClassVar[int] = 1

    def networks(self, spec):
        return nn.ModuleDict({"translator": nn.Conv2d(spec.channels, spec.target, 3, padding=1)})

    def batch_specs(self):
        return {"pairs": BatchSpec("images", self.batch, "targets")}

    def optimizers(self):
        return {"translator": Optimizer(("translator",), lr=self.lr)}

    def phases(self):
        return (Phase("translator", self.translator_loss),)

    def translator_loss(self, m):
        pairs = m.batch["pairs"]
        return Terms({"error": (m.networks["translator"](pairs.image) - pairs.target).square().mean()})

    def yardstick(self, spec):
        return Yardstick("score", "mean", "one mean picture for all")

    def score(self, m):
        pairs = m.batch["pairs"]
        answers = {"score": self.restore(m.networks, pairs.image), "mean": pairs.target.mean(0, keepdim=True)}
        return {name: -10 * (x - pairs.target).square().mean().log10() for name, x in answers.items()}

    def restore(self, networks, image, known=None, level=None):
        return networks["translator"](image).clamp(-1, 1)
'''
"""A recipe that reads two folders whose pictures belong together."""


def of_two_domains(toy):
    for old, new in TWO.items():
        assert toy.count(old) == 1, old
        toy = toy.replace(old, new)
    return toy


TOY = of_two_domains(ONE)

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
    (place / "zeuxis" / "recipes" / "partner.py").write_text(PAIRED)
    (place / "train_toy.py").write_text(TRAIN)
    return place


def _environment(house):
    return {**os.environ, "PYTHONPATH": str(house), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}


def python(house, *arguments):
    """A command in the copy; its standard output."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=house, env=_environment(house), capture_output=True, text=True)
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
    out = python(house, "-m", "pytest", *laws, "-k", "toy or partner", "-q", "-p", "no:cacheprovider")
    passed = out.rpartition("\n")[0].rpartition("\n")[2] or out
    assert " passed" in passed and "failed" not in passed and int(passed.split(" passed")[0].split()[-1]) >= 36


def _two_folders(house, shift=0):
    """Twenty-four pictures and their partners, twice as bright, in one channel more; named alike but for the ending."""
    for i in range(24):
        plain = np.random.default_rng(i).integers(0, 120, (12, 12, 3), np.uint8)
        for name, pixels in ((f"a/{i:02d}.png", plain[..., 0]), (f"b/{i + shift:02d}.bmp", 2 * plain)):
            (house / name).parent.mkdir(exist_ok=True)
            Image.fromarray(pixels).save(house / name)


QUICK = ("--steps", "6", "--compute", "plain", "--checkpoint-every", "0.001s")


@pytest.mark.parametrize(("recipe", "streams"), [("toy", ("images", "more")), ("partner", ("images", "targets"))])
def test_two_sources_from_the_command_line(house, recipe, streams):
    """Read, divided, written down by stream, resumed, scored; a pair is never torn apart."""
    _two_folders(house)
    more = ("--channels", "1") if recipe == "toy" else ()
    python(house, "-m", "zeuxis.cli", "train", recipe, "a", "b", "--run", recipe, *QUICK, *more)
    record = json.loads((house / recipe / "run.json").read_text())
    assert {name: Path(words["source"]).name for name, words in record["sources"].items()} == dict(
        zip(streams, "ab", strict=True)
    )
    assert record["spec"]["channels"] == 1 and record["spec"]["target"] == (1 if recipe == "toy" else 3)
    assert list(record["splits"]) == (list(streams) if recipe == "toy" else ["images"])
    page = (house / recipe / "report.html").read_text()
    assert "from a and b" in page and f"Data hash of {streams[1]}" in page
    if recipe == "partner":
        log = [json.loads(line) for line in (house / recipe / "log.jsonl").read_text().splitlines()]
        assert {"score", "mean"} <= next(line["score"] for line in log if line["kind"] == "score").keys()
    (house / "b").rename(house / "c")
    (house / recipe / "report.html").unlink()
    gone = subprocess.run(
        [sys.executable, "-m", "zeuxis.cli", "resume", recipe], cwd=house, env=_environment(house), capture_output=True
    )
    assert gone.returncode == 2 and b"--data NEW" in gone.stderr
    python(house, "-m", "zeuxis.cli", "resume", recipe, "--data", "c")
    record = json.loads((house / recipe / "run.json").read_text())
    assert [Path(words["source"]).name for words in record["sources"].values()] == ["a", "c"]
    (house / "c").rename(house / "b")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("partner", "a"), "partner takes 2 collections of pictures, not 1"),
        (("dcgan", "a", "b"), "dcgan takes 1 collection of pictures, not 2 (DATA); give a folder, zip, table or set;"),
        (("partner", "a", "d"), "2 pictures without a partner in d: 00, 01"),
        (("partner", "a", "b", "--size", "8", "--strict", "--channels", "4"), ""),
    ],
)
def test_what_two_sources_must_be(house, line, words):
    _two_folders(house)
    if "d" in line and not (house / "d").exists():
        shutil.copytree(house / "b", house / "d")
        for i in (0, 1):
            (house / "d" / f"{i:02d}.bmp").unlink()
    run = "wrong" if words else "right"
    done = subprocess.run(
        [sys.executable, "-m", "zeuxis.cli", "train", *line, "--run", run, *QUICK],
        cwd=house,
        env=_environment(house),
        capture_output=True,
        text=True,
    )
    assert done.returncode == (2 if words else 0) and words in done.stderr, done.stderr
    assert (house / run).exists() == (not words)


def test_the_same_collection_twice_is_refused(house):
    """Nothing said that both sources were one. `python -m zeuxis` was no module that can be run."""
    _two_folders(house)
    done = subprocess.run(
        [sys.executable, "-m", "zeuxis", "train", "partner", "a", "./a", "--run", "same", *QUICK],
        cwd=house,
        env=_environment(house),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "both collections hold the same pictures" in done.stderr, done.stderr


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


METHOD = '''"""A toy of a method: all grey."""

import torch


def denoise(image, sigma, draw):
    return torch.zeros_like(image)
'''


def test_a_method_is_one_file(house):
    """Offered by help and completion, and used, without a word of it anywhere else."""
    (house / "zeuxis" / "classic" / "denoising" / "all_grey.py").write_text(METHOD)
    assert "all-grey" in python(house, "-m", "zeuxis", "restore", "--help")
    script = (
        "import numpy as np, zeuxis\n"
        "found = zeuxis.restore(np.full((16, 16), 9, np.uint8), task='denoise', method='all-grey')\n"
        "print(found.pixels.min(), found.pixels.max(), found.only.used)\n"
    )
    assert python(house, "-c", script).strip() == "128 128 ('all-grey',)"


def test_a_bundled_net_is_one_file(house):
    """Found by what its metadata say it is for: one that enlarges three times is taken before one of four times."""
    script = (
        "import json, sys\n"
        "from zeuxis.weights import bundled, store\n"
        "tensors, words = store.load(bundled.path_of('upscale-x4'))\n"
        "settings = {**json.loads(words['settings']), 'scale': 3}\n"
        "from zeuxis import catalog\n"
        "from zeuxis.data.dataset import Spec\n"
        "from zeuxis.recipes.recipe import make\n"
        "recipe = make(catalog.load(words['recipe']), None, **settings)\n"
        "networks = recipe.networks(Spec.from_json(json.loads(words['spec'])).unlabelled())\n"
        "words |= {'settings': json.dumps(settings), 'purpose': json.dumps({'task': 'upscale', 'scale': 3})}\n"
        "store.save(bundled.FOLDER / 'toy-x3.safetensors', networks.state_dict(), words)\n"
    )
    python(house, "-c", script)
    used = (
        "import numpy as np, zeuxis\n"
        "for scale in (2, 3, 4):\n"
        "    print(zeuxis.upscale(np.zeros((16, 16, 3), np.uint8), scale=scale).only.used[0])\n"
    )
    assert python(house, "-c", used).split() == ["upscale-x2", "toy-x3", "upscale-x4"]


SCORE = '''"""A toy of a score: the largest difference."""

from zeuxis.metrics.score import Score


def largest(x):
    return 127.5 * float((x.image - x.target).abs().max())


SCORE = Score("MOST", "levels", 1, False, 9, lambda scale: "any channel", largest)
'''


def test_a_score_is_one_file(house):
    """In the table, in --json and on the page, with heading, digits and protocol."""
    (house / "zeuxis" / "metrics" / "scores" / "most.py").write_text(SCORE)
    for name, shade in (("given", 100), ("truth", 110)):
        Image.new("RGB", (24, 24), (shade, shade, shade)).save(house / f"{name}.png")
    words = ("restore", "given.png", "made.png", "--strength", "0", "--compare", "truth.png")
    found = json.loads(python(house, "-m", "zeuxis", *words, "--page", "scores.html", "--json"))
    assert found["protocol"]["most"] == "any channel" and found["mean"]["output"]["most"] == pytest.approx(10, abs=1e-3)
    page = (house / "scores.html").read_text()
    assert "MOST" in page and "10.0 levels" in page


POLICY = '''"""A toy: every picture is mirrored."""

from zeuxis.augmentation.policy import Policy

POLICY = Policy("mirrored", always=(("flip_horizontal", 1.0),))
'''


def test_a_policy_is_one_file(house):
    """Offered by help, and used for copies."""
    (house / "zeuxis" / "augmentation" / "policies" / "mirrored.py").write_text(POLICY)
    (house / "lone").mkdir()
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(picture).save(house / "lone" / "a.png")
    assert "mirrored" in python(house, "-m", "zeuxis", "augment", "--help")
    words = ("augment", "lone", "--classic-only", "--copies", "1", "--policy", "mirrored", "--out", "copies")
    python(house, "-m", "zeuxis", *words)
    made = {np.asarray(Image.open(path)).tobytes() for path in (house / "copies").rglob("*.png")}
    assert made == {picture.tobytes(), np.ascontiguousarray(picture[:, ::-1]).tobytes()}


TREATMENT = '''"""A toy: the training pictures of the repeat once more, beside themselves."""

from zeuxis.data.memory import Subset
from zeuxis.jobs.study.treatment import Treatment


def twice(place, r, drawn):
    return Subset(place.dataset, drawn["train"])


TREATMENT = Treatment("the same pictures twice", twice)
'''
STUDY = """
from pathlib import Path

import numpy as np
import torch

from zeuxis.data.memory import MemoryDataset
from zeuxis.jobs.study import study
from zeuxis.jobs.study.plan import StudyConfig
from zeuxis.pages.study import write_study_report

pictures = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (80, 1, 16, 16), dtype=np.uint8))
data = MemoryDataset(pictures, np.arange(80) % 2, ("a", "b"))
asked = StudyConfig(labels_per_class=4, repeats=2, treatment="twice", policies=("none",), steps=(0, 2))
words = {"source": "in memory", "size": None, "channels": None, "fit": "crop", "digest": data.digest}
study.run(study.begin(Path("twice"), data, asked, words, 1, "cpu"), here=True)
write_study_report(Path("twice"))
"""


def test_a_treatment_is_one_file(house):
    """Offered by help, tried by a study, and named on its page."""
    (house / "zeuxis" / "jobs" / "study" / "treatments" / "twice.py").write_text(TREATMENT)
    assert "twice" in python(house, "-m", "zeuxis", "augment", "--help")
    python(house, "-c", STUDY)
    arm = json.loads((house / "twice" / "repeats" / "02" / "twice.json").read_text())
    assert (arm["fill"], arm["share"], arm["policy"]) == ("twice", 0.5, "none")
    assert not (house / "twice" / "repeats" / "01" / "generator.json").exists()
    assert "the same pictures twice" in json.loads((house / "twice" / "verdict.json").read_text())["sentence"]
    assert "the treatment `twice`" in (house / "twice" / "report.html").read_text()


CAPABILITY = '''"""Turns pictures of one kind into another: how many it was taught by."""

from typing import Protocol, runtime_checkable

from markupsafe import Markup

from zeuxis.jobs.capability import Capability
from zeuxis.pages.outcome import Outcome


@runtime_checkable
class Translates(Protocol):
    def translator_loss(self, m): ...


def finish(run, given):
    (run.path / "translated.txt").write_text(str(len(given.train)))


def section(found):
    told = found.path / "translated.txt"
    return Markup("<section><h2>Translated</h2><p>{}</p></section>").format(told.read_text()) if told.exists() else ""


CAPABILITY = Capability(
    Translates, 9, finish, lambda run, given: Outcome("better", "It translates.", {}), section
)
'''


def test_what_a_recipe_can_do_is_one_file(house):
    """At the end of a run, in its judgement and on its page."""
    file = house / "zeuxis" / "jobs" / "capabilities" / "translates.py"
    file.write_text(CAPABILITY)
    _two_folders(house)
    python(house, "-m", "zeuxis", "train", "partner", "a", "b", "--run", "able", *QUICK)
    python(house, "-m", "zeuxis", "report", "able")
    file.unlink()
    said = json.loads((house / "able" / "finish.json").read_text())["judgement"]["sentence"]
    assert said.startswith("It translates. The result is") and int((house / "able" / "translated.txt").read_text()) > 9
    page = (house / "able" / "report.html").read_text()
    assert (
        "It translates." in page and f"<h2>Translated</h2><p>{(house / 'able' / 'translated.txt').read_text()}" in page
    )


SET_METRIC = '''"""A toy of a measure of sets: how many there are for each held-out one."""

from zeuxis.metrics.result import Result
from zeuxis.metrics.set_metric import SetMetric

METRIC = SetMetric("many", 1, True, 99, "a toy", lambda x: Result(len(x.fake) / len(x.test), len(x.fake), floor=1.0))
'''


def test_a_measure_of_sets_is_one_file(house):
    (house / "zeuxis" / "metrics" / "sets" / "many.py").write_text(SET_METRIC)
    _two_folders(house)
    words = ("evaluate", "a", "--data", "b", "--size", "16", "--features", "layout", "--json")
    found = json.loads(python(house, "-m", "zeuxis", *words))
    assert found["many"]["value"] > 0 and found["many"]["floor"] == 1.0
