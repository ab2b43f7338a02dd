"""Resizing against MATLAB's formula, written out loop by loop."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zeuxis.degrade.resize import KERNELS, LowResolution, bicubic, contributions, downscale, resize, upscale
from zeuxis.draw import Draw, Stream, key_of
from zeuxis.errors import BadInput

HALF = [-0.01172, -0.03516, 0.11328, 0.43359]
THIRD = [-0.01235, -0.02469, 0.11111, 0.25926]
QUARTER = [-0.00171, -0.01099, -0.01831, -0.01196, 0.02271, 0.09741, 0.18188, 0.24097]


def noise(*shape):
    return Stream(key_of("resize", *shape)).uniform(*shape, low=-1.0, high=1.0)


def keys(x):
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def imresize_line(line, scale):
    """One line by the published formula: 1-based places, widened kernel, mirrored borders."""
    n, out = len(line), []
    width = 4 / min(scale, 1)
    for i in range(1, math.ceil(n * scale - 1e-9) + 1):
        place = i / scale + 0.5 * (1 - 1 / scale)
        left = math.floor(place - width / 2)
        total = weights = 0.0
        for tap in range(left, left + math.ceil(width) + 2):
            d = place - tap
            w = scale * keys(scale * d) if scale < 1 else keys(d)
            m = (tap - 1) % (2 * n)
            total += w * line[m if m < n else 2 * n - 1 - m]
            weights += w
        out.append(total / weights)
    return out


def imresize(picture, scale):
    rows = np.array([imresize_line(c, scale) for c in picture.T]).T
    return np.array([imresize_line(r, scale) for r in rows])


@pytest.mark.parametrize("scale", [1 / 2, 1 / 3, 1 / 4, 2, 3, 4, 0.8, 1.5])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-10), (torch.float32, 1e-3)])
def test_bicubic_equals_the_formula(scale, dtype, tolerance):
    """To 1e-3 of 255 in float32, borders included, sides that the scale does not divide."""
    x = noise(1, 1, 19, 26).to(dtype) * 127.5 + 127.5
    expected = imresize(x[0, 0].double().numpy(), scale)
    seen = bicubic(x, scale)
    assert seen.dtype == dtype and seen.shape[2:] == expected.shape
    assert np.abs(seen[0, 0].double().numpy() - expected).max() < tolerance


@pytest.mark.parametrize("factor, weights", [(2, HALF), (3, THIRD), (4, QUARTER)])
def test_weights_inside(factor, weights):
    _, found = contributions(48, 48 // factor, 1 / factor, "bicubic")
    inside = [w for w in found[5].tolist() if w != 0]
    middle = [0.33333] if factor == 3 else []
    assert inside == pytest.approx([*weights, *middle, *reversed(weights)], abs=6e-6)


def test_scores_of_the_bicubic_baseline():
    """PSNR on RGB without `scale` border pixels, 8 bits between: the figures of scikit-image's astronaut."""
    data = pytest.importorskip("skimage.data")
    x = torch.from_numpy(data.astronaut()[:504, :504].copy()).permute(2, 0, 1)[None].float()
    for scale, expected in ((2, 30.165), (3, 27.156), (4, 25.335)):
        small = bicubic(x, 1 / scale).round().clamp(0, 255)
        error = (bicubic(small, scale).round().clamp(0, 255) - x)[..., scale:-scale, scale:-scale]
        assert 10 * math.log10(255**2 / float(error.double().square().mean())) == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("kind", KERNELS)
@pytest.mark.parametrize("scale", [0.3, 0.5, 1.7, 3])
def test_constants_stay_and_impulses_stay_centred(kind, scale):
    flat = torch.full((1, 2, 13, 11), 0.3, dtype=torch.float64)
    size = (math.ceil(13 * scale), math.ceil(11 * scale))
    assert torch.allclose(resize(flat, size, kind=kind), torch.tensor(0.3, dtype=torch.float64))
    impulse = torch.zeros(1, 1, 13, 11, dtype=torch.float64)
    impulse[..., 6, 5] = 1
    seen = resize(resize(impulse, size, kind=kind), (13, 11), kind=kind)
    assert torch.allclose(seen, seen.flip(2)) and torch.allclose(seen, seen.flip(3))


def test_area_is_the_mean_of_blocks():
    x = noise(2, 3, 12, 18)
    blocks = x.reshape(2, 3, 4, 3, 6, 3).mean((3, 5))
    assert torch.allclose(downscale(x, 3, "area"), blocks, atol=1e-6)


@settings(max_examples=40)
@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from(sorted(KERNELS)))
def test_weights_sum_to_one_and_stay_inside(n, size, kind):
    index, weight = contributions(n, size, size / n, kind)
    assert int(index.min()) >= 0 and int(index.max()) < n
    assert torch.allclose(weight.sum(1), torch.ones(size, dtype=torch.float64))


def test_scale_one_keeps_bits_and_sizes_round_up():
    x = noise(1, 4, 7, 9)
    assert bicubic(x, 1.0) is x
    assert downscale(x, 2).shape == (1, 4, 4, 5) and upscale(x, 1.5).shape == (1, 4, 11, 14)
    assert downscale(noise(1, 1, 48, 48), 3).shape[2:] == (16, 16)


@pytest.mark.parametrize("scale", [0, -1, math.nan, math.inf])
def test_impossible_scales(scale):
    with pytest.raises(BadInput, match="scale must be positive"):
        bicubic(noise(1, 1, 4, 4), scale)


def test_unknown_kind_names_the_nearest():
    with pytest.raises(BadInput, match="did you mean `bicubic`"):
        resize(noise(1, 1, 4, 4), (2, 2), kind="bicubik")


def test_low_resolution_loses_detail_and_keeps_the_mean():
    x = noise(6, 3, 32, 40)
    seen = LowResolution((4, 4))(x, Draw(1)).image
    assert (seen.std((1, 2, 3)) < 0.6 * x.std((1, 2, 3))).all()
    assert torch.allclose(seen.mean((1, 2, 3)), x.mean((1, 2, 3)), atol=0.02)
