import json
import os
import zipfile

import numpy as np
import pytest
import torch

from zeuxis.data import export
from zeuxis.data.export import export_folder, folder_name, folder_names
from zeuxis.data.memory import MemoryDataset, Subset
from zeuxis.data.reader import open_dataset
from zeuxis.data.trees import Where
from zeuxis.draw import Draw
from zeuxis.errors import BadInput, MachineGaveOut


def data_of(channels=3, n=8, **given):
    pixels = Draw(0).at("x").integers(n, channels, 5, 7, high=256).byte()
    return MemoryDataset(pixels, **given)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_written_out_and_read_back_is_equal(tmp_path, channels):
    data = data_of(
        channels,
        labels=np.array([2, 0, 2, 1, 1, 0, 2, 0]),
        classes=("zebra", "t-shirt/top", "apple", "never seen"),
        groups=list("aabbccdd"),
        parts=["train"] * 5 + ["test"] * 3,
    )
    paths = export_folder(data, tmp_path / "out")
    again = open_dataset(tmp_path / "out")
    assert again.digest == data.digest and again.spec == data.spec
    assert torch.equal(again.pixels, data.pixels) and again.labels.tolist() == data.labels.tolist()
    assert again.groups == data.groups and again.parts == data.parts and again.skipped == []
    assert paths[0] == tmp_path / "out" / "apple" / "00000.png" and all(p.is_file() for p in paths)
    assert (tmp_path / "out" / "t-shirt-top" / "00003.png").is_file()
    (tmp_path / "out" / "zeuxis.json").unlink()
    if channels in (1, 3):
        plain = open_dataset(tmp_path / "out")
        assert plain.spec.classes == ("apple", "t-shirt-top", "zebra") and sorted(plain.hashes) == sorted(data.hashes)


def test_some_positions_without_labels(tmp_path):
    data = data_of()
    (tmp_path / "out").mkdir()
    export_folder(data, tmp_path / "out", [5, 1])
    again = open_dataset(tmp_path / "out")
    assert torch.equal(again.pixels, data.pixels[[5, 1]]) and again.labels is None
    manifest = json.loads((tmp_path / "out" / "zeuxis.json").read_text())
    assert manifest["digest"] == Subset(data, [5, 1]).digest
    assert [row["source"] for row in manifest["files"]] == ["5", "1"]


def test_generated_pictures_stay_marked(tmp_path):
    generated = [i % 2 == 0 for i in range(8)]
    export_folder(data_of(generated=generated), tmp_path / "out")
    assert open_dataset(tmp_path / "out").generated == generated


def test_a_folder_that_is_not_empty_is_refused_and_untouched(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    with pytest.raises(BadInput, match="not an empty folder"):
        export_folder(data_of(), tmp_path / "out")
    with pytest.raises(BadInput):
        export_folder(data_of(), tmp_path / "out" / "mine.txt")
    assert os.listdir(tmp_path) == ["out"] and os.listdir(tmp_path / "out") == ["mine.txt"]


def test_classes_that_would_share_a_folder_are_found_first(tmp_path):
    data = data_of(labels=np.arange(8) % 2, classes=("Cat", "cat"))
    with pytest.raises(BadInput, match="`Cat` and `cat` would share"):
        export_folder(data, tmp_path / "out")
    assert os.listdir(tmp_path) == []


def test_folder_names():
    names = {
        "a/b": "a-b",
        "..": "_",
        ".git": "_.git",
        "con": "_con",
        "x. ": "x",
        "": "_",
        "äö 漢": "äö 漢",
        "a\0b": "a-b",
    }
    assert {name: folder_name(name) for name in names} == names
    long, other = "图" * 78, "图" * 77 + "片"
    assert len(folder_name(long).encode()) <= 100 and folder_name(long).startswith("图" * 30)
    assert folder_name(long) != folder_name(other)
    assert folder_names(("a/b", "c")) == {"a/b": "a-b", "c": "c"}


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export.os, "fsync", full)
    with pytest.raises(MachineGaveOut):
        export_folder(data_of(), tmp_path / "out")
    assert os.listdir(tmp_path) == []


def test_a_manifest_is_not_trusted(tmp_path):
    export_folder(data_of(), tmp_path / "out")
    path = tmp_path / "out" / "zeuxis.json"
    good = json.loads(path.read_text())
    for change in ({"format": 2}, {"channels": 9}, {"files": [{"file": "../x.png"}]}, {"files": [{"file": "/x.png"}]}):
        path.write_text(json.dumps({**good, **change}))
        with pytest.raises(BadInput, match="manifest is damaged"):
            open_dataset(tmp_path / "out")
    path.write_text("{")
    with pytest.raises(BadInput, match="manifest is damaged"):
        open_dataset(tmp_path / "out")


def test_files_that_came_and_went_are_listed(tmp_path):
    paths = export_folder(data_of(), tmp_path / "out")
    paths[2].rename(tmp_path / "out" / "new.png")
    data = open_dataset(tmp_path / "out")
    assert len(data) == 7 and sorted(name for name, _ in data.skipped) == ["00002.png", "new.png"]


def zipped(folder, target, inside=""):
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{inside}{path.relative_to(folder)}")
    return target


@pytest.mark.parametrize("inside", ["", "out/", "home/me/out/"])
def test_an_exported_set_outlives_zipping_and_moving(tmp_path, inside):
    data = data_of(
        labels=np.array([2, 0, 2, 1, 1, 0, 2, 0]),
        classes=("zebra", "t-shirt/top", "apple", "never seen"),
        groups=list("aabbccdd"),
        parts=["train"] * 5 + ["test"] * 3,
    )
    export_folder(data, tmp_path / "deep" / inside / "out")
    for place in (zipped(tmp_path / "deep" / inside / "out", tmp_path / "set.zip", inside), tmp_path / "deep"):
        again = open_dataset(place)
        assert again.digest == data.digest and again.spec.classes == data.spec.classes
        assert again.groups == data.groups and again.parts == data.parts and again.skipped == []
        with pytest.raises(BadInput, match="state their classes"):
            open_dataset(place, where=Where(classes=1))


def test_a_manifest_that_is_not_above_all_pictures_or_is_damaged(tmp_path):
    export_folder(data_of(labels=np.arange(8) % 2, classes=("a", "b")), tmp_path / "set" / "one")
    export_folder(data_of(labels=np.arange(8) % 2, classes=("a", "b")), tmp_path / "set" / "two")
    whole = zipped(tmp_path / "set", tmp_path / "two.zip")
    for place in (whole, tmp_path / "set"):
        with pytest.raises(BadInput, match="one level may be|look like|no folder per class"):
            open_dataset(place)
    (tmp_path / "set" / "one" / "zeuxis.json").write_text("{")
    with pytest.raises(BadInput, match="manifest is damaged"):
        open_dataset(zipped(tmp_path / "set" / "one", tmp_path / "damaged.zip"))


def test_it_tells_how_far_it_is(tmp_path):
    told = []
    export_folder(MemoryDataset(torch.zeros(300, 1, 4, 4, dtype=torch.uint8)), tmp_path / "out", tell=told.append)
    assert told == [256, 300]
