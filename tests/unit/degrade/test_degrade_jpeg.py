"""JPEG against the real codec and its published tables."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.fft import dctn

from zeuxis.degrade.jpeg import (
    CHROMINANCE,
    LUMINANCE,
    Jpeg,
    _turned,
    from_blocks,
    from_ycc,
    jpeg,
    quantization,
    to_blocks,
    to_ycc,
)
from zeuxis.draw import Draw, Stream, key_of
from zeuxis.errors import BadInput


@pytest.fixture(scope="module")
def photo():
    data = pytest.importorskip("skimage.data")
    return torch.from_numpy(data.astronaut()[20:207, 150:339].copy()).permute(2, 0, 1)[None].float() / 127.5 - 1


def real_jpeg(x, quality, subsampling="4:2:0"):
    """Pillow's codec on pictures of 1 or 3 channels."""
    pixels = ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1)
    seen = []
    for picture, q in zip(pixels.numpy(), quality.tolist(), strict=True):
        file = io.BytesIO()
        Image.fromarray(picture.squeeze(-1) if picture.shape[2] == 1 else picture).save(
            file, "JPEG", quality=round(q), subsampling=subsampling
        )
        seen.append(torch.from_numpy(np.atleast_3d(np.array(Image.open(file)))))
    return torch.stack(seen).permute(0, 3, 1, 2).to(x) / 127.5 - 1


def psnr(a, b):
    return 10 * math.log10(4 / float((a - b).double().square().mean()))


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize("quality", [10, 30, 75, 95])
def test_agrees_with_the_real_codec(photo, quality, subsampling):
    """Equally far from the original within 0.05 dB, and over 40 dB from each other (sides are odd)."""
    mine, real = (code(photo, torch.tensor([quality]), subsampling) for code in (jpeg, real_jpeg))
    assert abs(psnr(mine, photo) - psnr(real, photo)) < 0.05
    assert psnr(mine, real) > (45 if quality >= 75 else 40)


@pytest.mark.parametrize("quality", [10, 75])
def test_grey_agrees_with_the_real_codec(photo, quality):
    grey = photo[:, :1]
    mine, real = (code(grey, torch.tensor([quality])) for code in (jpeg, real_jpeg))
    assert psnr(mine, real) > 45


def test_tables_are_scaled_as_libjpeg_does():
    quality = torch.tensor([50.0, 100.0, 10.0, 1.0, 75.0])
    table = quantization(quality, LUMINANCE)
    assert table.shape == (8, 8, 5)
    assert torch.equal(table[:, :, 0], torch.tensor(LUMINANCE, dtype=torch.float32))
    assert bool((table[:, :, 1] == 1).all()) and float(table[0, 0, 2]) == 80 and float(table[0, 0, 4]) == 8
    assert float(table[0, 0, 3]) == 255 and float(quantization(quality, CHROMINANCE)[0, 7, 4]) == 50


def test_tables_are_those_of_files(photo):
    import io

    from PIL import Image

    for quality in (23, 50, 88):
        file = io.BytesIO()
        Image.new("RGB", (8, 8)).save(file, "JPEG", quality=quality)
        written = Image.open(file).quantization
        for i, table in enumerate((LUMINANCE, CHROMINANCE)):
            mine = quantization(torch.tensor([float(quality)]), table)[:, :, 0].flatten().int().tolist()
            assert sorted(mine) == sorted(written[i])


def test_cosine_transform_equals_scipy():
    x = Stream(key_of("dct")).normal(2, 3, 16, 24).double()
    blocks = to_blocks(x)
    assert blocks.shape == (8, 8, 2, 3, 2, 3) and torch.equal(from_blocks(blocks), x)
    seen = _turned(_turned(blocks, 0, False), 1, False)
    expected = dctn(x[1, 2, 8:16, 16:24].numpy(), norm="ortho")
    assert abs(seen[:, :, 1, 2, 1, 2].numpy() - expected).max() < 1e-12
    assert torch.allclose(_turned(_turned(seen, 0, True), 1, True), blocks, atol=1e-12)


