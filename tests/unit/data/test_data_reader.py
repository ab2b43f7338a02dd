import csv
import gzip
import json
import struct
import tracemalloc
import unicodedata
import weakref
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from zeuxis.data import reader
from zeuxis.data.decode import FITS
from zeuxis.data.listing import Entry
from zeuxis.data.loading import file_loader
from zeuxis.data.memory import MemoryDataset
from zeuxis.data.reader import FileDataset, natural, open_dataset
from zeuxis.errors import BadInput


def picture(value, height=6, width=8, mode="RGB"):
    rng = (np.arange(height * width * 3).reshape(height, width, 3) * 7 + value * 31) % 256
    return Image.fromarray(rng.astype(np.uint8)).convert(mode)


def save(path, value, **given):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(value, **given).save(path)
    return path


def tree(root, places):
    for i, place in enumerate(places):
        save(root / place, i)
    return root


def labels_by_source(data):
    if data.labels is None:
        return dict.fromkeys(data.sources)
    return {s: data.spec.classes[k] for s, k in zip(data.sources, data.labels, strict=True)}


def test_a_folder_per_class(tmp_path):
    data = open_dataset(tree(tmp_path, ["b/1.png", "a/2.png", "a/1.png"]))
    assert labels_by_source(data) == {"a/1.png": "a", "a/2.png": "a", "b/1.png": "b"}
    assert data.spec.classes == ("a", "b") and data.spec.channels == 3
    assert (data.spec.height, data.spec.width) == (6, 8)
    assert (data.item(2).image == np.asarray(picture(0))).all()


@pytest.mark.parametrize(
    ("places", "wanted"),
    [
        (["1.png", "2.png"], {"1.png": None, "2.png": None}),
        (["x/1.png", "x/2.png"], {"x/1.png": None, "x/2.png": None}),
        (["1.png", "x/2.png"], {"1.png": None, "x/2.png": None}),
        (["w/v/a/1.png", "w/v/b/2/3/4.png"], {"w/v/a/1.png": "a", "w/v/b/2/3/4.png": "b"}),
        (["a/x/1.png", "a/y/1.png", "b/1.png"], {"a/x/1.png": "a", "a/y/1.png": "a", "b/1.png": "b"}),
    ],
)
def test_flat_and_nested_folders(tmp_path, places, wanted):
    assert labels_by_source(open_dataset(tree(tmp_path, places))) == wanted


def test_train_and_test_folders_are_the_official_parts(tmp_path):
    data = open_dataset(tree(tmp_path, ["s/train/a/1.png", "s/train/b/2.png", "s/val/a/3.png", "s/test/b/4.png"]))
    assert labels_by_source(data) == {
        "s/test/b/4.png": "b",
        "s/train/a/1.png": "a",
        "s/train/b/2.png": "b",
        "s/val/a/3.png": "a",
    }
    assert data.parts == ["test", "train", "train", "val"]


def test_a_loose_picture_beside_class_folders_is_listed(tmp_path):
    data = open_dataset(tree(tmp_path, ["a/1.png", "b/1.png", "loose.png"]))
    assert len(data) == 2 and data.skipped == [("loose.png", "lies beside the class folders, so it has no class")]
    with pytest.raises(BadInput, match="loose.png"):
        open_dataset(tmp_path, strict=True)


def test_what_desktops_leave_behind_is_passed_over(tmp_path):
    tree(tmp_path, ["a/1.png", "b/1.png", "__MACOSX/a/1.png", ".cache/1.png", "a/._1.png"])
    for name in ("a/Thumbs.db", "a/.DS_Store", "labels.csv", "LICENSE.txt", "a/desktop.ini"):
        (tmp_path / name).write_text("x")
    data = open_dataset(tmp_path, strict=True)
    assert data.sources == ["a/1.png", "b/1.png"] and data.skipped == []


def test_links_are_followed_once(tmp_path):
    tree(tmp_path, ["real/a/1.png", "set/b/1.png"])
    (tmp_path / "set" / "a").symlink_to(tmp_path / "real" / "a")
    (tmp_path / "set" / "b" / "loop").symlink_to(tmp_path / "set")
    (tmp_path / "set" / "b" / "gone.png").symlink_to(tmp_path / "nowhere")
    assert open_dataset(tmp_path / "set").sources == ["a/1.png", "b/1.png"]


