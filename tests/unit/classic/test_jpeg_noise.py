"""Noise that went through JPEG, by how many coefficients were not rounded to 0."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from zeuxis.classic.jpeg_noise import coded_noise
from zeuxis.draw import Draw


def decoded(grey: np.ndarray, quality: int) -> tuple[torch.Tensor, list[int]]:
    buffer = io.BytesIO()
    Image.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    file = Image.open(buffer)
    return torch.from_numpy(np.array(file))[None, None].float() / 127.5 - 1, list(file.quantization[0])


def ground() -> np.ndarray:
    return 90 + 70 * np.linspace(0, 1, 256)[None, :] * np.ones((256, 1))


def draw(name: str) -> np.ndarray:
    return Draw(0).at(name).normal(1, 256, 256)[0].numpy()


@pytest.mark.parametrize("quality", [75, 85, 92])
@pytest.mark.parametrize("sigma", [10, 16])
def test_white_noise_is_measured_behind_the_codec(quality, sigma):
    found = coded_noise(*decoded(ground() + sigma * draw("noise"), quality))
    assert found.sigma == pytest.approx(sigma, rel=0.08)
    assert found.alike > 0.85 and found.uneven < 5


def test_detail_and_patterns_are_no_noise():
    soft = gaussian_filter(draw("soft"), 1.0)
    assert coded_noise(*decoded(ground() + 16 * soft / soft.std(), 85)).alike < 0.7
    y, x = np.mgrid[:256, :256]
    screen = np.where((x + 2 * y) % 5 < 2, 20.0, -20.0)
    assert coded_noise(*decoded(ground() + screen, 85)).uneven > 6
    calm = coded_noise(*decoded(ground(), 85))
    assert calm is not None and calm.alike == 0


def test_too_few_blocks_and_what_is_hidden_say_nothing():
    image, table = decoded(ground() + 10 * draw("noise"), 85)
    assert coded_noise(image[..., :96, :96], table) is None
    assert coded_noise(image, table, seen=torch.zeros(1, 1, 256, 256, dtype=torch.bool)) is None
    moved = coded_noise(image[..., 3:, 5:], table, grid=(5, 3))
    assert moved.sigma == pytest.approx(10, rel=0.1)
