import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from zeuxis.draw import Draw
from zeuxis.errors import BadInput, MachineGaveOut
from zeuxis.pictures.tiles import choose_tile, mirrored, padded, stretches, tiled

RADIUS = 4


def picture(height, width, channels=2):
    return Draw(0).at("x").normal(1, channels, height, width)


def net(x, layers=RADIUS):
    """Zero-padded 3x3 convolutions: radius `layers`, with borders that a net without context would darken."""
    for i in range(layers):
        weight = Draw(1).at(f"w{i}").normal(x.shape[1], x.shape[1], 3, 3) / 3
        x = torch.tanh(F.conv2d(x, weight, padding=1))
    return x


def double(x):
    return F.interpolate(net(x), scale_factor=2, mode="nearest")


def strided(x):
    """Radius 4 on a grid of 4: what it gives depends on where the grid lies."""
    return F.interpolate(F.avg_pool2d(net(x, 1), 4), scale_factor=4, mode="nearest")


@pytest.mark.parametrize("size", [(37, 53), (1, 40), (40, 1), (1, 1), (2, 3), (64, 64)])
@pytest.mark.parametrize("function, scale, multiple", [(net, 1, 1), (double, 2, 1), (strided, 1, 4)])
def test_tiles_equal_the_whole(size, function, scale, multiple):
    x = picture(*size)
    whole = tiled(function, x, scale, 2 * RADIUS, multiple, tile=512)
    assert whole.shape == (1, 2, size[0] * scale, size[1] * scale)
    for tile in (20, 24, 31):
        assert (tiled(function, x, scale, 2 * RADIUS, multiple, tile) - whole).abs().max() <= 1e-6


def test_the_radius_is_enough_and_half_of_it_is_not():
    x = picture(50, 61)
    whole = tiled(net, x, 1, RADIUS, tile=512)
    assert (tiled(net, x, 1, RADIUS, tile=17) - whole).abs().max() <= 1e-6
    inside = (..., slice(RADIUS, -RADIUS), slice(RADIUS, -RADIUS))
    assert (tiled(net, x, 1, RADIUS // 2, tile=17) - whole)[inside].abs().max() > 1e-3


def test_borders_see_a_mirrored_picture():
    x = picture(9, 11)
    mean = lambda y: F.avg_pool2d(y, 3, 1, 1)  # noqa: E731
    wanted = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), 3, 1)
    assert torch.allclose(tiled(mean, x, 1, 1, tile=5), wanted, atol=1e-6)


@pytest.mark.parametrize("length, before, after", [(5, 3, 4), (2, 3, 3), (1, 2, 2), (7, 0, 0), (3, 10, 11)])
def test_mirrored_is_numpys_reflection(length, before, after):
    wanted = np.pad(np.arange(length), (before, after), "reflect") if length > 1 else np.zeros(before + after + 1)
    assert mirrored(length, before, after).tolist() == wanted.tolist()


def test_padding_keeps_the_grid():
    whole = padded(picture(10, 13), 5, 4)
    assert whole.shape[2:] == (28, 32) and torch.equal(whole[:, :, 8:18, 8:21], picture(10, 13))


@settings(max_examples=60)
@given(st.integers(1, 90), st.integers(0, 6), st.integers(1, 3), st.integers(1, 3), st.integers(0, 20), st.booleans())
def test_weights_sum_to_one_and_stay_in_their_tiles(length, overlap, multiple, scale, more, feather):
    overlap, length = overlap * multiple, length * multiple
    tile = 2 * overlap + multiple * (1 + more)
    found = stretches(length, tile, overlap, multiple, scale, feather)
    total = torch.zeros(length * scale)
    for part in found:
        total[part.low : part.high] += part.weight
        assert part.start % multiple == 0 and 0 <= part.start <= max(0, length - tile)
        assert part.start * scale <= part.low and part.high <= (part.start + min(tile, length)) * scale
        if not feather:
            inner = part.start == 0 or part.low >= (part.start + overlap) * scale
            assert inner and set(part.weight.tolist()) == {1.0}
    assert torch.allclose(total, torch.ones(length * scale), atol=1e-6)


def test_feathered_tiles_fade_into_each_other():
    x = torch.zeros(1, 1, 8, 60)
    levels = iter(range(100))
    level = lambda y: torch.full_like(y, float(next(levels)))  # noqa: E731
    row = tiled(level, x, 1, 6, tile=30, feather=True)[0, 0, 0]
    assert row.diff().min() >= 0 and row.diff().max() < 0.5
    same = tiled(lambda y: y, picture(30, 40), 1, 5, tile=16, feather=True)
    assert torch.allclose(same, picture(30, 40), atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (10, 11), (24, 9), (25, 70)])
@pytest.mark.parametrize("multiple", [1, 4])
def test_nets_that_see_the_whole_tile_get_whole_tiles(size, multiple):
    """A picture smaller than the window is mirrored up to it, and cut out of the answer."""
    seen = []
    x = picture(*size)
    out = tiled(lambda y: seen.append(tuple(y.shape[2:])) or 2 * y, x, 1, 6, multiple, tile=24, feather=True)
    assert set(seen) == {(24, 24)} and torch.allclose(out, 2 * x, atol=1e-5)
    assert padded(x, 6, multiple, 24).shape[2] >= 24 and padded(x, 6, multiple, 24).shape[2] % multiple == 0


def test_all_tiles_have_one_shape_and_none_is_left_out():
    shapes, calls = set(), [0]

    def watched(y):
        shapes.add(tuple(y.shape))
        calls[0] += 1
        if calls[0] == 4:
            raise MemoryError("no room")
        return y

    with pytest.raises(MemoryError, match="no room"):
        tiled(watched, picture(70, 90), 1, 3, tile=32)
    calls[0] = -10_000
    tiled(watched, picture(70, 90), 1, 3, tile=32)
    assert shapes == {(1, 2, 32, 32)}


def test_what_cannot_be_tiled():
    with pytest.raises(BadInput, match="take 21 or more"):
        tiled(net, picture(50, 50), 1, 10, tile=20)
    with pytest.raises(ValueError, match="became"):
        tiled(net, picture(50, 50), 2, 4, tile=20)
    with pytest.raises(MachineGaveOut, match="--memory"):
        choose_tile(1e6, 1000, 32)


def test_the_tile_fits_into_the_memory():
    assert choose_tile(1e9, 4000, 16) == 500 and choose_tile(1e9, 4000, 16, 8) == 496
    assert choose_tile(1e12, 4000, 16, 8) == 1024 and choose_tile(1e12, 4000, 400) == 1600
    for memory in (1e7, 3e8):
        assert choose_tile(memory, 1000, 10, 4) ** 2 * 1000 <= memory
