import pytest
import torch
import torch.nn.functional as F

from zeuxis.classic.upscale import METHODS, Coupled, Coupling, back_projection, coupled_dictionaries, features, learn
from zeuxis.draw import Draw
from zeuxis.errors import BadInput

SMALL = Coupling(atoms=16, patches=2000, sweeps=2, neighbours=200)


def resize(image, factor):
    size = [round(side * factor) for side in image.shape[2:]]
    return F.interpolate(image, size=size, mode="bicubic", antialias=True, align_corners=False)


def discs(seed, channels=3, side=64):
    """Sharp discs of many grey levels."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    image = torch.zeros(1, channels, side, side)
    numbers = Draw(seed).at("discs").uniform(14, 4)
    for a, b, r, v in numbers.tolist():
        inside = (x - a * side).square() + (y - b * side).square() < (4 + 10 * r) ** 2
        image = torch.where(inside, v * 1.6 - 0.8, image)
    return image


def test_back_projection_makes_the_picture_shrink_to_what_it_came_from():
    small = Draw(1).at("small").uniform(1, 3, 12, 14, low=-1, high=1)
    large = resize(small, 2)
    before, after = ((resize(x, 0.5) - small).abs().max() for x in (large, back_projection(large, small, resize, 20)))
    assert after < before / 10
    assert torch.equal(back_projection(large, small, resize, 0), large)


def test_features_of_a_slope():
    x = torch.arange(20.0).expand(1, 1, 12, 20)
    first_across, first_down, second_across, second_down = features(x, 2)[0]
    assert torch.equal(first_across[:, 4:-4], torch.full((12, 12), 4.0)) and not first_down.any()
    assert not second_across[:, 4:-4].any() and not second_down.any()
    parabola = features(x.square(), 2)[0, 2]
    assert torch.allclose(parabola[:, 4:-4], torch.full((12, 12), 16.0))


@pytest.fixture(scope="module")
def coupled():
    return learn([discs(k) for k in range(3)], 2, resize, Draw(0), SMALL)


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("steps", [0, 2])
def test_better_than_the_plain_resize(coupled, method, steps):
    truth = discs(9)
    small = resize(truth, 0.5)
    out = coupled_dictionaries(small, coupled, resize, method, steps)
    assert out.shape == truth.shape
    assert (out - truth).square().mean() < 0.95 * (resize(small, 2) - truth).square().mean()


def test_chroma_is_that_of_the_plain_resize(coupled):
    small = Draw(1).at("colour").uniform(1, 3, 10, 9, low=-1, high=1)
    out, plain = coupled_dictionaries(small, coupled, resize), resize(small, 2)
    assert torch.allclose(out[:, 0] - out[:, 1], plain[:, 0] - plain[:, 1], atol=1e-5)
    assert torch.allclose(out, coupled_dictionaries(small.repeat(2, 1, 1, 1), coupled, resize)[:1], atol=1e-5)


def test_tensors_and_back(coupled):
    again = Coupled.from_tensors(coupled.tensors())
    small = discs(4, 1, 20)
    assert torch.equal(*(coupled_dictionaries(small, c, resize) for c in (coupled, again)))


def test_bad_input(coupled):
    with pytest.raises(BadInput, match="too few for 1024 atoms"):
        learn([discs(1)], 2, resize, Draw(0))
    with pytest.raises(BadInput, match="2x9 px is smaller"):
        coupled_dictionaries(torch.zeros(1, 3, 9, 2), coupled, resize)
