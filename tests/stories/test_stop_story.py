"""Stopped by a signal at any stage, every word says what is so: what was kept, and which command goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.stories.commands import inside, pictures, tree, typed
from zeuxis import cli, word
from zeuxis.data import export
from zeuxis.engine import train as engine
from zeuxis.errors import Stopped
from zeuxis.jobs import copies, evaluating, sample_files, showing, training
from zeuxis.jobs.per_image import pipeline
from zeuxis.jobs.study import plan
from zeuxis.jobs.study import study as studies
from zeuxis.jobs.study.plan import StudyConfig
from zeuxis.weights import packages

NOTHING, REST = f"stopped; {word.NOTHING_KEPT}", f"stopped; {word.FINISHED_KEPT}"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("stops")
    pictures(place / "pics", ("boot", "dress"), 12)
    rng = np.random.default_rng(0)
    for folder in ("two", "more"):
        (place / folder).mkdir()
        for name in "ab":
            Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(place / folder / f"{name}.png")
    with inside(place):
        assert typed("train", "gan", "pics", "--run", "r", "--steps", "1", "--compute", "plain").code == 0
        few = ["--steps", "1", "--compute", "plain", "--preset", "tiny"]
        assert typed("train", "cut", "two", "more", "--size", "16", "--run", "t", *few).code == 0
    return place


def stop_at(monkeypatch, module, name, call=1, error=None):
    """The function of this name raises at its n-th call, as the handler of a signal does."""
    real, calls = getattr(module, name), []

    def stopping(*given, **more):
        calls.append(1)
        if len(calls) == call:
            raise error or Stopped(signal.SIGTERM)
        return real(*given, **more)

    monkeypatch.setattr(module, name, stopping)


TRAIN = "train gan pics --run new --steps 1 --compute plain"
STUDY = "augment pics --study st --repeats 1 --labels-per-class 4"
STAGES = [  # what was stopped, where, what is said, and whether nothing at all is left
    (TRAIN, training, "material", 1, NOTHING, True),
    (TRAIN, engine, "_measure", 1, NOTHING, False),
    (TRAIN, training, "write_report", 1, "stopped (new); continue with `zeuxis resume new`", False),
    (STUDY, studies, "prepare", 1, NOTHING, True),
    ("augment pics --classic-only --out more", copies, "write_bytes", 30, REST, False),
    ("data export pics --out o", export, "_note", 9, NOTHING, True),
    ("data show pics", showing, "families", 1, NOTHING, True),
    ("sample r -n 4 --out made", sample_files, "write_png", 3, NOTHING, True),
    ("evaluate pics --data pics --features layout", evaluating, "features_for", 1, NOTHING, True),
    ("resume r", training, "go_on", 1, REST, True),
    ("report r", cli.word, "load", 1, NOTHING, True),
    ("restore two mended --method non-local-means --task denoise", pipeline, "write_bytes", 2, REST, False),
    ("upscale two large --method bicubic", pipeline, "write_bytes", 2, REST, False),
    ("translate two there --run t", pipeline, "write_bytes", 2, REST, False),
    ("data degrade two hurt --as noise=5", pipeline, "write_bytes", 2, REST, False),
    ("data weights list", packages, "listed", 1, REST, True),
    ("data list", cli, "_json", 1, NOTHING, True),
]


def left(place):
    return sorted(str(path.relative_to(place)) for path in place.rglob("*"))


@pytest.mark.parametrize(("line", "module", "name", "call", "said", "whole"), STAGES)
def test_what_is_said_of_a_stop_is_so(place, tmp_path, monkeypatch, line, module, name, call, said, whole):
    for known in ("pics", "two", "r", "t"):
        (tmp_path / known).symlink_to(place / known)
    before = left(tmp_path)
    with inside(tmp_path):
        stop_at(monkeypatch, module, name, call)
        done = typed(*line.split(), *["--json"] * (line == "data list"))
        assert (done.code, done.errors) == (143, [said])
        monkeypatch.undo()
        assert not whole or left(tmp_path) == before
        if said in (NOTHING, REST) and "--study" not in line:
            again = typed(*line.split())
            assert again.code == 0 and not again.errors, "the same command, as was said"


def test_every_word_is_stopped_at_a_stage_of_its_own():
    tried = {name for name in word.names() for line, *_ in STAGES if line.startswith(word.typed(name))}
    assert tried == set(word.names()) - {"completion"}


@pytest.mark.parametrize("error", [Stopped(signal.SIGTERM), KeyboardInterrupt()], ids=["terminated", "control-c"])
def test_a_stop_while_the_answer_is_printed_takes_nothing_back(place, tmp_path, monkeypatch, error):
    """Long JSON waits for a reader, as a pager is: all pictures were written, and it said that nothing was kept."""
    with inside(place):
        stop_at(monkeypatch, cli, "_print", error=error)
        done = typed("upscale", "two", str(tmp_path / "large"), "--method", "bicubic", "--json")
    assert done.errors[-1:] == [f"stopped; {word.ONLY_UNSAID}"] and done.code in (130, 143)
    assert len(list((tmp_path / "large").iterdir())) == 2


@pytest.mark.parametrize("line", ["restore two --dry-run", "upscale two --dry-run"])
def test_a_dry_run_keeps_nothing(place, monkeypatch, line):
    with inside(place):
        stop_at(monkeypatch, pipeline, "read", 2)
        done = typed(*line.split())
    assert (done.code, done.errors[-1:]) == (143, [NOTHING])


def test_control_c_says_the_same(place, monkeypatch):
    with inside(place):
        stop_at(monkeypatch, training, "material", error=KeyboardInterrupt())
        done = typed(*TRAIN.split())
    assert (done.code, done.errors) == (130, [NOTHING])


def test_a_study_that_was_begun_goes_on(tmp_path):
    given, study = {"study": tmp_path, "run": None}, word.of("augment")
    assert study.after_stop(given) == study.after_stop({"study": None}) == ("", word.NOTHING_KEPT)
    (tmp_path / "study.json").write_text("{}")
    assert study.after_stop(given) == (str(tmp_path), f"continue with `zeuxis resume {tmp_path}`")


GUESSED = f"{STUDY} --treatment guessed --unlabelled two --channels 1 --classifier width=4 --threads 1"
KILLED = """
import os, signal, sys
from zeuxis import cli
from zeuxis.jobs.study import plan, study
from zeuxis.jobs.study.plan import StudyConfig

