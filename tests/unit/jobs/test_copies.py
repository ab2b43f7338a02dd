"""Copies by rules: what they look like, what stands beside them, and which part of a later split they come to."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zeuxis
from tests.stories.commands import inside, pictures, typed
from zeuxis.data.memory import MemoryDataset, item_digests
from zeuxis.data.reader import open_dataset
from zeuxis.data.split import PARTS, split_dataset
from zeuxis.draw import Draw
from zeuxis.errors import BadInput, SomeFailed
from zeuxis.jobs import copies
from zeuxis.jobs.copies import apart, augment_folder, copies_of, describe


def data_of(n=30, **given):
    pixels = Draw(0).at("classic").integers(n, 3, 12, 12, high=256).byte()
    return MemoryDataset(pixels, np.arange(n) % 2, ("a", "b"), **given)


def stems(data, positions):
    """The numbers of the originals at these positions: of a/000012-3.png it is 000012."""
    return {Path(data.sources[i]).stem.partition("-")[0] for i in positions.tolist()}


@pytest.mark.parametrize("policy", ["classic", "none"])
def test_a_later_split_keeps_copies_with_their_originals(tmp_path, policy):
    augment_folder(data_of(), "x", tmp_path / "more", copies=2, policy=policy)
    data = open_dataset(tmp_path / "more", strict=True)
    assert len(data) == 90 and sum(data.generated) == 60 and data.spec.classes == ("a", "b")
    split = split_dataset(data, seed=0)
    parts = [stems(data, getattr(split, name)) for name in PARTS]
    assert [len(part) for part in parts] == [18, 6, 6] and not set.intersection(*parts)
    assert len(split.train) == 54 and len(split.test) == 6 and len(split.validation) == 6
    made = np.array(data.generated)
    assert not made[split.test].any() and not made[split.validation].any() and made[split.dropped].all()
    assert stems(data, split.dropped) == parts[1] | parts[2] and len(split.dropped) == 24


def test_groups_and_official_parts_go_with_the_copies(tmp_path):
    groups = [f"patient {i // 3}" for i in range(30)]
    parts = ["train"] * 21 + ["test"] * 9
    augment_folder(data_of(groups=groups, parts=parts), "x", tmp_path / "more", copies=1)
    data = open_dataset(tmp_path / "more")
    assert data.groups == groups + groups[:21] and data.parts == parts + ["train"] * 21
    split = split_dataset(data, seed=0)
    assert stems(data, split.test) == {f"{i:06d}" for i in range(21, 30)} and len(split.test) == 9
    assert not stems(data, split.test) & (stems(data, split.train) | stems(data, split.validation))


@pytest.mark.parametrize("balance", [False, True])
def test_official_test_pictures_get_no_copies_and_that_is_told(tmp_path, balance):
    """Two thousand copies of the thousand test pictures were written among the others, without a word."""
    data = data_of(parts=["train"] * 16 + ["val"] * 4 + ["test"] * 10)
    lines = describe(data, 2, balance)
    assert lines[0] == "zeuxis: 62 pictures: 30 as they are and 32 copies"
    assert "zeuxis: 10 test pictures and 4 val pictures of official parts: written without copies" in lines
    assert any("all classes have equally many pictures already" in line for line in lines) is balance
    augment_folder(data, "x", tmp_path / "more", copies=2, balance=balance)
    rows = json.loads((tmp_path / "more" / "manifest.json").read_text())["files"]
    copied = [int(Path(row["file"]).stem.partition("-")[0]) for row in rows if row["copy"]]
    assert len(rows) == 62 and len(copied) == 32 and max(copied) == 15


def test_classes_are_balanced_over_the_pictures_to_train_on():
    parts = ["train"] * 20 + ["test"] * 10
    data = MemoryDataset(data_of().pixels, np.array([0] * 15 + [1] * 15), ("a", "b"), parts=parts)
    counts = copies_of(data, 1, True) + 1
    assert counts[:15].sum() == counts[15:20].sum() == 30 and (counts[20:] == 1).all()
    assert {"zeuxis: train: a 30, b 30", "zeuxis: test: a 0, b 10"} <= set(describe(data, 1, True)) and not any(
        "already" in x for x in describe(data, 1, True)
    )


def test_official_parts_lie_apart_and_a_class_without_training_pictures_is_told(tmp_path):
    """Test pictures lay among the others in the folders of their classes, and only zeuxis.json told them apart."""
    labels, parts = np.array([0] * 10 + [1] * 10 + [2] * 10), ["train"] * 14 + ["val"] * 6 + ["test"] * 10
    data = MemoryDataset(data_of().pixels, labels, ("a", "b", "only"), parts=parts)
    told = describe(data, 1, True)
    assert "zeuxis: warning: no picture to train on, so no copy either, of `only`" in told
    augment_folder(data, "x", tmp_path / "more", copies=1, balance=True)
    places = {str(p.parent.relative_to(tmp_path / "more")) for p in (tmp_path / "more").rglob("*.png")}
    assert places == {"train/a", "train/b", "val/b", "test/only"}
    assert len(list((tmp_path / "more/train/a").iterdir())) == len(list((tmp_path / "more/train/b").iterdir())) == 20
    listed = open_dataset(tmp_path / "more")
    (tmp_path / "more/zeuxis.json").unlink()
    bare = open_dataset(tmp_path / "more")
    counts = [sorted(zip(x.parts, x.labels.tolist(), strict=True)) for x in (listed, bare)]
    assert counts[0] == counts[1]


def test_what_was_augmented_before_is_not_called_original(tmp_path):
    augment_folder(data_of(), "x", tmp_path / "more", copies=1)
    told = describe(open_dataset(tmp_path / "more"), 1, False)
    assert (
        told[0]
        == "zeuxis: 120 pictures: 60 as they are (of which 30 were made of another picture before) and 60 copies"
    )


def test_a_picture_like_a_made_one_without_an_original_only_trains():
    data = data_of(20, generated=[i < 10 for i in range(20)])
    data = MemoryDataset(data.pixels[list(range(10)) * 2], generated=data.generated, groups=[str(i) for i in range(20)])
    assert len(split_dataset(data, seed=0).train) == 20


def test_what_a_model_made_is_no_original_of_the_set_that_is_written(tmp_path):
    """Nor are its copies: both would be held out as real ones."""
    data = data_of(20, generated=[i < 8 for i in range(20)])
    augment_folder(data, "x", tmp_path / "more", copies=1)
    (tmp_path / "again").mkdir()
    for file in (tmp_path / "more").rglob("*.png"):
        (tmp_path / "again" / file.name).write_bytes(file.read_bytes())
    for there in ("more", "again"):  # by the list, and by the notes alone
        found = open_dataset(tmp_path / there)
        known = {Path(name).stem: one.kind for name, one in zip(found.sources, found.origins, strict=True)}
        for i in range(20):
            assert known[f"{i:06d}"] == ("made" if i < 8 else "")
            assert known[f"{i:06d}-1"] == ("made" if i < 8 else "changed")
        split = split_dataset(found, seed=0, join="exact")
        held = {int(stem) for stem in stems(found, np.concatenate([split.test, split.validation]))}
        assert held and min(held) >= 8


def test_the_copies_are_turned_and_recoloured(tmp_path):
    plain = torch.full((40, 3, 16, 16), 100, dtype=torch.uint8)
    plain[:, 0], plain[:, :, 7:9] = 180, 140
    augment_folder(MemoryDataset(plain), "x", tmp_path / "more", copies=1)
    copies = np.stack([np.asarray(Image.open(p)) for p in sorted((tmp_path / "more").glob("*-1.png"))]).astype(float)
    middle = copies[:, 5:7, 6:10].mean((1, 2, 3))
    assert len(np.unique(copies.reshape(40, -1), axis=0)) == 40 and middle.std() > 3
    assert json.loads((tmp_path / "more/manifest.json").read_text())["policy"] == "classic"
    slope = np.abs(copies[:, :, 5].argmax(1)[:, 0] - copies[:, :, 10].argmax(1)[:, 0])
    assert slope.max() >= 1


@pytest.mark.parametrize("word", ["export", "classic"])
def test_unread_files_end_with_3_after_all_is_written(tmp_path, word):
    pictures(tmp_path / "pics", ("a", "b"), 4)
    (tmp_path / "pics/a/torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    line = {"export": "data export pics --out o", "classic": "augment pics --classic-only --copies 1 --out o"}[word]
    with inside(tmp_path):
        done = typed(*line.split())
        assert (done.code, done.out, len(done.errors)) == (3, "o\n", 1)
        there = {"export": 8, "classic": 16}[word]
        said = f"the set is there, with {there} pictures; 1 file left out, the first: a/torn.png"
        assert said in done.errors[0]
        assert len(open_dataset("o", strict=True)) == there
        strict = typed(*line.replace("--out o", "--out p --strict").split())
        assert strict.code == 2 and not Path("p").exists()


def test_the_folder_is_whole_when_it_is_told(tmp_path):
    data = data_of(4, skipped=[("x.png", "is empty"), ("y.png", "is empty")])
    with pytest.raises(
        SomeFailed, match=r"the set is there, with 8 pictures; 2 files left out, the first: x.png is em"
    ):
        augment_folder(data, "x", tmp_path / "o", copies=1)
    assert len(open_dataset(tmp_path / "o")) == 8


@pytest.mark.parametrize("join", ["exact", "near"])
def test_copies_of_test_pictures_are_not_augmented_to_train_on(tmp_path, capsys, join):
    """Twelve of twenty-four pictures to train on were test pictures or their copies, and nothing was said."""
    pixels = data_of(24).pixels.clone()
    pixels[:3] = pixels[20:23]  # to train on what is tested
    data = MemoryDataset(pixels, np.arange(24) % 2, ("a", "b"), parts=["train"] * 18 + ["test"] * 6)
    kept = apart(data, join)
    assert len(kept) == 21 and kept.sources == data.sources[3:]
    assert "left out: 3 pictures to train on, as copies of official test or val pictures" in capsys.readouterr().err
    augment_folder(kept, "x", tmp_path / "more", copies=2, balance=True)
    split = split_dataset(open_dataset(tmp_path / "more"), seed=0, validation=0, join=join)
    counts = np.bincount(open_dataset(tmp_path / "more").labels[split.train])
    assert not len(split.dropped) and counts[0] == counts[1]
    plain = data_of()
    assert apart(plain, None) is plain


def test_a_dry_run_of_copies_refuses_what_the_run_refuses(tmp_path):
    """It promised 138 pictures, and the run refused the names of the classes."""
    pictures(tmp_path / "pics", ("Paper", "paper"), 4)
    with inside(tmp_path):
        both = [typed("augment", "pics", "--classic-only", "--out", "o", *more) for more in ((), ("--dry-run",))]
    assert [done.code for done in both] == [2, 2] and both[0].err == both[1].err and "would share" in both[0].err
    assert "as they are" not in both[0].err


def test_pictures_under_two_labels_are_told_here_too():
    pixels = data_of(20).pixels.clone()
    pixels[0] = pixels[1]
    data = MemoryDataset(pixels, np.arange(20) % 2, ("a", "b"))
    assert any("1 picture under two labels" in line for line in describe(data, 1, False))


def test_a_record_stands_for_each_file(tmp_path):
    results = augment_folder(data_of(4), "x", tmp_path / "more", copies=2)
    assert len(results) == 12 and all(path.exists() for path in results.files)
    first = next(record for record in results if record.name.endswith(", copy 2"))
    assert (first.state, first.used, first.decision) == ("done", ("classic",), "copy 2 of 2")
    assert first.before.size == first.image.size == (12, 12) and first.before.tobytes() != first.image.tobytes()
    assert results.to_json()["out"] == str(tmp_path / "more") and not results.to_json()["failed"]


def folder_bytes(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_a_kill_left_is_gone_on_with(tmp_path, monkeypatch, capsys):
    """The copies of a large folder were lost to a kill, and every file was written again."""
    data = data_of(300)
    augment_folder(data, "x", tmp_path / "whole", copies=1)
    real, written = copies.write_bytes, []

    def dying(path, content):
        if len(written) == 400:
            raise KeyboardInterrupt
        written.append(path)
        real(path, content)

    monkeypatch.setattr(copies, "write_bytes", dying)
    with pytest.raises(KeyboardInterrupt):
        augment_folder(data, "x", tmp_path / "more", copies=1)
    assert not (tmp_path / "more").exists() and len(list((tmp_path / ".more.part").rglob("*.png"))) == 400
    torn = tmp_path / ".more.part" / "a" / ".000012-1.png.999999999-1.tmp"
    torn.write_bytes(b"half")
    monkeypatch.setattr(copies, "write_bytes", real)
    results = augment_folder(data, "x", tmp_path / "more", copies=1)
    assert folder_bytes(tmp_path / "more") == folder_bytes(tmp_path / "whole")
    assert sum(record.state == "done before" for record in results) == 256 and len(results) == 600
    assert "goes on: 400 of 600 pictures are there already" in capsys.readouterr().err


@pytest.mark.parametrize("other", [{"seed": 1}, {"policy": "light"}, {"copies": 2}])
def test_what_was_begun_in_another_way_is_begun_anew(tmp_path, monkeypatch, other):
    data = data_of(6)
    augment_folder(data, "x", tmp_path / "whole", **({"copies": 1} | other))
    monkeypatch.setattr(copies, "_grouped", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        augment_folder(data, "x", tmp_path / "more", copies=1)
    monkeypatch.undo()
    results = augment_folder(data, "x", tmp_path / "more", **({"copies": 1} | other))
    assert not any(record.state == "done before" for record in results)
    assert folder_bytes(tmp_path / "more") == folder_bytes(tmp_path / "whole")


class Going(MemoryDataset):
    """Its last picture goes while others are written."""

    gone = True

    def images(self, index):
        if self.gone and len(self) - 1 in np.asarray(index).tolist():
            raise BadInput("a picture can no longer be read", self.sources[-1])
        return super().images(index)


def test_a_picture_that_goes_meanwhile_stops_it_and_the_rest_is_kept(tmp_path):
    """The set was made without it, whole in name, and the same call could not go on once the disk was back."""
    data = Going(data_of(200).pixels, np.arange(200) % 2, ("a", "b"))
    data.hashes = item_digests(data_of(200))
    with pytest.raises(BadInput, match="can no longer be read"):
        augment_folder(data, "x", tmp_path / "more", copies=1)
    assert not (tmp_path / "more").exists() and len(list((tmp_path / ".more.part").rglob("*.png"))) == 256
    data.gone = False
    results = augment_folder(data, "x", tmp_path / "more", copies=1)
    augment_folder(data, "x", tmp_path / "whole", copies=1)
    assert folder_bytes(tmp_path / "more") == folder_bytes(tmp_path / "whole")
    assert sum(record.state == "done before" for record in results) == 256


def test_two_at_once_do_not_write_one_folder(tmp_path, monkeypatch):
    """The second took away what the first was writing, which then listed 3,600 files of which 216 were there."""
    data, real = data_of(6), copies.write_bytes

    def second(path, content):
        with pytest.raises(BadInput, match="another process is at work in this folder"):
            augment_folder(data, "x", tmp_path / "more", copies=2, seed=5)
        real(path, content)

    monkeypatch.setattr(copies, "write_bytes", second)
    augment_folder(data, "x", tmp_path / "more", copies=1)
    assert len(open_dataset(tmp_path / "more", strict=True)) == 12


def test_files_that_go_while_others_are_written_are_missed(tmp_path, monkeypatch):
    real = copies._Copying.finish

    def losing(work, held):
        next(work.aside.rglob("*-1.png")).unlink()
        real(work, held)

    monkeypatch.setattr(copies._Copying, "finish", losing)
    with pytest.raises(BadInput, match="1 file went while others were written"):
        augment_folder(data_of(6), "x", tmp_path / "more", copies=1)
    monkeypatch.undo()
    augment_folder(data_of(6), "x", tmp_path / "more", copies=1)
    assert len(open_dataset(tmp_path / "more", strict=True)) == 12


@pytest.mark.parametrize("line", ["augment pics --classic-only --copies 1 --out more", "data export pics --out more"])
def test_a_hidden_folder_of_somebody_stays(tmp_path, line):
    pictures(tmp_path / "pics", ("a", "b"), 2)
    (tmp_path / ".more.part").mkdir()
    (tmp_path / ".more.part" / "diary.txt").write_text("precious")
    with inside(tmp_path):
        done = typed(*line.split())
    assert (tmp_path / ".more.part" / "diary.txt").read_text() == "precious"
    assert done.code == (2 if "augment" in line else 0) and (done.code == 0 or "in the way" in done.err)


def test_long_names_that_begin_alike_have_folders_of_their_own(tmp_path):
    works = [copies._Copying(data_of(2), Path("x"), tmp_path / ("n" * 210 + end), *[None] * 4) for end in "AB"]
    assert works[0].aside != works[1].aside and len(works[0].aside.name) < 230


@pytest.mark.parametrize("line", ["augment pics --classic-only --copies 1 --out more", "data export pics --out more"])
def test_classes_called_as_the_files_beside_them(tmp_path, line):
    """Thirty pictures were left out, or all work was for nothing: a folder stood where a file was needed."""
    pictures(tmp_path / "pics", ("manifest.json", "zeuxis.json", ".request.json", "request.json"), 2)
    (tmp_path / "pics/.request.json").rename(tmp_path / "pics/other")
    with inside(tmp_path):
        assert typed(*line.split()).code == 0
        assert open_dataset("more", strict=True).spec.classes == open_dataset("pics").spec.classes


def test_the_same_command_again_finds_it_done(tmp_path):
    pictures(tmp_path / "pics", ("a", "b"), 3)
    line = "augment pics --classic-only --copies 1 --out more"
    with inside(tmp_path):
        first, again = typed(*line.split()), typed(*line.split(), "--json")
        assert first.code == again.code == 0 and "done already" in again.err
        assert {p["state"] for p in json.loads(again.out)["pictures"]} == {"done before"}
        other = typed(*line.split(), "--seed", "1")
        assert other.code == 2 and "not an empty folder" in other.err
        Path("more/a/000000-1.png").unlink()
        assert typed(*line.split()).code == 2


def test_before_is_the_persons_file_and_what_was_left_out_is_a_record_too(tmp_path, monkeypatch):
    """It was looked for below the working folder, where another picture of that name may lie."""
    pictures(tmp_path / "pics", ("a", "b"), 3)
    (tmp_path / "pics/a/torn.png").write_bytes(b"\x89PNG torn")
    (tmp_path / "a").mkdir()
    Image.new("RGB", (7, 5), "red").save(tmp_path / "a/00.png")
    with inside(tmp_path), pytest.raises(SomeFailed) as error:
        zeuxis.augment("pics", classic_only=True, copies=1, out="more")
    with inside(tmp_path):
        results = error.value.results
        assert results[0].source == Path("pics/a/00.png") and results[0].before.size == results[0].image.size
        assert [record.name for record in results if record.state == "failed"] == ["a/torn.png"]
        assert [lost["name"] for lost in results.to_json()["failed"]] == ["a/torn.png"]
        shutil.make_archive("zipped", "zip", "pics")
        with pytest.raises(SomeFailed) as error:
            zeuxis.augment("zipped.zip", classic_only=True, copies=1, out="again")
        assert error.value.results[0].before.size == results[0].image.size
