"""Gaussian blur: found by its missing detail, measured by its spectrum, undone by total variation."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from zeuxis.classic.deblur import gaussian_width, sharpened, verified_width
from zeuxis.classic.detail import fine_detail, rounding_of
from zeuxis.jobs.restoring.measured import Measured
from zeuxis.jobs.restoring.steps import State, StepConfig, sharpen

HELD_OUT = sorted((Path(__file__).resolve().parents[2] / "pictures" / "held-out").glob("*.webp"))[:6]


def photo(path: Path) -> torch.Tensor:
    pixels = np.array(Image.open(path).convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1


def blurred(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """By the transform on which such a blur is diagonal, rounded to 8 bits."""
    from scipy.ndimage import gaussian_filter

    y = gaussian_filter(x.double().numpy(), (0, 0, sigma, sigma), mode="reflect", truncate=6)
    return ((torch.from_numpy(y) + 1) * 127.5).round().float() / 127.5 - 1


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(10 * torch.log10(4 / (a - b).square().mean()))


@pytest.mark.parametrize("path", HELD_OUT, ids=lambda p: p.stem)
def test_photographs(path):
    clean = photo(path)
    dull = blurred(clean, 1.5)
    assert float(fine_detail(clean)) > 3 and float(fine_detail(dull)) < 1.6
    width = gaussian_width(dull, 0.0372)
    assert 1.3 < width < 1.7
    assert psnr(sharpened(dull, width, 1.0), clean) > psnr(dull, clean) + 1


def test_a_known_blur_without_noise_is_undone():
    stream = torch.Generator().manual_seed(0)
    x = torch.nn.functional.avg_pool2d(torch.rand(1, 1, 70, 90, generator=stream) * 1.6 - 0.8, 5, 1, 2)
    from scipy.ndimage import gaussian_filter

    y = torch.from_numpy(gaussian_filter(x.double().numpy(), (0, 0, 0.7, 0.7), mode="reflect", truncate=8)).float()
    assert psnr(sharpened(y, 0.7, 0.0), x) > psnr(y, x) + 6


@pytest.mark.parametrize("taken, most", [(1.5, 0.5), (1.7, 1.5)])
def test_an_edge_does_not_ring(taken, most):
    """A Wiener filter left ripples of 2 grey levels six pixels from it, 4 where the blur was taken too wide."""
    clean = torch.full((1, 3, 96, 96), 60 / 127.5 - 1)
    clean[..., 48:] = 190 / 127.5 - 1
    dull = blurred(clean, 1.5)
    sharp = sharpen(State(dull, Measured(0.0, None, (0, 0), taken)), StepConfig()).image
    off = (sharp - clean).abs() * 127.5
    assert psnr(sharp, clean) > psnr(dull, clean) + 3
    assert float(off[..., :42].max()) < most and float(off[..., 54:].max()) < most


def test_a_guessed_width_is_said_where_something_was_changed_alone():
    """Of a plain picture it was told to look at the result of a blur of 0.0 pixels."""
    plain, edge = torch.full((1, 3, 40, 40), -0.3), torch.full((1, 3, 96, 96), -0.5)
    edge[..., 48:] = 0.5
    told = [
        sharpen(State(x, Measured(0.0, None, (0, 0), 0.0)), StepConfig()).remarks for x in (plain, blurred(edge, 2))
    ]
    assert told[0] == () and "is a guess" in told[1][0] and " 0.0 pixels" not in told[1][0]


def test_a_corner_overshoots_by_half_of_what_it_did():
    """A Wiener filter went beyond the two shades by 0.50 grey levels on average."""
    clean = torch.full((1, 3, 96, 96), 60 / 127.5 - 1)
    clean[..., 32:, 32:] = 190 / 127.5 - 1
    sharp = sharpened(blurred(clean, 1.5), 1.5)
    beyond = torch.maximum(sharp - clean.amax(), clean.amin() - sharp).clamp_min(0) * 127.5
    assert float(beyond.mean()) < 0.35


def test_a_grey_picture_is_sharpened_alike_in_one_channel_and_in_three():
    dull = blurred(photo(HELD_OUT[0]), 1.5)[:, :1]
    thrice = sharpened(dull.expand(-1, 3, -1, -1), 1.5)
    assert torch.allclose(thrice, sharpened(dull, 1.5).expand(-1, 3, -1, -1), atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 3)])
def test_pictures_of_few_pixels(size):
    x = torch.linspace(-1, 1, size[0] * size[1]).reshape(1, 1, *size)
    assert sharpened(x, 1.5).shape == x.shape and bool(sharpened(x, 1.5).isfinite().all())


def test_nothing_to_undo():
    flat = torch.full((1, 3, 40, 40), 0.25)
    assert torch.equal(sharpened(flat, 0.0), flat)
    assert torch.allclose(sharpened(flat, 2.0), flat, atol=1e-5)
    assert gaussian_width(flat, 0.0372) == 0.0
    assert gaussian_width(flat[..., :8], 0.0372) == 0.0
    assert torch.isinf(fine_detail(flat[..., :8])).all()


def test_rounding_alone_is_one_unit():
    """A slope so slow that nothing but rounding is left at the finest scale; grey and colour alike."""
    y, x = torch.meshgrid(torch.arange(160.0), torch.arange(160.0), indexing="ij")
    planes = [40 + 0.37 * x + 0.23 * y, 30 + 0.21 * x + 0.41 * y, 50 + 0.31 * x + 0.13 * y]
    image = (torch.stack(planes)[None].round() / 127.5 - 1).float()
    assert 0.5 < float(fine_detail(image)) < 2
    assert 0.5 < float(fine_detail(image[:, :1])) < 2


@pytest.mark.parametrize("radius", [1.5, 2.0])
@pytest.mark.parametrize("path", HELD_OUT, ids=lambda p: p.stem)
def test_a_blur_that_is_not_quite_gaussian_where_all_is_fine_detail(path, radius):
    """Pillow blurs with boxes; a width that is taken too wide rings, and leaves the picture worse than it was."""
    whole = Image.open(path).convert("RGB")
    small = whole.resize((whole.width // 2, whole.height // 2), Image.Resampling.LANCZOS)
    clean, dull = (
        torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 127.5 - 1
        for image in (small, small.filter(ImageFilter.GaussianBlur(radius)))
    )
    width = gaussian_width(dull, 0.0372)
    assert psnr(sharpened(dull, width, 1.0), clean) > psnr(dull, clean) + 0.5


def struck(pixels: np.ndarray, how: str) -> np.ndarray:
    """A photograph as floats with noise of 25 levels, of each channel or alike in all, or 2 % of specks."""
    rng = np.random.default_rng(0)
    if how == "specks":
        u = rng.random(pixels.shape[:2])[..., None]
        return np.where(u < 0.01, 0.0, np.where(u > 0.99, 255.0, pixels))
    noise = rng.normal(0, 25, pixels.shape if how == "noise" else (*pixels.shape[:2], 1))
    return np.clip(pixels + noise, 0, 255)


@pytest.mark.parametrize("how", ["", "noise", "grey noise", "specks"])
@pytest.mark.parametrize("sigma", [1.2, 1.5, 2.0])
@pytest.mark.parametrize("path", HELD_OUT, ids=lambda p: p.stem)
def test_what_was_noisy_before_it_was_blurred_is_hardly_ever_sharpened_to_be_worse(path, how, sigma):
    """Noise, or specks, that a blur made soft passed for detail: sharpened, they came out up to 2 dB farther off.

    What remains are strong noise that most of a picture's own change hides; a few tenths of a dB.
    """
    from scipy.ndimage import gaussian_filter

    clean = np.array(Image.open(path).convert("L" if how == "grey noise" else "RGB")).astype(float)
    clean = clean[..., None] if clean.ndim == 2 else clean
    given = np.rint(gaussian_filter(struck(clean, how) if how else clean, (sigma, sigma, 0)))
    dull, truth = (torch.from_numpy(x).permute(2, 0, 1)[None].float() / 127.5 - 1 for x in (given, clean))
    if float(fine_detail(dull)) >= 2:
        return
    width = verified_width(dull, rounding_of(dull.shape[1]))
    assert not how or not width or psnr(sharpened(dull, width), truth) > psnr(dull, truth) - 0.7
    assert how or not width or psnr(sharpened(dull, width), truth) > psnr(dull, truth) + 0.5


def test_clean_photographs_that_were_blurred_are_still_sharpened():
    widths = [verified_width(blurred(photo(path), 1.5), rounding_of(3)) for path in HELD_OUT]
    assert sum(width > 0 for width in widths) >= len(widths) - 1
