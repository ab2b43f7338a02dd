import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFile, ImageFont
from scipy.ndimage import gaussian_filter

from zeuxis.classic.estimate import (
    blur_sigma,
    jpeg_blockiness,
    jpeg_quality_of_tables,
    kept_variance,
    levels,
    noise_sigma,
    rough_noise,
)
from zeuxis.classic.jpeg_traces import cosine_transform, tables
from zeuxis.draw import Draw
from zeuxis.errors import BadInput


def scene(height=192, width=224, seed=0, texture=0.0):
    """uint8 [H, W, 3]: a sky, discs with sharp edges, and texture in the lower half."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    image = np.stack([120 + 60 * y / height, 110 + 40 * x / width, 150 - 50 * y / height], -1)
    for a, b, r, v, w in Draw(seed).at("discs").uniform(12, 5).tolist():
        inside = (y - a * height) ** 2 + (x - b * width) ** 2 < (5 + 30 * r) ** 2
        image[inside] = [40 + 170 * v, 40 + 170 * w, 200 - 150 * v]
    rough = gaussian_filter(Draw(seed).at("rough").normal(1, height, width)[0].numpy(), 1.0) * texture
    image += (rough * (y > height / 2))[..., None]
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


def noisy(x, sigma, seed=1):
    z = Draw(seed).at("noise").normal(1, *x.shape)[0].numpy()
    return np.clip(np.round(x + sigma * z), 0, 255).astype(np.uint8)


def blurred(x, sigma):
    return np.round(gaussian_filter(x.astype(np.float32), (sigma, sigma, 0))).astype(np.uint8)


def jpeg(x, quality):
    file = io.BytesIO()
    Image.fromarray(x).save(file, "JPEG", quality=quality)
    return Image.open(file)


def tensor(x):
    pixels = np.array(x)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1


@pytest.mark.parametrize("sigma", [5, 15, 25, 50])
@pytest.mark.parametrize("texture", [0.0, 60.0])
def test_noise_of_clipped_and_rounded_pictures(sigma, texture):
    for image in (noisy(scene(texture=texture), sigma), noisy(scene(texture=texture), sigma)[..., :1]):
        found = noise_sigma(tensor(image))
        assert float(found.sigma) == pytest.approx(sigma, rel=0.08)
        assert float(found.confidence) > 0.7


def test_noise_of_what_is_clean():
    for image in (scene(), blurred(scene(texture=60), 1.5), np.full((64, 64, 3), 90, np.uint8)):
        assert float(noise_sigma(tensor(image)).sigma) < 0.6
    striped = np.tile(np.array([[40, 200], [200, 40]], np.uint8).repeat(8, 0).repeat(8, 1), (8, 8))
    assert float(noise_sigma(tensor(striped)).sigma) < 0.6


def test_texture_all_over_is_not_sure_to_be_noise():
    rough = gaussian_filter(Draw(0).at("rough").normal(1, 160, 160)[0].numpy(), 1.0) * 60 + 128
    found = noise_sigma(tensor(np.round(rough).astype(np.uint8)))
    assert float(found.confidence) < 0.3 and float(found.sigma) < 3


def test_noise_in_the_dark_and_beside_saturated_areas():
    dark = np.full((160, 160, 3), 25, np.uint8)
    assert float(noise_sigma(tensor(noisy(dark, 15))).sigma) == pytest.approx(15, rel=0.1)
    framed = noisy(scene(), 20)
    framed[:60], framed[:, -60:] = 0, 255
    assert float(noise_sigma(tensor(framed)).sigma) == pytest.approx(20, rel=0.08)


def test_noise_of_the_luma_and_of_the_colours():
    z = 10 * Draw(0).at("grain").normal(1, 192, 224, 1)[0].numpy()
    found = noise_sigma(tensor(np.clip(np.round(scene() + z), 0, 255).astype(np.uint8)))
    assert float(found.luma) == pytest.approx(10 * 3**0.5, rel=0.08)
    assert float(found.sigma) == pytest.approx(10, rel=0.08) and float(found.chroma) < 1.5


def test_the_luma_can_have_no_more_noise_than_its_calmest_parts():
    z = 15 * Draw(0).at("colours").normal(1, 192, 224, 3)[0].numpy()
    for dull, most in ((z - z.mean(-1, keepdims=True), 2), (z, 16)):
        found = noise_sigma(tensor(np.clip(np.round(scene() + dull), 0, 255).astype(np.uint8)))
        assert float(found.most_luma) < most and float(found.coarse) > 9
    assert float(found.most_luma) > 12


def test_each_picture_of_a_batch_by_itself():
    batch = torch.cat([tensor(noisy(scene(), s)) for s in (5, 25)])
    for estimate in (noise_sigma, blur_sigma, jpeg_blockiness):
        whole, alone = estimate(batch), [estimate(x[None]) for x in batch]
        for name in vars(whole):
            assert torch.equal(
                torch.nan_to_num(getattr(whole, name)), torch.nan_to_num(torch.cat([getattr(x, name) for x in alone]))
            )


def test_kept_variance_of_clipped_values():
    z = Draw(0).at("z").normal(1, 400_000)[0]
    for mean, sigma in ((128.0, 10.0), (10.0, 20.0), (250.0, 50.0), (128.0, 100.0), (0.0, 5.0)):
        clipped = (mean + sigma * z).clamp(0, 255)
        kept = float(kept_variance(torch.tensor(mean), torch.tensor(sigma)))
        assert kept == pytest.approx(float(clipped.var()) / sigma**2, abs=0.01)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0])
def test_blur(sigma):
    """Noise makes the measure smaller, and more so where the blur is wide."""
    soft = blurred(scene(), sigma)
    assert float(blur_sigma(tensor(soft)).sigma) == pytest.approx(sigma, abs=0.2)
    assert 0.6 * sigma < float(blur_sigma(tensor(noisy(soft, 5))).sigma) < sigma + 0.2


def test_sharp_is_not_blurred():
    found = blur_sigma(tensor(scene()))
    assert float(found.sigma) < 0.75 and float(found.edge) > 5
    flat = blur_sigma(torch.zeros(1, 3, 40, 40))
    assert float(flat.edge) == 0


def test_large_pictures_are_looked_at_in_windows():
    big = np.tile(blurred(scene(), 2.0), (6, 6, 1))
    assert float(blur_sigma(tensor(big)).sigma) == pytest.approx(2.0, abs=0.3)
    assert float(blur_sigma(torch.zeros(1, 1, 40, 30_000)).edge) == 0


def test_tables_of_the_group_are_those_that_pillow_writes():
    for quality in (1, 10, 49, 50, 75, 90, 100):
        file = jpeg(scene(32, 32), quality)
        assert isinstance(file, ImageFile.ImageFile)
        found = jpeg_quality_of_tables(file.quantization)
        assert (found.quality, found.exact) == (quality, True)
        assert tables(torch.tensor([quality]))[0].tolist() == list(file.quantization[0])


def test_tables_of_others_have_the_nearest_quality():
    own = [min(255, v + (k % 3 == 0)) for k, v in enumerate(tables(torch.tensor([60]))[0].tolist())]
    found = jpeg_quality_of_tables({0: own})
    assert abs(found.quality - 59) <= 2 and not found.exact
    with pytest.raises(BadInput, match="no quantisation table"):
        jpeg_quality_of_tables({0: [1, 2]})


@pytest.mark.parametrize("quality", [10, 30, 50, 75, 85])
def test_jpeg_quality_of_pixels(quality):
    pixels = np.array(jpeg(scene(texture=60), quality))
    found = jpeg_blockiness(tensor(pixels))
    # two qualities can share the steps of all low frequencies
    assert float(found.quality) == pytest.approx(quality, abs=1) and (int(found.row), int(found.column)) == (0, 0)
    assert float(found.certainty) > 0.6


def test_jpeg_grid_of_a_cut_picture():
    pixels = np.array(jpeg(scene(texture=60), 30))
    for row, column in ((3, 5), (7, 0)):
        found = jpeg_blockiness(tensor(pixels[8 - row :, 8 - column :] if column else pixels[8 - row :]))
        assert float(found.quality) == 30 and (int(found.row), int(found.column)) == (row, column)
    grey = jpeg_blockiness(tensor(jpeg(scene(texture=60)[..., 0], 20)))
    assert float(grey.quality) == pytest.approx(20, abs=1) and float(grey.blocking) > 0.5


TURNS = {
    "90": lambda x: np.rot90(x),
    "180": lambda x: np.rot90(x, 2),
    "270": lambda x: np.rot90(x, 3),
    "mirrored": lambda x: x[:, ::-1],
    "transposed": lambda x: x.transpose(1, 0, 2),
}


@pytest.mark.parametrize("turn", TURNS)
def test_jpeg_quality_of_a_picture_that_was_turned_or_mirrored_after_decoding(turn):
    """The table of luma is not symmetric: turned by 90 degrees, quality 25 was told as 93 and 60 not at all."""
    whole = scene(texture=60)
    whole = whole[: whole.shape[0] - 3, : whole.shape[1] - 5]  # turned, the grid starts elsewhere
    for quality in (10, 25, 60, 85):
        turned = np.ascontiguousarray(TURNS[turn](np.array(jpeg(whole, quality))))
        assert float(jpeg_blockiness(tensor(turned)).quality) == pytest.approx(quality, abs=1), quality


def test_no_jpeg_where_there_was_none():
    fresh = scene(texture=60)
    for image in (fresh, noisy(fresh, 10), blurred(fresh, 2), np.array(jpeg(fresh, 30).resize((150, 140)))):
        assert torch.isnan(jpeg_blockiness(tensor(image)).quality).all()
    assert torch.isnan(jpeg_blockiness(torch.zeros(1, 3, 64, 64)).quality).all()


def test_what_repeats_is_one_witness():
    """Tiles whose period is a multiple of 8 passed for a JPEG of quality 34, and letters saved at 85 for one of 10."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        tile = rng.integers(0, 256, (12, 3))[rng.integers(0, 12, (16, 16))].astype(np.uint8)
        whole = Image.fromarray(np.tile(tile, (12, 12, 1)))
        assert torch.isnan(jpeg_blockiness(tensor(whole.resize((288, 288), Image.Resampling.BICUBIC))).quality), seed
    page = Image.new("L", (480, 360), 200)
    draw = ImageDraw.Draw(page)
    draw.rectangle((40, 30, 400, 320), 250, 90)
    for y in range(60, 300, 18):
        draw.text((60, y), "etaoin shrdlu cmfwyp " * 2, 20, ImageFont.load_default(12))
    assert not float(jpeg_blockiness(tensor(jpeg(np.array(page), 85))).quality) <= 65


