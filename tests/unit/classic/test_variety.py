"""A texture is alike all over, and a picture of things is not."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from zeuxis.classic.variety import variety
from zeuxis.draw import Draw

HELD_OUT = Path(__file__).resolve().parents[2] / "pictures" / "held-out"


def grain(height: int = 240, width: int = 240, sigma: float = 0.2) -> torch.Tensor:
    return (sigma * Draw(0).at("grain").normal(1, 3, height, width)).clamp(-1, 1)


def rough(power: float) -> torch.Tensor:
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(240), np.fft.fftfreq(240)))
    f[0, 0] = 1
    x = np.fft.ifft2(np.fft.fft2(Draw(0).at("rough").normal(1, 240, 240)[0].numpy()) * f**-power).real
    return torch.from_numpy(0.2 * x / x.std()).float()[None, None]


def test_noise_and_relief_are_alike_all_over():
    assert variety(grain()) < 0.45
    for power in (0.3, 0.6, 1.0):
        assert variety(rough(power)) < 0.65


def test_photographs_are_not_and_noise_does_not_hide_it():
    for path in sorted(HELD_OUT.glob("*.webp"))[:6]:
        image = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None].float() / 127.5 - 1
        assert variety((image + grain(*image.shape[2:])).clamp(-1, 1)) > 0.7


def test_a_margin_words_and_what_is_hidden_do_not_count():
    page = torch.ones(1, 3, 300, 320)
    page[..., 30:270, 40:280] = grain()
    page[..., 5:12, 60:90:3] = -1
    assert variety(page) < 0.6
    hidden, seen = grain(240, 300), torch.ones(1, 1, 240, 300, dtype=torch.bool)
    hidden[..., 240:] = torch.linspace(-1, 1, 60)
    seen[..., 240:] = False
    assert variety(hidden, seen) < 0.45
    assert variety(torch.zeros(1, 3, 100, 100)) == 0 and variety(grain(20, 20)) == 0, "nothing can tell"
