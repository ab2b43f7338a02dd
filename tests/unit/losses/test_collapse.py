"""The variance within classes, against one computed class by class."""

import math

import pytest
import torch
from torch import Tensor

from zeuxis.losses.collapse import too_alike


def mean(x: Tensor) -> Tensor:
    return x.mean(0, keepdim=True)


def by_class(x: Tensor, label: Tensor) -> float:
    rows = [x[label == c] for c in label.unique()]
    return sum(float((r - r.mean(0)).square().sum()) for r in rows) / len(x)


LABEL = torch.tensor([0, 1, 0, 2, 1, 0, 2, 0])
REAL = torch.sin(torch.arange(8 * 2 * 3, dtype=torch.float64) ** 1.3).reshape(8, 2, 3)


def test_it_is_the_log_of_what_the_variance_within_classes_lacks() -> None:
    fake = 0.2 * REAL.flip(0) + 3 * LABEL[:, None, None]
    found = float(too_alike(fake, REAL, LABEL, 3, 0.8, mean))
    assert found == pytest.approx(math.log(0.8 * by_class(REAL, LABEL) / by_class(fake, LABEL)), rel=1e-3)


def test_classes_far_apart_are_no_variety_and_variety_within_them_costs_nothing() -> None:
    far = 10.0 * LABEL[:, None, None].expand_as(REAL).double()
    assert float(too_alike(far, REAL, LABEL, 3, 0.8, mean)) > 5
    assert float(too_alike(far, REAL, None, 0, 0.8, mean)) == 0
    assert float(too_alike(REAL, REAL, LABEL, 3, 0.8, mean)) == 0
    assert float(too_alike(0.8 * REAL, REAL, LABEL, 3, 0.8, mean)) > 0


def test_its_gradient_moves_pictures_of_a_class_apart_and_leaves_the_class_where_it_is() -> None:
    fake = (0.01 * REAL + 5 * LABEL[:, None, None]).requires_grad_()
    (slope,) = torch.autograd.grad(too_alike(fake, REAL, LABEL, 3, 0.8, mean), fake)
    for c in range(3):
        rows = (fake[LABEL == c] - fake[LABEL == c].mean(0)).detach()
        assert float((rows * slope[LABEL == c]).sum()) < 0
        assert slope[LABEL == c].sum(0).abs().max() < 1e-9


def test_a_class_of_one_picture_in_the_batch_asks_for_nothing() -> None:
    few = REAL[:3]
    assert float(too_alike(few, few.flip(0), torch.arange(3), 3, 0.8, mean)) == 0
