"""What a mask marks: what differs from its background, whatever the colours, the depth and the file."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from zeuxis.errors import BadInput
from zeuxis.jobs.restoring.mask_files import MOST, check_meaning, hole_of
from zeuxis.pictures.picture import Picture, read

SIZE = (60, 80)
STROKES = [(10, 12, 30, 17), (50, 20, 55, 45)]


def strokes() -> np.ndarray:
    """bool [H, W]."""
    where = np.zeros(SIZE, bool)
    for left, top, right, bottom in STROKES:
        where[top:bottom, left:right] = True
    return where


def drawn(ground: object, paint: object, mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, SIZE[::-1], ground)
    for left, top, right, bottom in STROKES:
        ImageDraw.Draw(image).rectangle((left, top, right - 1, bottom - 1), fill=paint)
    return image


def opened(image: Image.Image, form: str = "PNG", **settings: object) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, form, **settings)
    return read(buffer.getvalue())


@pytest.mark.parametrize(
    ("mode", "ground", "paint"),
    [
        ("L", 0, 255),
        ("L", 0, 128),
        ("L", 0, 1),
        ("L", 90, 255),
        ("1", 0, 1),
        ("I;16", 0, 65535),
        ("I;16", 0, 1),
        ("P", 0, 3),
        ("RGB", "black", "red"),
        ("RGB", "white", "red"),
        ("RGB", "black", "blue"),
        ("RGB", "darkgreen", "yellow"),
        ("RGB", "white", "lime"),
        ("RGBA", (0, 0, 0, 0), (0, 0, 0, 255)),
        ("RGBA", (255, 255, 255, 0), (255, 0, 0, 200)),
        ("LA", (0, 255), (255, 255)),
    ],
)
def test_strokes_of_any_colour_are_the_hole(mode, ground, paint):
    image = drawn(ground, paint, mode)
    if mode == "P":
        image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0])
    assert np.array_equal(hole_of(opened(image), SIZE), strokes())


def test_each_class_of_a_map_of_numbers_is_marked():
    numbers = np.zeros(SIZE, np.uint8)
    for k in range(1, 41):
        numbers[k, : k + 1] = k
    assert np.array_equal(hole_of(opened(Image.fromarray(numbers)), SIZE), numbers > 0)


@pytest.mark.parametrize("paint", ["white", "red"])
def test_a_soft_rim_belongs_to_the_hole(paint):
    soft = drawn("black", paint).filter(ImageFilter.GaussianBlur(3))
    level = np.asarray(soft).max(2)
    found = hole_of(opened(soft), SIZE)
    assert found[level > 3].all() and not found[level <= 3].any()
    assert found.sum() > 2 * strokes().sum()


@pytest.mark.parametrize("quality", [30, 50, 75, 95])
@pytest.mark.parametrize("colours", [("black", "white"), ("black", "red"), ("white", "red"), ("#204080", "#f0f0a0")])
def test_a_jpeg_rings_but_marks_the_same_strokes(quality, colours):
    found = hole_of(opened(drawn(*colours), "JPEG", quality=quality), SIZE)
    assert found[strokes()].all()
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    near = np.zeros(SIZE, bool)  # the blocks of 16 pixels, colours being halved, that hold some of a stroke
    for by, bx in {(int(a) // 16, int(b) // 16) for a, b in zip(*np.nonzero(strokes()))}:
        near |= (y // 16 == by) & (x // 16 == bx)
    wide = near
    for shift in ((0, 1), (0, -1), (1, 0), (-1, 0)):  # halved colours reach a pixel into the next block
        wide = wide | np.roll(near, shift, (0, 1))
    assert not found[~wide].any()


@pytest.mark.parametrize(
    ("mode", "ground", "paint"),
    [
        ("L", 255, 0),
        ("1", 1, 0),
        ("RGB", "white", "black"),
        ("RGBA", (9, 80, 70, 255), (0, 0, 0, 0)),
        ("L", 200, 60),
    ],
)
def test_a_mask_that_marks_most_of_a_picture_is_asked_about(mode, ground, paint):
    mask = opened(drawn(ground, paint, mode))
    share = 1 - strokes().mean()
    assert share > MOST
    with pytest.raises(BadInput, match=f"{share:.0%}") as caught:
        hole_of(mask, SIZE, None, "a.png")
    assert "--mask-is hole" in str(caught.value) and "--mask-is keep" in str(caught.value)
    assert np.array_equal(hole_of(mask, SIZE, "hole"), ~strokes())
    assert np.array_equal(hole_of(mask, SIZE, "keep"), strokes())


@given(st.integers(0, 255), st.integers(0, 255), st.integers(1, 60 * 80 - 1))
def test_two_levels_are_told_apart_and_half_is_the_bound(ground: int, paint: int, count: int):
    if ground == paint:
        return
    levels = np.full(60 * 80, min(ground, paint), np.uint8)
    levels[:count] = max(ground, paint)
    mask = opened(Image.fromarray(levels.reshape(SIZE)))
    bright = levels.reshape(SIZE) == max(ground, paint)
    if bright.mean() > MOST:
        with pytest.raises(BadInput):
            hole_of(mask, SIZE)
    else:
        assert np.array_equal(hole_of(mask, SIZE), bright)
    assert np.array_equal(hole_of(mask, SIZE, "hole"), bright)
    assert np.array_equal(hole_of(mask, SIZE, "keep"), ~bright)


@pytest.mark.parametrize(("mode", "colour"), [("L", 0), ("L", 90), ("RGB", "red"), ("RGBA", (255, 255, 255, 0))])
def test_one_colour_marks_nothing(mode, colour):
    assert not hole_of(opened(Image.new(mode, SIZE[::-1], colour)), SIZE).any()


def test_white_all_over_and_nothing_kept_are_refused():
    white = opened(Image.new("L", SIZE[::-1], 255))
    for meaning in (None, "hole"):
        with pytest.raises(BadInput, match="nothing is left"):
            hole_of(white, SIZE, meaning)
    assert not hole_of(white, SIZE, "keep").any()
    with pytest.raises(BadInput, match="one colour"):
        hole_of(opened(Image.new("L", SIZE[::-1], 0)), SIZE, "keep")


def test_another_size_is_refused():
    with pytest.raises(BadInput, match="80x60 and the picture 81x60"):
        hole_of(opened(drawn("black", "white")), (60, 81))


def test_the_meaning_is_one_of_two_and_needs_a_mask():
    check_meaning(None, False)
    check_meaning("keep", True)
    for meaning, has_mask in (("hole", False), ("keeps", True)):
        with pytest.raises(BadInput, match="--mask-is"):
            check_meaning(meaning, has_mask)
