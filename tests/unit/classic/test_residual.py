"""What a denoiser takes away is held to what noise can be."""

import torch

from zeuxis.classic import residual
from zeuxis.classic.decorrelation import opponent
from zeuxis.draw import Draw


def noise(name: str, sigma: float, channels: int = 3) -> torch.Tensor:
    return sigma / 127.5 * Draw(0).at(name).normal(1, channels, 120, 160)


def error(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(((a - b) * 127.5).square().mean())


def scene(channels: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Calm on the left, texture of 20 levels on the right; and which pixels are calm."""
    calm = torch.zeros(1, 1, 120, 160)
    calm[..., :80] = 1
    return (1 - calm) * noise("texture", 20, channels), calm


def test_texture_that_was_taken_with_the_noise_comes_back():
    for channels in (1, 3):
        clean, _ = scene(channels)
        given = clean + noise("noise", 6, channels)
        smooth = 0.5 * clean  # takes the noise, and half of the texture too
        held = residual.held(given, smooth, residual.limits(given, smooth))
        assert error(smooth, clean) > error(given, clean), "worse than what was given"
        assert error(held, clean) < 0.95 * error(given, clean)


def test_noise_alone_is_taken_as_it_was():
    clean = torch.linspace(-0.5, 0.5, 160).expand(1, 3, 120, 160)
    given = clean + noise("noise", 6)
    held = residual.held(given, clean, residual.limits(given, clean))
    assert error(held, clean) < 0.05 * error(given, clean)


def test_a_part_that_had_no_noise_says_nothing_of_the_rest():
    clean = torch.zeros(1, 3, 120, 160)
    given = noise("noise", 10)
    given[..., :50, :] = 0
    held = residual.held(given, clean, residual.limits(given, clean))
    assert error(held, clean) < 0.05 * error(given, clean)


def test_noise_may_grow_with_the_brightness():
    clean = torch.linspace(-0.6, 0.6, 160).expand(1, 3, 120, 160)
    given = clean + noise("noise", 8) * (clean + 0.8)
    held = residual.held(given, clean, residual.limits(given, clean))
    assert error(held, clean) < 0.15 * error(given, clean)


def test_the_luma_is_kept_where_its_noise_is_known_to_be_none():
    clean = noise("texture", 5, 1).expand(1, 3, -1, -1)
    dull = noise("noise", 10)
    given = clean + dull - dull.mean(1, keepdim=True)
    held = residual.held(given, torch.zeros_like(given), residual.limits(given, torch.zeros_like(given), quiet=0.0))
    assert error(opponent(held)[:, :1], opponent(clean)[:, :1]) < 1e-3
    assert error(held, clean) < 0.05 * error(given, clean)


def test_in_bands_it_is_the_same_and_nothing_taken_is_nothing_changed(monkeypatch):
    clean, _ = scene()
    given = clean + noise("noise", 6)
    most = residual.limits(given, clean)
    whole = residual.held(given, clean, most)
    monkeypatch.setattr(residual, "_ROWS", 13)
    assert torch.allclose(residual.held(given, clean, most), whole, atol=1e-5)
    assert torch.allclose(residual.held(given, given, residual.limits(given, given)), given, atol=1e-6)
