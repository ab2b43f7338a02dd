import pytest
import torch

from zeuxis.augmentation.operations import OPERATIONS
from zeuxis.draw import Draw

CHANNELS = (1, 2, 3, 4)
DRAW = Draw(5, step=2)


def picture(b=4, c=3, h=12, w=16):
    return Draw(1).at("picture").uniform(b, c, h, w, low=-0.9, high=0.9)


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_strength_zero_keeps_the_bits(name, channels):
    image = picture(c=channels)
    assert torch.equal(OPERATIONS[name].apply(image, torch.zeros(4), DRAW), image)
    one_of_four = OPERATIONS[name].apply(image, torch.tensor([0.0, 1.0, 0.0, 1.0]), DRAW)
    assert torch.equal(one_of_four[[0, 2]], image[[0, 2]])


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_full_strength_changes_the_picture_within_its_range(name, channels):
    operation, image = OPERATIONS[name], picture(c=channels)
    changed = operation.apply(image, torch.ones(4), DRAW)
    assert changed.shape == image.shape and changed.dtype == torch.float32
    assert changed.isfinite().all() and changed.abs().max() <= 1 + 1e-5
    assert torch.equal(changed, image) == (operation.coloured and channels < 3)
    if not operation.geometric and channels in (2, 4):
        assert torch.equal(changed[:, -1], image[:, -1])


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_sample_keeps_its_result_in_another_order_and_batch(name):
    image, strength = picture(b=6), torch.linspace(0.3, 1, 6)
    whole = OPERATIONS[name].apply(image, strength, DRAW)
    order = torch.tensor([4, 0, 5, 2, 1, 3])
    assert torch.equal(OPERATIONS[name].apply(image[order], strength[order], DRAW, order), whole[order])
    part = OPERATIONS[name].apply(image[2:4], strength[2:4], DRAW, torch.tensor([2, 3]))
    assert torch.allclose(part, whole[2:4], atol=1e-6)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_same_draw_same_bits(name):
    image, strength = picture(), torch.full((4,), 0.7)
    first = OPERATIONS[name].apply(image, strength, DRAW)
    torch.manual_seed(99)
    assert torch.equal(OPERATIONS[name].apply(image, strength, DRAW), first)


@pytest.mark.parametrize("name", ["rotate", "flip_horizontal", "crop", "hue", "noise", "cutout", "brightness"])
def test_another_draw_gives_another_picture(name):
    image, strength = picture(b=16), torch.full((16,), 0.7)
    results = [OPERATIONS[name].apply(image, strength, Draw(seed)) for seed in (1, 2)]
    assert not torch.equal(*results)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_gradients_are_finite_and_flow(name):
    image = picture().requires_grad_()
    OPERATIONS[name].apply(image, torch.tensor([0.0, 0.2, 0.6, 1.0]), DRAW).square().sum().backward()
    assert image.grad.isfinite().all()
    assert image.grad[0].abs().sum() > 0
    assert not OPERATIONS[name].smooth or (image.grad.flatten(1).abs().sum(1) > 0).all()


@pytest.mark.parametrize("name", [n for n, o in OPERATIONS.items() if o.whole])
def test_whole_operations_only_move_values(name):
    image = picture()
    moved = OPERATIONS[name].apply(image, torch.ones(4), DRAW)
    assert torch.isin(moved, torch.cat([image.flatten(), torch.tensor([-1.0])])).all()


def test_flips_happen_with_the_chance_of_their_strength():
    image = picture(b=2000, c=1, h=2, w=2)
    flipped = OPERATIONS["flip_horizontal"].apply(image, torch.full((2000,), 0.3), DRAW)
    share = (flipped != image).flatten(1).any(1).float().mean()
    assert abs(share - 0.3) < 0.05
    assert torch.equal(OPERATIONS["flip_vertical"].apply(image, torch.ones(2000), DRAW), image.flip(2))


def test_crop_reaches_every_shift_and_none_beyond():
    image = torch.full((600, 1, 16, 32), -1.0)
    image[:, 0, 8, 16] = 1
    places = OPERATIONS["crop"].apply(image, torch.ones(600), DRAW)[:, 0].flatten(1).argmax(1)
    assert set((places // 32).tolist()) == set(range(6, 11))
    assert set((places % 32).tolist()) == set(range(12, 21))


def test_cutout_at_full_strength_is_half_the_side_and_grey():
    cut = OPERATIONS["cutout"].apply(torch.full((200, 3, 16, 16), 0.5), torch.ones(200), DRAW)
    sizes = (cut == 0).sum((1, 2, 3)) / 3
    assert sizes.max() == 64 and sizes.min() >= 16


def test_ends_of_the_scales():
    image = picture(b=1)
    one = torch.ones(1)
    factors = {round(float((OPERATIONS["brightness"].apply(image, one, Draw(s)) + 1).mean()), 4) for s in range(9)}
    assert len(factors) == 2  # brighter, clamped at white, and darker: 1.99 and 0.01
    assert min(factors) == pytest.approx(0.01 * float((image + 1).mean()), abs=1e-3)
    assert len(OPERATIONS["posterize"].apply(image, one, DRAW).unique()) <= 4
    assert torch.equal(OPERATIONS["solarize"].apply(image, one, DRAW), -image)
