import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zeuxis.augmentation import geometry as g
from zeuxis.draw import Draw, Stream, key_of

T = torch.tensor


def picture(b=3, c=3, h=8, w=8):
    return Draw(1).at("picture").uniform(b, c, h, w, low=-1, high=1)


@pytest.mark.parametrize("turns", [-1, 1, 2, 3])
def test_quarter_turns_of_squares_are_rot90(turns):
    image = picture()
    matrix = g.rotation(torch.full((3,), 90.0 * turns))
    wanted = torch.rot90(image, turns, (2, 3))
    assert torch.equal(g.warp_nearest(image, matrix), wanted)
    assert torch.allclose(g.warp(image, matrix), wanted, atol=1e-5)


def test_flips_and_whole_shifts_are_exact():
    image = picture(h=6, w=9)
    one = torch.ones(3)
    assert torch.equal(g.warp_nearest(image, g.scaling(-one, one)), image.flip(3))
    assert torch.equal(g.warp_nearest(image, g.scaling(one, -one)), image.flip(2))
    moved = g.warp_nearest(image, g.translation(2 * one, -one), fill=-1.0)
    assert torch.equal(moved[:, :, :-1, 2:], image[:, :, 1:, :-2])
    assert (moved[:, :, -1] == -1).all() and (moved[..., :2] == -1).all()
    assert torch.allclose(g.warp(image, g.translation(2 * one, -one)), moved, atol=1e-5)


def test_half_a_pixel_is_the_mean_of_two():
    image = picture()
    moved = g.warp(image, g.translation(torch.full((3,), 0.5), torch.zeros(3)))
    assert torch.allclose(moved[..., 1:], (image[..., 1:] + image[..., :-1]) / 2, atol=1e-5)
    assert torch.allclose(moved[..., 0], (image[..., 0] - 1) / 2, atol=1e-5)


def test_a_matrix_of_identities_keeps_the_bits_and_only_of_its_samples():
    image = picture()
    moved = g.warp(image, g.rotation(T([0.0, 10.0, 0.0])))
    assert torch.equal(moved[[0, 2]], image[[0, 2]])
    assert not torch.equal(moved[1], image[1])


@settings(max_examples=40, deadline=None)
@given(st.floats(-180, 180), st.floats(0.5, 2), st.floats(-0.9, 0.9), st.floats(-5, 5))
def test_the_inverse_undoes_and_composition_is_the_matrix_product(degrees, scale, shear, shift):
    values = [torch.tensor([v], dtype=torch.float64) for v in (degrees, scale, shear, shift)]
    zero = torch.zeros_like(values[0])
    a = g.compose(g.shearing(values[2], zero), g.rotation(values[0]))
    b = g.compose(g.translation(values[3], -values[3]), g.scaling(values[1], 1 / values[1]))
    whole = g.compose(b, a)
    assert torch.allclose(g.compose(g.inverse(whole), whole), g.identity(1, zero), atol=1e-9)
    last = torch.tensor([[[0.0, 0, 1]]], dtype=torch.float64)
    product = torch.cat([b, last], 1) @ torch.cat([a, last], 1)
    assert torch.allclose(whole, product[:, :2], atol=1e-9)


@pytest.mark.parametrize("padding", ["zeros", "reflection"])
def test_warping_is_twice_differentiable(padding):
    image = picture(2, 1, 4, 5).double().requires_grad_()
    matrix = g.rotation(T([20.0, -50.0], dtype=torch.float64))

    def squares(x):
        return g.warp(x, matrix, padding=padding) ** 2

    assert torch.autograd.gradcheck(squares, image)
    assert torch.autograd.gradgradcheck(squares, image)


def square_world(h=24, w=32):
    """A bright square, its mask and its box, and an absent box."""
    image, mask = torch.full((4, 1, h, w), -1.0), torch.zeros(4, h, w, dtype=torch.uint8)
    image[:, :, 8:14, 10:18], mask[:, 8:14, 10:18] = 1.0, 7
    boxes = torch.full((4, 2, 4), math.nan)
    boxes[:, 0] = T([10.0, 8.0, 18.0, 14.0])
    return image, mask, boxes


def test_mask_and_box_follow_the_square():
    image, mask, boxes = square_world()
    zero, one = torch.zeros(4), torch.ones(4)
    for matrix in (
        g.translation(5 * one, -3 * one),
        g.scaling(-one, one),
        g.rotation(90 * one),
        g.compose(g.translation(one, zero), g.scaling(2 * one, 1.5 * one)),
    ):
        moved, moved_mask = g.warp(image, matrix), g.move_mask(mask, matrix)
        box = g.move_boxes(boxes, matrix, 24, 32)
        assert moved_mask.dtype == torch.uint8 and set(moved_mask.unique().tolist()) == {0, 7}
        assert (((moved[:, 0] > 0) != (moved_mask == 7)).sum((1, 2)) <= 4).all()
        ys, xs = torch.nonzero(moved_mask[0], as_tuple=True)
        around = T([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], dtype=torch.float32)
        assert torch.allclose(box[0, 0], around, atol=0.51)
        assert box[:, 1].isnan().all()


def test_a_rotated_box_holds_its_square():
    image, mask, boxes = square_world()
    matrix = g.rotation(T([30.0, -30.0, 45.0, 10.0]))
    mask, box = g.move_mask(mask[:, None], matrix)[:, 0], g.move_boxes(boxes, matrix, 24, 32)
    for b in range(4):
        ys, xs = torch.nonzero(mask[b], as_tuple=True)
        x0, y0, x1, y1 = box[b, 0].tolist()
        assert x0 <= xs.min() + 0.5 and y0 <= ys.min() + 0.5 and x1 >= xs.max() + 0.5 and y1 >= ys.max() + 0.5


def test_boxes_are_cut_at_the_frame_and_absent_outside():
    _, _, boxes = square_world()
    matrix = g.translation(T([18.0, 40.0, 21.5, 0.0]), torch.zeros(4))
    box = g.move_boxes(boxes, matrix, 24, 32)[:, 0]
    assert box[0].tolist() == [28, 8, 32, 14]
    assert box[1].isnan().all()  # outside
    assert box[2].isnan().all()  # 0.5 of 8 pixels are left, less than a tenth
    assert box[3].tolist() == [10, 8, 18, 14]
    kept = g.move_boxes(boxes, matrix, 24, 32, least_visible=0.05)[2, 0]
    assert kept.tolist() == [31.5, 8, 32, 14]


@pytest.mark.parametrize("size", [(6, 6), (4, 6)], ids=["square", "oblong"])
def test_dihedral_is_quarter_turns_and_mirrors_to_the_bit(size):
    image = Stream(key_of("dihedral")).normal(64, 2, *size)
    kinds, made = Stream(key_of("kinds")), g.dihedral(image, Stream(key_of("kinds")))
    for kind, before, after in zip(kinds.integers(64, high=8).tolist(), image, made, strict=True):
        turned = torch.rot90(before, kind % 4 if size[0] == size[1] else 2 * (kind % 2), (1, 2))
        assert torch.equal(after, turned.flip(2) if kind >= 4 else turned)
