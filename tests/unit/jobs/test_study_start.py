"""How a study begins: what is refused leaves nothing behind, and one process at a time is in the folder."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import zeuxis
from tests.stories.commands import inside, pictures, tree, typed
from zeuxis import platform
from zeuxis.catalog import load
from zeuxis.data.memory import MemoryDataset
from zeuxis.engine import probe
from zeuxis.errors import BadInput
from zeuxis.jobs import choosing, training
from zeuxis.jobs.sample_files import generating
from zeuxis.jobs.sources import Source
from zeuxis.jobs.study import augmented_set, plan
from zeuxis.jobs.study import study as studies
from zeuxis.jobs.study.analyse import _others
from zeuxis.jobs.study.place import Place
from zeuxis.jobs.study.plan import Plan, StudyConfig
from zeuxis.recipes.recipe import Represents
from zeuxis.stats.twoway import Examined
from zeuxis.stats.verdict import secondary

NETS = ["--recipe", "cgan", "--generator", "width=4", "--classifier", "width=4"]
BEGIN = ["augment", "pics", "--study", "deep/st", "--labels-per-class", "4", "--repeats", "1", *NETS]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = tmp_path_factory.mktemp("world")
    pictures(world / "pics", ("boot", "dress"), 24)
    return world


@pytest.fixture
def few_steps(monkeypatch):
    monkeypatch.setattr(plan, "StudyConfig", lambda *a, **k: StudyConfig(*a, **k, steps=(2, 2)))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("--margin inf", "--margin: `inf` must be a number"),
        ("--treatment again --out o", "`--treatment again` generates nothing"),
        ("--treatment more-real --out o", "leave --out away"),
        ("--device cuda:0", "a study runs on cpu or cuda, not on `cuda:0`"),
        ("--device mps", "a study runs on cpu or cuda"),
    ],
)
def test_refused_before_anything_is_written(world, few_steps, more, says):
    before = tree(world)
    with inside(world):
        done = typed(*BEGIN, *more.split())
    assert done.code == 2 and len(done.errors) == 1 and says in done.errors[0], done
    assert tree(world) == before


def test_more_labels_than_there_are_pictures_are_refused_before_anything_is_written(world, few_steps):
    before = tree(world)
    with inside(world):
        done = typed(*["500" if word == "4" else word for word in BEGIN])
    assert done.code == 2 and len(done.errors) == 1 and "not 500" in done.errors[0], done
    assert tree(world) == before


def test_an_unknown_domain_is_refused(world):
    with pytest.raises(BadInput, match="did you mean `digits`"):
        zeuxis.augment(world / "pics", study=world / "st", domain="digit")


def test_a_second_one_is_refused_and_changes_nothing(world, few_steps, tmp_path):
    """The first is still measuring: there is a lock, and no study yet."""
    with inside(world):
        folder = Path("deep/st")
        with studies.held(folder):
            before = tree(world)
            done = typed(*BEGIN)
            assert done.code == 2 and "another process is at work in this folder" in done.errors[0]
            assert tree(world) == before
        assert not Path("deep").exists()  # no study came of it


def test_begun_by_another_process_meanwhile(world, few_steps, tmp_path, monkeypatch):
    """The study appears between our look and our lock: it is taken up, not begun again, and another one is refused."""
    source = Source(str(world / "pics"))
    dataset = source.open()
    asked = StudyConfig(4, 1, steps=(2, 2))
    kept = studies.begin(tmp_path / "st", dataset, asked, source.words(dataset), 1, "cpu")
    before = tree(tmp_path)
    looks = iter([False, True])
    monkeypatch.setattr(training, "is_study", lambda folder: next(looks))
    monkeypatch.setattr(training, "check_free", lambda *given: None)
    with pytest.raises(BadInput, match="another study is there already: its `repeats=` is 1, not 2"):
        zeuxis.augment(world / "pics", study=kept.folder, labels_per_class=4, repeats=2)
    assert {k: v for k, v in tree(tmp_path).items() if not k.endswith(".lock")} == before


def test_what_killed_processes_left_is_swept_under_the_lock(tmp_path):
    ours = [".study.json.1-2.tmp", "repeats/01/.none.json.1-2.tmp", "samples/.fake.png.1-2.tmp"]
    others = ["mine/.own.tmp", "repeats/01/none.json", "study.json"]
    for name in ours + others:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    with studies.held(tmp_path):
        assert platform.acquire(tmp_path / ".lock") is None
        assert not any((tmp_path / name).exists() for name in ours)
    assert all((tmp_path / name).exists() for name in others)
    with platform.acquire(tmp_path / ".lock") as free:
        assert free


def test_the_folder_of_the_augmented_set_is_noted(tmp_path):
    (tmp_path / "study.json").write_text('{"format": 1, "asked": {}}')
    assert studies.out_of(tmp_path) is None
    assert studies.out_of(tmp_path, "/there") == "/there" == studies.out_of(tmp_path)
    assert json.loads((tmp_path / "study.json").read_text())["asked"] == {}


def test_whose_augmented_set_it_is(tmp_path):
    study, out = tmp_path / "st", tmp_path / "out"
    (study / "repeats/01").mkdir(parents=True)
    (study / "repeats/01/generator.json").write_text('{"weights_sha256": "ab"}')
    out.mkdir()
    for manifest, mine in [
        ({"study": "st", "weights": "ab", "repeat": 1}, True),
        ({"study": "as it was called", "weights": "ab", "repeat": 1}, True),
        ({"study": "st", "weights": "cd", "repeat": 1}, False),
        ({"study": "st", "weights": "ab", "repeat": 2}, False),
        ({"files": []}, False),
        ([], False),
    ]:
        (out / "manifest.json").write_text(json.dumps(manifest))
        assert augmented_set.is_of(study, out) is mine, manifest
    assert not augmented_set.is_of(study, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("recipe", "domain", "given", "expected"),
    [
        ("r3gan", "digits", {}, "digits"),
        ("r3gan", "garments", {}, "photo"),
        ("r3gan", "digits", {"domain": "text"}, "text"),
        ("cgan", "digits", {}, None),
    ],
)
def test_the_generator_knows_the_domain(recipe, domain, given, expected):
    asked = StudyConfig(recipe=recipe, domain=domain, generator=given)
    place = Place(Path("st"), asked, Plan(1, 0, 0, 0, 0, {}), None, None, None, None)
    assert getattr(place.generator_recipe(), "domain", None) == expected


def test_the_plan_says_once_what_the_domain_leaves_out(world, few_steps):
    with inside(world):
        done = typed(*BEGIN, "--dry-run", "--domain", "digits")
        assert done.code == 0 and done.err.count("digits: no flips") == 1
        assert not Path("deep").exists()


@pytest.mark.parametrize(
    ("line", "idle"),
    [
        ("--classic-only --out o --study st --repeats 6", "--study, --repeats"),
        ("--classic-only --out o --treatment again --margin 1", "--margin, --treatment"),
        ("--study st --copies 2 --balance", "--copies, --balance"),
        ("--study st --policy light", "--policy"),
    ],
)
def test_flags_that_nothing_reads_are_refused(world, line, idle):
    with inside(world):
        done = typed("augment", "pics", *line.split())
        assert done.code == 2 and len(done.errors) == 1 and f"nothing reads {idle} with" in done.errors[0]
        assert not Path("o").exists()


def test_a_gan_arm_without_generated_pictures_is_not_judged():
    hits = {a: np.random.default_rng(i).random((8, 40)) < 0.5 for i, a in enumerate(("gan", "shuffled"))}
    found = secondary(hits, [("gan", "shuffled")], Examined.of(np.zeros(40, int)))
    assert _others(found, [0.0] * 8)[0]["judged"] == "empty"
    assert _others(found, [0.0] * 7 + [0.5])[0]["judged"] in ("better", "worse", "open")
    assert _others(found, None)[0] == found[0].to_json()


def test_classic_takes_the_domain(world, tmp_path):
    with inside(world):
        done = typed(
            "augment", "pics", "--classic-only", "--copies", "1", "--domain", "text", "--out", str(tmp_path / "o")
        )
    assert done.code == 0 and "text: no flips" in done.err
    assert json.loads((tmp_path / "o/manifest.json").read_text())["domain"] == "text"


def test_all_that_differs_is_named(world, tmp_path):
    source = Source(str(world / "pics"))
    dataset = source.open()
    data = source.words(dataset)
    asked = StudyConfig(4, 1, steps=(2, 2))
    kept = studies.begin(tmp_path / "st", dataset, asked, data, 1, "cpu")
    assert studies.other(kept.folder, asked, data) == ""
    assert studies.other(kept.folder, replace(asked, budget=720.0), data) == "its `--budget` is 60m, not 12m"
    found = studies.other(kept.folder, StudyConfig(4, 2, steps=(2, 2), margin=2.0), {**data, "digest": "another"})
    assert "is 1, not 2, and its" in found and found.endswith(", and it is of other pictures, or reads them otherwise")


def test_a_class_whose_pictures_all_hang_together_cannot_be_examined(tmp_path):
    """The part is drawn by the study itself, so it says how many groups the class has in all."""
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (80, 1, 8, 8), dtype=np.uint8))
    groups = [f"a{i // 10}" if i < 40 else f"b{i}" for i in range(80)]
    data = MemoryDataset(pixels, np.arange(80) // 40, ("a", "b"), groups=groups)
    with pytest.raises(BadInput, match="class `a` has 40 pictures in 4 groups, of which a single one fell to the test"):
        studies.prepare(tmp_path / "st", data, StudyConfig(4, 1, steps=(2, 2)), 1, "cpu")


@pytest.mark.parametrize("recipe", [n for n in generating(labelled=True) if isinstance(load(n)(), Represents)])
def test_the_plan_of_what_learns_on_maps_is_measured(tmp_path, monkeypatch, recipe):
    monkeypatch.setattr(probe, "_LOOK", 0.0)
    pictures(tmp_path / "pics", ("boot", "dress"), 40, 32)
    with inside(tmp_path):
        done = typed("augment", "pics", "--study", "st", "--recipe", recipe, "--budget", "20m", "--dry-run")
    assert done.code == 0 and "generator " in done.err, done


def test_photographs_are_given_to_latentgan_and_its_pictures_are_mixed_in(tmp_path, few_steps, monkeypatch):
    pictures(tmp_path / "pics", ("boot", "dress"), 40, 8)
    monkeypatch.setattr(choosing, "best_device", lambda: "cpu")
    line = "augment pics --size 32 --channels 3 --study st --labels-per-class 4 --repeats 1 --budget 50m --out more"
    with inside(tmp_path):
        done = typed(*line.split())
        assert done.code == 0 and "zeuxis: latentgan: its autoencoder gives" in done.err, done
        asked = json.loads(Path("st/study.json").read_text())["asked"]
        assert asked["recipe"] == "latentgan" and "autoencoder" in asked["chosen"]
        assert asked["generator"] == {"widths": [32, 64, 128]}
        assert list(Path("more").rglob("*.png"))
        again = typed(*line.split())
        assert again.code == 0, again
    done = typed("augment", str(tmp_path / "pics"), "--study", str(tmp_path / "s2"), "--generator", "width=4")
    assert done.code == 2 and "`auto` takes no recipe's fields (--generator); name the recipe" in done.err
