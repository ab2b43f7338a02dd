"""Damage for one picture of 8 bits."""

import numpy as np
import pytest

from zeuxis.degrade.parsing import parse
from zeuxis.degrade.pixels import apply_to_pixels
from zeuxis.draw import Stream, key_of
from zeuxis.errors import BadInput


def pixels(channels=3, height=20, width=27):
    bits = Stream(key_of("pixels")).integers(1, height, width, channels, high=256)
    return bits[0].numpy().astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_clean_keeps_every_value(channels):
    assert np.array_equal(apply_to_pixels(pixels(channels), parse("clean"), 0, "a.png"), pixels(channels))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("words", ["web", "hard", "old-photo", "repair", "boxes"])
def test_same_kind_of_picture_and_alpha_stays(words, channels):
    seen = apply_to_pixels(pixels(channels), parse(words), 3, "a.png")
    assert seen.dtype == np.uint8 and seen.shape == (20, 27, channels) and seen.flags["C_CONTIGUOUS"]
    if channels in (2, 4):
        assert np.array_equal(seen[:, :, -1], pixels(channels)[:, :, -1])


def test_numbers_follow_seed_and_name():
    damage = parse("noise=25")
    first = apply_to_pixels(pixels(), damage, 0, "a.png")
    assert np.array_equal(apply_to_pixels(pixels(), damage, 0, "a.png"), first)
    assert not np.array_equal(apply_to_pixels(pixels(), damage, 1, "a.png"), first)
    assert not np.array_equal(apply_to_pixels(pixels(), damage, 0, "b.png"), first)


def test_smaller_pictures():
    assert apply_to_pixels(pixels(), parse("down=2"), 0, "a").shape == (10, 14, 3)
    with pytest.raises(BadInput, match="alpha cannot change its size"):
        apply_to_pixels(pixels(4), parse("down=2"), 0, "a")


@pytest.mark.parametrize("bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 5), np.uint8), np.zeros((4, 4, 3))])
def test_other_arrays_are_refused(bad):
    with pytest.raises(BadInput, match="uint8 pixels"):
        apply_to_pixels(bad, parse("clean"), 0, "a")
