"""Law 15: a word is one typed function in one file; the command line, Python and docs/ follow, and its example runs."""

import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zeuxis
from tests.stories.commands import inside, pictures, typed
from zeuxis import word
from zeuxis.arguments import taken
from zeuxis.flags import parser_of
from zeuxis.jobs.study import plan
from zeuxis.jobs.study import study as studies
from zeuxis.jobs.study.plan import StudyConfig

DOCS = Path(__file__).resolve().parents[2] / "docs"
sys.path.insert(0, str(DOCS.parent / "tools"))

import draw_words  # noqa: E402 - a script of tools/


def test_tables_and_types_are_those_of_the_words():
    other = [file.name for file, text in draw_words.drawn().items() if file.read_text(encoding="utf-8") != text]
    assert not other, "python tools/draw_words.py"
    assert {m[2] for page in DOCS.glob("*.md") for m in draw_words.PLACE.finditer(page.read_text())} == set(
        word.names()
    )


@pytest.mark.parametrize("name", word.names())
def test_a_word_says_what_it_takes_and_shows_an_example(name):
    parameters = word.parameters(name)
    assert all(one.arg.help for one in parameters) and word.about(name).endswith(".")
    told, shown = str(getattr(zeuxis, name).__doc__), inspect.signature(getattr(zeuxis, name))
    assert "Annotated" not in str(shown) and {*shown.parameters} >= {one.name for one in parameters}, "read by `help`"
    assert all(f"    {one.name}: " in told for one in parameters) and "--" not in told
    assert getattr(zeuxis, name).__doc__ and word.of(name).example.startswith(f"zeuxis {word.typed(name)}")
    example = shlex.split(word.of(name).example)[1 + len(word.typed(name).split()) :]
    recipe = example[0] if name == "train" else None
    parsed = vars(parser_of(name, recipe).parse_args(example))
    assert {one.name for one in parameters} < set(parsed)


def test_a_default_is_what_its_annotation_takes():
    for name in word.names():
        for one in word.parameters(name):
            if one.default not in (word.REQUIRED, None):
                assert taken(one.name, one.default, one.hint) == one.default, (name, one.name)


def test_an_argument_means_the_same_in_every_word():
    seen: dict[str, set[str]] = {}
    for name in word.names():
        for one in word.parameters(name):
            seen.setdefault(one.flag, set()).add(one.arg.help)
    # the time of one run, or of a whole study; what is read or written differs; a study's processes have a thread
    # each; the run that is made, or one that was trained; other methods; what a page shows; where pictures went;
    # the pictures of a run where they are now, or others to compare with; how far mending goes, and texture; the size
    # of what is read, and of what is made
    allowed = {
        "--strength",
        "--size",
        "--budget",
        "--out",
        "--threads",
        "--run",
        "--method",
        "--page",
        "--data",
        "DATA",
        "OUT",
    }
    assert {flag for flag, meanings in seen.items() if len(meanings) > 1} == allowed


def test_a_word_is_no_module_of_the_package():
    """`zeuxis.NAME` would be the module from the moment that something imports it."""
    modules = {path.stem for path in (DOCS.parent / "zeuxis").iterdir()}
    assert not modules & set(word.names())


def test_a_word_is_one_file(tmp_path):
    """A toy word is listed, parsed, completed, called and told of its errors with no other edit."""
    house = tmp_path / "house"
    shutil.copytree(DOCS.parent / "zeuxis", house / "zeuxis", ignore=shutil.ignore_patterns("__pycache__", "*.pyi"))
    (house / "zeuxis" / "words" / "greet.py").write_text(TOY)

    def typed_there(*arguments: str) -> str:
        command = [sys.executable, "-m", "zeuxis.cli", *arguments]
        done = subprocess.run(command, cwd=house, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""})
        return done.stdout + done.stderr

    assert "greet        Say good day." in typed_there("--help") and "--times" in typed_there("greet", "--help")
    assert typed_there("greet", "you", "--times", "2") == "good day you, good day you\n"
    assert json.loads(typed_there("greet", "you", "--json")) == {"said": "good day you"}
    assert "must be a whole number of 1 or more" in typed_there("greet", "you", "--times", "0")
    assert "--times" in typed_there("completion", "bash")


TOY = '''"""Say good day."""

from typing import Annotated

from zeuxis.parameters import Arg, Count
from zeuxis.word import Answer, word


@word(lambda said, given: Answer(said, {"said": said}), "zeuxis greet you")
def greet(whom: Annotated[str, Arg("who is meant")], *, times: Annotated[Count, Arg("how often")] = 1) -> str:
    """Says good day."""
    return ", ".join([f"good day {whom}"] * times)
'''


def _examples(page: Path) -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("zeuxis ")]
    return [shlex.split(line)[1:] for line in lines]


def _quick(words: list[str]) -> list[str]:
    """The same command with its training budget replaced by two steps, small nets, and few files to write."""
    swapped = list(words)
    if (words[:2] == ["data", "export"] or "--classic-only" in words) and "fashion-mini" in words:
        swapped[swapped.index("fashion-mini")] = "few"
    if words[0] == "train":
        at = next(i for i, w in enumerate(words) if w in ("--budget", "--steps", "--images"))
        swapped[at : at + 2] = ["--steps", "2", "--compute", "plain", "--width", "8"]
    elif words[0] == "augment" and "--repeats" in words:
        swapped[words.index("--repeats") + 1] = "1"
        swapped[words.index("--labels-per-class") + 1] = "4"
        swapped += ["--recipe", "cgan", "--generator", "width=4", "--classifier", "width=4"]
    return swapped