def test_colours_turn_and_return():
    rgb = Stream(key_of("ycc")).uniform(1, 3, 4, 4).double() * 255 - 128
    assert torch.allclose(from_ycc(to_ycc(rgb)), rgb, atol=1e-12)
    red = to_ycc(torch.tensor([255.0, 0, 0]).reshape(1, 3, 1, 1) - 128)[0, :, 0, 0] + 128
    assert red.tolist() == pytest.approx([76.245, 84.972, 255.5], abs=1e-3)


def test_each_sample_has_its_quality(photo):
    both = jpeg(photo.repeat(2, 1, 1, 1), torch.tensor([20, 90]))
    assert torch.equal(both[:1], jpeg(photo, torch.tensor([20]))) and psnr(both[1:], photo) > psnr(both[:1], photo) + 5


def test_a_shift_moves_the_grid(photo):
    """Shift (3, 5) is the codec on the picture with 3 rows and 5 columns more, cropped again."""
    shifted = jpeg(photo, torch.tensor([30]), "4:4:4", torch.tensor([[3, 5]]))
    padded = torch.nn.functional.pad(photo, (5, 0, 3, 0), mode="replicate")
    assert torch.equal(shifted, jpeg(padded, torch.tensor([30]), "4:4:4")[:, :, 3:, 5:])
    plain = jpeg(photo, torch.tensor([30]), "4:4:4")
    step = (plain[..., 1:] - plain[..., :-1]).abs().mean((0, 1, 2))
    moved = (shifted[..., 1:] - shifted[..., :-1]).abs().mean((0, 1, 2))
    on_grid, off_grid = torch.arange(7, 180, 8), torch.arange(2, 180, 8)
    assert step[on_grid].mean() > step[off_grid].mean() and moved[off_grid].mean() > moved[on_grid].mean()


def test_channels_that_are_no_colour_are_left_alone(photo):
    other = Stream(key_of("alpha")).uniform(1, 1, *photo.shape[2:])
    q = torch.tensor([20])
    four = jpeg(torch.cat([photo, other], 1), q)
    assert torch.equal(four[:, 3:], other) and torch.equal(four[:, :3], jpeg(photo, q))
    two = jpeg(torch.cat([photo[:, :1], other], 1), q)
    assert torch.equal(two[:, 1:], other) and torch.equal(two[:, :1], jpeg(photo[:, :1], q))


def test_grey_pictures_stay_grey(photo):
    grey = photo[:, :1].expand(-1, 3, -1, -1)
    seen = jpeg(grey, torch.tensor([15]))
    assert torch.equal(seen[:, 0], seen[:, 1]) and torch.equal(seen[:, 0], seen[:, 2])


def test_input_is_cut_and_output_holds_bytes(photo):
    seen = jpeg(photo * 3, torch.tensor([50]))
    assert torch.equal(seen, jpeg((photo * 3).clamp(-1, 1), torch.tensor([50])))
    levels = (seen + 1) * 127.5
    assert float((levels - levels.round()).abs().max()) < 1e-3 and float(seen.abs().max()) <= 1


def test_gradient_is_that_of_no_rounding(photo):
    """Straight through: the gradient of a sum of grey pixels inside the range is one everywhere."""
    x = (photo[:, :1, :16, :24] * 0.5).requires_grad_()
    (gradient,) = torch.autograd.grad(jpeg(x, torch.tensor([40])).sum(), x)
    assert torch.allclose(gradient, torch.ones_like(gradient), atol=1e-4)


def test_damage_stays_in_its_range_of_quality(photo):
    """Whole numbers, both ends included, and about half of the samples in 4:2:0."""
    small = photo[:, :, :24, :24].repeat(60, 1, 1, 1)
    seen = Jpeg((40, 41), half=0.5, shift=0)(small, Draw(1)).image
    ways = [jpeg(small[:1], torch.tensor([q]), s)[0] for q in (40, 41) for s in ("4:2:0", "4:4:4")]
    counts = [sum(torch.equal(one, way) for one in seen) for way in ways]
    assert sum(counts) == 60 and min(counts) >= 6


def test_bad_sampling_and_channels(photo):
    with pytest.raises(BadInput, match="4:2:2"):
        jpeg(photo, torch.tensor([50]), "4:2:2")
    with pytest.raises(BadInput, match="5 channels"):
        jpeg(photo[:, :1].expand(-1, 5, -1, -1), torch.tensor([50]))
