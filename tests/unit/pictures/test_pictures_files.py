"""Files to pictures and back: what must survive, what is said where it cannot."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from tests.unit.pictures.test_pictures_colour import profile
from zeuxis.data.decode import FORMATS
from zeuxis.data.signatures import Unreadable
from zeuxis.errors import BadInput
from zeuxis.pictures.metadata import with_exif
from zeuxis.pictures.picture import SUFFIXES, Metadata, Picture, encode, from_tensor, read, remarks, to_tensor
from zeuxis.pictures.png import read_note
from zeuxis.pictures.reading import TURNS

LOSSLESS = (".png", ".tif", ".webp", ".bmp", ".ppm", ".gif")
NOTE = {"recipe": "restorer", "words": 'ä <&> "quoted"', "seed": 1}


def numbers(height, width, channels, dtype=np.uint8, seed=0):
    top = int(np.iinfo(dtype).max)
    return np.random.default_rng(seed).integers(0, top + 1, (height, width, channels)).astype(dtype)


def picture(height=9, width=12, channels=3, dtype=np.uint8, alpha=False, **kept):
    hidden = numbers(height, width, 1, dtype, 1)[..., 0] if alpha else None
    return Picture(numbers(height, width, channels, dtype), hidden, Metadata(**kept))


def saved(image, form, **settings):
    buffer = io.BytesIO()
    image.save(buffer, form, **settings)
    return buffer.getvalue()


def same(a, b):
    assert a.pixels.dtype == b.pixels.dtype and a.pixels.shape == b.pixels.shape
    assert (a.pixels == b.pixels).all() and (a.alpha is None) == (b.alpha is None)
    assert a.alpha is None or (a.alpha == b.alpha).all()


# ------------------------------------------------------------------ round trips


@settings(max_examples=60)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([1, 3]),
    st.booleans(),
    st.sampled_from([np.uint8, np.uint16]),
    st.sampled_from([".png", ".tif"]),
    st.integers(0, 99),
)
def test_png_and_tiff_lose_nothing(height, width, channels, alpha, dtype, suffix, seed):
    hidden = numbers(height, width, 1, dtype, seed + 1)[..., 0] if alpha else None
    given_ = Picture(numbers(height, width, channels, dtype, seed), hidden, Metadata())
    back = read(encode(given_, suffix, {"seed": seed}))
    if channels == 1 and alpha and dtype == np.uint16 and suffix == ".tif":
        assert remarks(given_, suffix) == ("16-bit grey with alpha became RGB with alpha",)
        given_ = Picture(np.repeat(given_.pixels, 3, 2), hidden, Metadata())
    else:
        assert remarks(given_, suffix) == ()
    same(back, given_)
    same(from_tensor(to_tensor(back), back), given_)
    assert back.kept.bits == 8 * np.dtype(dtype).itemsize and back.kept.remarks == ()


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_formats_without_loss(suffix):
    back = read(encode(picture(), suffix, NOTE))
    same(back, picture())
    assert back.kept.lossless and back.kept.format == SUFFIXES[suffix]


@pytest.mark.parametrize(
    "suffix, dtype", [(".ppm", np.uint16), (".PGM", np.uint8), (".gif", np.uint8), (".bmp", np.uint8)]
)
def test_grey(suffix, dtype):
    same(read(encode(picture(channels=1, dtype=dtype), suffix, None)), picture(channels=1, dtype=dtype))


def test_modes_of_pillow():
    base = Image.fromarray(numbers(8, 10, 3))
    for mode, channels, alpha in (("1", 1, 0), ("L", 1, 0), ("LA", 1, 1), ("P", 3, 0), ("RGB", 3, 0), ("RGBA", 3, 1)):
        image = base.convert(mode)
        found = read(saved(image, "PNG"))
        assert found.pixels.shape == (8, 10, channels) and (found.alpha is not None) == bool(alpha)
        wanted = np.asarray(image.convert({"1": "L", "P": "RGB"}.get(mode, mode))).reshape(8, 10, -1)
        assert (found.pixels == wanted[..., :channels]).all() and found.kept.mode == mode
    assert remarks(read(saved(base.convert("1"), "PNG")), ".png") == ("two levels became grey",)
    assert remarks(read(saved(base.convert("P"), "PNG")), ".png") == ("palette became full colours",)
    assert remarks(read(saved(base.convert("P"), "PNG")), ".gif", noted=False) == ()
    for mode, word in (("CMYK", "CMYK"), ("LAB", "L*a*b*"), ("YCbCr", "YCbCr"), ("I", "32 bits"), ("F", "32 bits")):
        found = read(saved(base.convert(mode), "TIFF"))
        assert found.pixels.shape[:2] == (8, 10) and word in " ".join(found.kept.remarks)
        assert found.pixels.shape[2] == (1 if mode in "IF" else 3)


def test_a_grey_palette_is_grey_and_transparent_entries_stay():
    image = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4), "P")
    image.putpalette([v for i in range(12) for v in (20 * i,) * 3])
    found = read(saved(image, "PNG", transparency=5))
    assert found.pixels[..., 0].ravel().tolist() == [20 * i for i in range(12)]
    assert (found.alpha.ravel() == [255] * 5 + [0] + [255] * 6).all()
    gif = read(encode(found, ".gif", None))
    assert (gif.alpha == found.alpha).all() and (gif.pixels == found.pixels)[found.alpha > 0].all()


def test_many_colours_in_a_gif():
    many = Picture(numbers(40, 40, 3), np.where(numbers(40, 40, 1)[..., 0] > 99, 255, 0).astype(np.uint8), Metadata())
    back = read(encode(many, ".gif", None))
    assert (back.alpha == many.alpha).all() and "reduced to 256" in remarks(many, ".gif")[-1]
    assert np.abs(back.pixels.astype(int) - many.pixels)[many.alpha > 0].mean() < 30


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png16(pixels, extra=b""):
    height, width, channels = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    parts = chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_of_a_png_written_by_others(channels):
    pixels = numbers(7, 5, channels, np.uint16)
    found = read(png16(pixels))
    whole = found.pixels if found.alpha is None else np.concatenate([found.pixels, found.alpha[..., None]], 2)
    assert whole.dtype == np.uint16 and (whole == pixels).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_one_transparent_colour_of_sixteen_bits(channels):
    pixels = numbers(4, 4, channels, np.uint16)
    found = read(png16(pixels, chunk(b"tRNS", pixels[1, 2].astype(">u2").tobytes())))
    assert (found.pixels == pixels).all() and found.alpha[1, 2] == 0 and (found.alpha == 0).sum() == 1


def test_deep_colours_in_planes_are_refused_and_not_misread():
    planes = numbers(3, 6, 7, np.uint16)
    data, entries = planes.astype("<u2").tobytes(), []
    start = 8 + 2 + 12 * 10 + 4
    for tag, kind, values in (
        (256, 3, [7]),
        (257, 3, [6]),
        (258, 3, [16, 16, 16]),
        (259, 3, [1]),
        (262, 3, [2]),
        (273, 4, [start + 30 + i * 84 for i in range(3)]),
        (277, 3, [3]),
        (278, 3, [6]),
        (279, 4, [84] * 3),
        (284, 3, [2]),
    ):
        place = {258: start, 273: start + 6, 279: start + 18}.get(tag)
        value = struct.pack("<I", place) if place else struct.pack("<HH", values[0], 0)
        entries.append(struct.pack("<HHI", tag, kind, len(values)) + value)
    lists = struct.pack("<3H", 16, 16, 16) + struct.pack("<3I", *(start + 30 + i * 84 for i in range(3)))
    lists += struct.pack("<3I", 84, 84, 84)
    file = b"II*\0" + struct.pack("<IH", 8, 10) + b"".join(entries) + bytes(4) + lists + data
    with pytest.raises(Unreadable, match="planes"):
        read(file)


# ------------------------------------------------------------------ what stands beside the pixels


def exif_block(orientation=6):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0132] = orientation, "Maker & Söhne", "2026:01:02 03:04:05"
    exif[0x8769] = {0x9003: "2026:01:02 03:04:05", 0xA002: 12, 0xA003: 9, 0x829A: 0.5}
    exif[0x8825] = {1: "N", 2: (51.0, 30.0, 0.0)}
    return exif.tobytes()


@pytest.mark.parametrize("form, suffix", [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"), ("TIFF", ".tif")])
@pytest.mark.parametrize("out", [".jpg", ".png", ".webp", ".tif"])
def test_exif_dpi_and_profile_survive(form, suffix, out):
    settings = {"quality": 95} if form == "JPEG" else {"lossless": True} if form == "WEBP" else {}
    icc = profile()
    data = saved(
        Image.fromarray(numbers(9, 12, 3)), form, exif=exif_block(), dpi=(300, 150), icc_profile=icc, **settings
    )
    found = read(data)
    assert found.size == (12, 9) and found.kept.icc == icc
    assert form == "WEBP" or np.allclose(found.kept.dpi, (150, 300), atol=0.02)
    large = from_tensor(to_tensor(found).repeat_interleave(2, 2).repeat_interleave(2, 3), found)
    with Image.open(io.BytesIO(encode(large, out, NOTE))) as image:
        exif = image.getexif()
        assert image.size == (18, 24) and exif.get(0x0112, 1) == 1 and exif[0x0132] == "2026:01:02 03:04:05"
        inner = exif.get_ifd(0x8769)
        assert inner[0x9003] == "2026:01:02 03:04:05" and (inner[0xA002], inner[0xA003]) == (18, 24)
        assert exif.get_ifd(0x8825)[1] == "N" and float(inner[0x829A]) == 0.5
        assert image.info["icc_profile"] == icc
        if form != "WEBP" and out != ".webp":
            assert np.allclose([float(v) for v in image.info["dpi"]], (150, 300), atol=0.02)
    again = read(encode(found, ".png", None))
    same(again, found)
    assert again.kept.exif is not None and (again.kept.lost == found.kept.lost).all()


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("deep", [False, True])
def test_colours_in_a_profile_come_back_exactly(form, deep):
    pixels = numbers(9, 12, 3, np.uint16 if deep else np.uint8)
    suffix = {"PNG": ".png", "TIFF": ".tif"}[form]
    data = encode(Picture(pixels, None, Metadata(icc=profile())), suffix, None)  # as it is: nothing was lost before
    found = read(data)
    assert (found.pixels != pixels).any()
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(encode(found, suffix, NOTE))) as after:
        assert (np.asarray(before) == np.asarray(after)).all() and after.info["icc_profile"] == profile()
    assert any("sRGB" in words for words in remarks(found, ".bmp"))
    eight = np.rint(found.pixels / 257) if deep else found.pixels
    assert (read(encode(found, ".bmp", None)).pixels == eight).all()


def test_a_profile_that_cannot_be_used_is_kept():
    found = read(saved(Image.fromarray(numbers(5, 5, 3)), "PNG", icc_profile=b"x" * 200))
    assert (found.pixels == numbers(5, 5, 3)).all() and "profile" in found.kept.remarks[0]
    with Image.open(io.BytesIO(encode(found, ".png", None))) as image:
        assert image.info["icc_profile"] == b"x" * 200


def test_cmyk_with_a_profile_is_tagged_srgb():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = read(saved(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "JPEG", icc_profile=srgb, quality=95))
    assert b"sRGB" in found.kept.icc.replace(b"\0", b"") and "CMYK" in found.kept.remarks[0]
    assert found.pixels[0, 0, 0] > 200 and found.pixels[0, 0, 1:].max() < 60
    with Image.open(io.BytesIO(encode(found, ".jpg", None))) as image:
        assert image.mode == "RGB" and image.info["icc_profile"] == found.kept.icc


def test_turns_are_pillows():
    from zeuxis.data import decode

    pixels = numbers(4, 7, 3)
    for k, turn in TURNS.items():
        assert (turn(pixels) == np.asarray(Image.fromarray(pixels).transpose(decode._TURNS[k]))).all()
        data = saved(Image.fromarray(pixels), "PNG", exif=exif_block(k))
        assert (read(data).pixels == turn(pixels)).all()
        assert read(encode(read(data), ".png", None)).size == turn(pixels).shape[:2]


def test_exif_is_changed_in_place_and_damage_is_noticed():
    block = exif_block(8)
    found = with_exif(block, {0x0112: 1})
    assert len(found) == len(block) and sum(a != b for a, b in zip(found, block)) == 1
    assert with_exif(block[:40], {0x0112: 1}) is None and with_exif(b"Exif\0\0XX", {}) is None
    assert with_exif(block[6:], {0x0112: 1}) == found
    thumbnail = bytearray(block)
    (count,) = struct.unpack_from("<H" if block[6:8] == b"II" else ">H", block, 14)
    thumbnail[16 + 12 * count : 20 + 12 * count] = b"\0\0\0\1"
    assert with_exif(bytes(thumbnail), {0x0112: 1}) == found


def test_jpeg_tables_and_subsampling_are_kept():
    image = Image.fromarray(numbers(16, 16, 3))
    found = read(saved(image, "JPEG", quality=75, subsampling=2)).kept
    assert found.subsampling == "4:2:0" and len(found.tables) == 2 and found.tables[0][0] == 8
    assert not found.lossless and read(saved(image, "JPEG", subsampling=0)).kept.subsampling == "4:4:4"
    assert read(saved(image.convert("L"), "JPEG")).kept.subsampling is None
    written = read(encode(picture(16, 16), ".jpg", None)).kept
    assert written.subsampling == "4:4:4" and written.tables[0][0] == 2


def test_text_and_gamma_of_a_png_stay():
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "A. Person")
    info.add_itxt("Title", "Über")
    info.add(b"gAMA", struct.pack(">I", 100000))
    found = read(saved(Image.fromarray(numbers(3, 3, 3)), "PNG", pnginfo=info))
    with Image.open(io.BytesIO(encode(found, ".png", NOTE))) as image:
        image.load()
        assert image.text["Author"] == "A. Person" and image.text["Title"] == "Über" and image.info["gamma"] == 1.0


# ------------------------------------------------------------------ notes


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_the_note_is_in_the_file(tmp_path, suffix, dtype):
    for note in (NOTE, {}):
        (tmp_path / f"x{suffix}").write_bytes(encode(picture(dtype=dtype), suffix, note))
        assert read_note(tmp_path / f"x{suffix}") == note
        assert b"digitalsourcetype/algorithmicallyEnhanced" in (tmp_path / f"x{suffix}").read_bytes()
    (tmp_path / f"y{suffix}").write_bytes(encode(picture(dtype=dtype), suffix, None))
    assert read_note(tmp_path / f"y{suffix}") is None


def test_a_second_note_takes_the_place_of_the_first(tmp_path):
    for suffix in (".png", ".jpg", ".webp", ".tif"):
        first = encode(picture(), suffix, {"n": 1})
        (tmp_path / f"x{suffix}").write_bytes(encode(read(first), suffix, {"n": 2}))
        (tmp_path / f"y{suffix}").write_bytes(encode(read(first), suffix, None))
        assert read_note(tmp_path / f"x{suffix}") == {"n": 2} and read_note(tmp_path / f"y{suffix}") == {"n": 1}
        assert (tmp_path / f"x{suffix}").read_bytes().count(b"algorithmicallyEnhanced") == 1


def test_xmp_stays_and_a_picture_made_by_a_model_stays_one():
    def packet(kind):
        return (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="r"><rdf:Description rdf:about="" xmlns:e="u" '
            f'tiff:Orientation="6" e:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{kind}" '
            'dc:title="A title"/></rdf:RDF></x:xmpmeta>'
        ).encode()

    image = Image.fromarray(numbers(3, 3, 3))
    camera = encode(read(saved(image, "JPEG", xmp=packet("digitalCapture"))), ".jpg", NOTE)
    model = encode(read(saved(image, "JPEG", xmp=packet("trainedAlgorithmicMedia"))), ".jpg", NOTE)
    for data in (camera, model):
        assert b'dc:title="A title"' in data and b'tiff:Orientation="1"' in data
    assert b"digitalCapture" not in camera and b"algorithmicallyEnhanced" in camera
    assert b"algorithmicallyEnhanced" not in model and b"trainedAlgorithmicMedia" in model


# ------------------------------------------------------------------ what cannot be kept


def test_words_about_what_is_lost():
    all_of_it = picture(alpha=True, dtype=np.uint16, exif=exif_block(1), dpi=(72.0, 72.0))
    assert remarks(all_of_it, ".png") == remarks(all_of_it, ".tiff") == ()
    said = {suffix: " | ".join(remarks(all_of_it, suffix)) for suffix in (".jpg", ".webp", ".bmp", ".gif")}
    assert "laid on white" in said[".jpg"] and "16 bits became 8" in said[".jpg"] and "EXIF" not in said[".jpg"]
    assert "16 bits became 8" in said[".webp"] and "resolution" in said[".webp"] and "white" not in said[".webp"]
    assert "EXIF was left out" in said[".bmp"] and "hard" in said[".gif"]
    flat = read(encode(all_of_it, ".bmp", None))
    cover = all_of_it.alpha[..., None] / 65535
    assert np.abs(flat.pixels - (all_of_it.pixels / 257 * cover + 255 * (1 - cover))).max() <= 1


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_one_line_says_where_no_note_can_stand(tmp_path, suffix):
    """Exactly for the formats whose files come back without the note that they were given."""
    said = [words for words in remarks(picture(), suffix) if "note" in words]
    (tmp_path / f"x{suffix}").write_bytes(encode(picture(), suffix, NOTE))
    assert (
        len(said)
        == (read_note(tmp_path / f"x{suffix}") is None)
        == (suffix in (".bmp", ".gif", ".pgm", ".pnm", ".ppm"))
    )
    assert not [words for words in remarks(picture(), suffix, noted=False) if "note" in words]


def test_a_block_too_long_for_jpeg_is_left_out():
    exif = Image.Exif()
    exif[0x010E] = "words " * 20000
    long = picture(exif=exif.tobytes(), xmp=b"<rdf:RDF>" + b" " * 70000 + b"</rdf:RDF>")
    assert "too long" in " ".join(remarks(long, ".jpg"))
    assert read(encode(long, ".jpg", NOTE)).kept.exif is None and read(encode(long, ".png", NOTE)).kept.exif


def test_what_cannot_be_written():
    for suffix in (".xyz", "", ".heic", "png"):
        with pytest.raises(BadInput, match=r"\.bmp, \.gif"):
            encode(picture(), suffix, None)
    with pytest.raises(BadInput, match="16383"):
        encode(picture(1, 16400), ".webp", None)


def test_equal_pictures_give_equal_files():
    for suffix in SUFFIXES:
        assert encode(picture(alpha=True), suffix, NOTE) == encode(picture(alpha=True), suffix, NOTE)


def test_empty_and_missing_files(tmp_path):
    (tmp_path / "x.png").write_bytes(b"")
    for source in (tmp_path / "x.png", str(tmp_path / "nowhere.png"), tmp_path, b"", b"GIF89a"):
        with pytest.raises(Unreadable) as caught:
            read(source)
        assert "\n" not in str(caught.value)
    assert set(SUFFIXES.values()) <= set(FORMATS)
