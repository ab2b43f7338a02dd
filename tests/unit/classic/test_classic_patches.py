import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from zeuxis.classic.overlapping_patches import Canvas, choose, fold, places, sweep, unfold
from zeuxis.draw import Draw
from zeuxis.errors import BadInput


def picture(*shape):
    return Draw(1).at("picture").uniform(shape[0], *shape[1:], low=-1, high=1)


@given(st.integers(1, 3), st.integers(8, 20), st.integers(8, 20), st.integers(1, 8), st.integers(1, 8))
def test_fold_undoes_unfold_and_covers_every_pixel(channels, height, width, side, step):
    image = picture(2, channels, height, width)
    back = fold(unfold(image, side, min(step, side)), tuple(image.shape), side, min(step, side))
    assert torch.allclose(back, image, atol=1e-5)


def test_equals_torch():
    image = picture(2, 3, 9, 12)
    assert torch.equal(unfold(image, 4), F.unfold(image, 4).transpose(1, 2).reshape(-1, 48))
    assert torch.equal(unfold(image, 3, 3), F.unfold(image, 3, stride=3).transpose(1, 2).reshape(-1, 27))


def test_the_last_patch_ends_at_the_border():
    assert places(10, 4, 3).tolist() == [0, 3, 6] and places(11, 4, 3).tolist() == [0, 3, 6, 7]
    assert places(4, 4, 3).tolist() == [0]
    with pytest.raises(BadInput, match="smaller than a patch of 4 px"):
        places(3, 4, 1)


def test_the_mean_divides_by_the_true_coverage():
    ones = torch.ones(1, 1, 6, 7)
    canvas = sweep(ones, 3, 1, lambda p: (p * 5, None))
    assert canvas.cover[0, 0, 0].tolist() == [1, 2, 3, 3, 3, 2, 1] and canvas.cover[0, 0, 3, 3] == 9
    assert torch.allclose(canvas.mean(ones), ones * 5)
    assert torch.allclose(canvas.mean(ones, 1.0)[0, 0, 0, 0], torch.tensor((5.0 + 1) / 2))


def test_weights_and_pixels_without_a_patch():
    canvas = Canvas((1, 1, 2, 4), torch.float32)
    at = torch.tensor([0])
    canvas.add(torch.full((1, 4), 2.0), at, at, 2, torch.tensor([1.0]))
    canvas.add(torch.full((1, 4), 8.0), at, torch.tensor([1]), 2, torch.tensor([3.0]))
    mean = canvas.mean(torch.full((1, 1, 2, 4), -1.0))
    assert mean[0, 0].tolist() == [[2.0, 6.5, 8.0, -1.0]] * 2


def test_bands_change_nothing(monkeypatch):
    image = picture(1, 2, 15, 17)

    def work(patches):
        return patches.square(), patches[:, 0].abs()

    whole = sweep(image, 4, 2, work).mean(image)
    monkeypatch.setattr("zeuxis.classic.overlapping_patches.BAND", 1)
    assert torch.allclose(sweep(image, 4, 2, work).mean(image), whole, atol=1e-6)


def test_choose():
    rows = torch.arange(10.0)[:, None]
    order = Draw(0).at("order").permutation(10)
    assert torch.equal(choose(rows, 4, order)[:, 0], order[:4].float()) and choose(rows, 10, order) is rows