def test_a_zip_reads_as_the_folder_it_was(tmp_path):
    folder = tree(tmp_path / "set", ["a/1.png", "b/1.png", "b/2.png"])
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path))
        archive.writestr("../out.png", b"x")
        archive.writestr("/abs.png", b"x")
        archive.writestr("set/a/._1.png", b"x")
    data, same = open_dataset(tmp_path / "set.zip"), open_dataset(folder)
    assert data.digest == same.digest
    assert [name for name, _ in data.skipped] == ["../out.png", "/abs.png"]
    lazy = open_dataset(tmp_path / "set.zip", memory_limit=1)
    assert isinstance(lazy, FileDataset) and torch.equal(lazy.images([2, 0]), data.images([2, 0]))


class Raw(zipfile.ZipInfo):
    """A member whose name is written in an encoding that the zip does not tell."""

    encoding = "utf-8"

    def _encodeFilenameFlags(self):
        return self.filename.encode(self.encoding), self.flag_bits & ~0x800


def test_zips_of_other_systems(tmp_path):
    png = save(tmp_path / "x.png", 1).read_bytes()
    with zipfile.ZipFile(tmp_path / "windows.zip", "w") as archive:
        for folder in ("set\\10:30", "set\\café"):
            archive.writestr(zipfile.ZipInfo(f"{folder}\\"), b"")
            archive.writestr(f"{folder}\\1.png", png)
        archive.writestr("C:\\out.png", png)
    data = open_dataset(tmp_path / "windows.zip")
    assert data.spec.classes == ("10:30", "café") and [name for name, _ in data.skipped] == ["C:/out.png"]
    for encoding, name, remarks in (("utf-8", "käfer", 0), ("cp1252", "kΣfer", 1)):
        Raw.encoding = encoding
        with zipfile.ZipFile(tmp_path / f"{encoding}.zip", "w") as archive:
            for folder in ("käfer", "maus"):
                archive.writestr(Raw(f"{folder}/1.png"), png)
        data = open_dataset(tmp_path / f"{encoding}.zip")
        assert data.spec.classes == (name, "maus") and len(data.remarks) == remarks
        assert not remarks or "may be misread" in data.remarks[0]


def test_one_name_in_two_unicode_forms_is_one_class_and_names_are_one_line(tmp_path):
    wide, narrow = (unicodedata.normalize(form, "café") for form in ("NFD", "NFC"))
    tree(tmp_path, [f"{wide}/1.png", f"{narrow}/2.png", "new\nline/1.png", "sep\u2028x/a\x85b.png"])
    data = open_dataset(tmp_path, strict=True)
    assert data.spec.classes == (narrow, "new\\nline", "sep\\u2028x") and data.labels.tolist().count(0) == 2
    assert all(len(name.splitlines()) == 1 for name in (*data.spec.classes, *data.sources))


def test_csv_with_groups(tmp_path):
    tree(tmp_path / "p", ["1.png", "2.png", "3.png"])
    with open(tmp_path / "t.csv", "w", newline="") as file:
        csv.writer(file).writerows(
            [("File", "label", "group"), ("p/2.png", 10, "g"), ("p/1.png", 9, "g"), ("p/3.png", 10, "")]
            + [("p/4.png", 9, "g"), ("p/1.png", "", "")]
        )
    data = open_dataset(tmp_path / "t.csv")
    assert data.sources == ["p/2.png", "p/1.png", "p/3.png"]
    assert data.spec.classes == ("9", "10") and data.labels.tolist() == [1, 0, 1]
    assert data.groups == ["g", "g", "p/3.png"]
    assert sorted(data.skipped) == [("p/1.png", "has no label"), ("p/4.png", "does not exist")]


@pytest.mark.parametrize(
    "text", ["file;label\np/1.png;a\n", "\ufefffile\tlabel\r\np/1.png\ta\r\n", 'file, label\n"p/1.png", a']
)
def test_csv_as_spreadsheets_write_it(tmp_path, text):
    tree(tmp_path / "p", ["1.png"])
    (tmp_path / "t.csv").write_bytes(text.encode())
    assert labels_by_source(open_dataset(tmp_path / "t.csv")) == {"p/1.png": "a"}


