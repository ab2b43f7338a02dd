"""What a run works on: parts, what is held out, and refusals before anything is trained."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zeuxis
from zeuxis import catalog
from zeuxis.data.checks import name_of
from zeuxis.data.loading import Taken
from zeuxis.data.memory import MemoryDataset
from zeuxis.data.reader import open_dataset
from zeuxis.engine.budget import Budget
from zeuxis.engine.loop import LoopOptions
from zeuxis.engine.monitoring import with_every_class
from zeuxis.engine.train import Start, train
from zeuxis.errors import BadInput
from zeuxis.jobs import initial_weights
from zeuxis.jobs.capabilities import recognizes
from zeuxis.jobs.sample_files import _labels
from zeuxis.jobs.sources import Source, held_share, material
from zeuxis.jobs.study import unlabelled
from zeuxis.jobs.study.plan import StudyConfig
from zeuxis.jobs.study.study import prepare
from zeuxis.jobs.training import find_pictures
from zeuxis.pictures.png import write_png
from zeuxis.recipes.classifier import Classifier


def put(folder, counts, same=()):
    """Pictures by folder and count; those under `same` are equal to each other."""
    for k, (place, n) in enumerate(counts.items()):
        (folder / place).mkdir(parents=True)
        for i in range(n):
            seed = (k, 0 if place in same else i)
            pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / place / f"{i}.png")
    return folder


def given(folder):
    return material(Classifier(), [Source(str(folder))], seed=0)


def counts(dataset, classes=2):
    return np.bincount(dataset.labels, minlength=classes).tolist()


def test_every_class_is_held_out_where_it_can_be(tmp_path):
    found = given(put(tmp_path, {"a": 60, "b": 3}))
    assert counts(found.held_out)[1] == 1 and counts(found.train)[1] == 2
    assert held_share(MemoryDataset(torch.zeros(40, 1, 2, 2, dtype=torch.uint8), [0] * 38 + [1] * 2, ("a", "b"))) == 0.5


@pytest.mark.parametrize(
    ("folders", "same", "words"),
    [
        ({"a": 40, "b": 1}, (), r"class `b` \(1 picture in all\) has none in the .* part: each part needs one"),
        ({"a": 30, "b": 9, "c": 5}, ("b",), r"class `b` \(9 pictures in all\) has none in the .* part: .*nearly equal"),
        (
            {"train/a": 15, "train/b": 15, "val/a": 5},
            (),
            r"class `b` \(15 pictures in all\) has none in the held-out part: official",
        ),
        ({"train/a": 15, "val/a": 5, "val/b": 5}, (), r"class `b` \(5 pictures in all\) has none in the training part"),
        ({"train/a": 6, "train/b": 6, "train/c": 6, "val/c": 2}, (), "class `a` .*and neither has 1 other class"),
    ],
)
def test_a_score_by_label_needs_every_class(tmp_path, folders, same, words):
    put(tmp_path / "data", folders, same)
    with pytest.raises(BadInput, match=words):
        given(tmp_path / "data")
    with pytest.raises(BadInput, match=words):
        zeuxis.train("classifier", tmp_path / "data", run=tmp_path / "run", steps=1)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (
            {"train/a": 20, "train/b": 20, "train/c": 20, "test/a": 5, "test/b": 5},
            r"class `c` .*has none in the test part",
        ),
        (
            {"train/a": 20, "train/b": 20, "val/a": 9, "test/a": 5, "test/b": 5},
            r"class `b` .*has none in the validation part",
        ),
        ({"a": 200, "b": 1}, r"class `b` \(1 picture in all\) has none in the .* part: each part needs one"),
    ],
)
def test_a_study_needs_every_class_in_every_part(tmp_path, folders, words):
    data = Source(str(put(tmp_path / "data", folders))).open()
    with pytest.raises(BadInput, match=words):
        prepare(tmp_path / "study", data, StudyConfig(repeats=1, domain="photo"))
    assert not (tmp_path / "study").exists()


def test_official_parts_are_kept_however_few_pictures_there_are(tmp_path):
    found = given(put(tmp_path, {"train/a": 3, "train/b": 3, "val/a": 1, "val/b": 1, "test/a": 1, "test/b": 1}))
    assert counts(found.train) == [3, 3] and counts(found.held_out) == [1, 1] and found.splits["images"].test.size == 2


def test_few_pictures_are_told_to_have_no_score(tmp_path, capsys):
    found = given(put(tmp_path, {"a": 4, "b": 4}))
    assert found.held_out is None and "no score" in capsys.readouterr().err


def test_what_a_run_leaves_aside_is_told(tmp_path, capsys):
    put(tmp_path, {"train/a": 20, "train/b": 20, "test/a": 4, "test/b": 4, "test/c": 2})
    (tmp_path / "train/a/0.png").write_bytes((tmp_path / "test/a/0.png").read_bytes())
    found = material(catalog.load("cgan")(), [Source(str(tmp_path))], seed=0)
    assert found.splits["images"].test.size == 10 and found.splits["images"].dropped.size == 1
    told = capsys.readouterr().err
    assert "the official test part, 10 pictures, is left aside" in told and "left out: 1 picture, as copies" in told
    assert "class `c` has no training picture" in told


def test_what_is_watched_has_every_class():
    order, labels = torch.tensor([5, 4, 3, 2, 1, 0]), np.array([2, 0, 0, 1, 1, 0])
    assert with_every_class(order, labels, 2).tolist() == [5, 4, 0]
    assert with_every_class(order, labels, 9).tolist() == order.tolist()
    assert with_every_class(order, None, 3).tolist() == [5, 4, 3]


def test_no_mean_over_classes_that_are_not_there(tmp_path, monkeypatch):
    held = MemoryDataset(torch.zeros(4, 1, 2, 2, dtype=torch.uint8), [0, 0, 1, 1], ("a", "b", "c"))
    monkeypatch.setattr(recognizes, "predictions", lambda *_: torch.tensor([0, 0, 1, 0]))

    class Done:
        path, spec, recipe = tmp_path, held.spec, None
        record = {"compute": {"device": "cpu"}}
        networks = staticmethod(torch.nn.ModuleDict)

    found = recognizes.write_recalls(Done, held)
    assert found["recalls"] == [1.0, 0.5, None] and found["balanced_accuracy"] is None


def test_a_number_is_a_name_where_classes_are_numbers():
    seeds = torch.arange(3)
    assert _labels(("1", "2", "3"), seeds, "1", "cgan").tolist() == [0, 0, 0]
    assert _labels(("a", "b"), seeds, "1", "cgan").tolist() == [1, 1, 1]
    for wanted in ("0", "4"):
        with pytest.raises(BadInput, match=f"no class `{wanted}`"):
            _labels(("1", "2", "3"), seeds, wanted, "cgan")
    wide, narrow = (unicodedata.normalize(form, "café") for form in ("NFD", "NFC"))
    assert _labels((narrow, "tea"), seeds, wide, "cgan").tolist() == [0, 0, 0]
    assert _labels(("tea", wide), seeds, narrow, "cgan").tolist() == [1, 1, 1]


# ------------------------------------------------------------------ which pictures


def test_a_name_that_is_two_things_is_refused_and_a_path_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert name_of("fashion-mini") == "fashion-mini"
    put(tmp_path / "fashion-mini", {"a": 2, "b": 2})
    with pytest.raises(BadInput, match=r"`\./fashion-mini` is what lies here"):
        zeuxis.data_show("fashion-mini")
    for own in ("./fashion-mini", Path("fashion-mini"), tmp_path / "fashion-mini"):
        assert zeuxis.data_show(own)["pictures"] == 4
    assert Source("fashion-mini").open().spec.height == 28  # as run.json has it, wherever a run is gone on with


def test_so_it_is_of_pictures_without_labels_of_first_weights_and_of_what_is_evaluated(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [unlabelled.asked_for(one) for one in (None, "rest", "mnist")] == ["", "rest", "mnist"]
    assert [initial_weights.asked_for(one) for one in ("bundled", "repair")] == ["bundled", "repair"]
    assert unlabelled.asked_for("was/here") == str(tmp_path / "was/here"), "a study goes on without it"
    for name, of in (
        ("rest", unlabelled),
        ("fashion-mini", unlabelled),
        ("bundled", initial_weights),
        ("repair", initial_weights),
    ):
        put(tmp_path / name, {"a": 2, "b": 2})
        with pytest.raises(BadInput, match=f"something of that name lies here; `./{name}` is what lies here"):
            of.asked_for(name)
        for own in (Path(name), f"./{name}"):
            assert Path(of.asked_for(own)).resolve() == tmp_path / name
            assert of.asked_for(own) != name
    with pytest.raises(BadInput, match="is a set by name, and something"):
        zeuxis.evaluate("fashion-mini", data="rest")
    with pytest.raises(BadInput, match=r"needs real ones beside it \(\./fashion-mini\)"):
        zeuxis.evaluate(Path("fashion-mini"))


def test_words_name_what_was_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "mnist", {"a": 2, "b": 2})
    data = Source("./mnist").open()
    assert Source("./mnist").words(data)["source"] == str(tmp_path / "mnist")
    assert Source("mnist:mnist").words(data)["source"] == f"mnist:{tmp_path / 'mnist'}"
    assert Source("mnist").words(data)["source"] == "mnist"


@pytest.mark.parametrize("name", ["run.json", "study.json"])
def test_pictures_that_were_moved(tmp_path, name):
    data, run = put(tmp_path / "data", {"a": 3, "b": 3}), tmp_path / "run"
    record = {
        "format": 1,
        "recipe": "classifier",
        "settings": {},
        **dict.fromkeys(("spec", "conditional", "seed", "steps", "batch", "compute", "versions", "asked", "plan")),
    }
    words = Source(str(data)).words(Source(str(data)).open())
    record |= {"data": words} if name == "study.json" else {"sources": {"images": words}}
    run.mkdir()
    (run / name).write_text(json.dumps(record))
    find_pictures(run, None)
    data.rename(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="no longer here .*resume .* --data NEW"):
        find_pictures(run, None)
    others = put(tmp_path / "others", {"b": 3, "a": 3})
    with pytest.raises(BadInput, match="not the pictures that it began with"):
        find_pictures(run, str(others))
    assert json.loads((run / name).read_text()) == record
    find_pictures(run, str(tmp_path / "elsewhere"))
    now = json.loads((run / name).read_text())
    found = now["data"] if name == "study.json" else now["sources"]["images"]
    assert found.pop("source") == str(tmp_path / "elsewhere") and found.pop("were") == [str(data)]
    assert found == {k: v for k, v in words.items() if k != "source"}
    find_pictures(run, None)
    (tmp_path / "elsewhere").rename(data)
    find_pictures(run, None)
    found = json.loads((run / name).read_text())
    found = found["data"] if name == "study.json" else found["sources"]["images"]
    assert found["source"] == str(data) and found["were"] == [str(tmp_path / "elsewhere")]


@pytest.mark.parametrize("word", [zeuxis.evaluate, zeuxis.resume])
def test_a_run_that_was_begun_without_a_source_says_so_in_a_line(tmp_path, word):
    data = open_dataset(str(put(tmp_path / "data", {"a": 6, "b": 6})))
    cgan = catalog.load("cgan")(width=4)
    start = Start(compute="plain", threads=1)
    train(cgan, {"images": data}, tmp_path / "run", Budget(steps=1), None, start, LoopOptions(quiet=True))
    with pytest.raises(BadInput, match="does not say how its pictures were read"):
        word(tmp_path / "run")


def test_a_run_on_the_set_of_a_study_says_that_its_held_out_figures_are_too_good(tmp_path, capsys):
    """Its accuracy looked like an honest one: the generator whose pictures it trains on had seen what is held out."""
    rng, folder = np.random.default_rng(0), tmp_path / "set"
    for i in range(40):
        note = {"original": True, "family": f"{i:064x}", "study": "first"}
        write_png(folder / "ab"[i % 2] / f"{i:06d}.png", rng.integers(0, 256, (8, 8, 3)).astype(np.uint8), note, None)
        note = {"recipe": "cgan", "weights": "0", "seed": i, "study": "first"}
        write_png(folder / "ab"[i % 2] / f"zeuxis-{i}.png", rng.integers(0, 256, (8, 8, 3)).astype(np.uint8), note)
    told = "the generator of the study `first` also learned from the pictures held out here"
    run = zeuxis.train("classifier", folder, run=tmp_path / "run", steps=2, generated="train")
    assert f"warning: what is measured on held-out pictures will be too good: {told}" in capsys.readouterr().err
    assert run.record["sources"]["images"]["known_before"] == ["first"]
    assert f"This figure is too good: {told}" in run.finish["judgement"]["sentence"]
    page = (tmp_path / "run/report.html").read_text()
    assert "also learned from the pictures held out here" in page[: page.index('class="tiles"')]
    plain = material(Classifier(), [Source(str(folder), taken=Taken(made=False))], seed=0)
    assert "known_before" not in plain.words["images"] and "too good" not in capsys.readouterr().err
