"""The correlation of edges, where it is known."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zeuxis.metrics.edges import edge_correlation, shift_between


def square(at: int) -> torch.Tensor:
    image = torch.full((1, 3, 32, 32), -1.0)
    image[..., at : at + 10, at : at + 10] = 1
    return image


def test_colours_and_light_do_not_matter_and_place_does():
    one = square(5)
    assert torch.allclose(edge_correlation(one, -0.5 * one + 0.2), torch.ones(1, dtype=torch.float64))
    assert float(edge_correlation(one, square(18))) < 0.2
    assert float(edge_correlation(one, torch.zeros(1, 1, 32, 32))) == 0.0


@given(st.integers(-7, 7), st.integers(-7, 7), st.integers(0, 99))
@settings(max_examples=20)
def test_a_shift_is_found_whatever_the_colours(down, right, seed):
    """Pictures of blobs; the second has other colours, is a little blurred, and moved by even pixels."""
    noise = torch.rand(1, 1, 20, 20, generator=torch.Generator().manual_seed(seed))
    large = torch.nn.functional.interpolate(noise, size=(160, 160), mode="bicubic").round()
    given = large[..., 16:144, 16:144]
    moved = large[..., 16 - 2 * down : 144 - 2 * down, 16 - 2 * right : 144 - 2 * right]
    other = torch.nn.functional.avg_pool2d(torch.cat([1 - moved, 0.3 * moved], 1), 3, 1, 1)
    assert shift_between(given, other).tolist() == [[2 * down, 2 * right]]
