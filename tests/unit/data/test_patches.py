"""Pictures of any size, and the squares cut out of them."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from zeuxis.data.patches import _places, cut, open_pictures
from zeuxis.data.reader import open_dataset
from zeuxis.errors import BadInput


@pytest.fixture()
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for i, size in enumerate([(40, 70), (64, 64), (20, 200)]):
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(tmp_path / f"{i}.png")
    flat = np.full((64, 64, 3), 90, np.uint8)
    flat[:32, :32] = rng.integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(flat).save(tmp_path / "flat.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    return tmp_path


def test_squares_are_parts_of_the_pictures(folder):
    pictures = open_pictures(folder)
    assert len(pictures) == 4 and [name for name, _ in pictures.skipped] == ["broken.jpg"]
    patches = cut(pictures, np.arange(4), 24)
    assert patches.spec.channels == 3 and patches.spec.height == patches.spec.width == 24
    batch = patches.images(range(len(patches)))
    for square, (picture, top, left) in zip(batch, patches.places.tolist(), strict=True):
        whole = np.asarray(Image.open(folder / pictures.sources[picture]))
        assert np.array_equal(square.permute(1, 2, 0).numpy(), whole[top : top + 24, left : left + 24])
    assert "2.png" not in set(patches.sources), "20 pixels hold no square of 24"
    assert all(pictures.pixels(p)[t : t + 24, x : x + 24].std() > 1 for p, t, x in patches.places.tolist())


def test_the_same_on_the_disk_as_in_memory(folder):
    a, b = open_pictures(folder), open_pictures(folder, memory_limit=10_000)
    assert isinstance(b.store, np.memmap) and a.digest == b.digest
    assert all(np.array_equal(a.pixels(i), b.pixels(i)) for i in range(len(a)))
    x, y = cut(a, np.arange(4), 16), cut(b, np.arange(4), 16)
    assert x.digest == y.digest and np.array_equal(x.places, y.places)
    assert np.array_equal(a.thumbnails().pixels.numpy(), b.thumbnails().pixels.numpy())


def test_grey_pictures_keep_one_channel(tmp_path):
    for i in range(3):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (30, 31), np.uint8)).convert("RGB").save(
            tmp_path / f"{i}.png"
        )
    pictures = open_pictures(tmp_path)
    assert pictures.channels == 1
    grey = np.asarray(Image.open(tmp_path / "1.png").convert("L"))
    assert np.array_equal(pictures.pixels(1)[..., 0], grey)
    assert open_pictures(tmp_path, channels=3).channels == 3


def test_pictures_on_the_disk_are_mapped_and_stay_so(tmp_path):
    """Grey ones too: nothing is read back as a whole, and what is found late to be in colours is widened there."""
    rng = np.random.default_rng(0)
    for i in range(6):
        Image.fromarray(rng.integers(0, 256, (40, 30), np.uint8)).save(tmp_path / f"{i}.png")
    memory, disk = open_pictures(tmp_path), open_pictures(tmp_path, memory_limit=2000)
    assert disk.channels == 1 and isinstance(disk.store, np.memmap) and isinstance(disk.pixels(3), np.memmap)
    assert disk.digest == memory.digest and np.array_equal(disk.store, memory.store)
    Image.fromarray(rng.integers(0, 256, (9, 8, 3), np.uint8)).save(tmp_path / "9.png")
    for limit in (2000, 6 * 40 * 30, 1 << 20):
        late = open_pictures(tmp_path, memory_limit=limit)
        assert late.channels == 3 and isinstance(late.store, np.memmap) == (limit < 1 << 20)
        for i in range(7):
            pixels = np.asarray(Image.open(tmp_path / late.sources[i]).convert("RGB"))
            assert np.array_equal(late.pixels(i), pixels)


def test_a_square_larger_than_every_picture_is_refused(folder):
    with pytest.raises(BadInput, match="--patch 64"):
        cut(open_pictures(folder), np.array([1]), 65)


def test_a_set_of_one_size_by_name():
    pictures = open_pictures("fashion-mini")
    patches = cut(pictures, np.arange(10), 28)
    assert len(patches) == 10 and patches.spec.channels == 1


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sets_in_one_array_come_in_the_channels_that_were_asked_for(tmp_path, channels):
    """As `open_dataset` gives them: for arrays of grey (idx) and of colours (CIFAR)."""
    rng = np.random.default_rng(0)
    head = struct.pack(">HBB3I", 0, 8, 3, 5, 12, 10)
    (tmp_path / "x-images-idx3-ubyte").write_bytes(head + rng.integers(0, 256, (5, 12, 10), np.uint8).tobytes())
    (tmp_path / "data_batch_1.bin").write_bytes(
        b"".join(b"\1" + rng.integers(0, 256, 3072, np.uint8).tobytes() for _ in range(4))
    )
    for name in ("x-images-idx3-ubyte", "data_batch_1.bin"):
        pictures = open_pictures(tmp_path / name, channels=channels)
        wanted = open_dataset(tmp_path / name, channels=channels)
        assert pictures.channels == channels and len(pictures) == len(wanted)
        assert all(np.array_equal(pictures.pixels(i), wanted.item(i).image) for i in range(len(wanted)))
        assert pictures.hashes == wanted.hashes
        assert cut(pictures, np.arange(3), 8).spec.channels == channels


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 30))
def test_places_cover_and_stay_inside(height, width, size):
    places = _places(height, width, size, 7)
    assert (len(places) > 0) == (min(height, width) >= size)
    if len(places):
        assert places.min() >= 0 and (places.max(0) <= [height - size, width - size]).all()
        assert np.array_equal(places, _places(height, width, size, 7))
