"""PSNR and SSIM: closed forms, the reference library, the published JPEG line, the words of the protocol."""

import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.metrics.fidelity import (
    ALL,
    Protocol,
    averaged,
    levels,
    luma,
    on_y,
    psnr,
    psnr_each,
    psnr_y,
    ssim,
    ssim_each,
    ssim_map,
)


def flat(level: float, channels: int = 1, side: int = 16) -> torch.Tensor:
    return torch.full((1, channels, side, side), level / 127.5 - 1)


def pair(channels: int = 3, n: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """A smooth picture and a noisy copy, both 8-bit."""
    rows, columns = torch.meshgrid(torch.linspace(0, 3, 33), torch.linspace(0, 5, 41), indexing="ij")
    clean = (torch.sin(rows) * torch.cos(columns)).expand(n, channels, 33, 41)
    noisy = clean + 0.2 * Draw(1).at("noise").normal(n, channels, 33, 41)
    return tuple((levels(x) / 127.5 - 1).float() for x in (noisy, clean))


@given(st.integers(0, 255), st.integers(0, 255))
def test_psnr_of_flat_pictures(a, b):
    found = float(psnr(flat(a), flat(b)))
    assert found == (math.inf if a == b else pytest.approx(20 * math.log10(255 / abs(a - b))))


@given(st.integers(0, 255), st.integers(0, 255))
def test_ssim_of_flat_pictures(a, b):
    c = (0.01 * 255) ** 2
    assert float(ssim(flat(a), flat(b))) == pytest.approx((2 * a * b + c) / (a * a + b * b + c), abs=1e-9)


@pytest.mark.parametrize("channels", [1, 3])
def test_equal_to_scikit_image(channels):
    image, clean = pair(channels, n=1)
    a, b = (levels(x)[0].permute(1, 2, 0).numpy() for x in (image, clean))
    assert float(psnr(image, clean)) == pytest.approx(peak_signal_noise_ratio(b, a, data_range=255), abs=1e-9)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    reference, whole = structural_similarity(b, a, channel_axis=2, full=True, **settings)
    assert float(ssim(image, clean)) == pytest.approx(reference, abs=1e-7)
    mine = ssim_map(levels(image), levels(clean))[0].permute(1, 2, 0).numpy()
    assert np.allclose(mine, whole[5:-5, 5:-5], atol=1e-6)


def test_luma_is_that_of_studio_swing():
    colours = torch.tensor([[0.0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]).reshape(5, 3, 1, 1)
    assert luma(colours).flatten().tolist() == pytest.approx([16, 235, 81.481, 144.553, 40.966])
    grey = torch.tensor([7.0, 200.0]).reshape(2, 1, 1, 1)
    assert torch.equal(luma(grey), grey.double())
    with pytest.raises(BadInput):
        luma(torch.zeros(1, 2, 4, 4))


def test_y_crop_and_rounding_are_as_said():
    image, clean = pair(n=1)
    y = [luma(levels(x))[..., 4:-4, 4:-4].numpy() for x in (image, clean)]
    assert float(psnr_y(image, clean, 4)) == pytest.approx(10 * math.log10(255**2 / np.mean((y[0] - y[1]) ** 2)))
    border = clean.clone()
    border[..., :4, :] = 1
    assert math.isinf(float(psnr_y(border, clean, 4))) and not math.isinf(float(psnr_y(border, clean, 3)))
    near = clean + 0.3 / 127.5
    assert math.isinf(float(psnr(near.clamp(-1, 1), clean)))
    assert float(psnr(near, clean, Protocol(rounded=False))) == pytest.approx(20 * math.log10(255 / 0.3), abs=0.01)


def test_ssim_inside_a_hole_sees_the_hole_alone():
    image, clean = pair(n=2)
    hole = torch.zeros(2, 1, 33, 41)
    hole[0, :, 10:14, 20:26] = 1
    hole[1, :, 15, 15] = 1
    found, whole = ssim_each(image, clean, ALL, hole), ssim_map(levels(image), levels(clean)).mean(1)
    assert found.tolist() == pytest.approx([float(whole[0, 5:9, 15:21].mean()), float(whole[1, 10, 10])])
    assert float(ssim(image, clean, ALL, torch.ones_like(hole))) == pytest.approx(float(ssim(image, clean)))
    assert ssim_each(image, clean, ALL, torch.zeros_like(hole)).isnan().all()


def test_every_result_names_its_protocol():
    image, clean = pair()
    assert psnr(image, clean).features == "all channels, crop 0, 8-bit"
    assert psnr_y(image, clean, 4).features == "Y of BT.601, crop 4, 8-bit, bicubic a=-0.5, antialiased"
    assert ssim(image, clean, Protocol(rounded=False)).features == "all channels, crop 0, unrounded"
    assert ssim(image, clean, where=torch.ones(2, 1, 33, 41)).features.endswith("inside the hole")


def test_means_are_over_pictures_and_of_one_protocol():
    image, clean = pair(n=3)
    each, whole = psnr_each(image, clean), psnr(image, clean)
    assert whole.n == 3 and whole.value == pytest.approx(float(each.mean()))
    apart = averaged([psnr(image[:1], clean[:1]), psnr(image[1:], clean[1:])])
    assert (apart.n, apart.features) == (3, whole.features) and apart.value == pytest.approx(whole.value)
    with pytest.raises(BadInput):
        averaged([whole, psnr_y(image, clean, 2)])
    with pytest.raises(BadInput):
        averaged([])


def test_bad_input_is_refused():
    x = torch.zeros(1, 3, 12, 12)
    calls = (
        lambda: psnr(x, x[..., :11]),
        lambda: psnr(x[0], x[0]),
        lambda: psnr(x, x, on_y(6)),
        lambda: ssim(x, x, on_y(1)),
    )
    for call in calls:
        with pytest.raises(BadInput):
            call()


@pytest.mark.parametrize(("quality", "published"), [(10, 27.82), (40, 32.43)])
def test_jpeg_line_of_classic5(large_data, quality, published):
    values = []
    for path in sorted((large_data / "jpeg" / "classic5").iterdir()):
        with Image.open(path) as image:
            out = io.BytesIO()
            image.save(out, "JPEG", quality=quality)
            clean = np.array(image)
        with Image.open(out) as image:
            pictures = (torch.from_numpy(x)[None, None].float() / 127.5 - 1 for x in (np.array(image), clean))
            values.append(psnr(*pictures))
    assert averaged(values).value == pytest.approx(published, abs=0.01)
