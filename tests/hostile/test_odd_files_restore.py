"""Odd files through the pictures of people: read right with all that must survive, or refused with one line."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from zeuxis.data.signatures import Unreadable
from zeuxis.pictures.picture import SUFFIXES, encode, from_tensor, read, remarks, to_tensor

TOOL = Path(__file__).resolve().parents[3] / "shared" / "tools" / "odd-files"
BAD = {
    "bomb.png": "bomb",
    "truncated.jpg": "truncated",
    "header-only.jpg": "a JPEG, and damaged",
    "truncated.png": "too early",
    "bad-crc.png": "checksum",
    "empty.jpg": "is empty",
    "text.png": "not a picture",
    ".DS_Store": "not a picture",
    "._UPPER.JPG": "not a picture",
    "Thumbs.db": "not a picture",
}
SIZES = {
    "1x300.png": (300, 1),
    "300x1.png": (1, 300),
    "1x1.png": (1, 1),
    "odd-size-420.jpg": (61, 95),
    "bad-exif.jpg": (256, 384),
}
GREY = {"grey.jpg", "grey-16bit.png", "grey-16bit.tif", "float32.tif", "one-bit.png", "grey-alpha.png"}
DEEP = {"grey-16bit.png", "grey-16bit.tif", "float32.tif", "rgb-16bit.png"}
ALPHA = {"grey-alpha.png", "rgba.png", "alpha.webp", "palette-transparent.png", "transparent.gif", "really-a-png.jpg"}
WORDS = {
    "cmyk.jpg": "CMYK became RGB",
    "lab.tif": "L*a*b* colours became RGB",
    "float32.tif": "white is 1",
    "bad-exif.jpg": "EXIF",
} | dict.fromkeys(("animated.gif", "animated.webp", "animated.png", "pages.tif"), "first of 4 frames or pages")
LOSSLESS = {"PNG", "TIFF", "BMP", "GIF", "PPM"}


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    if not TOOL.is_file():
        pytest.skip("the tool that writes odd files is not here")
    folder = tmp_path_factory.mktemp("odd") / "out"
    subprocess.run([sys.executable, str(TOOL), str(folder)], check=True, capture_output=True)
    return folder


def names(odd):
    with open(odd / "INDEX.tsv", encoding="utf-8", newline="") as file:
        return [
            row[0] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if not row[0].startswith("#")
        ]


def good(odd):
    return [name for name in names(odd) if name not in BAD]


def test_each_file_is_read_right_or_refused_in_one_line(odd):
    listed = names(odd)
    assert len(listed) >= 58 and set(BAD) <= set(listed)
    for name in listed:
        if name in BAD:
            with pytest.raises(Unreadable, match=BAD[name]) as caught:
                read(odd / name)
            assert "\n" not in str(caught.value)
            continue
        found = read(odd / name)
        assert found.size == SIZES.get(name, (64, 96)), name
        assert found.pixels.shape[2] == (1 if name in GREY else 3), name
        assert found.pixels.dtype == (np.uint16 if name in DEEP else np.uint8), name
        assert (found.alpha is not None) == (name in ALPHA), name
        assert found.kept.bits == 8 * found.pixels.itemsize, name
        said = " ".join(found.kept.remarks)
        assert (WORDS[name] in said) if name in WORDS else said == "", name


def test_they_show_the_right_picture(odd):
    wanted = read(odd / "plain.bmp").pixels.astype(float)
    grey = read(odd / "grey.jpg").pixels.astype(float)
    for name in good(odd):
        found = read(odd / name)
        if found.size != (64, 96):
            continue
        pixels = found.pixels.astype(float) * (255 / found.white)
        far = np.abs(pixels - (grey if found.pixels.shape[2] == 1 else wanted))
        shown = np.ones((64, 96), bool) if found.alpha is None else found.alpha > 0
        most = {"one-bit.png": 130, "quality-5.jpg": 25, "display-p3.jpg": 25, "cmyk.jpg": 12}.get(name, 15)
        assert far[shown].mean() <= most, name
    first = read(odd / "exif-1.jpg").pixels.astype(float)
    for k in range(2, 9):
        assert np.abs(read(odd / f"exif-{k}.jpg").pixels - first).mean() < 4
    assert (read(odd / "exif-6.png").pixels == wanted).all()
    assert (read(odd / "rgb-16bit.png").pixels == wanted * 257).all()


def exif_of(image):
    return {tag: value for tag, value in image.getexif().items() if tag in (0x0112, 0x010F, 0x0132)}


def test_each_goes_back_into_its_format(odd):
    for name in good(odd):
        found = read(odd / name)
        suffix = next((s for s, form in SUFFIXES.items() if form == found.kept.format), None)
        if suffix is None:
            assert name in ("plain.avif", "plain.jp2")
            continue
        through = from_tensor(to_tensor(found), found)
        data = encode(through, suffix, {"tool": "zeuxis"})
        back = read(data)
        assert back.kept.format == found.kept.format and back.size == found.size, name
        assert (back.alpha is None) == (found.alpha is None) and back.pixels.shape == found.pixels.shape, name
        assert back.pixels.dtype == found.pixels.dtype, name
        if found.kept.format in LOSSLESS or name == "lossless.webp":
            shown = slice(None) if found.alpha is None or found.kept.format != "GIF" else found.alpha > 0
            assert (back.pixels[shown] == found.pixels[shown]).all(), name
            assert found.alpha is None or (back.alpha == found.alpha).all(), name
        else:
            assert np.abs(back.pixels.astype(float) - found.pixels).mean() < 3, name
        assert back.kept.icc == found.kept.icc and back.kept.exif == found.kept.exif, name
        assert (back.kept.dpi is None) == (found.kept.dpi is None), name
        with Image.open(io.BytesIO(data)) as image:
            assert exif_of(image).get(0x0112, 1) == 1, name
        assert not any("left out" in words for words in set(remarks(found, suffix)) - set(found.kept.remarks)), name


def test_each_goes_into_every_format(odd):
    for name in good(odd):
        found = read(odd / name)
        for suffix in (".png", ".jpg", ".webp", ".tif", ".bmp", ".gif", ".ppm"):
            back = read(encode(found, suffix, {"tool": "zeuxis"}))
            assert back.size == found.size, (name, suffix)
            for words in remarks(found, suffix):
                assert words and "\n" not in words


def encoded(form, **given_):
    buffer = io.BytesIO()
    mode, settings_ = given_.pop("mode", "RGB"), given_
    pixels = (np.arange(24 * 20 * 3) * 5 % 256).astype(np.uint8).reshape(24, 20, 3)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    exif[0x8769] = {0xA002: 20}
    Image.fromarray(pixels).convert(mode).save(buffer, form, exif=exif.tobytes(), **settings_)
    return buffer.getvalue()


def deep(suffix):
    pixels = (np.arange(24 * 20 * 3) * 1111 % 65536).astype(np.uint16).reshape(24, 20, 3)
    found = read(encoded("PNG"))
    return encode(type(found)(pixels, pixels[..., 0], found.kept), suffix, {"n": 1})


KINDS = {
    "PNG": encoded("PNG"),
    "palette": encoded("PNG", mode="P"),
    "JPEG": encoded("JPEG"),
    "CMYK": encoded("JPEG", mode="CMYK"),
    "WEBP": encoded("WEBP"),
    "TIFF": encoded("TIFF"),
    "GIF": encoded("GIF", mode="P"),
    "BMP": encoded("BMP"),
    "16-bit PNG": deep(".png"),
    "16-bit TIFF": deep(".tif"),
}


def never_crashes(data):
    try:
        found = read(data)
    except Unreadable as error:
        assert str(error) and "\n" not in str(error)
        return
    for suffix in (".png", ".jpg", ".tif"):
        assert encode(found, suffix, {"tool": "zeuxis"})


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_mutated_bytes(kind, data):
    content = bytearray(KINDS[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(content)))
    never_crashes(bytes(content[:cut]))
