"""A grey picture in a file of three equal channels is that grey picture: measured, mended, enlarged as it, and grey."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zeuxis.degrade.parsing import parse
from zeuxis.degrade.pixels import apply_to_pixels
from zeuxis.jobs.restoring import large
from zeuxis.jobs.restoring.diagnose import measure
from zeuxis.jobs.restoring.restore import RestoreConfig, picture_of, run_batch
from zeuxis.pictures.picture import Picture, read, to_tensor

HELD_OUT = Path(__file__).resolve().parents[2] / "pictures" / "held-out"


def grey(name: str = "city1") -> np.ndarray:
    with Image.open(HELD_OUT / f"{name}.webp") as image:
        return np.array(image.convert("L"))[:160, :200]


def thrice(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(pixels[..., None], 3, 2)


def opened(pixels: np.ndarray) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return read(buffer.getvalue())


def hurt(pixels: np.ndarray, how: str) -> np.ndarray:
    return apply_to_pixels(pixels[..., None], parse(how), 0, "x").reshape(pixels.shape)


@pytest.mark.parametrize("how", ["blur=1.5", "noise=15", "jpeg=30", "salt-pepper=0.04", "jpeg=90"])
def test_it_is_measured_and_mended_as_the_grey_picture_is(how):
    """A blur was denied in three of four photographs, since the rounding of equal channels does not average out; and
    a net of colours coloured what it mended."""
    dull = hurt(grey(), how)
    alone, three = (picture_of(opened(pixels), RestoreConfig()) for pixels in (dull, thrice(dull)))
    assert (three.why, three.used, three.measured) == (alone.why, alone.used, alone.measured)
    assert (three.picture is None) is (alone.picture is None) is (how == "jpeg=90")
    if three.picture is not None:
        assert three.picture.pixels.shape[2] == 3 and np.array_equal(
            three.picture.pixels, thrice(alone.picture.pixels[..., 0])
        )


def test_it_is_enlarged_as_the_grey_picture_is():
    pixels = grey()[:40, :56]
    alone, three = (picture_of(opened(x), RestoreConfig(scale=2)).picture.pixels for x in (pixels, thrice(pixels)))
    assert three.shape == (80, 112, 3) and np.array_equal(three, thrice(alone[..., 0]))


@pytest.mark.parametrize("task", ["denoise", "enhance", "old-photo", "deblur"])
def test_every_task_leaves_it_grey(task):
    made = picture_of(opened(thrice(hurt(grey(), "noise=15"))), RestoreConfig(task=task)).picture.pixels
    assert made.shape[2] == 3 and (made == made[..., :1]).all()


def test_one_pixel_in_colour_makes_it_a_picture_in_colours():
    pixels = thrice(hurt(grey(), "noise=15"))
    pixels[7, 9] = (90, 40, 40)
    assert picture_of(opened(pixels), RestoreConfig(task="denoise")).used == ("repair",)


def test_colours_of_what_is_hidden_do_not_count():
    pixels = np.dstack((thrice(hurt(grey(), "blur=2")), np.full((160, 200), 255, np.uint8)))
    pixels[:9, :9] = (200, 0, 0, 0)
    made = picture_of(opened(pixels), RestoreConfig(task="deblur")).picture.pixels
    assert (made[20:] == made[20:, :, :1]).all() and (made[:9, :9] == (200, 0, 0)).all()


def test_what_is_measured_of_it_is_what_the_grey_picture_shows():
    dull = hurt(grey(), "blur=1.2")
    alone, three = opened(dull), opened(thrice(dull))
    assert measure(three, to_tensor(three)) == measure(alone, to_tensor(alone))
    assert measure(three, to_tensor(three)).blur > 0


@pytest.mark.parametrize("scale", [1, 2])
def test_in_bands_too(tmp_path, monkeypatch, scale):
    pytest.importorskip("pyvips")
    monkeypatch.setattr("zeuxis.pictures.streaming.LARGE", 160 * 200 - 1)
    monkeypatch.setattr(large, "_MOST", 64)
    dull = hurt(grey(), "noise=15")
    for name, pixels in (("grey", dull), ("three", thrice(dull))):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        run_batch(str(tmp_path / f"{name}.png"), str(tmp_path / f"{name}-out.png"), RestoreConfig(scale=scale))
    alone, three = (np.array(Image.open(tmp_path / f"{name}-out.png")) for name in ("grey", "three"))
    assert three.shape == (160 * scale, 200 * scale, 3) and np.array_equal(three, thrice(alone))
