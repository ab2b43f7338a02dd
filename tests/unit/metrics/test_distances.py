"""Nearest neighbours in blocks against plain distances."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.metrics import distances
from zeuxis.metrics.distances import blocks, embed, nearest, rows, squared


def normal(name: str, *shape: int) -> torch.Tensor:
    return Draw(0).at(name).normal(*shape)


@pytest.mark.parametrize("block", [3, 7, 1024])
@pytest.mark.parametrize("k", [1, 4])
def test_nearest_equals_plain_distances(block, k, monkeypatch):
    monkeypatch.setattr(distances, "BLOCK", block)
    a, b = normal("a", 11, 3, 4, 4), normal("b", 17, 3, 4, 4)
    plain = torch.linalg.vector_norm(a.flatten(1).double()[:, None] - b.flatten(1).double(), dim=2)
    wanted = plain.topk(k, 1, largest=False)
    distance, index = nearest(a, b, k)
    assert torch.allclose(distance, wanted.values, rtol=1e-12) and torch.equal(index, wanted.indices)


def test_equal_samples_are_at_distance_exactly_zero_far_from_the_origin():
    a = normal("a", 50, 300) + 1000.0
    distance, index = nearest(a, a)
    assert (distance == 0).all() and torch.equal(index[:, 0], torch.arange(50))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5))
def test_blocks_cover_every_pair_once(n, m, d):
    a, b = normal("a", n, d), normal("b", m, d)
    seen = torch.full((n, m), -1.0, dtype=torch.float64)
    for here, there, distance in blocks(a, b):
        assert (seen[here, there] == -1).all()
        seen[here, there] = distance
    assert torch.allclose(seen, torch.cdist(a.double(), b.double()), atol=1e-7)


def test_squared_has_no_rounding_left_for_equal_rows():
    a = normal("a", 1, 40).double().expand(6, 40)
    assert (squared(a, a) == 0).all()


def test_embed_runs_in_batches_without_gradient():
    sizes = []

    def features(x):
        sizes.append(len(x))
        return x.mean((2, 3), keepdim=True)

    images = normal("x", 10, 3, 4, 4).requires_grad_()
    found = embed(images, features, batch=4)
    assert sizes == [4, 4, 2] and found.shape == (10, 3) and not found.requires_grad


@pytest.mark.parametrize("bad", [torch.zeros(0, 3), torch.tensor([[float("nan")]]), torch.tensor(1.0)])
def test_bad_samples_are_refused(bad):
    with pytest.raises(BadInput):
        rows(bad)
    with pytest.raises(BadInput):
        nearest(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(BadInput):
        nearest(torch.zeros(2, 3), torch.zeros(2, 3), k=3)
