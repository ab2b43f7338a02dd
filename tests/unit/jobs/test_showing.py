"""`data show` tells how a collection is read: parts, groups, families, what is there twice, what is left out."""

import re

import numpy as np
import pytest
from PIL import Image

import zeuxis
from tests.stories.commands import inside, typed
from zeuxis.data.loading import Taken
from zeuxis.data.trees import Where
from zeuxis.errors import BadInput
from zeuxis.jobs.showing import parts_unseen, shown
from zeuxis.jobs.sources import Source
from zeuxis.pictures.png import write_png


def put(folder, *places, size=(9, 8)):
    for i, place in enumerate(places):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(i).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return folder


def test_what_is_shown(tmp_path, capsys):
    put(
        tmp_path, *[f"{p}/{c}/{i}.png" for p in ("train", "val", "test") for c in "ab" for i in range(3)], "extra/1.png"
    )
    (tmp_path / "train" / "b" / "0.png").write_bytes((tmp_path / "train" / "a" / "0.png").read_bytes())
    (tmp_path / "train" / "a" / "2.png").write_bytes((tmp_path / "train" / "a" / "1.png").read_bytes())
    found = shown(Source(str(tmp_path)))
    assert found["classes"] == {"a": 9, "b": 9} and found["parts"] == {"train": 6, "val": 6, "test": 6}
    assert found["two labels"] == [{"train/a/0.png": "a", "train/b/0.png": "b"}]
    assert found["families"]["families"] == found["families"]["equal pixels"] == 2
    assert found["families"]["pictures"] == 4 and len(found["families"]["largest"]) == 2
    assert found["remarks"] == ["left out: 1 picture in `extra`, beside the parts"]
    assert "zeuxis: left out: 1 picture in `extra`" in capsys.readouterr().err


def test_what_is_printed_can_be_read(tmp_path):
    """It printed "families families 1, pictures 2, nearly equal 1, largest 2: ...", a digest, and "remarks 0"."""
    data = put(tmp_path / "data", *[f"{c}/{i}.png" for c in "ab" for i in range(3)])
    with inside(tmp_path):
        plain = typed("data", "show", "data").out
        (data / "a/2.png").write_bytes((data / "a/1.png").read_bytes())
        one = typed("data", "show", "data").out
        (data / "b/2.png").write_bytes((data / "b/1.png").read_bytes())
        several = typed("data", "show", "data", "--range", "255", "--frames", "all").out
    assert "families        none: no picture belongs to another\n" in plain and "digest" not in plain
    assert "remarks         none\nskipped         none\n" in plain
    line = "families        2 pictures stay together (equal pixels): a/1.png, a/2.png; `--page FILE` shows them\n"
    assert line in one
    assert "4 pictures in 2 families stay together (2 equal pixels); the largest: a/1.png, a/2.png; `--page" in several
    assert re.search(r"\nremarks         \S[^\n]*\n {16}\S", several), "each remark is a line of its own"


def test_pictures_without_a_group_are_no_groups(tmp_path):
    put(tmp_path, *[f"{i}.png" for i in range(6)])
    lines = [f"{i}.png,{'ab'[i % 2]},{['g', 'g', 'h', '', '', ''][i]}" for i in range(6)]
    (tmp_path / "t.csv").write_text("\n".join(["file,label,group", *lines]))
    assert shown(Source(str(tmp_path / "t.csv")))["groups"] == 2


