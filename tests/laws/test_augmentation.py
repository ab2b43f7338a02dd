"""Law 11: strength zero is the identity, a pair moves alike, masks and boxes move along, gradients flow."""

from dataclasses import replace

import pytest
import torch

from tests.laws.helper import bits_equal
from zeuxis.augmentation.apply import apply
from zeuxis.augmentation.names import POLICY_NAMES
from zeuxis.augmentation.operations import OPERATIONS
from zeuxis.augmentation.policy import Policy, find_policy
from zeuxis.draw import Draw, Stream, key_of

DRAW = Draw(5, phase="law")


def image(n=4, channels=3, height=12, width=16):
    return Stream(key_of("augmentation")).uniform(n, channels, height, width, low=-1.0, high=1.0)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_of_strength_zero_is_the_identity(name, channels):
    x = image(channels=channels)
    assert bits_equal(OPERATIONS[name].apply(x, torch.zeros(4), DRAW), x)


@pytest.mark.parametrize("name", POLICY_NAMES)
def test_policy_of_strength_zero_is_the_identity(name):
    assert bits_equal(apply(replace(find_policy(name), strength=0.0), image(), DRAW).image, image())


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_keeps_shape_and_range(name):
    y = OPERATIONS[name].apply(image(), torch.ones(4), DRAW)
    assert y.shape == image().shape and y.dtype == torch.float32 and float(y.abs().max()) <= 1 + 1e-6
    assert not bits_equal(y, image())


@pytest.mark.parametrize("name", POLICY_NAMES)
def test_pair_gets_equal_parameters(name):
    """The same draw and index: a picture is changed alike in any batch, and so is its partner."""
    x, index = image(), torch.tensor([3, 0, 7, 9])
    whole = apply(name, x, DRAW, index=index).image
    assert bits_equal(apply(name, x.clone(), DRAW, index=index).image, whole)
    back = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(apply(name, x[back], DRAW, index=index[back]).image, whole[back])


@pytest.mark.parametrize("name", [n for n, o in OPERATIONS.items() if o.geometric])
def test_mask_and_box_move_with_their_image(name):
    """A bright square, its mask and its box end at one place."""
    x = torch.full((4, 1, 24, 24), -1.0)
    x[:, :, 8:16, 8:16] = 1.0
    box = torch.tensor([8.0, 8.0, 16.0, 16.0]).expand(4, 1, 4)
    policy = Policy("one", always=((name, 0.4),))
    moved = apply(policy, x, DRAW, mask=(x > 0).long(), boxes=box, domain="overhead")
    assert moved.mask is not None and moved.boxes is not None
    seen = moved.image[:, 0] > 0
    for i in range(4):
        assert int((seen[i] != (moved.mask[i, 0] > 0)).sum()) <= 24  # nearest against bilinear: the edge alone
        row, column = torch.nonzero(seen[i], as_tuple=True)
        found = torch.stack([column.min(), row.min(), column.max() + 1, row.max() + 1]).float()
        assert float((found - moved.boxes[i, 0]).abs().max()) <= 1.6


@pytest.mark.parametrize("name", [n for n, o in OPERATIONS.items() if o.smooth])
def test_gradients_flow(name):
    x = image().requires_grad_()
    OPERATIONS[name].apply(x, torch.full((4,), 0.5), DRAW).square().sum().backward()
    assert x.grad is not None and bool(torch.isfinite(x.grad).all()) and float(x.grad.abs().sum()) > 0
