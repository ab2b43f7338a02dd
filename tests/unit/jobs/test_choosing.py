"""`train auto`: a recipe for these pictures, and why."""

import numpy as np
import pytest
import torch

from zeuxis.data.memory import MemoryDataset
from zeuxis.draw import Stream, key_of
from zeuxis.errors import BadInput
from zeuxis.jobs import choosing
from zeuxis.jobs.sources import Source


def scenes(side: int, channels: int = 3, labelled: bool = True, n: int = 10) -> MemoryDataset:
    """Smooth pictures, whose round trip is good at any size."""
    place = torch.linspace(0, 1, side)
    slopes = Stream(key_of("scenes")).uniform(n, channels, 2, low=-90, high=90)
    pixels = 128 + slopes[..., :1, None] * place[:, None] + slopes[..., 1:, None] * place
    labels = np.arange(n) % 2 if labelled else None
    return MemoryDataset(pixels.clamp(0, 255).to(torch.uint8), labels, ("a", "b") if labelled else ())


@pytest.mark.parametrize(("side", "channels"), [(32, 3), (48, 1), (64, 1), (64, 3), (96, 3), (128, 1), (128, 3)])
def test_scenes_are_learned_on_maps(side, channels):
    choice = choosing.choice_for(scenes(side, channels))
    assert choice.recipe == "latentgan" and f"{side}x{side} px" in choice.why and " dB" in choice.why


@pytest.mark.parametrize(("labelled", "recipe"), [(True, "cgan"), (False, "r3gan")])
def test_small_pictures_are_learned_pixel_by_pixel(labelled, recipe):
    choice = choosing.choice_for(scenes(28, 1, labelled))
    assert choice.recipe == recipe and "28x28 px" in choice.why


@pytest.mark.parametrize(("seconds", "recipe"), [(None, "cgan"), (600, "cgan"), (30, "latentgan")])
def test_where_pixels_were_measured_to_suffice_they_are_learned(seconds, recipe):
    """Garments of 32 pixels: after four minutes classifiers know .77 of the samples of cgan, .66 of latentgan's."""
    assert choosing.choice_for(scenes(32, 1), seconds, "cpu").recipe == recipe


def test_labels_that_are_left_aside_make_it_a_recipe_without():
    assert choosing.choice_for(scenes(28, 1), conditional=False).recipe == "r3gan"


def test_what_the_autoencoder_loses_is_learned_pixel_by_pixel():
    noise = (255 * Stream(key_of("noise")).uniform(8, 3, 64, 64)).to(torch.uint8)
    choice = choosing.choice_for(MemoryDataset(noise))
    assert choice.recipe == "r3gan" and "too poorly" in choice.why


def test_in_a_time_of_fog_what_is_lost_counts_less(monkeypatch):
    """Minutes of a processor are hopeless for a recipe of pixels: it drew a checkerboard of icons with transparency."""
    noise = MemoryDataset((255 * Stream(key_of("noise")).uniform(8, 4, 64, 64)).to(torch.uint8))
    few = choosing.choice_for(noise, 600, "cpu")
    assert (few.recipe, few.preset, few.poor) == ("latentgan", "quick", True) and "would draw fog" in few.why
    assert choosing.choice_for(noise, 36_000, "cpu").recipe == choosing.choice_for(noise).recipe == "r3gan"
    assert choosing.choice_for(noise, 600, "cuda").recipe == "r3gan" and not choosing.choice_for(scenes(64)).poor
    for side, channels in ((128, 3), (64, 1)):  # of which nothing is known by pixels
        unknown = (255 * Stream(key_of("noise")).uniform(8, channels, side, side)).to(torch.uint8)
        assert choosing.choice_for(MemoryDataset(unknown), 36_000, "cpu").recipe == "latentgan"


def test_sides_that_the_maps_do_not_fit_are_said():
    with pytest.raises(BadInput, match="multiples of 4, not 66x66; use `--size 68x68`"):
        choosing.choice_for(scenes(66))
    with pytest.raises(BadInput, match="5x5 pixels are too few for cgan"):
        choosing.choice_for(scenes(5))


def test_pictures_are_looked_at_from_all_of_the_collection(monkeypatch):
    """The first pictures are flat, and the rest is noise: the first alone would pass."""
    monkeypatch.setattr(choosing, "_LOOKED_AT", 8)
    noise = (255 * Stream(key_of("noise")).uniform(40, 3, 64, 64)).to(torch.uint8)
    noise[:8] = 128
    assert choosing.choice_for(MemoryDataset(noise)).recipe == "r3gan"


def test_one_collection_is_chosen_for(tmp_path):
    with pytest.raises(BadInput, match="one collection"):
        choosing.choose([Source(str(tmp_path)), Source(str(tmp_path))])


@pytest.mark.parametrize(
    ("seconds", "device", "preset"),
    [(600, "cpu", "quick"), (600, "cuda:0", None), (7200, "cpu", None), (None, "cpu", None)],
)
def test_minutes_of_a_processor_get_half_of_the_channels(monkeypatch, seconds, device, preset):
    monkeypatch.setattr(choosing, "best_device", lambda: device)
    choice = choosing.choice_for(scenes(64), seconds)
    assert choosing.choice_for(scenes(64), seconds, "cpu").preset == ("quick" if seconds == 600 else None)
    assert choice.recipe == "latentgan" and choice.preset == preset
    assert choice.settings == ({"widths": (32, 64, 128)} if preset else {})
