"""Whether pairs lie on each other: those that were moved are found, and strangers are told from partners."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import zoom

from zeuxis.errors import BadInput
from zeuxis.jobs.alignment import aligned
from zeuxis.jobs.sources import Source

MOVED = {3: (10, 0), 7: (-6, 14)}
"""Pixels down and right, by pair, of pictures of 128 pixels."""


@pytest.fixture
def folders(tmp_path):
    """Twelve blobs, and partners of other colours, two of which are moved."""
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    for i in range(12):
        large = (zoom(rng.random((20, 20)), 8, order=3) > 0.5).astype(np.uint8)
        down, right = MOVED.get(i, (0, 0))
        Image.fromarray(large[16:144, 16:144] * 200).save(tmp_path / "a" / f"{i}.png")
        other = large[16 - down : 144 - down, 16 - right : 144 - right]
        Image.fromarray(np.stack([255 - other * 90, other * 30, other * 200], 2)).save(tmp_path / "b" / f"{i}.jpg")
    return tmp_path / "a", tmp_path / "b"


def test_moved_pairs_come_first_and_the_others_are_not_called_moved(folders):
    page = folders[0].parent / "page.html"
    found = aligned([Source(str(folder)) for folder in folders], page)
    assert (found["pairs"], found["moved"]) == (12, 2) and found["edges"] > found["edges of others"] + 0.3
    assert found["said"] == "2 of 12 pairs are moved against each other, 10 not"
    worst = {int(one["pair"].split(".")[0]): one for one in found["worst"]}
    assert set(list(worst)[:2]) == set(MOVED) and all("down" not in worst[i] for i in worst if i not in MOVED)
    for i, (down, right) in MOVED.items():
        assert worst[i]["down"] == pytest.approx(down / 128, abs=0.01)
        assert worst[i]["right"] == pytest.approx(right / 128, abs=0.01)
    html = page.read_text()
    assert "2 of 12 pairs are moved against each other, 10 not." in html and html.count("<img") == 36


def test_strangers_are_no_pairs(folders):
    for i in range(12):
        (folders[1] / f"{i}.jpg").rename(folders[1] / f"x{i}.jpg")
    for i in range(12):
        (folders[1] / f"x{i}.jpg").rename(folders[1] / f"{(i + 1) % 12}.jpg")
    said = aligned([Source(str(folder)) for folder in folders])["said"]
    assert said == "the edges of the 12 pairs agree no better than those of pictures that do not belong together"


def test_three_collections_are_no_pairs(folders):
    with pytest.raises(BadInput, match="pairs are of two collections, not of 3"):
        aligned([Source(str(folders[0]))] * 3)
