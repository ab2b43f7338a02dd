import io

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from zeuxis.data.decode import Shape, decode, is_grey
from zeuxis.data.origin import PLAIN
from zeuxis.data.signatures import Unreadable

RAMP = (np.arange(6 * 8 * 3).reshape(6, 8, 3) * 5 % 256).astype(np.uint8)


def read(image, form, shape=None, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    buffer.seek(0)
    return decode(buffer, shape or Shape())


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM", "WEBP", "QOI"])
def test_lossless_formats_give_the_pixels(form):
    options = {"lossless": True} if form == "WEBP" else {}
    assert (read(Image.fromarray(RAMP), form, **options).pixels == RAMP).all()


@pytest.mark.parametrize(("dtype", "form"), [("<u2", "PNG"), ("<u2", "TIFF"), (">u2", "TIFF")])
def test_16_bits_are_scaled_and_not_clipped(dtype, form):
    values = np.array([[0, 257, 128 * 257, 65535, 300, 65000]], np.uint16)
    image = Image.frombytes("I;16" if dtype == "<u2" else "I;16B", (6, 1), values.astype(dtype).tobytes())
    assert read(image, form).pixels[0, :, 0].tolist() == [0, 1, 128, 255, 1, 253]


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_floats_find_their_white(white):
    values = np.array([[0, 0.2, 0.6, 1.0]], np.float32) * white
    assert read(Image.fromarray(values), "TIFF").pixels[0, :, 0].tolist() == [0, 51, 153, 255]


@pytest.mark.parametrize("values", [[0, np.nan], [0, np.inf], [-5, 1], [0, 1e6]])
def test_floats_without_a_white_are_refused(values):
    with pytest.raises(Unreadable):
        read(Image.fromarray(np.array([values], np.float32)), "TIFF")


def test_32_bit_integers():
    values = np.array([[0, 65535, 257]], np.int32)
    assert read(Image.fromarray(values), "TIFF").pixels[0, :, 0].tolist() == [0, 255, 1]
    with pytest.raises(Unreadable, match="which of them is white"):
        read(Image.fromarray(values * 1000), "TIFF")


def test_alpha_is_laid_on_white_or_kept():
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, :, 3] = [0, 255, 51]
    image = Image.fromarray(pixels)
    assert read(image, "PNG").pixels[0, :, 0].tolist() == [255, 0, 204]
    assert (read(image, "PNG", Shape(channels=4)).pixels == pixels).all()
    assert read(image.convert("LA"), "PNG", Shape(channels=1)).pixels[0, :, 0].tolist() == [255, 0, 204]
    assert read(image.convert("LA"), "PNG", Shape(channels=2)).pixels[0, :, 1].tolist() == [0, 255, 51]
    assert read(Image.fromarray(RAMP), "PNG", Shape(channels=4)).pixels[..., 3].min() == 255


def test_a_transparent_palette_colour_and_colour_key_become_white():
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    assert read(palette, "PNG").pixels.tolist() == [[[10, 20, 30], [40, 50, 60]]]
    assert read(palette, "PNG", transparency=1).pixels.tolist() == [[[10, 20, 30], [255, 255, 255]]]
    plain = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    assert read(plain, "PNG", transparency=(1, 2, 3)).pixels.tolist() == [[[255, 255, 255], [4, 5, 6]]]


def test_one_bit():
    image = Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1")
    assert read(image, "PNG").pixels[0, :, 0].tolist() == [0, 255]


def test_cmyk_is_not_inverted():
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red = read(image, "JPEG", quality=95).pixels[4, 4]
    assert red[0] > 240 and red[1] < 15 and red[2] < 15


def test_lab():
    buffer = io.BytesIO()
    to_lab = ImageCms.profileToProfile(
        Image.new("RGB", (4, 4), (200, 100, 50)),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    to_lab.save(buffer, "TIFF")
    buffer.seek(0)
    assert np.abs(decode(buffer, Shape()).pixels.astype(int) - [200, 100, 50]).max() <= 2


def test_a_broken_colour_profile_costs_nothing():
    assert (read(Image.fromarray(RAMP), "PNG", icc_profile=b"nonsense" * 40).pixels == RAMP).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation):
    stored = {
        1: RAMP,
        2: RAMP[:, ::-1],
        3: RAMP[::-1, ::-1],
        4: RAMP[::-1],
        5: RAMP.swapaxes(0, 1),
        6: RAMP.swapaxes(0, 1)[::-1],
        7: RAMP.swapaxes(0, 1)[::-1, ::-1],
        8: RAMP.swapaxes(0, 1)[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert (read(Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif).pixels == RAMP).all()


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken_and_said(form):
    first, second = Image.new("RGB", (4, 4), (255, 0, 0)), Image.new("RGB", (4, 4), (0, 255, 0))
    options = {"lossless": True} if form == "WEBP" else {}
    found = read(first, form, save_all=True, append_images=[second], **options)
    assert found.frames == 2 and found.pixels[0, 0].tolist() == [255, 0, 0]
    assert read(first, form).frames == 1


@pytest.mark.parametrize("term", ["trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_the_notes_of_programs_are_seen(term, form):
    packet = f'<x Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{term}"/>'
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet)
        assert read(Image.fromarray(RAMP), form, pnginfo=info).origin.kind == "made"
    else:
        assert read(Image.fromarray(RAMP), form, xmp=packet.encode()).origin.kind == "made"
    assert read(Image.fromarray(RAMP), form).origin == PLAIN


def test_a_big_jpeg_keeps_twice_the_wanted_detail():
    big = Image.fromarray(RAMP).resize((800, 600), Image.Resampling.BICUBIC)
    small = read(big, "JPEG", Shape(size=(30, 40)), quality=95).pixels
    wanted = np.asarray(big.resize((40, 30), Image.Resampling.LANCZOS))
    assert small.shape == (30, 40, 3) and np.abs(small.astype(int) - wanted).mean() < 3


def test_grey_is_grey_in_any_mode():
    assert is_grey(RAMP[..., :1]) and is_grey(np.repeat(RAMP[..., :1], 3, 2)) and not is_grey(RAMP)


def test_formats_that_run_programs_are_not_opened():
    buffer = io.BytesIO()
    Image.fromarray(RAMP).save(buffer, "EPS")
    buffer.seek(0)
    with pytest.raises(Unreadable, match="is PostScript"):
        decode(buffer, Shape())


def test_pixels_beyond_the_limit_are_a_bomb(monkeypatch):
    monkeypatch.setattr("zeuxis.data.decode.BOMB", 47)
    with pytest.raises(Unreadable, match="6x8 pixels|8x6 pixels"):
        read(Image.fromarray(RAMP), "PNG")


@pytest.mark.parametrize("kept", [0.3, 0.9, 40, 30])
def test_a_png_that_was_cut_off_ends_too_early_and_has_no_wrong_checksum(kept):
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)).save(whole, "PNG")
    data = whole.getvalue()
    cut = data[: kept if isinstance(kept, int) else int(kept * len(data))]
    with pytest.raises(Unreadable) as told:
        decode(io.BytesIO(cut), Shape())
    why = str(told.value)
    assert "checksum" not in why and ("too early" in why or "a PNG, and damaged" in why or "truncated" in why)
