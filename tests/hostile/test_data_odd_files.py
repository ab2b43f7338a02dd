"""Odd, damaged and malicious files: read right, or listed with a reason; never a crash, never a wrong picture."""

import io
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import zeuxis
from zeuxis.data.decode import Shape, decode
from zeuxis.data.reader import open_dataset
from zeuxis.data.signatures import Unreadable
from zeuxis.data.trees import Where
from zeuxis.errors import BadInput

TOOL = Path(__file__).resolve().parents[3] / "shared" / "tools" / "odd-files"
BAD = {"bomb.png", "truncated.jpg", "header-only.jpg", "truncated.png", "bad-crc.png", "empty.jpg", "text.png"}
LEFT_BEHIND = {".DS_Store", "._UPPER.JPG", "Thumbs.db", "INDEX.tsv"}
FORMS = ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF", "JPEG2000", "QOI"]


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    if not TOOL.is_file():
        pytest.skip("the tool that writes odd files is not here")
    folder = tmp_path_factory.mktemp("odd") / "out"
    subprocess.run([sys.executable, str(TOOL), str(folder)], check=True, capture_output=True)
    return folder


def by_name(folder, **given):
    data = open_dataset(folder, **given)
    return data, {name: data.item(i).image for i, name in enumerate(data.sources)}


def test_what_is_read_and_what_is_listed(odd):
    data, found = by_name(odd, size=(64, 96))
    names = {str(p.relative_to(odd).as_posix()) for p in odd.rglob("*") if p.is_file()}
    assert {name for name, _ in data.skipped} == BAD
    assert set(found) == names - BAD - LEFT_BEHIND
    reasons = dict(data.skipped)
    assert "bomb" in reasons["bomb.png"] and reasons["empty.jpg"] == "is empty"
    assert {name for name, _ in data.notes} == {"animated.gif", "animated.webp", "animated.png", "pages.tif"}
    assert all("\n" not in reason for reason in reasons.values())


def test_the_pictures_are_the_right_ones(odd):
    _, found = by_name(odd, size=(64, 96))

    def near(a, b, most):
        return np.abs(found[a].astype(int) - found[b].astype(int)).mean() <= most

    for k in range(2, 9):
        assert near(f"exif-{k}.jpg", "exif-1.jpg", 4)
    assert near("exif-6.png", "plain.bmp", 1)
    for name in (
        "plain.bmp",
        "plain.tif",
        "lossless.webp",
        "plain.ppm",
        "interlaced.png",
        "gamma.png",
        "rgb-16bit.png",
    ):
        assert near(name, "plain.bmp", 1)
    for name in ("plain.avif", "plain.jp2", "lab.tif", "progressive.jpg", "animated.png", "pages.tif"):
        assert near(name, "plain.bmp", 8)
    assert near("cmyk.jpg", "plain.bmp", 12)
    for name in ("grey-16bit.png", "grey-16bit.tif", "float32.tif"):
        assert near(name, "grey.jpg", 6)
        assert 100 < found[name].mean() < 160
    assert near("alpha.webp", "rgba.png", 6) and near("really-a-png.jpg", "rgba.png", 0)
    assert set(np.unique(found["one-bit.png"])) == {0, 255}


def test_strict_and_hopeless(odd, tmp_path):
    with pytest.raises(BadInput, match="7 of the files cannot be used, the first: bad-crc.png is damaged"):
        open_dataset(odd, size=8, strict=True)
    for name in BAD:
        (tmp_path / name).write_bytes((odd / name).read_bytes())
    with pytest.raises(BadInput, match="no picture can be read") as caught:
        open_dataset(tmp_path, size=8)
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)


def test_a_class_of_bad_files_only_is_no_class(odd, tmp_path):
    for folder, names in {"bad": BAD, "one": {"plain.bmp"}, "two": {"palette.png", "empty.jpg"}}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_bytes((odd / name).read_bytes())
    data = open_dataset(tmp_path, size=8)
    assert data.spec.classes == ("one", "two") and data.labels.tolist() == [0, 1]
    assert len(data.skipped) == 8


