import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zeuxis.classic.inpaint import METHODS, Filling, biharmonic, sparse
from zeuxis.draw import Draw
from zeuxis.errors import BadInput

QUICK = Filling(sweeps=1, patches=1000)


def slope(channels=3, height=40, width=44):
    y, x = torch.meshgrid(torch.linspace(-0.7, 0.7, height), torch.linspace(-0.5, 0.5, width), indexing="ij")
    return torch.stack([[x + y * 0.4, y, x - y * 0.3][k % 3] for k in range(channels)])[None]


def holes(height=40, width=44):
    known = torch.ones(1, 1, height, width)
    known[..., 10:14, 5:30] = 0
    known[..., 22:34, 30:42] = 0
    known[..., :3, :4] = 0
    return known


def run(name, image, known):
    coder = {"sparse": "omp", "fista": "fista"}.get(name)
    if coder is None:
        return METHODS[name](image, known, Draw(0))
    return sparse(image, known, Draw(0), settings=Filling(sweeps=1, patches=1000, coder=coder))


@pytest.mark.parametrize("name", sorted(METHODS))
@pytest.mark.parametrize("channels", [1, 3])
def test_known_pixels_keep_their_bits_and_slopes_go_on(name, channels):
    image, known = slope(channels), holes()
    damaged = torch.where(known > 0, image, 5.0)
    out = run(name, damaged, known)
    assert torch.equal(torch.where(known > 0, out, 0.0), torch.where(known > 0, image, 0.0))
    hole = (known == 0).expand_as(image)
    assert (out - image)[hole].abs().max() < 0.25 and (out - image)[hole].square().mean().sqrt() < 0.06


@pytest.mark.parametrize("name", sorted(METHODS))
def test_nothing_to_fill_and_nothing_known(name):
    image = slope(1)
    assert torch.equal(run(name, image, torch.ones(1, 1, 40, 44)), image)
    with pytest.raises(BadInput, match="no pixel of the picture is known"):
        run(name, image, torch.zeros(1, 1, 40, 44))


def test_a_stripe_goes_on_through_the_hole():
    image = torch.full((1, 1, 48, 48), -0.5)
    image[..., 20:26] = 0.5
    known = torch.ones(1, 1, 48, 48)
    known[..., 20:28, 15:31] = 0
    out = sparse(image * known, known, Draw(0), settings=QUICK)
    assert ((out > 0) == (image > 0)).float().mean() > 0.99


@settings(max_examples=10)
@given(st.integers(8, 15), st.integers(8, 15), st.floats(0.1, 0.9))
def test_scattered_holes_of_any_share(height, width, share):
    image = slope(1, height, width)
    known = (Draw(1).at(f"{share}").uniform(1, 1, height, width) < share).float()
    known[..., 0, 0] = 1
    for function in (lambda: biharmonic(image, known), lambda: sparse(image, known, Draw(0), settings=QUICK)):
        out = function()
        assert out.isfinite().all() and out.abs().max() <= 1
        assert torch.equal(out[known.expand_as(out) > 0], image[known.expand_as(image) > 0])


def test_each_picture_has_its_own_mask_and_too_small_is_said():
    image = slope(1).repeat(2, 1, 1, 1)
    known = torch.cat([torch.ones(1, 1, 40, 44), holes()])
    out = sparse(image, known, Draw(0), settings=QUICK)
    assert torch.equal(out[0], image[0]) and not torch.equal(out[1], image[1])
    with pytest.raises(BadInput, match="5x40 px is smaller"):
        sparse(image[..., :5], known[..., :5], Draw(0))
