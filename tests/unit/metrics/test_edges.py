"""The correlation of edges, where it is known."""

import torch

from zeuxis.metrics.edges import edge_correlation


def square(at: int) -> torch.Tensor:
    image = torch.full((1, 3, 32, 32), -1.0)
    image[..., at : at + 10, at : at + 10] = 1
    return image


def test_colours_and_light_do_not_matter_and_place_does():
    one = square(5)
    assert torch.allclose(edge_correlation(one, -0.5 * one + 0.2), torch.ones(1, dtype=torch.float64))
    assert float(edge_correlation(one, square(18))) < 0.2
    assert float(edge_correlation(one, torch.zeros(1, 1, 32, 32))) == 0.0
