import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt
from skimage.restoration import inpaint_biharmonic

from zeuxis.classic import methods
from zeuxis.classic.inpainting.biharmonic import DEEP, RIM, RING
from zeuxis.classic.inpainting.biharmonic import fill as biharmonic
from zeuxis.classic.inpainting.sparse import Filling
from zeuxis.classic.inpainting.sparse import fill as sparse
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
        return methods.filler(name)(image, known, Draw(0))
    return sparse(image, known, Draw(0), settings=Filling(sweeps=1, patches=1000, coder=coder))


@pytest.mark.parametrize("name", methods.names("inpainting"))
@pytest.mark.parametrize("channels", [1, 3])
def test_known_pixels_keep_their_bits_and_slopes_go_on(name, channels):
    image, known = slope(channels), holes()
    damaged = torch.where(known > 0, image, 5.0)
    out = run(name, damaged, known)
    assert torch.equal(torch.where(known > 0, out, 0.0), torch.where(known > 0, image, 0.0))
    hole = (known == 0).expand_as(image)
    assert (out - image)[hole].abs().max() < 0.25 and (out - image)[hole].square().mean().sqrt() < 0.06


@pytest.mark.parametrize("name", methods.names("inpainting"))
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


def crack(height=60, width=200, thick=10):
    known = torch.ones(1, 1, height, width)
    known[..., 25 : 25 + thick, 10:190] = 0
    return known


def dark_and_bright(height=60, width=200):
    """Dark at the left and bright at the right, white and black far from the crack, and its soft dark rim."""
    image = torch.full((1, 3, height, width), -0.4)
    image[..., width // 2 :] = 0.4
    image = image + 0.02 * Draw(0).at("grain").normal(1, 3, height, width).clamp(-3, 3)
    image[..., :6, :6], image[..., -6:, :6] = 1.0, -1.0
    for rim, rows in ((0.1, (23, 36)), (0.2, (24, 35))):
        image[..., rows, :] -= rim
    return image


def test_a_broad_crack_gets_no_colour_that_is_not_around_it():
    """Without a bound the rim's slope goes on into the crack, to a black that is nowhere."""
    image, known = dark_and_bright(), crack()
    hole = known[0, 0].numpy() == 0
    bare = inpaint_biharmonic(image[0].permute(1, 2, 0).double().numpy(), hole, channel_axis=-1)
    out = biharmonic(torch.where(known > 0, image, 0.9), known)
    for first, last in ((31, 69), (131, 169)):  # beyond the reach of the other half, and of the ends
        rows = [*range(25 - RING, 25), *range(35, 35 + RING)]
        around = image[0][:, rows, first - 20 : last + 20].flatten(1)
        low, high = around.amin(1)[:, None, None], around.amax(1)[:, None, None]
        filled = out[0, :, 25:35, first:last]
        assert (filled >= low).all() and (filled <= high).all() and filled.std() > 0
        loose = torch.from_numpy(bare).permute(2, 0, 1)[:, 25:35, first:last]
        assert (loose < low - 0.05).any(), "nothing would have overshot"


def test_the_bound_of_one_hole_is_not_that_of_another():
    image = torch.full((1, 1, 40, 80), -0.5)
    image[..., 40:] = 0.5
    known = torch.ones(1, 1, 40, 80)
    known[..., 10:22, 10:22] = known[..., 10:22, 60:72] = 0
    out = biharmonic(image * known, known)
    assert (out[..., :40] + 0.5).abs().max() < 1e-6 and (out[..., 40:] - 0.5).abs().max() < 1e-6


def gradient(side):
    """Smooth, and not the same in any two directions or colours."""
    y, x = torch.meshgrid(torch.linspace(0, 1, side), torch.linspace(0, 1, side), indexing="ij")
    return torch.stack([0.5 * torch.sin(3 * x + y), 1.6 * x - 0.8, x * y])[None]


def test_a_very_wide_hole_is_filled_at_half_the_size(monkeypatch):
    image, known = gradient(600), torch.ones(1, 1, 600, 600)
    known[..., 171:427, 200:456] = 0
    asked = []

    def watched(array, hole, **how):
        asked.append(int((distance_transform_edt(hole) > RIM).sum()))
        return inpaint_biharmonic(array, hole, **how)

    monkeypatch.setattr("skimage.restoration.inpaint_biharmonic", watched)
    out = biharmonic(image * known, known)
    assert len(asked) == 2 and max(asked) <= DEEP, "the whole was solved at once"
    assert torch.equal(out * known, image * known)
    assert (out - image)[:, 1].abs().max() * 127.5 < 0.1, "a plane comes back"
    monkeypatch.setattr("zeuxis.classic.inpainting.biharmonic.DEEP", 1 << 40)
    whole = biharmonic(image * known, known)
    assert asked[2] > DEEP and (out - whole).abs().max() * 127.5 < 0.05 and (out - image).abs().max() * 127.5 < 5


def test_wide_holes_of_odd_sides_and_at_the_border(monkeypatch):
    image, known = gradient(151), torch.ones(1, 1, 151, 151)
    known[..., 20:120, 30:131] = 0
    known[..., 5:12, 140:] = 0
    whole = biharmonic(image * known, known)
    monkeypatch.setattr("zeuxis.classic.inpainting.biharmonic.DEEP", 300)
    out = biharmonic(image * known, known)
    assert torch.equal(out * known, image * known) and 0 < (out - whole).abs().max() * 127.5 < 0.5
    known = torch.zeros(1, 1, 151, 151)
    known[..., ::50, ::50] = 1  # no four neighbours are known
    assert biharmonic(image * known, known).isfinite().all()


def test_each_picture_has_its_own_mask_and_too_small_is_said():
    image = slope(1).repeat(2, 1, 1, 1)
    known = torch.cat([torch.ones(1, 1, 40, 44), holes()])
    out = sparse(image, known, Draw(0), settings=QUICK)
    assert torch.equal(out[0], image[0]) and not torch.equal(out[1], image[1])
    with pytest.raises(BadInput, match="5x40 px is smaller"):
        sparse(image[..., :5], known[..., :5], Draw(0))
