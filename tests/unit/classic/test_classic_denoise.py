import pytest
import torch

from zeuxis.classic import haar, methods
from zeuxis.classic.decorrelation import from_opponent, luma, opponent, opponent_shares
from zeuxis.classic.denoising.sparse import Sparse
from zeuxis.classic.denoising.sparse import denoise as sparse
from zeuxis.classic.denoising.wavelet import denoise as wavelet
from zeuxis.classic.dictionary import cosines
from zeuxis.classic.grey_levels import levels_of
from zeuxis.draw import Draw

QUICK = Sparse(sweeps=2, patches=1000, step=2)


def scene(channels=1, height=48, width=56):
    """Edges, a slope and waves."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    grey = 0.8 * y - 0.4 + 0.5 * (x > 0.5) - 0.4 * ((x - 0.3).square() + (y - 0.5).square() < 0.04)
    shades = [grey, grey.flip(1) * 0.7, 0.3 * torch.sin(12 * x) * y]
    return torch.stack([shades[k % 3] for k in range(channels)])[None]


def noisy(clean, sigma, name="noise"):
    return clean + sigma / 127.5 * Draw(8).at(name).normal(1, *clean.shape[1:])


def error(a, b):
    return float((a - b).square().mean().sqrt()) * 127.5


def run(name, image, sigma, draw):
    return (
        sparse(image, sigma, draw, settings=QUICK) if name == "sparse" else methods.denoiser(name)(image, sigma, draw)
    )


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", methods.names("denoising"))
def test_noise_is_at_least_halved(name, channels):
    clean = scene(channels)
    out = run(name, noisy(clean, 25), 25.0, Draw(0))
    assert out.shape == clean.shape and out.dtype == torch.float32
    assert error(out, clean) < 12.5


@pytest.mark.parametrize("name", methods.names("denoising"))
def test_no_noise_no_change_and_each_picture_has_its_own_level(name):
    image = torch.cat([noisy(scene(2), 20), noisy(scene(2), 20, "other")])
    assert torch.equal(run(name, image, 0.0, Draw(0)), image)
    out = run(name, image, torch.tensor([0.0, 20.0])[:, None, None, None], Draw(0))
    assert torch.equal(out[0], image[0])
    assert torch.allclose(out[1], run(name, image[1:], 20.0, Draw(0))[0], atol=1e-6)


def test_levels_of():
    assert levels_of(3, 2) == [3.0, 3.0] and levels_of(torch.tensor([1.0, 2.0]), 2) == [1.0, 2.0]
    with pytest.raises(RuntimeError):
        levels_of(torch.tensor([1.0, 2.0]), 3)


def test_sparse_with_a_given_dictionary_and_the_seed():
    clean = scene()
    image = noisy(clean, 25)
    given = sparse(image, 25, Draw(0), cosines(8, 16), QUICK)
    assert torch.equal(given, sparse(image, 25, Draw(1), cosines(8, 16), QUICK)) and error(given, clean) < 11
    learned = [sparse(image, 25, Draw(seed), settings=QUICK) for seed in (0, 0, 1)]
    assert torch.equal(learned[0], learned[1]) and not torch.equal(learned[0], learned[2])


def test_sparse_keeps_a_flat_picture_flat():
    flat = torch.full((1, 1, 20, 20), 0.25)
    assert torch.allclose(sparse(flat, 25, Draw(0), settings=QUICK), flat, atol=1e-5)


@pytest.mark.parametrize("gap", [1, 2, 4])
def test_haar_comes_back_and_halves_white_noise(gap):
    x = Draw(3).at("x").normal(2, 3, 16, 16)
    parts = haar.split(x, gap)
    assert torch.allclose(haar.join(parts, gap), x, atol=1e-6)
    big = Draw(3).at("big").normal(1, 1, 256, 256)
    for part in haar.split(big, gap):
        assert float(part.std()) == pytest.approx(0.5, abs=0.02)


def test_bayes_shrink_takes_pure_noise_away_and_leaves_what_is_large():
    noise = Draw(3).at("noise").normal(1, 1, 64, 64)
    sigma = torch.full((1, 1, 1, 1), 1.02)
    assert haar.bayes_shrink(noise, sigma).abs().mean() < 0.02
    assert torch.allclose(haar.bayes_shrink(noise * 1000, sigma), noise * 1000, atol=0.01)


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (5, 3), (8, 8)])
def test_wavelet_of_tiny_pictures(size):
    image = Draw(3).at("tiny").uniform(1, 3, *size, low=-1, high=1)
    out = wavelet(image, 10)
    assert out.shape == image.shape and out.isfinite().all()


def test_opponent_colours():
    image = Draw(3).at("image").normal(2, 3, 5, 6)
    turned = opponent(image)
    assert torch.allclose(from_opponent(turned), image, atol=1e-6)
    assert torch.allclose(turned.square().sum(1), image.square().sum(1), atol=1e-5)
    assert torch.allclose(turned[:, 0], image.sum(1) / 3**0.5, atol=1e-6)
    assert torch.allclose(opponent_shares(3).sum(0), torch.ones(3)) and torch.equal(opponent_shares(2), torch.eye(2))
    assert opponent(image[:, :2]) is not None and torch.equal(opponent(image[:, :2]), image[:, :2])


def test_luma():
    colours = torch.eye(3)[:, :, None, None]
    assert torch.allclose(luma(colours).flatten(), torch.tensor([0.299, 0.587, 0.114]))
    assert torch.equal(luma(torch.ones(1, 1, 2, 2)), torch.ones(1, 1, 2, 2))