@pytest.mark.parametrize("quality", [10, 15, 25])
def test_a_coarse_jpeg_of_a_smooth_picture_is_found_though_many_blocks_are_equal(quality):
    smooth = blurred(scene(256, 256, texture=30.0), 1.5)
    assert float(jpeg_blockiness(tensor(jpeg(smooth, quality))).quality) == pytest.approx(quality, abs=1)


def test_cosine_transform_is_that_of_scipy():
    from scipy.fft import dctn

    block = Draw(0).at("block").normal(1, 8, 8)[0]
    ours = (cosine_transform() @ block.flatten()).reshape(8, 8)
    assert np.allclose(ours.numpy(), dctn(block.numpy(), norm="ortho"), atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (7, 40), (16, 16), (17, 100)])
def test_tiny_pictures(size):
    image = Draw(0).at("tiny").uniform(2, 3, *size, low=-1, high=1)
    results = [noise_sigma(image), blur_sigma(image)]
    assert all((~torch.isnan(v)).all() and len(v) == 2 for r in results for v in vars(r).values())
    assert len(jpeg_blockiness(image).quality) == 2 and levels(image).shape == (2, 3, 2)


def test_levels():
    ramp = torch.linspace(-0.8, 0.6, 1000).reshape(1, 1, 20, 50)
    ramp[0, 0, 0, 0], ramp[0, 0, 0, 1] = -1, 1
    found = levels(torch.cat([ramp, ramp * 0.5], 1))
    assert torch.allclose(found[0], torch.tensor([[-0.793, 0.593], [-0.397, 0.297]]), atol=0.01)
    constant = levels(torch.full((1, 1, 9, 9), 0.25))
    assert constant.tolist() == [[[0.25, 0.25]]]


