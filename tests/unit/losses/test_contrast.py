"""The contrast of places, at points where it is known."""

import math

import torch

from zeuxis.losses.contrast import patch_contrast


def test_orthogonal_places_that_agree_cost_what_the_formula_says():
    places = torch.eye(4)[None].expand(2, -1, -1)
    wanted = math.log(1 + 3 * math.exp(-1 / 0.5))
    assert torch.allclose(patch_contrast(places, places, 0.5), torch.full((2,), wanted))


def test_without_any_order_it_is_the_logarithm_of_the_number_of_places():
    query, key = torch.ones(1, 6, 3), torch.ones(1, 6, 3)
    assert torch.allclose(patch_contrast(query, key), torch.full((1,), math.log(6)))


def test_what_it_is_held_to_gets_no_gradient():
    query, key = (torch.nn.functional.normalize(torch.randn(1, 5, 4), dim=2).requires_grad_() for _ in range(2))
    patch_contrast(query, key).sum().backward()
    assert key.grad is None and query.grad is not None and bool(query.grad.abs().sum() > 0)
