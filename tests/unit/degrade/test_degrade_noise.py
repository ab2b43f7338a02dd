"""Noise against its moments."""

import math

import pytest
import torch
from scipy import stats

from zeuxis.degrade.noise import GaussianNoise, Grain, Poisson, SaltPepper, Speckle, is_grey, poisson, round_bytes
from zeuxis.draw import Draw, Stream, key_of

DRAW = Draw(4, phase="noise")


def flat(value, n=2, channels=3, side=128):
    return torch.full((n, channels, side, side), value)


@pytest.mark.parametrize("sigma, expected", [(15, 24.61), (25, 20.17), (50, 14.15)])
def test_psnr_of_unclipped_noise(sigma, expected):
    """20 log10(255 / sigma), and the level says so."""
    x = flat(0.9, side=192)
    seen = GaussianNoise((sigma, sigma))(x, DRAW)
    error = ((seen.image - x) * 127.5).double().square().mean()
    assert 10 * math.log10(255**2 / float(error)) == pytest.approx(expected, abs=0.05)
    assert seen.level.shape == (2, 1, 1, 1) and bool((seen.level == sigma).all()) and seen.known is None
    assert float(seen.image.max()) > 1


def test_every_sample_gets_its_own_level():
    seen = GaussianNoise((0, 50))(flat(0.0, n=6), DRAW)
    found = seen.image.std((1, 2, 3)) * 127.5
    assert torch.allclose(found, seen.level[:, 0, 0, 0], rtol=0.03) and len(set(seen.level.flatten().tolist())) == 6


def test_clipped_samples_hold_bytes():
    seen = GaussianNoise((40, 40), clipped=0.5)(Stream(1).uniform(40, 3, 16, 16, low=-1.0), DRAW).image
    levels = (seen + 1) * 127.5
    held = ((levels - levels.round()).abs() < 1e-3).flatten(1).all(1) & (seen.abs() <= 1).flatten(1).all(1)
    assert 10 <= int(held.sum()) <= 30


def test_grey_noise_for_grey_pictures_and_for_the_share():
    colour = Stream(2).uniform(30, 3, 8, 8)
    grey = colour[:, :1].expand(-1, 3, -1, -1)
    for kind in (GaussianNoise((20, 20)), Speckle((20, 20)), Poisson((20, 20))):
        assert bool(is_grey(kind(grey, DRAW).image).all())
    assert bool(is_grey(GaussianNoise((20, 20), grey=1.0)(colour, DRAW).image - colour).all()) is False
    noise = GaussianNoise((20, 20), grey=0.5)(colour, DRAW).image - colour
    shared = (noise - noise[:, :1]).abs().flatten(1).amax(1) < 1e-6
    assert 7 <= int(shared.sum()) <= 23


def test_round_bytes_passes_the_gradient_inside():
    x = torch.tensor([-1.5, -0.3, 0.2, 1.2], requires_grad=True)
    y = round_bytes(x)
    assert torch.allclose((y + 1) * 127.5, torch.tensor([0.0, 89, 153, 255]))
    assert torch.autograd.grad(y.sum(), x)[0].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("mean", [0.0, 0.3, 4.0, 35.0, 60.0, 900.0])
def test_poisson_counts_follow_their_distribution(mean):
    """The inverse of the distribution: equal to scipy's below 40, and above within one count in a few of a thousand."""
    u = (torch.arange(5000, dtype=torch.float64) + 0.5) / 5000
    found = poisson(torch.full_like(u, mean), u)
    expected = torch.from_numpy(stats.poisson.ppf(u.numpy(), mean)).clamp_min(0)
    if mean < 40:
        assert torch.equal(found, expected)
    else:
        assert float((found - expected).abs().max()) <= 1 and float((found != expected).double().mean()) < 0.02


@pytest.mark.parametrize("value", [-0.5, 1.0])
def test_shot_noise_grows_with_the_root_of_light(value):
    seen = Poisson((20, 20))(flat(value), DRAW).image
    light = (value + 1) / 2
    assert float(seen.std()) * 127.5 == pytest.approx(20 * math.sqrt(light), rel=0.03)
    assert float(seen.mean()) == pytest.approx(value, abs=0.005)


def test_speckle_grows_with_light():
    for value in (-0.5, 1.0):
        seen = Speckle((20, 20))(flat(value), DRAW).image
        assert float(seen.std()) * 127.5 == pytest.approx(20 * (value + 1) / 2, rel=0.03)
    assert torch.equal(Speckle((20, 20))(flat(-1.0), DRAW).image, flat(-1.0))


def test_salt_and_pepper_share():
    seen = SaltPepper((0.2, 0.2))(flat(0.1), DRAW).image
    changed = seen != 0.1
    assert float(changed.float().mean()) == pytest.approx(0.2, abs=0.02)
    assert sorted(set(seen[changed].tolist())) == [-1, 1]
    assert float((seen == 1).float().mean()) == pytest.approx(0.1, abs=0.01)
    assert torch.equal(seen[:, 0], seen[:, 2])


def test_grain_is_clumped_and_grey():
    x = flat(0.0)
    noise = Grain((12, 12), (1.0, 1.0))(x, DRAW).image
    assert torch.equal(noise[:, 0], noise[:, 1]) and float(noise.std()) * 127.5 == pytest.approx(12, rel=1e-3)
    near = float((noise[..., 1:] * noise[..., :-1]).mean() / noise.square().mean())
    assert near == pytest.approx(math.exp(-1 / 4), abs=0.05)  # a Gaussian of sigma 1 with itself, one pixel away


def test_noise_does_not_repeat_between_samples():
    noise = GaussianNoise((20, 20))(flat(0.0, n=2), Draw(key_of("a") % 100)).image
    assert abs(float((noise[0] * noise[1]).mean() / noise.square().mean())) < 0.02
