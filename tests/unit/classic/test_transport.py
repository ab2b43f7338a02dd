"""Points that are spread as others are."""

import torch

from zeuxis.classic.transport import along, basis, colours_of, quantiles, recoloured, transported
from zeuxis.draw import Draw


def test_a_gaussian_becomes_another_one():
    points = Draw(0).at("p").normal(4000, 3)
    mix = torch.tensor([[1.0, 0.5, 0], [0, 0.3, 0.2], [0, 0, 2.0]])
    wanted = Draw(0).at("w").normal(4000, 3) @ mix + torch.tensor([1.0, -2.0, 0.5])
    moved = transported(points, wanted, Draw(0), rounds=60)
    assert torch.allclose(moved.mean(0), wanted.mean(0), atol=0.05)
    assert torch.allclose(torch.cov(moved.T), torch.cov(wanted.T), atol=0.15)


def test_points_that_are_spread_so_already_stay():
    points = Draw(0).at("p").normal(2000, 3)
    assert float((transported(points, points, Draw(0)) - points).abs().mean()) < 0.02


def test_along_a_direction_order_is_kept():
    values = Draw(0).at("v").normal(1, 500)
    moved = along(values, quantiles(values), quantiles(3 * values + 1))
    assert torch.equal(moved.argsort(1), values.argsort(1)) and torch.allclose(moved, 3 * values + 1, atol=0.2)


def test_directions_are_orthonormal():
    rows = basis(5, 12, Draw(0), "x")
    assert torch.allclose(rows @ rows.T, torch.eye(5), atol=1e-5)


def test_a_picture_takes_the_colours_of_another():
    image = Draw(0).at("i").uniform(1, 3, 24, 24, low=-1.0)
    painting = 0.2 * Draw(0).at("s").uniform(1, 3, 24, 24, low=-1.0) + torch.tensor([0.5, -0.5, 0.0])[:, None, None]
    result = recoloured(image, colours_of(painting, Draw(0)), Draw(0))
    assert result.shape == image.shape and torch.allclose(result.mean((2, 3)), painting.mean((2, 3)), atol=0.03)
    assert float(result[:, 0].std()) < 0.25