def test_groups_and_frames_are_shown(tmp_path):
    put(tmp_path, *[f"{p}/{c}/{i}.png" for p in ("p1", "p2") for c in "ab" for i in range(2)])
    frames = [Image.new("RGB", (8, 9), (i, 0, 0)) for i in (10, 200)]
    frames[0].save(tmp_path / "p1" / "a" / "moving.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(BadInput, match="--classes-at 2 --group-at 1"):
        shown(Source(str(tmp_path)))

    found = shown(Source(str(tmp_path), where=Where(2, 1)))
    assert found["groups"] == 2 and found["families"]["one group"] == 2 and found["classes"] == {"a": 5, "b": 4}
    assert found["frames left out"] == ["p1/a/moving.gif"] and found["two labels"] == []


def test_where_sizes_differ_the_parts_are_shown_too(tmp_path):
    put(tmp_path, "train/a/1.png", "train/b/1.png")
    put(tmp_path, "test/a/1.png", "test/b/1.png", size=(5, 5))
    found = shown(Source(str(tmp_path)))
    assert found["digest"] is None and found["parts"] == {"test": 2, "train": 2} and found["groups"] == 0


def test_where_sizes_differ_families_remarks_and_the_page_are_there_too(tmp_path, capsys):
    """A copy at half the size, the same picture under two labels, frames that are left out, a torn file."""
    data = put(tmp_path / "data", "a/1.png", "b/2.png", size=(96, 72))
    put(data, "a/3.png", size=(60, 90))
    with Image.open(data / "a/1.png") as image:
        smooth = image.resize((12, 9)).resize((72, 96), Image.Resampling.BICUBIC)
    smooth.save(data / "a/1.png")
    smooth.resize((144, 192), Image.Resampling.BICUBIC).save(data / "a/large.png")
    (data / "b/same.png").write_bytes((data / "a/1.png").read_bytes())
    frames = [Image.new("RGB", (80, 90), (i, 0, 0)) for i in (10, 200)]
    frames[0].save(data / "b/moving.gif", save_all=True, append_images=frames[1:])
    (data / "b/torn.png").write_bytes(b"torn")
    found = shown(Source(str(data)), tmp_path / "page.html")
    assert found["pictures"] == 6 and found["height"] is None and found["sizes"]["different"] == 4
    assert found["sizes"]["compared at"].startswith("64x64,")
    assert sorted(found["families"]["largest"]) == ["a/1.png", "a/large.png", "b/same.png"]
    assert found["two labels"] == [{"a/1.png": "a", "b/same.png": "b"}]
    assert found["frames left out"] == ["b/moving.gif"] and found["skipped"][0][0] == "b/torn.png"
    assert any("--frames all` takes them" in line for line in found["remarks"])
    assert "--frames all` takes them" in capsys.readouterr().err
    assert (tmp_path / "page.html").read_text().count("<img ") == 3
    with pytest.raises(BadInput, match="torn"):
        shown(Source(str(data), strict=True))


def test_flags_that_change_nothing_are_said(tmp_path):
    data = put(tmp_path / "data", "a/1.png", "b/2.png")
    taken = Taken(frames="all", white=4095)
    lines = ["`--range 4095` changes nothing: no file here has more than 8 bits"]
    lines += ["`--frames all` changes nothing: every file here has one frame or page"]
    for source in (str(data), "fashion-mini"):
        assert shown(Source(source, taken=taken))["remarks"] == lines
    Image.fromarray(np.full((9, 8), 4000, np.uint16)).save(data / "a/1.png")
    told = shown(Source(str(data), channels=3, taken=taken))["remarks"]
    assert lines[0] not in told and lines[1] in told and any("4095 is white" in line for line in told)


def test_the_words_of_a_run_open_the_same(tmp_path):
    put(tmp_path, *[f"{p}/{c}/{i}.png" for p in ("p1", "p2") for c in "ab" for i in range(2)])

    source = Source(str(tmp_path), where=Where(2, 1))
    data = source.open()
    again = Source.from_words(source.words(data)).open()
    assert again.digest == data.digest and again.groups == data.groups


def test_what_is_said_of_a_set_names_parameters_in_python(tmp_path):
    """What Python got back named flags."""
    for name, size in (("a", (8, 8)), ("b", (9, 8))):
        Image.new("RGB", size).save(tmp_path / f"{name}.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "c.tif", save_all=True, append_images=[Image.new("RGB", (8, 8), "red")])
    assert zeuxis.data_show(tmp_path)["sizes"]["to train"] == "give size=, such as `size=64`"
    remark, unseen = zeuxis.data_show(tmp_path, size=8)["remarks"]
    assert "below 48 px parts of one picture are not looked for" in unseen and "without size=" in unseen
    assert f"`zeuxis.data_show({str(tmp_path)!r})`" in unseen
    source = Source(str(tmp_path), size=8)
    assert f"`zeuxis data show {tmp_path}`" in parts_unseen(source, source.open())[0]
    assert remark.endswith("`frames='all'` takes them")


def test_what_is_odd_about_parts_is_told(tmp_path):
    """A patient on both sides, a class that only the test part has, one that it lacks."""
    put(tmp_path, *[f"img/{i}.png" for i in range(8)])
    rows = ["train,a,p1", "train,a,p2", "train,b,p3", "train,b,p4", "test,a,p1", "test,a,p5", "test,c,p6", "test,c,p7"]
    lines = [f"img/{i}.png,{row}" for i, row in enumerate(rows)]
    (tmp_path / "t.csv").write_text("\n".join(["file,part,label,group", *lines]) + "\n")
    found = shown(Source(str(tmp_path / "t.csv")))
    assert found["remarks"] == [
        "the train part has no picture of `c`",
        "the test part has no picture of `b`",
        "1 family that must stay together is in several parts, such as img/0.png: training leaves out what shares one "
        "with a picture held out",
    ]


def test_depth_and_transparency_are_told(tmp_path, capsys):
    """Both were only in the docs: what training sees of such files is less than what they hold."""
    put(tmp_path, "a/1.png", "b/2.png")
    values = np.random.default_rng(0).integers(0, 65536, (9, 8)).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "a" / "deep.png")
    clear = Image.fromarray(np.full((9, 8, 4), 120, np.uint8))
    clear.save(tmp_path / "b" / "clear.png")
    clear.putalpha(255)
    clear.save(tmp_path / "b" / "opaque.png")
    found = shown(Source(str(tmp_path)))
    told = ["1 picture with transparency: laid on white; `--channels 4` keeps what is transparent"]
    told.append("1 picture of 16 bits is read as 8")
    said = capsys.readouterr().err
    assert found["remarks"] == told and all(words in said for words in told)
    assert not any("transparent" in words for words in shown(Source(str(tmp_path), channels=4))["remarks"])


def test_folders_and_values_that_are_read_as_one_part_are_named(tmp_path):
    put(tmp_path / "tree", *[f"{p}/{c}/{i}.png" for p in ("train", "train2", "test") for c in "ab" for i in range(2)])
    found = shown(Source(str(tmp_path / "tree")))
    assert found["parts"] == {"test": 4, "train": 8} and found["remarks"] == [
        "the folders `train`, `train2` are one part, train"
    ]
    put(tmp_path, *[f"img/{i}.png" for i in range(6)])
    rows = [
        f"img/{i}.png,{'ab'[i % 2]},{part}"
        for i, part in enumerate(["train", "training"] + ["learn"] * 2 + ["test"] * 2)
    ]
    (tmp_path / "t.csv").write_text("\n".join(["file,label,part", *rows]) + "\n")
    assert shown(Source(str(tmp_path / "t.csv")))["remarks"] == [
        "in the column `part` `learn`, `train`, `training` are one part, train"
    ]


def test_pictures_of_a_model_are_told(tmp_path):
    """They were counted as a class of their own, and a training left them out."""
    put(tmp_path, *[f"{c}/{i}.png" for c in "ab" for i in range(4)])
    for i in range(2):
        write_png(tmp_path / "c" / f"{i}.png", np.full((9, 8, 3), 40 * i, np.uint8), {"recipe": "gan", "seed": i})
    left = "2 pictures were made by a model: training leaves them out, unless you give `--generated train`"
    assert shown(Source(str(tmp_path)))["remarks"] == [left]
    put(tmp_path, "a/odd.png", size=(20, 20))
    assert left in shown(Source(str(tmp_path)))["remarks"], "where sizes differ, too"


def test_a_long_look_for_copies_is_announced(tmp_path, capsys, monkeypatch):
    put(tmp_path, *[f"{i}.png" for i in range(4)])
    shown(Source(str(tmp_path)))
    assert "looking for copies" not in capsys.readouterr().err
    monkeypatch.setattr("zeuxis.jobs.held_out._MANY", 3)
    shown(Source(str(tmp_path)))
    assert "zeuxis: looking for copies among 4 pictures" in capsys.readouterr().err
    shown(Source(str(tmp_path), join="exact"))
    assert "looking for copies" not in capsys.readouterr().err
