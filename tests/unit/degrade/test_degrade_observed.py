"""Damage composed: chains, chances, choices."""

import pytest
import torch

from zeuxis.degrade.blur import Gaussian
from zeuxis.degrade.colour import Grey
from zeuxis.degrade.degradation import Chain, Degraded, OneOf, Sometimes, adjoint, is_linear
from zeuxis.degrade.jpeg import Jpeg
from zeuxis.degrade.masks import Boxes
from zeuxis.degrade.noise import GaussianNoise, is_grey
from zeuxis.degrade.resize import Downscale
from zeuxis.draw import Draw, Stream, key_of
from zeuxis.errors import BadInput

DRAW = Draw(9, phase="observed")


def noise(n=4, channels=3, side=16):
    return Stream(key_of("observed")).uniform(n, channels, side, side, low=-1.0, high=1.0)


def test_a_chain_of_nothing_is_nothing():
    x = noise()
    seen = Chain()(x, DRAW)
    assert seen.image is x and seen.known is seen.level is seen.clean is None and seen.wanted(x) is x


def test_equal_parts_draw_unequal_numbers_and_variances_add():
    part = GaussianNoise((30, 30))
    seen = Chain((part, part))(noise(side=64), DRAW)
    assert torch.allclose(seen.level, torch.tensor(30 * 2**0.5))
    deviation = (seen.image - noise(side=64)).std() * 127.5
    assert float(deviation) == pytest.approx(30 * 2**0.5, rel=0.03)


def test_known_is_what_all_parts_left():
    first, second = Boxes((1, 1)), Boxes((2, 2))
    seen = Chain((first, second))(noise(), DRAW)
    alone = first(noise(), Draw(9, phase="observed/0")).known
    assert bool((seen.known <= alone).all()) and float(seen.known.mean()) < float(alone.mean())


def test_known_follows_the_size():
    """A small pixel is known where all that it covers is."""
    seen = Chain((Boxes((1, 1), (64, 64)), Downscale(4)))(noise(), DRAW)
    alone = Boxes((1, 1), (64, 64))(noise(), Draw(9, phase="observed/0")).known
    expected = alone.reshape(4, 1, 4, 4, 4, 4).amin((3, 5))
    assert torch.equal(seen.known, expected)


def test_what_is_wanted_carries_no_damage_that_came_before_grey():
    x = noise()
    seen = Chain((GaussianNoise((50, 50)), Sometimes(Grey(), 0.5)))(x, DRAW)
    grey = is_grey(seen.image)
    assert 0 < int(grey.sum()) < 4
    assert torch.equal(seen.wanted(x)[grey], Grey()(x, DRAW).image[grey])
    assert torch.equal(seen.wanted(x)[~grey], x[~grey])


def test_chance_touches_its_share_and_leaves_bits():
    x = noise(200, 1, 2)
    seen = Sometimes(GaussianNoise((20, 20)), 0.3)(x, DRAW)
    touched = (seen.image != x).flatten(1).any(1)
    assert 40 <= int(touched.sum()) <= 80
    assert torch.equal(seen.level.flatten() == 20, touched) and bool((seen.level.flatten()[~touched] == 0).all())


def test_untouched_samples_are_known():
    seen = Sometimes(Boxes(), 0.5)(noise(20), DRAW)
    whole = (seen.known == 1).flatten(1).all(1)
    assert 3 <= int(whole.sum()) <= 17


def test_chance_cannot_change_the_size():
    with pytest.raises(BadInput, match="changes the size"):
        Sometimes(Downscale(2), 0.9)(noise(), DRAW)


def test_one_of_gives_each_sample_one_part():
    x = torch.zeros(300, 1, 2, 2)
    parts = tuple(lambda image, draw, v=v: Degraded(image + v) for v in (1.0, 2.0, 4.0))
    seen = OneOf(parts, (0.5, 0.3, 0.2))(x, DRAW).image[:, 0, 0, 0]
    counts = [int((seen == v).sum()) for v in (1.0, 2.0, 4.0)]
    assert sum(counts) == 300 and counts[0] > counts[1] > counts[2] > 30


def test_one_of_joins_what_is_known_and_wanted():
    x = noise(20)
    seen = OneOf((Boxes(), Grey(), GaussianNoise((20, 20))))(x, DRAW)
    holes, grey = (seen.known == 0).flatten(1).any(1), is_grey(seen.image)
    noisy = seen.level.flatten() == 20
    assert torch.equal(holes.int() + grey.int() + noisy.int(), torch.ones(20, dtype=torch.int32))
    assert torch.equal(is_grey(seen.wanted(x)), grey) and torch.equal(seen.wanted(x)[~grey], x[~grey])


def test_linearity_is_that_of_all_parts():
    assert is_linear(Chain((Gaussian(), Sometimes(Boxes(), 0.5)))) and is_linear(OneOf((Gaussian(), Grey())))
    assert not is_linear(Chain((Gaussian(), Jpeg()))) and not is_linear(Gaussian(linear=True))
    assert not is_linear(Boxes(fill="white")) and not is_linear(lambda image, draw: Degraded(image))


def test_adjoint_wants_the_size_where_it_cannot_know_it():
    y = noise(side=8)
    with pytest.raises(BadInput, match="8 x 8 is seen as 4 x 4"):
        adjoint(Downscale(2), y, DRAW)
    assert Downscale(2).adjoint(y, DRAW).shape == (4, 3, 16, 16)
    assert Downscale(2).adjoint(y, DRAW, (15, 16)).shape == (4, 3, 15, 16)


def test_adjoint_works_without_gradients_around_it():
    y = noise()
    expected = Gaussian().adjoint(y, DRAW)
    with torch.no_grad():
        assert torch.equal(Gaussian().adjoint(y, DRAW), expected)
    with torch.inference_mode():
        assert torch.equal(Gaussian().adjoint(noise(), DRAW), expected)
    assert not expected.requires_grad
