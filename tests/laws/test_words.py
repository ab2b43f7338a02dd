"""Law 15: every word is the same on the command line, in Python and in docs/, and its example runs."""

import inspect
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.stories.commands import inside, pictures, typed
from zeuxis import api, cli
from zeuxis.jobs.study import plan
from zeuxis.jobs.study import study as studies
from zeuxis.jobs.study.plan import Asked

DOCS = Path(__file__).resolve().parents[2] / "docs"
NO_PYTHON = {"completion": "it prints a script for a shell"}
PYTHON = {
    "train": (api.train, "cgan"),
    "sample": (api.sample, None),
    "restore": (api.restore, None),
    "upscale": (api.upscale, None),
    "augment": (api.augment, None),
    "report": (api.report, None),
    "resume": (api.resume, None),
    "data list": (api.data_list, "list"),
    "data show": (api.data_show, "show"),
    "data export": (api.data_export, "export"),
    "data degrade": (api.data_degrade, "degrade"),
    "data weights": (api.data_weights, "weights"),
}
COMMON = {  # the meaning of a flag is the same in each word that has it; a change here is a change for people
    "--size": "pixels, or HEIGHTxWIDTH; default: as they are",
    "--channels": "1 grey, 3 colour; default: as they are",
    "--fit": "how other shapes become this size",
    "--strict": "stop at unreadable files instead of skipping them",
    "--device": "cpu or cuda; default: the best there is",
    "--checkpoint-every": "time between checkpoints",
    "--on-nan": "what to do when numbers overflow",
    "--seed": "everything random follows from it",
    "--json": "print one JSON object",
}


def _actions(word: str, second: str | None) -> list:
    return [a for a in cli.parser_for(word, second)._actions if a.dest not in ("help", "json")]


def test_every_word_is_in_python_or_says_why_not():
    assert {name.split()[0] for name in PYTHON} | set(NO_PYTHON) == set(cli.WORDS)
    assert {f.__name__ for f, _ in PYTHON.values()} == set(api.__all__)


@pytest.mark.parametrize("name", PYTHON)
def test_the_same_arguments(name):
    function, second = PYTHON[name]
    asked = inspect.signature(function).parameters
    recipe = {f.dest for f in _actions("train", "cgan")} - {f.dest for f in _actions("train", None)}
    typed_ones = {a.dest: a for a in _actions(name.split()[0], second) if a.dest != "what"}
    if name == "train":
        assert asked["settings"].kind is inspect.Parameter.VAR_KEYWORD
        typed_ones = {k: v for k, v in typed_ones.items() if k not in recipe}
    named = {k for k, p in asked.items() if p.kind is not inspect.Parameter.VAR_KEYWORD}
    assert set(typed_ones) == named
    for dest, action in typed_ones.items():
        given = asked[dest].default
        needed = action.required or (not action.option_strings and action.nargs != "?")
        assert needed == (given is inspect.Parameter.empty), dest
        assert needed or action.default == given, dest


@pytest.mark.parametrize("word", cli.WORDS)
def test_a_page_with_every_flag_and_its_default(word):
    page = (DOCS / f"{word}.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    cells = {flag: line for line in rows for flag in re.findall(r"`([^`]+)`", line.split("|")[1])}
    known = {
        flag: action
        for action in cli.parser_for(word, "export" if word == "data" else None)._actions
        if action.dest != "help"
        for flag in action.option_strings or [(action.metavar or action.dest).upper()]
    }
    assert set(cells) == set(known)
    for flag, action in known.items():
        if action.default not in (None, False, True) and action.option_strings:
            assert f"`{action.default}`" in cells[flag], flag


def test_common_flags_mean_the_same_everywhere():
    seen: dict[str, set[str]] = {}
    for name, (_, second) in PYTHON.items():
        for action in cli.parser_for(name.split()[0], second)._actions:
            for flag in action.option_strings:
                seen.setdefault(flag, set()).add(action.help or "")
    assert {flag: seen[flag] for flag in COMMON} == {flag: {words} for flag, words in COMMON.items()}
    shared = {f for f, meanings in seen.items() if len(meanings) > 1}
    # the time of one run, or of a whole study; what is written differs; a study's processes have a thread each;
    # the run that is made, or one that was trained; upscale has other methods; what a page shows
    assert shared == {"--budget", "--out", "--threads", "--run", "--method", "--page"}


def test_every_flag_says_what_it_does():
    for word in cli.WORDS:
        for action in cli.parser_for(word, "export" if word == "data" else None)._actions:
            assert action.help or action.choices, f"{word} {action.dest}"


def _examples(page: Path) -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("zeuxis ")]
    return [shlex.split(line)[1:] for line in lines]


def _quick(words: list[str]) -> list[str]:
    """The same command with its training budget replaced by two steps, small nets, and few files to write."""
    swapped = list(words)
    if words[:2] == ["data", "export"] or "--classic-only" in words:
        swapped[swapped.index("fashion-mini")] = "few"
    if words[0] == "train":
        at = next(i for i, w in enumerate(words) if w in ("--budget", "--steps", "--images"))
        swapped[at : at + 2] = ["--steps", "2", "--levers", "plain", "--width", "8"]
    elif words[0] == "augment" and "--repeats" in words:
        swapped[words.index("--repeats") + 1] = "1"
        swapped[words.index("--labels-per-class") + 1] = "4"
        swapped += ["--generator", "width=4", "--classifier", "width=4"]
    return swapped


@pytest.fixture
def two_steps(monkeypatch):
    """Studies of two steps each, in this process: their processes have stories of their own."""
    run = studies.run
    monkeypatch.setattr(studies, "run", lambda place: run(place, here=True))
    monkeypatch.setattr(plan, "Asked", lambda *a, **k: Asked(*a, **k, steps=(2, 2)))


ORDER = ("train", "sample", "report", "resume", "data", "restore", "upscale", "augment", "completion")


def photographs(folder: Path) -> None:
    """photo.jpg and photos/ with noise, and mask.png with a hole: what the examples are done to."""
    rng = np.random.default_rng(0)
    (folder / "photos").mkdir()
    for i, name in enumerate(("photo.jpg", "photos/one.jpg", "photos/two.png")):
        smooth = np.add.outer(np.arange(40), np.arange(56))[..., None] * (2 - 0.3 * np.arange(3)) + 20 * i
        Image.fromarray(np.clip(smooth + rng.normal(0, 20, (40, 56, 3)), 0, 255).astype(np.uint8)).save(folder / name)
    mask = np.zeros((40, 56), np.uint8)
    mask[10:20, 10:30] = 255
    Image.fromarray(mask).save(folder / "mask.png")


def test_every_example_runs(two_steps, tmp_path):
    assert set(ORDER) == set(cli.WORDS)
    pictures(tmp_path / "few", ("boot", "dress"), 12)
    photographs(tmp_path)
    with inside(tmp_path):
        for word in ORDER:
            examples = _examples(DOCS / f"{word}.md")
            assert any(words[0] == word for words in examples), f"docs/{word}.md has no example"
            for words in examples:
                done = typed(*_quick(words))
                assert done.code == 0 and done.out and not done.errors, f"{words}: {done}"
        assert (tmp_path / "studies/garments/report.html").exists() and (tmp_path / "augmented/manifest.json").exists()


def test_the_readme_runs(two_steps, tmp_path):
    pictures(tmp_path / "MY_PICTURES", ("boot", "dress"), 24)
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
