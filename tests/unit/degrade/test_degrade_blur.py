"""Blurs against closed forms and scipy."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from zeuxis.degrade.blur import (
    GAMMA,
    Anisotropic,
    Disk,
    Gaussian,
    Motion,
    anisotropic_kernel,
    convolve,
    disk_kernel,
    gaussian_blur,
    mirror,
    motion_kernel,
)
from zeuxis.draw import Draw, Stream, key_of

DRAW = Draw(2, phase="blur")


def noise(*shape):
    return Stream(key_of("blur", *shape)).uniform(*shape, low=-1.0, high=1.0).double()


def column(*values):
    return torch.tensor(values, dtype=torch.float64)


def moments(kernel):
    """Standard deviations of a kernel [K, K] along x and y, and their covariance."""
    reach = kernel.shape[0] // 2
    place = torch.arange(-reach, reach + 1, dtype=torch.float64)
    x, y = place[None, :], place[:, None]
    return [float((kernel * a * b).sum()) for a, b in ((x, x), (y, y), (x, y))]


@pytest.mark.parametrize("sigma", [0.5, 1.3, 3.0])
def test_gaussian_equals_scipy(sigma):
    """scipy's `reflect` repeats the edge pixel too; both cut at four sigma."""
    x = noise(1, 1, 20, 33)
    expected = ndimage.gaussian_filter(x[0, 0].numpy(), sigma, mode="reflect", radius=math.ceil(4 * sigma))
    seen = gaussian_blur(x, column(sigma))[0, 0].numpy()
    assert np.abs(seen - expected).max() < 1e-12


def test_each_sample_has_its_own_sigma():
    x = noise(3, 2, 16, 16)
    seen = gaussian_blur(x, column(0.0, 1.0, 2.0), 8)
    assert torch.equal(seen[0], x[0])
    assert torch.allclose(seen[1:2], gaussian_blur(x[1:2], column(1.0), 8), atol=1e-12)
    assert seen[2].std() < seen[1].std() < x.std()


def test_mirror_repeats_the_edge_however_far():
    assert mirror(3, 4, 5).tolist() == [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]
    assert mirror(1, 2, 2).tolist() == [0] * 5


def test_convolution_equals_scipy():
    x = noise(2, 3, 9, 12)
    kernels = motion_kernel(column(5.0, 7.0), column(20.0, 110.0), 4)
    seen = convolve(x, kernels)
    for b in range(2):
        expected = ndimage.convolve(x[b, 1].numpy(), kernels[b].numpy(), mode="reflect")
        assert np.abs(seen[b, 1].numpy() - expected).max() < 1e-12


def test_kernels_sum_to_one_and_are_even():
    kernels = [
        anisotropic_kernel(column(0.0, 2.0), column(0.5, 1.0), column(30.0, 100.0), 9),
        motion_kernel(column(0.0, 9.0), column(30.0, 100.0), 9),
        disk_kernel(column(0.0, 4.2), 9),
    ]
    for kernel in kernels:
        assert torch.allclose(kernel.sum((1, 2)), column(1.0, 1.0))
        assert torch.allclose(kernel, kernel.flip((1, 2)))


def test_widths_of_the_kernels():
    """Second moments: sigma^2 along and across; L^2 / 12 of a line; r^2 / 4 of a disk."""
    xx, yy, xy = moments(anisotropic_kernel(column(3.0), column(1.0), column(0.0), 14)[0])
    assert (xx, yy, xy) == pytest.approx((9, 1, 0), abs=0.05)
    xx, yy, xy = moments(motion_kernel(column(15.0), column(0.0), 9)[0])
    assert xx == pytest.approx(15**2 / 12, rel=0.01) and yy == 0 and xy == 0
    xx, yy, _ = moments(disk_kernel(column(6.0), 7)[0])
    assert xx == pytest.approx(9, rel=0.03) and yy == pytest.approx(xx)


def test_angles_turn_counter_clockwise():
    """At 45 degrees a line goes up to the right, where rows count down: the covariance is negative."""
    for kernel in (
        motion_kernel(column(9.0), column(45.0), 6),
        anisotropic_kernel(column(3.0), column(1.0), column(45.0), 9),
    ):
        assert moments(kernel[0])[2] < -1
    upright = motion_kernel(column(9.0), column(90.0), 6)[0]
    assert torch.allclose(upright, motion_kernel(column(9.0), column(0.0), 6)[0].T, atol=1e-12)


@pytest.mark.parametrize("blur", [Gaussian((1, 2)), Anisotropic((1, 2)), Motion((3, 7)), Disk((1, 3))])
def test_blurs_keep_flat_pictures_and_grey_ones(blur):
    flat = torch.full((2, 3, 12, 15), 0.25, dtype=torch.float64)
    assert torch.allclose(blur(flat, DRAW).image, flat)
    grey = noise(2, 1, 12, 15).expand(-1, 3, -1, -1)
    seen = blur(grey, DRAW).image
    assert torch.equal(seen[:, 0], seen[:, 2]) and seen.std() < grey.std()


@pytest.mark.parametrize("kind", [Gaussian, Anisotropic, Motion, Disk])
def test_linear_light_spreads_the_brighter_side(kind):
    """A black and white edge, half of each: linear light gives (1/2)^(1/2.2) where the picture's values give 1/2."""
    x = torch.ones(1, 1, 8, 41, dtype=torch.float64)
    x[..., :20] = -1
    x[..., 20] = 0
    plain, light = (kind((3.0, 3.0), linear=linear)(x, DRAW).image[0, 0, 4, 20] for linear in (False, True))
    assert float(plain) == pytest.approx(0, abs=1e-6) and float(light) > 0.2
    ends = kind((3.0, 3.0), linear=True)(x, DRAW).image[0, 0, 4, [0, -1]]
    assert ends.tolist() == pytest.approx([-1, 1], abs=1e-4)
    assert GAMMA == 2.2