def encoded(form):
    buffer = io.BytesIO()
    pixels = (np.arange(24 * 20 * 3) * 5 % 256).astype(np.uint8).reshape(24, 20, 3)
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue()


ENCODED = {form: encoded(form) for form in FORMS}


def never_crashes(data):
    try:
        found = decode(io.BytesIO(data), Shape((8, 8), 3))
    except Unreadable as error:
        assert str(error) and "\n" not in str(error)
        return
    assert found.pixels.shape == (8, 8, 3) and found.pixels.dtype == np.uint8


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(FORMS), st.data())
def test_mutated_bytes(form, data):
    content = bytearray(ENCODED[form])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(content)))
    never_crashes(bytes(content[:cut]))


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None)
@given(st.sampled_from([ENCODED[form][:12] for form in FORMS]), st.binary(max_size=200))
def test_headers_with_nonsense_behind(head, tail):
    never_crashes(head + tail)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM"])
def test_half_a_file_is_no_picture(form):
    data = ENCODED[form]
    with pytest.raises(Unreadable):
        decode(io.BytesIO(data[: len(data) * 2 // 3]), Shape())


@pytest.mark.parametrize("place", [-30, -40, -100])
def test_a_flipped_byte_in_png_pixels_is_noticed(place):
    data = bytearray(ENCODED["PNG"])
    data[place] ^= 1
    with pytest.raises(Unreadable):
        decode(io.BytesIO(bytes(data)), Shape())


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def test_bombs_of_several_kinds(tmp_path):
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    (tmp_path / "wide.png").write_bytes(head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))
    text = chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(200 << 20), 9))
    small = ENCODED["PNG"]
    (tmp_path / "text.png").write_bytes(small[:33] + text + small[33:])
    (tmp_path / "huge.gif").write_bytes(b"GIF89a" + struct.pack("<HH", 65535, 65535) + bytes(50))
    (tmp_path / "good.png").write_bytes(small)
    data = open_dataset(tmp_path)
    assert data.sources == ["good.png"]
    assert {name for name, _ in data.skipped} == {"wide.png", "text.png", "huge.gif"}


def test_zips_that_lie(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/good.png", ENCODED["PNG"])
        archive.writestr("b/good.png", ENCODED["PNG"])
        archive.writestr("b/nul.png", bytes(1 << 20))
        archive.writestr("..\\..\\evil.png", ENCODED["PNG"])
        archive.writestr("c:/evil.png", ENCODED["PNG"])
    content = path.read_bytes()
    data = open_dataset(path)
    assert data.sources == ["a/good.png", "b/good.png"] and len(data.skipped) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.zip"]
    path.write_bytes(content.replace(ENCODED["PNG"][40:60], bytes(20)))
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(BadInput):
        open_dataset(path)


def test_a_zip_member_larger_than_it_says_is_listed(tmp_path, monkeypatch):
    monkeypatch.setattr("zeuxis.data.listing._MEMBER", 2000)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.png", ENCODED["QOI"])
        archive.writestr("large.png", bytes(3000))
    data = open_dataset(tmp_path / "x.zip")
    assert data.sources == ["good.png"] and "unpack to 3000 bytes" in data.skipped[0][1]


def test_files_that_may_not_be_read_and_pipes_are_no_obstacle(tmp_path):
    import os

    (tmp_path / "good.png").write_bytes(ENCODED["PNG"])
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    assert open_dataset(tmp_path).sources == ["good.png"]
    (tmp_path / "t.csv").write_text("file\ngood.png\npipe.png\nfolder.png\n")
    assert [name for name, _ in open_dataset(tmp_path / "t.csv").skipped] == ["pipe.png", "folder.png"]


def test_decoders_say_nothing_on_stderr(tmp_path, capfd):
    content = ENCODED["TIFF"]
    tag = struct.pack("<HHI", 277, 3, 1) + struct.pack("<H", 3)  # samples per pixel
    assert content.count(tag) == 1
    (tmp_path / "many.tif").write_bytes(content.replace(tag, tag[:-2] + struct.pack("<H", 2048)))
    (tmp_path / "good.tif").write_bytes(content)
    data = open_dataset(tmp_path)
    assert data.sources == ["good.tif"] and [name for name, _ in data.skipped] == ["many.tif"]
    assert capfd.readouterr() == ("", "")


def _pictures(root, *places):
    for i, place in enumerate(places):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4, 3), 20 * i, np.uint8)).save(root / place)