def test_jsonl_with_parts(tmp_path):
    tree(tmp_path / "p", ["1.png", "2.png"])
    rows = [{"file": "p/1.png", "label": 1, "part": "train"}, {"file": "p/2.png", "label": "b", "part": "test"}]
    lines = [json.dumps(row) for row in rows] + ["{", '{"label": "x"}', ""]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    data = open_dataset(tmp_path / "t.jsonl")
    assert labels_by_source(data) == {"p/1.png": "1", "p/2.png": "b"} and data.parts == ["train", "test"]
    assert [name for name, _ in data.skipped] == ["line 3", "line 4"]
    with pytest.raises(BadInput, match="line 3"):
        open_dataset(tmp_path / "t.jsonl", strict=True)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("t.csv", "", "no column `file`"),
        ("t.csv", "name,label\n1.png,a\n", "no column `file`"),
        ("t.csv", "file,label\n", "names no picture"),
        ("t.csv", "file,label\n1.png,a\n", "does not exist"),
        ("t.jsonl", "nonsense\n", "names no picture: line 1"),
        ("t.txt", "file\n1.png\n", "no collection"),
        ("t.csv", b"file,label\n\xff.png,a\n", "UTF-8"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, name, text, words):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadInput, match=words) as caught:
        open_dataset(tmp_path / name)
    assert "\n" not in str(caught.value)


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_idx_file_alone_with_labels_resized_and_lazy(tmp_path):
    pixels = (np.arange(5 * 6 * 8) % 256).astype(np.uint8).reshape(5, 6, 8)
    (tmp_path / "some-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(pixels)))
    bare = open_dataset(tmp_path / "some-images-idx3-ubyte.gz")
    assert bare.labels is None and bare.spec.classes == () and bare.parts is None
    assert (bare.images([4, 0])[:, 0].numpy() == pixels[[4, 0]]).all()
    (tmp_path / "some-labels-idx1-ubyte").write_bytes(idx(np.array([0, 2, 1, 2, 0], np.uint8)))
    data = open_dataset(tmp_path)
    assert data.labels.tolist() == [0, 2, 1, 2, 0] and data.spec.classes == ("0", "1", "2")
    coloured = open_dataset(tmp_path, channels=3, size=(3, 4))
    lazy = open_dataset(tmp_path, channels=3, size=(3, 4), memory_limit=10)
    assert isinstance(coloured, MemoryDataset) and isinstance(lazy, FileDataset)
    assert coloured.spec == lazy.spec and coloured.digest == lazy.digest
    assert torch.equal(coloured.images([1, 3]), lazy.images([1, 3])) and lazy.labels.tolist() == [0, 2, 1, 2, 0]


def write_idx(folder, name, n, first=0, classes=3):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(idx(np.arange(n * 6, dtype=np.uint8).reshape(n, 2, 3)))
    labels = (np.arange(n) % classes + first).astype(np.uint8)
    (folder / name.replace("images", "labels").replace("idx3", "idx1")).write_bytes(idx(labels))


def test_idx_labels_that_begin_at_one_and_parts_in_the_middle_of_names(tmp_path):
    for part, n in (("train", 6), ("test", 4)):
        write_idx(tmp_path, f"emnist-letters-{part}-images-idx3-ubyte", n, first=1)
    data = open_dataset(tmp_path)
    assert data.spec.classes == ("1", "2", "3") and data.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    assert data.parts == ["train"] * 6 + ["test"] * 4
    write_idx(tmp_path, "emnist-digits-train-images-idx3-ubyte", 6)
    with pytest.raises(BadInput, match="files of several sets"):
        open_dataset(tmp_path)
    assert len(open_dataset(tmp_path / "emnist-digits-train-images-idx3-ubyte")) == 6


@pytest.mark.parametrize("inside", ["raw", "MNIST/raw", "of its own name"])
def test_idx_files_some_folders_down(tmp_path, inside):
    for part, n in (("train", 6), ("t10k", 3)):
        for kind in ("images-idx3", "labels-idx1"):
            name = f"{part}-{kind}-ubyte"
            array = (
                np.arange(n * 6, dtype=np.uint8).reshape(n, 2, 3) if "3" in kind else np.arange(n, dtype=np.uint8) % 3
            )
            path = tmp_path / (name if inside == "of its own name" else inside) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(idx(array))
    data = open_dataset(tmp_path)
    assert data.parts == ["train"] * 6 + ["test"] * 3 and data.labels.tolist() == [0, 1, 2] * 3


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\x00\x08\x03\x00\x00",
        struct.pack(">HBB3I", 0, 8, 3, 5, 6, 8) + bytes(10),
        struct.pack(">HBB3I", 0, 8, 3, 1 << 31, 1 << 10, 1 << 10),
        gzip.compress(idx(np.zeros((5, 6, 8), np.uint8)), mtime=0)[:-20],
        struct.pack(">HBB3I", 0, 8, 3, 0, 6, 8),
    ],
)
def test_damaged_idx_files(tmp_path, content):
    (tmp_path / "x-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(BadInput):
        open_dataset(tmp_path / "x-images-idx3-ubyte")


def test_labels_that_do_not_count_the_pictures(tmp_path):
    (tmp_path / "x-images-idx3-ubyte").write_bytes(idx(np.zeros((5, 6, 8), np.uint8)))
    (tmp_path / "x-labels-idx1-ubyte").write_bytes(idx(np.zeros(4, np.uint8)))
    with pytest.raises(BadInput, match="4 labels for 5 pictures"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("extra", [1, 2])
def test_cifar_binary_files(tmp_path, extra):
    rng = (np.arange(3 * (3072 + extra)) * 13 % 256).astype(np.uint8).reshape(3, -1)
    rng[:, :extra] = np.array([[9, 9, 9], [0, 11, 5]]).T[:, -extra:]
    names = ("data_batch_1.bin", "test_batch.bin") if extra == 1 else ("train.bin", "test.bin")
    (tmp_path / names[0]).write_bytes(rng[:2].tobytes())
    (tmp_path / names[1]).write_bytes(rng[2:].tobytes())
    data = open_dataset(tmp_path)
    assert data.labels.tolist() == [0, 11, 5] and data.parts == ["train", "train", "test"]
    assert (data.images([1])[0].numpy() == rng[1, extra:].reshape(3, 32, 32)).all()
    alone = open_dataset(tmp_path / names[1])
    assert len(alone) == 1 and alone.parts is None
    (tmp_path / names[1]).write_bytes(bytes(100))
    with pytest.raises(BadInput):
        open_dataset(tmp_path / names[1])


def test_channels_follow_the_pictures(tmp_path):
    save(tmp_path / "1.png", 1, mode="L")
    assert open_dataset(tmp_path).spec.channels == 1
    picture(1, mode="L").convert("RGB").save(tmp_path / "2.png")
    grey = open_dataset(tmp_path)
    assert grey.spec.channels == 1 and torch.equal(grey.pixels[0], grey.pixels[1])
    save(tmp_path / "3.png", 1)
    mixed = open_dataset(tmp_path)
    assert mixed.spec.channels == 3 and torch.equal(mixed.pixels[0], grey.pixels[0].repeat(3, 1, 1))
    for limit in (2 << 30, 1):
        assert open_dataset(tmp_path, memory_limit=limit).digest == mixed.digest


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("fit", sorted(FITS))
def test_every_shape_in_memory_and_on_demand(tmp_path, channels, fit):
    for i, mode in enumerate(["RGB", "L", "RGBA", "LA", "1"]):
        save(tmp_path / f"{i}.png", i, mode=mode, height=5 + i, width=30 - 5 * i)
    data = open_dataset(tmp_path, size=(7, 9), channels=channels, fit=fit)
    lazy = open_dataset(tmp_path, size=(7, 9), channels=channels, fit=fit, memory_limit=1)
    assert data.images([0]).shape == (1, channels, 7, 9)
    assert data.digest == lazy.digest and data.spec == lazy.spec and len(lazy) == 5
    assert torch.equal(data.images(np.arange(5)), lazy.images(torch.arange(5)))
    assert (lazy.item(3).image == data.item(3).image).all() and lazy.hashes == data.hashes
    assert lazy.images([]).shape == (0, channels, 7, 9)


def test_fits_by_name(tmp_path):
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255
    Image.fromarray(wide).save(tmp_path / "x.png")
    crop = open_dataset(tmp_path, size=10, fit="crop").images([0])
    assert (crop == 255).all()
    pad = open_dataset(tmp_path, size=30, fit="pad").images([0])[0, 0]
    assert (pad[10:20] == torch.from_numpy(wide[..., 0])).all() and not pad[:10].any() and not pad[20:].any()
    stretch = open_dataset(tmp_path, size=(10, 3), fit="stretch").images([0])[0, 0]
    assert stretch[:, 1].min() > 200 and stretch[:, 0].max() < 60
    assert (
        open_dataset(tmp_path, size=(10, 3), fit="fit").digest
        == open_dataset(tmp_path, size=(10, 3), fit="stretch").digest
    )


def test_pictures_that_differ_in_size_ask_for_one(tmp_path):
    save(tmp_path / "1.png", 1)
    save(tmp_path / "2.png", 1, height=7)
    with pytest.raises(BadInput, match="differ in size.*--size"):
        open_dataset(tmp_path)
    assert len(open_dataset(tmp_path, size=5)) == 2


def test_a_generated_picture_is_known_by_its_note(tmp_path):
    from zeuxis.pictures.png import write_png

    write_png(tmp_path / "made.png", np.zeros((6, 8), np.uint8), {"recipe": "cgan"})
    save(tmp_path / "real.png", 1)
    assert open_dataset(tmp_path).generated == [True, False]


def test_a_picture_that_changes_under_a_lazy_dataset_is_noticed(tmp_path):
    for i in range(3):
        save(tmp_path / f"{i}.png", i)
    data = open_dataset(tmp_path, memory_limit=1)
    save(tmp_path / "1.png", 1, height=9)
    (tmp_path / "2.png").unlink()
    assert data.images([0]).shape == (1, 3, 6, 8)
    with pytest.raises(BadInput, match="has changed.*1.png"):
        data.images([0, 1])
    with pytest.raises(BadInput, match="can no longer be read.*2.png"):
        data.item(2)
    assert data.images([0]).shape == (1, 3, 6, 8)


@pytest.mark.parametrize(
    "wrong",
    [{"fit": "cut"}, {"channels": 5}, {"channels": 0}, {"size": 0}, {"size": (-1, 4)}, {"size": 1 << 20}],
)
def test_wrong_settings(tmp_path, wrong):
    save(tmp_path / "1.png", 1)
    with pytest.raises(BadInput):
        open_dataset(tmp_path, **wrong)


def test_sources_that_are_not_there(tmp_path):
    with pytest.raises(BadInput, match="did you mean `fashion-mini`"):
        open_dataset("fashion-min")
    with pytest.raises(BadInput, match="no such file"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="no picture here"):
        open_dataset(tmp_path)
    with pytest.raises(BadInput, match="no collection"):
        open_dataset(save(tmp_path / "1.png", 1))


def test_a_raised_error_holds_no_lock(tmp_path):
    save(tmp_path / "1.png", 1)
    save(tmp_path / "2.png", 1, height=7)
    with pytest.raises(BadInput) as caught:
        open_dataset(tmp_path)
    assert len(open_dataset(tmp_path, size=4)) == 2 and caught.value.exit_code == 2


@given(st.lists(st.text(max_size=3)))
def test_class_names_are_sorted_and_distinct(names):
    found = natural(names)
    assert set(found) == set(names) and len(found) == len(set(names))


def test_numbers_sort_by_value():
    assert natural(["10", "9", "9"]) == ("9", "10")
    assert natural(["10", "9", "a"]) == ("10", "9", "a")


# ------------------------------------------------------------------ memory


def plain_pictures(root, n, side):
    """n single-colour PNG files, small on the disk and 3 side^2 bytes each in memory."""
    root.mkdir()
    for i in range(n):
        Image.new("RGB", (side, side), (i, 40, 3 * i)).save(root / f"{i:03d}.png")
    return root


def test_past_the_memory_limit_no_picture_is_held(tmp_path):
    whole = 40 * 3 * 256 * 256
    plain_pictures(tmp_path / "set", 40, 256)
    tracemalloc.start()
    try:
        data = open_dataset(tmp_path / "set", memory_limit=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(data, FileDataset) and len(data) == 40
    assert peak < whole / 2


def test_pictures_are_let_go_while_they_are_stacked():
    pixels = [np.full((5, 7, 3), i, np.uint8) for i in range(6)]
    held = [weakref.ref(one) for one in pixels]
    whole = reader._stacked(pixels, 3)
    assert whole.shape == (6, 3, 5, 7) and whole[4].unique().tolist() == [4]
    assert [ref() for ref in held] == [None] * 6


def test_what_is_known_of_a_picture_does_not_hold_its_pixels(tmp_path):
    listing = [
        reader.Candidate(p.name, file_loader(Entry(p.name, lambda p=p: p)))
        for p in sorted(plain_pictures(tmp_path / "set", 3, 8).iterdir())
    ]
    found = reader._harvest(listing, reader.wanted_shape(None, None, "crop"), 1 << 20)
    held = [weakref.ref(one) for one in found.pixels]
    found.pixels = None
    assert len(found.loaded) == 3 and [ref() for ref in held] == [None] * 3


def test_an_array_is_not_copied_where_it_need_not_be():
    pixels = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1)
    data = reader.from_arrays(
        reader.Arrays(pixels, None, (), ["0", "1"], None), reader.wanted_shape(None, None, "crop"), 99
    )
    assert data.pixels.data_ptr() == pixels.ctypes.data and data.pixels[1, 0, 0, 1] == 17
