"""Grey, sepia, fading, colour at low resolution."""

import pytest
import torch

from zeuxis.degrade.colour import Fading, Grey, LowColour, Sepia, greyed, toned
from zeuxis.degrade.jpeg import to_ycc
from zeuxis.degrade.noise import is_grey
from zeuxis.draw import Draw, Stream, key_of

DRAW = Draw(8, phase="colour")


def noise(n=4, channels=3, side=24):
    return Stream(key_of("colour", channels)).uniform(n, channels, side, side, low=-1.0, high=1.0)


def test_grey_is_the_luma_and_is_wanted_back():
    x = noise()
    seen = Grey()(x, DRAW)
    assert bool(is_grey(seen.image).all()) and torch.equal(seen.clean, seen.image)
    assert torch.allclose(seen.image[:, 0], to_ycc(x)[:, 0], atol=1e-6)
    assert seen.wanted(x) is seen.clean


@pytest.mark.parametrize("kind", [Grey(), Sepia(), Fading((1, 1)), LowColour((3, 3))])
def test_other_channels_are_left_alone(kind):
    four = kind(noise(channels=4), DRAW).image
    assert torch.equal(four[:, 3:], noise(channels=4)[:, 3:])
    assert torch.equal(kind(noise(channels=2), DRAW).image[:, 1:], noise(channels=2)[:, 1:])


@pytest.mark.parametrize("kind", [Grey(), Sepia(), LowColour((3, 3))])
def test_pictures_without_colour_stay(kind):
    assert torch.equal(kind(noise(channels=1), DRAW).image, noise(channels=1))


def test_sepia_of_white_and_black():
    white = toned(torch.ones(1, 3, 1, 1))[0, :, 0, 0]
    assert white.tolist() == pytest.approx([1, 1, 2 * (0.272 + 0.534 + 0.131) - 1])
    assert torch.equal(toned(-torch.ones(1, 3, 1, 1)), -torch.ones(1, 3, 1, 1))


def test_full_sepia_is_wanted_grey():
    seen = Sepia((1, 1))(noise(), DRAW)
    assert torch.allclose(seen.clean, greyed(noise()), atol=1e-6)
    red, _, blue = seen.image.mean((0, 2, 3))
    assert red > blue


def test_fading_lowers_contrast_within_the_range():
    x = noise(16)
    seen = Fading((1, 1))(x, DRAW).image
    assert float(seen.abs().max()) <= 1 and bool((seen.std((1, 2, 3)) < x.std((1, 2, 3))).any())
    casts = seen.mean((2, 3))
    assert float((casts - casts.mean(1, keepdim=True)).abs().max()) > 0.02


def test_low_colour_keeps_the_luma():
    x = noise()
    seen = LowColour((4, 4))(x, DRAW).image
    before, after = to_ycc(x), to_ycc(seen)
    assert torch.allclose(before[:, 0], after[:, 0], atol=1e-5)
    assert (after[:, 1:].std() < 0.5 * before[:, 1:].std()).item()
