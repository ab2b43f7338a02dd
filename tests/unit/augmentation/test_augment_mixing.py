import pytest
import torch
import torch.nn.functional as F

from zeuxis.augmentation.mixing import cutmix, mixup, symmetric_beta
from zeuxis.draw import Draw

DRAW = Draw(4)


def flat(b=12):
    """Sample k is the constant k, its label is k."""
    values = torch.arange(b, dtype=torch.float32)
    return values[:, None, None, None].expand(b, 3, 16, 20) / b, F.one_hot(torch.arange(b), b).float()


@pytest.mark.parametrize("mix", [mixup, cutmix])
def test_alpha_zero_changes_nothing(mix):
    image, label = flat()
    mixed, soft = mix(image, label, DRAW, 0.0)
    assert torch.equal(mixed, image) and torch.equal(soft, label)


@pytest.mark.parametrize("mix", [mixup, cutmix])
def test_labels_say_what_the_picture_holds(mix):
    image, label = flat()
    mixed, soft = mix(image, label, DRAW, 1.0)
    assert torch.allclose(soft.sum(1), torch.ones(12), atol=1e-6)
    assert torch.allclose(mixed.mean((1, 2, 3)), (soft * torch.arange(12.0)).sum(1) / 12, atol=1e-5)
    again = mix(image, label, DRAW, 1.0)
    assert torch.equal(again[0], mixed) and torch.equal(again[1], soft)
    assert (soft.max(1).values < 1).float().mean() > 0.5


def test_cutmix_pastes_one_rectangle():
    image, label = flat()
    mixed, soft = cutmix(image, label, DRAW, 1.0)
    other = mixed[:, 0] != image[:, 0]
    rows, columns = other.any(2), other.any(1)
    assert torch.equal(other, rows[:, :, None] & columns[:, None, :])
    own = soft[torch.arange(12), torch.arange(12)]
    assert torch.allclose(other.float().mean((1, 2)), 1 - own, atol=1e-6)


@pytest.mark.parametrize("alpha", [0.1, 0.2, 1.0, 4.0])
def test_shares_follow_the_beta_distribution(alpha):
    share = symmetric_beta((torch.arange(100_000) + 0.5) / 100_000, alpha)
    assert share.min() >= 0 and share.max() <= 1
    assert share.mean().item() == pytest.approx(0.5, abs=1e-3)
    assert share.var().item() == pytest.approx(0.25 / (2 * alpha + 1), rel=5e-3)
