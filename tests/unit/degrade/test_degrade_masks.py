"""Holes: where they are, what they cover, what they are painted with."""

import numpy as np
import pytest
import torch

from zeuxis.degrade.masks import FILLS, MEDIUM, MOST, THICK, THIN, Boxes, Scratches, Strokes, Text, scratch, segment
from zeuxis.draw import Draw, Stream, key_of
from zeuxis.errors import BadInput

DRAW = Draw(6, phase="masks")
KINDS = [Boxes(), THIN, MEDIUM, THICK, Text(), Scratches()]


def noise(n=4, channels=3, side=64):
    return Stream(key_of("masks")).uniform(n, channels, side, side, low=-0.9, high=0.9)


@pytest.mark.parametrize("kind", KINDS)
def test_known_pixels_keep_their_bits_and_holes_are_there(kind):
    x = noise()
    seen = kind(x, DRAW)
    known = seen.known.bool().expand_as(x)
    assert seen.known.shape == (4, 1, 64, 64) and set(seen.known.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(seen.image[known], x[known])
    assert bool((seen.known == 0).flatten(1).any(1).all()) and not torch.equal(seen.known[0], seen.known[1])


@pytest.mark.parametrize("kind", [Boxes(), THIN])
def test_holes_are_filled_with_mid_grey(kind):
    x = noise()
    seen = kind(x, DRAW)
    assert torch.equal(seen.image, x * seen.known)


def test_segment_covers_what_is_near_the_line():
    mask = np.zeros((9, 12), np.float32)
    fresh = segment(mask, (2.0, 4.0), (8.0, 4.0), 3.0)
    y, x = torch.meshgrid(torch.arange(9), torch.arange(12), indexing="ij")
    expected = ((x.clamp(2, 8) - x) ** 2 + (y - 4) ** 2) <= 2.25
    assert torch.equal(torch.from_numpy(mask).bool(), expected) and fresh == int(expected.sum())
    assert segment(mask, (2.0, 4.0), (8.0, 4.0), 3.0) == 0
    assert segment(mask, (-9.0, -9.0), (-5.0, -9.0), 3.0) == 0


@pytest.mark.parametrize("kind", [THIN, MEDIUM, THICK, Strokes((200, 200), (80, 100), (100, 200))])
def test_strokes_leave_half_of_the_picture(kind):
    seen = kind(noise(8), DRAW)
    covered = 1 - seen.known.mean((1, 2, 3))
    assert float(covered.max()) <= MOST and float(covered.min()) > 0


def test_thick_strokes_are_thicker():
    """Thickness: area over half of the outline, which grows with the width of the brush."""

    def thickness(kind):
        hole = 1 - kind(noise(5, side=96), DRAW).known
        edges = (hole[..., 1:] != hole[..., :-1]).sum() + (hole[:, :, 1:] != hole[:, :, :-1]).sum()
        return float(hole.sum() / edges)

    assert thickness(THIN) < 0.8 * thickness(MEDIUM) < thickness(THICK)


def test_boxes_have_their_sides():
    x = noise(8, side=128)
    seen = Boxes((1, 1), (64, 64))(x, DRAW)
    holes = (seen.known == 0)[:, 0]
    assert holes.sum((1, 2)).tolist() == [32 * 32] * 8
    assert all(int(h.any(0).sum()) == 32 == int(h.any(1).sum()) for h in holes)


def test_holes_scale_with_the_picture():
    small, large = (Boxes((1, 1), (64, 64))(noise(2, side=side), DRAW).known for side in (64, 128))
    assert torch.equal(1 - small.mean((1, 2, 3)), 1 - large.mean((1, 2, 3)))


@pytest.mark.parametrize(
    "fill, values", [("grey", {0.0}), ("white", {1.0}), ("black", {-1.0}), ("colour", None), ("any", None)]
)
def test_fills(fill, values):
    seen = Boxes(fill=fill)(noise(16), DRAW)
    holes = [one[:, known == 0] for one, known in zip(seen.image, seen.known[:, 0])]
    assert all(bool((hole == hole[:, :1]).all()) for hole in holes)
    if values is not None:
        assert {v for hole in holes for v in hole.unique().tolist()} == values
    else:
        assert len({tuple(hole[:, 0].tolist()) for hole in holes}) > 3


def test_fill_any_is_white_black_or_a_colour():
    u = Stream(key_of("any")).uniform(300, 5)
    colours = FILLS["any"](u)
    white, black = (int((colours == value).all(1).sum()) for value in (1.0, -1.0))
    assert 90 < white < 150 and 60 < black < 120


def test_unknown_fill():
    with pytest.raises(BadInput, match="did you mean `white`"):
        Boxes(fill="whit")(noise(), DRAW)


def test_scratch_is_thin_and_nearly_upright():
    alpha = torch.from_numpy(scratch(100, 80, [0.5, 0.5, 0.0, 1.0, 0.5, 0.2, 0.3, 0.4], 1.5))
    assert alpha.shape == (100, 80) and 0.9 < float(alpha.max()) <= 1
    assert float(alpha.sum(1).max()) <= 2.01 and float(alpha.sum(1).min()) >= 1.4
    columns = alpha.argmax(1).float()
    assert float((columns - columns.mean()).abs().max()) < 8


def test_scratches_are_soft_where_they_end():
    x = torch.zeros(3, 1, 64, 64)
    seen = Scratches(fill="white")(x, DRAW)
    inside = seen.image[seen.known == 0]
    assert float(inside.max()) > 0.9 and bool(((inside > 0) & (inside < 1)).any())


def test_count_is_within_its_range():
    seen = Text((2, 2), (20, 20))(noise(side=96), DRAW)
    assert bool((seen.known == 0).flatten(1).any(1).all())
    assert bool((Text((0, 0))(noise(), DRAW).known == 1).all())
