import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zeuxis.draw import Stream, key_of
from zeuxis.losses.fidelity import DISTANCES, charbonnier, fft_l1, l1, mse, psnr8, to_8_bits


def noise(name: str, *shape: int) -> torch.Tensor:
    return Stream(key_of(name)).uniform(*shape, low=-1.0).double()


def test_closed_forms():
    truth = torch.zeros(1, 1, 2, 2, dtype=torch.float64)
    answer = torch.tensor([0.3, -0.1, 0.0, 0.4], dtype=torch.float64).reshape(1, 1, 2, 2)
    assert float(l1(answer, truth)) == pytest.approx(0.2)
    assert float(mse(answer, truth)) == pytest.approx((0.09 + 0.01 + 0.16) / 4)
    roots = [math.sqrt(d * d + 1e-6) for d in (0.3, 0.1, 0.0, 0.4)]
    assert float(charbonnier(answer, truth)) == pytest.approx(sum(roots) / 4)
    assert float(charbonnier(truth, truth)) == pytest.approx(1e-3)
    assert set(DISTANCES) == {"charbonnier", "l1", "mse"}


def test_the_spectrum_against_numpy():
    answer, truth = noise("answer", 2, 3, 6, 5), noise("truth", 2, 3, 6, 5)
    spectrum = np.fft.rfft2((answer - truth).numpy(), norm="ortho")
    wanted = 0.5 * (np.abs(spectrum.real) + np.abs(spectrum.imag)).mean()
    assert float(fft_l1(answer, truth)) == pytest.approx(wanted)
    assert float(fft_l1(truth, truth)) == 0


def test_the_spectrum_of_a_constant_lies_in_one_place():
    answer = torch.full((1, 1, 4, 4), 0.5)
    assert float(fft_l1(answer, torch.zeros(1, 1, 4, 4))) == pytest.approx(0.5 * 4 / (2 * 4 * 3))


def test_the_spectrum_has_a_gradient_in_every_precision():
    answer = noise("answer", 1, 1, 4, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: fft_l1(x, noise("truth", 1, 1, 4, 4)), (answer,))
    half = noise("answer", 1, 1, 4, 4).to(torch.bfloat16)
    assert fft_l1(half, torch.zeros_like(half)).dtype == torch.bfloat16


def test_psnr_at_known_points():
    truth = to_8_bits(noise("truth", 3, 1, 8, 8)) / 127.5 - 1
    truth = truth.clamp(-0.9, 0.9)
    one_off = truth + 2 / 255
    found = psnr8(torch.stack([truth[0], one_off[1], truth[2] + 0.4 / 255]), truth)
    assert found.tolist() == pytest.approx([100.0, 20 * math.log10(255), 100.0], abs=1e-4)
    assert psnr8(torch.full((1, 1, 2, 2), 9.0), torch.ones(1, 1, 2, 2)).tolist() == [100.0]
    assert psnr8(-torch.ones(1, 3, 2, 2), torch.ones(1, 3, 2, 2)).tolist() == pytest.approx([0.0])


@given(st.integers(0, 255), st.integers(0, 255))
def test_psnr_of_flat_pictures(a, b):
    levels = torch.tensor([a, b], dtype=torch.float64) / 127.5 - 1
    found = psnr8(levels[:1].expand(1, 2, 2, 1).reshape(1, 1, 2, 2), levels[1:].expand(4).reshape(1, 1, 2, 2))
    assert float(found) == pytest.approx(100.0 if a == b else 20 * math.log10(255 / abs(a - b)), abs=1e-4)


def test_eight_bits():
    assert to_8_bits(torch.tensor([-2.0, -1.0, 0.0, 1.0, 3.0])).tolist() == [0, 0, 128, 255, 255]