def test_photographs(large_data):
    """No noise and no blur to speak of, the file's own quality from the pixels, noise as added."""
    for path in sorted((large_data / "photos-mini").glob("*.jpg"))[::12]:
        file = Image.open(path)
        own, pixels = jpeg_quality_of_tables(file.quantization).quality, np.array(file.convert("RGB"))
        image = tensor(pixels)
        assert float(noise_sigma(image).sigma) < 2 and float(blur_sigma(image).sigma) < 0.9
        assert float(jpeg_blockiness(image).quality) == pytest.approx(own, abs=2)
        assert float(noise_sigma(tensor(noisy(pixels, 15))).sigma) == pytest.approx(15, rel=0.05)


def test_rough_noise_says_how_much_there_may_be() -> None:
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(112.0), indexing="ij")
    smooth = (0.5 * torch.sin(x / 9) * torch.cos(y / 7)).expand(1, 3, -1, -1)
    for sigma in (5.0, 20.0):
        grain = torch.randn(1, 3, 96, 112, generator=torch.Generator().manual_seed(0)) * sigma / 127.5
        assert float(rough_noise(smooth + grain)) == pytest.approx(sigma, rel=0.06)
    assert float(rough_noise(smooth)) < 0.1
    assert float(rough_noise(torch.zeros(1, 1, 3, 3))) == 0