plan.StudyConfig = lambda *a, **k: StudyConfig(*a, **k, steps=(2, 2))
study.write_examined = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
cli.main()
"""


def test_a_study_that_is_killed_or_stopped_before_it_is_one_is_begun_by_the_same_command(place, tmp_path, monkeypatch):
    """Its first files stood in the way of the command that was said to go on."""
    for known in ("pics", "two"):
        (tmp_path / known).symlink_to(place / known)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    program = [sys.executable, "-c", KILLED, *GUESSED.split()]
    assert subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True).returncode == -signal.SIGKILL
    study, run = tmp_path / "st", studies.run
    (study / ".unlabelled.safetensors.1-2.tmp").write_bytes(b"half")
    assert {path.name for path in study.iterdir()} > {"unlabelled.safetensors", "split.json"}
    monkeypatch.setattr(plan, "StudyConfig", lambda *a, **k: StudyConfig(*a, **k, steps=(2, 2)))
    monkeypatch.setattr(studies, "run", lambda place, started=None: run(place, here=True))
    with inside(tmp_path):
        before = tree(study)
        assert typed(*GUESSED.split(), "--dry-run").code == 0 and tree(study) == before
        with monkeypatch.context() as patch:
            stop_at(patch, studies, "write_examined", error=KeyboardInterrupt())
            stopped = typed(*GUESSED.split())
        assert (stopped.code, stopped.errors) == (130, [NOTHING]) and not tree(study)
        done = typed(*GUESSED.split())
    assert done.code == 0 and not done.errors, done
    assert not list(study.glob(".*.tmp")) and (study / "unlabelled.safetensors").exists()


def test_files_of_somebody_that_are_called_as_those_of_a_study_stay(place, tmp_path):
    (tmp_path / "pics").symlink_to(place / "pics")
    (tmp_path / "st").mkdir()
    (tmp_path / "st" / "test.csv").write_text("mine")
    with inside(tmp_path):
        done = typed(*STUDY.split())
    assert done.code == 2 and "it holds test.csv" in done.err and Path(tmp_path / "st/test.csv").read_text() == "mine"


def test_half_a_run_json_of_a_killed_training_stands_in_no_way(place, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / ".run.json.99999999-2.tmp").write_text("{")
    with inside(tmp_path):
        done = typed(*TRAIN.replace("pics", str(place / "pics")).split())
    assert done.code == 0 and not list((tmp_path / "new").glob(".*.tmp")), done


DIES = """
import os, signal
from zeuxis import cli
from zeuxis.jobs import copies

real, made = copies.png_bytes, []


def dying(*given):
    made.append(1)
    if len(made) == 40:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given)


copies.png_bytes = dying
cli.main()
"""


def test_copies_by_rules_survive_a_kill(place, tmp_path):
    (tmp_path / "pics").symlink_to(place / "pics")
    line = "augment pics --classic-only --copies 2 --out"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    program = [sys.executable, "-c", DIES, *line.split(), "more"]
    assert subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True).returncode == -signal.SIGKILL
    assert not (tmp_path / "more").exists() and len(list((tmp_path / ".more.part").rglob("*.png"))) == 39
    with inside(tmp_path):
        assert typed(*line.split(), "more").code == typed(*line.split(), "whole").code == 0
        whole = tree(Path("whole"))
        assert whole == {name.replace("more", "whole", 1): data for name, data in tree(Path("more")).items()}
    assert len(whole) == 76 and not (tmp_path / ".more.part").exists()
