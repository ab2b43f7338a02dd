"""What files hold beside a plain picture: more than 8 bits, several frames, other formats, notes of programs."""

import io
import json
import shutil
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from zeuxis.data import signatures
from zeuxis.data.decode import Shape, decode
from zeuxis.data.export import export_folder
from zeuxis.data.loading import Taken
from zeuxis.data.patches import open_pictures
from zeuxis.data.reader import FileDataset, open_dataset
from zeuxis.data.signatures import Unreadable
from zeuxis.data.split import split_dataset
from zeuxis.errors import BadInput
from zeuxis.jobs.copies import augment_folder
from zeuxis.pictures import sixteen_bit
from zeuxis.pictures.png import png_bytes, write_png

RNG = np.random.default_rng(0)


def photo(i, side=24, channels=3):
    """A picture like no other: waves of its own, and a little noise."""
    rng = np.random.default_rng(1000 + i)
    y, x = np.mgrid[:side, :side] / side
    waves = [np.sin(a * x + b * y + c) for a, b, c in rng.uniform(-14, 14, (4, 3))]
    whole = 128 + 30 * sum(waves)[..., None] + rng.normal(0, 6, (side, side, channels))
    return np.clip(whole, 0, 255).astype(np.uint8)


# ------------------------------------------------------------------ range