def _zipped(root, to):
    with zipfile.ZipFile(to, "w") as archive:
        for path in sorted(root.rglob("*")):
            archive.write(path, path.relative_to(root))
    return to


COCO = (
    '{"images": [{"id": 1, "file_name": "0.png"}], "annotations": [{"bbox": [0, 0, 2, 2]}]}',
    '\n{"info": {}, "images": [' + ", ".join(['{"file_name": "0.png", "height": 4, "width": 4}'] * 3000) + "]}",
    '{"annotations": [{"image_id": 1, "bbox": [0, 0, 2, 2]}]}',
)


@pytest.mark.parametrize("text", COCO, ids=["whole", "long", "boxes"])
@pytest.mark.parametrize("name", ["annotations.json", "instances_default.json", "images/_annotations.coco.json"])
def test_boxes_of_coco_are_asked_about(tmp_path, text, name):
    root = tmp_path / "set"
    _pictures(root, "images/0.png", "images/1.png")
    (root / name).write_text(text)
    for source in (root, _zipped(root, tmp_path / "set.zip")):
        with pytest.raises(BadInput, match="boxes") as error:
            open_dataset(source)
        assert "--classes-at 0" in str(error.value)
        assert len(open_dataset(source, where=Where(classes=0))) == 2


@pytest.mark.parametrize("text", ['{"images": 3}', "[1, 2]", "", '["images", "annotations"]'])
def test_other_json_is_no_boxes(tmp_path, text):
    _pictures(tmp_path, "images/0.png", "images/1.png")
    (tmp_path / "notes.json").write_text(text)
    assert len(open_dataset(tmp_path)) == 2


def test_what_a_folder_leaves_aside_is_told(tmp_path):
    root = tmp_path / "set"
    _pictures(root, "cats/0.png", "dogs/1.png", ".cache/a/2.png", ".cache/3.png", "__MACOSX/cats/4.png", "dogs/.5.png")
    (root / "__MACOSX/cats/._0.png").write_bytes(b"\0\5\x16\7")
    (root / "birds" / "young").mkdir(parents=True)
    told = [
        "left out: 1 hidden picture, in or called `.5.png`",
        "left out: 2 hidden pictures, in or called `.cache`",
        "left out: 1 hidden picture, in or called `__MACOSX`",
        "no picture lies in `birds`",
    ]
    for source in (_zipped(root, tmp_path / "set.zip"), root):
        data = open_dataset(source)
        assert data.remarks == told and len(data) == 2 and not data.skipped
    (root / "cats/gone.png").symlink_to("nowhere.png")
    assert open_dataset(root).skipped == [("cats/gone.png", "is a link to what is not there")]
    with pytest.raises(BadInput, match="gone"):
        open_dataset(root, strict=True)


def test_folders_in_two_unicode_forms_are_told_of(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for i, name in enumerate(("caf\u00e9", "cafe\u0301", "tea")):
            stream = io.BytesIO()
            Image.fromarray(np.full((4, 4, 3), i, np.uint8)).save(stream, "PNG")
            archive.writestr(f"{name}/{i}.png", stream.getvalue())
    data = open_dataset(tmp_path / "set.zip")
    assert data.spec.classes == ("caf\u00e9", "tea")
    assert data.remarks == ["`caf\u00e9` is written in 2 Unicode forms, and is one name"]


def test_degrade_writes_nothing_into_the_folder_of_the_pictures(tmp_path):
    _pictures(tmp_path, "flat/0.png")
    before = sorted(tmp_path.rglob("*"))
    for out in ("flat/sub", "flat", "other/../flat/a/b"):
        with pytest.raises(BadInput, match="stays as it is"):
            zeuxis.data_degrade(tmp_path / "flat", tmp_path / out)
    assert sorted(tmp_path.rglob("*")) == before
