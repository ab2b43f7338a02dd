import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from zeuxis.augmentation import photometric as p
from zeuxis.draw import Draw


def picture(b=2, c=3, h=12, w=10):
    """Values that 8 bits hold, of different range per image."""
    u = Draw(3).at("picture").uniform(b, c, h, w)
    reach, start = (torch.tensor(v)[:b, None, None, None] for v in ([255.0, 140.0], [0.0, 20.0]))
    return torch.round(u * reach + start) / 127.5 - 1


def to_pillow(image):
    array = torch.round((image + 1) * 127.5).clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def from_pillow(picture):
    array = np.asarray(picture, dtype=np.float32)
    array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    return torch.from_numpy(array / 127.5 - 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("ours", "theirs", "tolerance"),
    [
        (lambda x: p.equalize(x), ImageOps.equalize, 0),
        (lambda x: p.autocontrast(x), ImageOps.autocontrast, 1.01),
        (lambda x: p.posterize(x, torch.tensor([3.0, 3.0])), lambda i: ImageOps.posterize(i, 3), 0),
        (lambda x: p.solarize(x, torch.full((2,), 100 / 127.5 - 1)), lambda i: ImageOps.solarize(i, 100), 0),
        (lambda x: p.brightness(x, torch.full((2,), 0.4)), lambda i: ImageEnhance.Brightness(i).enhance(0.4), 1.01),
        (lambda x: p.contrast(x, torch.full((2,), 1.7)), lambda i: ImageEnhance.Contrast(i).enhance(1.7), 2.01),
        (lambda x: p.saturation(x, torch.full((2,), 0.3)), lambda i: ImageEnhance.Color(i).enhance(0.3), 2.01),
        (lambda x: p.sharpness(x, torch.full((2,), 1.9)), lambda i: ImageEnhance.Sharpness(i).enhance(1.9), 2.01),
    ],
)
def test_the_formulas_are_those_of_pillow(ours, theirs, tolerance, channels):
    image = picture(c=channels)
    result = ours(image).clamp(-1, 1)
    for k in range(2):
        difference = (result[k] - from_pillow(theirs(to_pillow(image[k])))).abs().max() * 127.5
        assert difference <= tolerance + 1e-3


def test_flat_pictures_stay():
    flat = torch.full((2, 3, 5, 5), 0.2)
    assert torch.equal(p.autocontrast(flat), flat)
    assert torch.allclose(p.equalize(flat), flat, atol=1 / 255)


def test_a_third_of_a_turn_sends_red_to_green_and_grey_stays():
    red = torch.zeros(1, 3, 2, 2)
    red[:, 0] = 1
    turned = p.hue(red, torch.tensor([120.0]))
    assert torch.allclose(turned[0, :, 0, 0], torch.tensor([0.0, 1.0, 0.0]), atol=1e-6)
    grey = torch.full((1, 3, 2, 2), 0.3)
    assert torch.allclose(p.hue(grey, torch.tensor([77.0])), grey, atol=1e-6)


def test_blur_is_the_gaussian_of_its_sample():
    point = torch.zeros(2, 1, 21, 21)
    point[:, :, 10, 10] = 1
    blurred = p.blur(point, torch.tensor([1.0, 2.0]), 2.0)
    assert torch.allclose(blurred.sum((1, 2, 3)), torch.ones(2), atol=1e-5)
    offset = torch.arange(21.0) - 10
    spread = (blurred[:, 0].sum(1) * offset**2).sum(1)
    assert torch.allclose(spread, torch.tensor([1.0, 4.0]), rtol=0.04)
    flat = torch.full((1, 3, 9, 8), 0.4)
    assert torch.allclose(p.blur(flat, torch.tensor([1.5]), 2.0), flat, atol=1e-6)


def test_alpha_is_never_touched():
    for channels in (2, 4):
        image = picture(c=channels)
        changed = p.on_colours(image, lambda x: p.brightness(x, torch.zeros(2)))
        assert torch.equal(changed[:, -1], image[:, -1]) and (changed[:, :-1] == -1).all()


def test_a_rectangle_is_cut_at_the_border():
    where = p.rectangle(torch.zeros(2, 1, 5, 6), *(torch.tensor(v) for v in ([-1, 3], [4, 0], [3, 9], [2, 1])))
    assert where[0, 0].nonzero().tolist() == [[0, 4], [0, 5], [1, 4], [1, 5]]
    assert where[1, 0].nonzero().tolist() == [[3, 0], [4, 0]]