@pytest.mark.parametrize("bits", [9, 10, 12, 14])
@pytest.mark.parametrize("colours", [False, True])
def test_the_range_that_the_set_uses_is_white(tmp_path, bits, colours):
    top = 2**bits - 1
    for i in range(4):
        values = (RNG.integers(0, top + 1, (8, 8, 3)) // (1 + i)).astype(np.uint16)
        values[0, 0] = top // (1 + i)
        name = tmp_path / f"{i}.png"
        if colours:
            name.write_bytes(_png16(values))
        else:
            Image.fromarray(values[..., 0]).save(name)
    for found in (open_dataset(tmp_path), open_dataset(tmp_path, memory_limit=10)):
        pixels = found.images([0, 3]).numpy()
        assert pixels[0].max() == 255 and pixels[1].max() == round(255 * (top // 4) / top)
        assert [line for line in found.remarks if f"numbers up to {top}: {top} is white" in line]
    assert open_pictures(tmp_path).pixels(0).max() == 255
    wide = open_dataset(tmp_path, taken=Taken(white=65535))
    assert wide.images([0]).max() == round(255 * top / 65535)
    cut = open_dataset(tmp_path, taken=Taken(white=top // 2))
    assert cut.images([0]).float().mean() > 150 and "cuts off" in cut.remarks[0]


def _png16(values):
    """A PNG of 16-bit RGB, which Pillow cannot write."""
    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = sixteen_bit.chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
    return (
        sixteen_bit.SIGNATURE + head + sixteen_bit.chunk(b"IDAT", zlib.compress(rows)) + sixteen_bit.chunk(b"IEND", b"")
    )


def test_all_sixteen_bits_are_as_they_were(tmp_path):
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(values).save(tmp_path / "a.png")
    found = open_dataset(tmp_path)
    assert found.remarks == ["1 picture of 16 bits is read as 8"]
    assert np.array_equal(found.item(0).image[..., 0], np.rint(values / 257))


def test_files_of_one_set_share_one_white(tmp_path):
    """32-bit numbers were scaled file by file, so a dark one came out as bright as the others."""
    Image.fromarray(np.full((8, 8), 200, np.int32)).save(tmp_path / "dark.tif")
    Image.fromarray(np.full((8, 8), 4000, np.int32)).save(tmp_path / "light.tif")
    found = open_dataset(tmp_path)
    assert [int(found.images([i]).max()) for i in (0, 1)] == [round(255 * 200 / 4095), round(255 * 4000 / 4095)]


@pytest.mark.parametrize("white", [0.0, -5.0, float("nan"), float("inf")])
def test_no_range(white):
    with pytest.raises(BadInput, match="--range"):
        Taken(white=white)


# ------------------------------------------------------------------ frames


def stack(path, first, count=5, **given):
    images = [Image.fromarray(photo(first + k, 12)) for k in range(count)]
    images[0].save(path, save_all=True, append_images=images[1:], **given)


@pytest.mark.parametrize("suffix", ["tif", "gif", "png", "webp"])
def test_frames_left_out_are_counted_and_taken_when_asked(tmp_path, suffix):
    given = {"lossless": True} if suffix == "webp" else {}
    stack(tmp_path / f"a.{suffix}", 0, **given)
    stack(tmp_path / f"b.{suffix}", 10, **given)
    Image.fromarray(photo(20, 12)).save(tmp_path / "c.png")
    found = open_dataset(tmp_path)
    assert len(found) == 3 and "2 files is taken, 8 more are left out; `--frames all`" in found.remarks[0]
    assert found.notes == [(f"{n}.{suffix}", "the first of 5 frames or pages") for n in "ab"]
    for limit in (1 << 30, 10):
        whole = open_dataset(tmp_path, taken=Taken(frames="all"), memory_limit=limit)
        assert len(whole) == 11 and whole.remarks == [] and whole.notes == []
        assert whole.groups[:5] == [f"a.{suffix}"] * 5 and whole.sources[1] == f"a.{suffix}#2"
        assert len(set(whole.hashes)) == 11
        if suffix != "gif":
            assert np.array_equal(whole.item(6).image, photo(11, 12))
    assert isinstance(whole, FileDataset)
    assert len(open_pictures(tmp_path, taken=Taken(frames="all"))) == 11
    split = split_dataset(whole, seed=0)
    assert all(
        len({i in part for i in range(5)}) == 1 for part in (set(split.train.tolist()), set(split.test.tolist()))
    )


# ------------------------------------------------------------------ formats


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 500, "HEIC"),
        (b"\xff\x0a" + b"\0" * 99, "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0" * 99, "JPEG XL"),
        (b"\0" * 128 + b"DICM" + b"\0" * 300, "DICOM"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"8BPS" + b"\0" * 99, "PSD"),
        (b"%PDF-1.4" + b"\0" * 99, "PDF"),
        (b"\0\0\0\x20ftypisom" + b"\0" * 99, "film"),
        (b"v/1\x01" + b"\0" * 99, "OpenEXR"),
        (b"just text", "not a picture"),
    ],
)
def test_formats_that_are_not_read_are_named_with_what_reads_them(monkeypatch, tmp_path, head, name):
    monkeypatch.setattr(signatures.importlib, "import_module", lambda name: (_ for _ in ()).throw(ImportError()))
    (tmp_path / "x").write_bytes(head)
    for file in (tmp_path / "x", io.BytesIO(head)):
        with pytest.raises(Unreadable, match=name):
            decode(file, Shape())


@pytest.mark.parametrize("suffix", ["ico", "tga", "pcx", "dds"])
def test_old_formats_are_read_by_their_content(tmp_path, suffix):
    Image.fromarray(photo(1, 16)).save(tmp_path / f"a.{suffix}")
    data = (tmp_path / f"a.{suffix}").read_bytes()
    if suffix == "tga":
        data += bytes(8) + b"TRUEVISION-XFILE.\0"
    (tmp_path / "other").write_bytes(data)
    for file in (tmp_path / "other", io.BytesIO(data)):
        assert np.array_equal(decode(file, Shape((16, 16), 3)).pixels, photo(1, 16))


@pytest.mark.parametrize(("module", "suffix"), [("pillow_heif", "heic"), ("pillow_jxl", "jxl")])
def test_with_the_extra_they_are_read(tmp_path, module, suffix):
    plugin = pytest.importorskip(module)
    getattr(plugin, "register_heif_opener", lambda: None)()
    Image.fromarray(photo(1, 64)).save(tmp_path / f"a.{suffix}", quality=95)
    pixels = decode(tmp_path / f"a.{suffix}", Shape()).pixels
    assert pixels.shape == (64, 64, 3) and np.abs(pixels.astype(int) - photo(1, 64)).mean() < 12


# ------------------------------------------------------------------ notes


def classes(folder, n=15):
    for k, name in enumerate("ab"):
        (folder / name).mkdir(parents=True)
        for i in range(n):
            Image.fromarray(photo(100 * k + i)).save(folder / name / f"{i}.png")
    return folder


def zipped(folder, path, names=lambda name: name):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, names(file.relative_to(folder).as_posix()))
    return path


def moved(folder, path):
    shutil.copytree(folder, path / "inner")
    return path


def without_manifest(folder, path):
    shutil.copytree(folder, path)
    for file in path.glob("*.json"):
        file.unlink()
    return path


def renamed(folder, path):
    for i, file in enumerate(sorted(folder.rglob("*.png"))):
        (path / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, path / file.parent.name / f"{i * 7919 % 997}-{i}.png")
    return path


@pytest.mark.parametrize("carried", [zipped, moved, without_manifest, renamed])
@pytest.mark.parametrize("size", [None, 16])
def test_copies_by_rules_never_train_beside_their_sealed_original(tmp_path, carried, size):
    out = tmp_path / "more"
    augment_folder(open_dataset(classes(tmp_path / "own")), "own", out, copies=3, policy="strong")
    there = carried(out, tmp_path / ("more.zip" if carried is zipped else "elsewhere"))
    data = open_dataset(there, size=size)
    assert len(data) == 120 and sum(data.generated) == 90
    split = split_dataset(data, seed=0)
    families = [one.family for one in data.origins]
    held = set(split.test.tolist()) | set(split.validation.tolist())
    assert len(held) >= 8 and not any(data.generated[i] for i in held)
    assert not {families[i] for i in held} & {families[i] for i in split.train.tolist()}
    assert len(split.dropped) == 3 * len(held) and len(split.train) == 4 * (30 - len(held))


def test_copies_beside_the_persons_own_originals(tmp_path):
    """The copies alone, put among files that carry no note: the digest of the pixels tells the original."""
    own = classes(tmp_path / "own")
    out = tmp_path / "more"
    augment_folder(open_dataset(own), "own", out, copies=2, policy="strong")
    for file in out.rglob("*-[12].png"):
        shutil.copyfile(file, own / file.parent.name / f"copy-{file.name}")
    data = open_dataset(own)
    split = split_dataset(data, seed=1)
    held = {data.hashes[i].hex() for i in [*split.test.tolist(), *split.validation.tolist()]}
    assert len(held) >= 8 and not held & {data.origins[i].family for i in split.train.tolist()}


def made_set(folder, n=20):
    """As a study writes one: real pictures, and generated ones, all with their note."""
    for i in range(n):
        note = {"original": True, "family": f"{i:064x}", "study": "first"}
        write_png(folder / "ab"[i % 2] / f"{i:06d}.png", photo(i), note, None)
        note = {"recipe": "cgan", "weights": "0", "seed": i, "class": "a", "study": "first"}
        write_png(folder / "ab"[i % 2] / f"zeuxis-{i}.png", photo(500 + i), note)
    return folder


@pytest.mark.parametrize("carried", [zipped, moved])
def test_a_set_of_a_study_is_known_as_one_and_its_generated_pictures_train_only_when_asked(tmp_path, carried):
    there = carried(made_set(tmp_path / "set"), tmp_path / ("set.zip" if carried is zipped else "elsewhere"))
    data = open_dataset(there, taken=Taken(made=False))
    assert len(data) == 20 and not any(data.generated)
    told = "\n".join(data.remarks)
    assert "20 pictures made by a model are left out" in told and "--generated train" in told
    assert "the study `first` wrote: none of those taken is a generated one" in told and "learned from" not in told
    whole = open_dataset(there)
    assert "the study `first` wrote: its generated pictures were learned from its real ones" in "".join(whole.remarks)
    assert "nothing new" not in "".join(whole.remarks)
    split = split_dataset(whole, seed=0)
    assert sum(whole.generated) == 20
    assert not any(whole.generated[i] for part in (split.test, split.validation) for i in part.tolist())
    assert len(open_pictures(there, taken=Taken(made=False))) == 20


def test_nothing_but_generated_pictures_is_asked_about(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(png_bytes(photo(i), {"recipe": "cgan"}))
    for opened in (open_dataset, open_pictures):
        with pytest.raises(BadInput, match="all 3 pictures were made by a model") as told:
            opened(tmp_path, taken=Taken(made=False))
        assert "--generated train" in str(told.value)
        assert len(opened(tmp_path)) == 3


def test_files_that_stay_dark_beside_one_of_the_whole_range_are_told_of(tmp_path):
    for i in range(6):
        Image.fromarray(np.full((4, 4), 1000 + i, np.uint16)).save(tmp_path / f"{i}.png")
    assert "numbers up to 1005: 1023 is white" in " ".join(open_dataset(tmp_path).remarks)
    Image.fromarray(np.full((4, 4), 65535, np.uint16)).save(tmp_path / "whole.png")
    told = open_dataset(tmp_path).remarks
    assert "7 pictures with numbers up to 65535: 65535 is white; --range sets another" in told
    assert "6 pictures of these stay dark, with numbers up to 1005 alone; `--range 1023` makes that white" in told


def test_floats_that_stay_dark_are_told_of_and_a_black_one_is_not(tmp_path):
    for i, value in enumerate((0.0, 0.5, 0.9, 60000.0)):
        Image.fromarray(np.full((4, 4), value, np.float32)).save(tmp_path / f"{i}.tif")
    told = open_dataset(tmp_path).remarks
    assert "4 pictures with numbers up to 60000: 65535 is white; --range sets another" in told
    assert "2 pictures of these stay dark, with numbers up to 0.9 alone; `--range 1` makes that white" in told


def without_notes(folder, path, suffix=".png"):
    """As another program saves pictures: all notes are lost, and perhaps the format is another."""
    for file in folder.rglob("*"):
        target = path / file.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".png":
            with Image.open(file) as image:
                Image.fromarray(np.asarray(image)).save(target.with_suffix(suffix))
        elif file.is_file():
            shutil.copyfile(file, target)
    return path


def listed_set(folder):
    """A study's set with the list that is written beside it."""
    made_set(folder)
    files = [str(file.relative_to(folder)) for file in sorted(folder.rglob("*.png"))]
    rows = [{"file": name, "generated": "zeuxis-" in name, "source": "first"} for name in files]
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "study": "first", "files": rows}))
    return folder


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
@pytest.mark.parametrize("carried", ["folder", "zip", "below", "table"])
def test_generated_pictures_that_lost_their_note_are_known_by_the_list_beside_them(tmp_path, carried, suffix):
    there = without_notes(listed_set(tmp_path / "set"), tmp_path / "bare" / "set", suffix)
    if carried == "zip":
        there = zipped(there, tmp_path / "set.zip")
    elif carried == "below":
        there = there.parent
    elif carried == "table":
        rows = [f"bare/set/{f.relative_to(there)},{f.parent.name}\n" for f in sorted(there.rglob(f"*{suffix}"))]
        there = tmp_path / "t.csv"
        there.write_text("file,label\n" + "".join(rows))
    data = open_dataset(there, taken=Taken(made=False))
    assert len(data) == 20 and "20 pictures made by a model are left out" in "\n".join(data.remarks)
    whole = open_dataset(there)
    split = split_dataset(whole, seed=0, join="exact")
    assert sum(whole.generated) == 20 and len(split.test) > 2
    assert not any(whole.generated[i] for part in (split.test, split.validation) for i in part.tolist())
    assert len(open_pictures(there, taken=Taken(made=False))) == 20


@pytest.mark.parametrize("carried", [moved, zipped])
def test_an_exported_set_keeps_who_made_each_picture(tmp_path, carried):
    export_folder(open_dataset(made_set(tmp_path / "set")), tmp_path / "out")
    bare = without_notes(tmp_path / "out", tmp_path / "bare")
    there = carried(bare, tmp_path / ("bare.zip" if carried is zipped else "elsewhere"))
    assert sum(open_dataset(there).generated) == 20 and len(open_dataset(there, taken=Taken(made=False))) == 20


def test_a_list_of_others_is_passed_over(tmp_path):
    for i, text in enumerate(('{"files": 3}', "[1]", "no json", '{"files": [{"generated": true}, 4]}', "{}")):
        folder = classes(tmp_path / str(i), 2)
        (folder / "manifest.json").write_text(text)
        assert len(open_dataset(folder)) == 4 and not any(open_dataset(folder).generated)