@pytest.fixture
def two_steps(monkeypatch):
    """Studies of two steps each, in this process: their processes have stories of their own."""
    run = studies.run
    monkeypatch.setattr(studies, "run", lambda place, started=None: run(place, here=True))
    monkeypatch.setattr(plan, "StudyConfig", lambda *a, **k: StudyConfig(*a, **k, steps=(2, 2)))


ORDER = ("train", "sample", "evaluate", "report", "resume", "data", "restore", "upscale", "translate", "augment")
ORDER += ("completion",)


def photographs(folder: Path) -> None:
    """photo.jpg and photos/ with noise, mask.png with a hole, deserts/ and seas/, and three paintings.

    What the examples are done to.
    """
    pictures(folder, ("deserts", "seas"), 6, side=64, channels=3)
    rng = np.random.default_rng(0)
    (folder / "photos").mkdir()
    for i, name in enumerate(("photo.jpg", "photos/one.jpg", "photos/two.png")):
        smooth = np.add.outer(np.arange(40), np.arange(56))[..., None] * (2 - 0.3 * np.arange(3)) + 20 * i
        Image.fromarray(np.clip(smooth + rng.normal(0, 20, (40, 56, 3)), 0, 255).astype(np.uint8)).save(folder / name)
    for name in ("painting.jpg", "night.jpg", "scream.jpg"):
        Image.fromarray(rng.integers(0, 256, (30, 30, 3), dtype=np.uint8)).save(folder / name)
    mask = np.zeros((40, 56), np.uint8)
    mask[10:20, 10:30] = 255
    Image.fromarray(mask).save(folder / "mask.png")


def test_every_example_runs(two_steps, tmp_path):
    assert set(ORDER) == set(word.heads())
    pictures(tmp_path / "few", ("boot", "dress"), 12)
    photographs(tmp_path)
    with inside(tmp_path):
        for name in ORDER:
            examples = _examples(DOCS / f"{name}.md")
            assert any(words[0] == name for words in examples), f"docs/{name}.md has no example"
            for words in examples:
                done = typed(*_quick(words))
                assert done.code == 0 and done.out and not done.errors, f"{words}: {done}"
        assert (tmp_path / "studies/garments/report.html").exists() and (tmp_path / "augmented/manifest.json").exists()


def test_the_readme_runs(two_steps, tmp_path):
    pictures(tmp_path / "MY_PICTURES", ("boot", "dress"), 24)
    photographs(tmp_path)
    text = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("zeuxis ")]
    assert len(lines) >= 7
    with inside(tmp_path):
        for line in lines:
            words = shlex.split(line, comments=True)[1:]
            if "--study" in words:
                words += ["--repeats", "1", "--labels-per-class", "4"]
            done = typed(*_quick(words)) if "--classic-only" not in words else typed(*words)
            assert done.code == 0 and not done.errors, f"{line}: {done}"
        assert (tmp_path / "study/report.html").exists() and (tmp_path / "more").is_dir()
        next((tmp_path / "MY_PICTURES").rglob("*.png")).rename(tmp_path / "photo.png")
        Image.open("photo.png").convert("RGB").resize((96, 96)).save("photo.jpg", quality=20)
        for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
            exec(compile(code.replace("steps=200", "steps=2"), "README.md", "exec"), {})
        assert (tmp_path / "mended.jpg").exists() and len(list((tmp_path / "drawn").glob("*.png"))) == 17


def _python(page: Path) -> str:
    """All code of a page, one after another, with small nets and short trainings."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    return code.replace("steps=200", "steps=2").replace("width=16", "width=8").replace("labels_per_class=20, repeats=6",
        "labels_per_class=4, repeats=1, recipe='cgan', generator={'width': 4}, classifier={'width': 4}")  # fmt: skip


def test_the_page_on_python_runs(two_steps, tmp_path):
    photographs(tmp_path)
    with inside(tmp_path):
        found: dict[str, object] = {}
        exec(compile(_python(DOCS / "python.md"), "python.md", "exec"), found)
        with Image.open("larger.png") as larger:
            assert larger.size == (112, 80) and len(found["files"]) == 17
        assert found["study"].sentence.startswith("UNDECIDED") and len(found["mended"]) == 2


def test_the_tutorial_runs(two_steps, tmp_path):
    """Every command as it stands, with short trainings, on the few pictures that the first one writes."""
    examples = _examples(DOCS / "tutorial.md")
    assert [words[0] for words in examples] == [
        "data",
        "data",
        "augment",
        "augment",
        "train",
        "augment",
        "train",
        "report",
    ]
    pictures(tmp_path / "few", ("boot", "dress"), 24)
    with inside(tmp_path):
        for words in examples:
            done = typed(*_quick(words))
            assert done.code == 0 and not done.errors, f"{words}: {done}"
        assert {"cells", "verdict", "cells-augmented", "cells-more"} <= {path.name for path in tmp_path.iterdir()}
        exec(compile(_python(DOCS / "tutorial.md"), "tutorial.md", "exec"), {})
