import numpy as np
import pytest
import torch
from PIL import Image

from zeuxis.errors import BadInput
from zeuxis.pictures.picture import Metadata, Picture, fill_transparent, from_tensor, to_tensor


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_level_comes_back(dtype):
    levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype).reshape(16, -1, 1)
    picture = Picture(levels, None, Metadata())
    x = to_tensor(picture)
    assert x.shape == (1, 1, *levels.shape[:2]) and x.dtype == torch.float32
    assert x.min() == -1 and x.max() == 1
    assert (from_tensor(x, picture).pixels == levels).all() and from_tensor(x, picture).pixels.dtype == dtype
    assert (from_tensor(3 * x, picture).pixels[0, 0], from_tensor(3 * x, picture).pixels[-1, -1]) == (0, levels.max())


def test_hidden_colours_do_not_reach_the_net_and_come_back():
    pixels = np.full((5, 5, 3), 40, np.uint8)
    pixels[:, 3:] = (200, 10, 90)
    alpha = np.full((5, 5), 255, np.uint8)
    alpha[:, 3:] = 0
    picture = Picture(pixels, alpha, Metadata())
    assert (fill_transparent(pixels, alpha) == 40).all()
    x = to_tensor(picture)
    assert torch.allclose(x, torch.full_like(x, 40 / 127.5 - 1))
    back = from_tensor(x + 0.1, picture)
    assert (back.pixels[:, 3:] == pixels[:, 3:]).all() and (back.pixels[:, :3] == 53).all()
    nothing = np.zeros((5, 5), np.uint8)
    assert fill_transparent(pixels, nothing) is pixels and fill_transparent(pixels, None) is pixels


def test_the_nearest_visible_colour_is_taken():
    pixels = np.array([[[10], [0], [0], [0], [90]]], np.uint8)
    alpha = np.array([[255, 0, 0, 0, 1]], np.uint8)
    assert fill_transparent(pixels, alpha)[0, :, 0].tolist()[:2] == [10, 10]
    assert fill_transparent(pixels, alpha)[0, :, 0].tolist()[3:] == [90, 90]


def test_alpha_grows_with_the_picture():
    alpha = np.zeros((6, 8), np.uint16)
    alpha[:, 4:] = 65535
    picture = Picture(np.zeros((6, 8, 3), np.uint16), alpha, Metadata())
    large = from_tensor(torch.zeros(1, 3, 12, 16), picture)
    assert large.alpha.shape == (12, 16) and large.alpha.dtype == np.uint16 and large.size == (12, 16)
    assert (large.alpha[:, :5] == 0).all() and (large.alpha[:, 11:] == 65535).all()
    wanted = Image.fromarray(alpha.astype(np.float32)).resize((16, 12), Image.Resampling.BICUBIC)
    assert np.abs(np.clip(np.asarray(wanted), 0, 65535) - large.alpha).max() <= 0.5


def test_grey_may_become_colour():
    picture = Picture(np.zeros((3, 4, 1), np.uint8), None, Metadata(icc=b"grey profile"))
    assert from_tensor(torch.zeros(1, 3, 3, 4), picture).kept.icc is None
    assert from_tensor(torch.zeros(1, 1, 3, 4), picture).kept.icc == b"grey profile"


@pytest.mark.parametrize("x", [torch.zeros(2, 3, 4, 4), torch.zeros(1, 2, 4, 4), torch.full((1, 3, 4, 4), torch.nan)])
def test_what_is_no_picture(x):
    with pytest.raises(BadInput):
        from_tensor(x, Picture(np.zeros((4, 4, 3), np.uint8), None, Metadata()))
