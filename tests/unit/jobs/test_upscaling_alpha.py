"""Transparency is enlarged by the net as a picture of its own, and what it hides tints no edge."""

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from zeuxis.jobs.restoring import steps
from zeuxis.jobs.restoring.restore import RestoreConfig, picture_of
from zeuxis.jobs.restoring.steps import StepConfig
from zeuxis.pictures.picture import Metadata, Picture, alpha_tensor, encode, from_tensor, read, to_tensor
from zeuxis.pictures.profiles import fill_transparent, shaped, stretched

RED, BLUE = (220, 60, 40), (20, 90, 200)


def logo(side: int = 128, samples: int = 8) -> np.ndarray:
    """RGBA uint8: a disc with a hole and a bar across, each pixel the mean of `samples` squared points."""
    size = side * samples
    planes = {}
    for name, ink in (("disc", RED), ("bar", BLUE)):
        mask = Image.new("L", (size, size))
        draw = ImageDraw.Draw(mask)
        if name == "disc":
            draw.ellipse([0.1 * size, 0.1 * size, 0.9 * size, 0.9 * size], fill=255)
            draw.polygon([(0.35 * size, 0.3 * size), (0.35 * size, 0.7 * size), (0.7 * size, 0.5 * size)], fill=0)
        else:
            draw.line([(0.05 * size, 0.06 * size), (0.9 * size, 0.85 * size)], fill=255, width=size // 24)
        planes[ink] = np.asarray(mask.resize((side, side), Image.Resampling.BOX), np.float64) / 255
    alpha, colours = np.zeros((side, side)), np.zeros((side, side, 3))
    for ink, cover in planes.items():  # over, premultiplied
        colours = colours * (1 - cover[..., None]) + np.array(ink) * cover[..., None]
        alpha = alpha * (1 - cover) + cover
    plain = colours / np.maximum(alpha, 1e-9)[..., None]
    return np.rint(np.concatenate([plain, 255 * alpha[..., None]], 2)).clip(0, 255).astype(np.uint8)


def opened(rgba: np.ndarray) -> Picture:
    return Picture(rgba[..., :3], rgba[..., 3], Metadata())


def on(picture: Picture, ground: float) -> np.ndarray:
    cover = picture.alpha[..., None] / picture.white
    return picture.pixels / picture.white * 255 * cover + ground * (1 - cover)


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((first.astype(float) - second.astype(float)) ** 2)))


@pytest.fixture(scope="module")
def enlarged() -> Picture:
    return picture_of(opened(logo()), RestoreConfig(scale=2)).picture


def test_alpha_is_as_sharp_as_the_net_can(enlarged):
    given, truth = logo(), logo(256)
    bicubic = np.clip(np.rint(stretched(given[..., 3], 256, 256)), 0, 255)
    assert psnr(enlarged.alpha, truth[..., 3]) > psnr(bicubic, truth[..., 3]) + 6
    raw = steps.enlarged(alpha_tensor(opened(given)), 2, steps.upscaler(2, StepConfig()), None)
    net = (raw[0, 0].numpy() + 1) * 127.5
    assert psnr(enlarged.alpha, truth[..., 3]) > psnr(net, truth[..., 3]) - 0.1
    for ground in (0, 128, 255):
        assert psnr(on(enlarged, ground), on(opened(truth), ground)) > 33


def test_garbage_under_faint_pixels_makes_no_specks(enlarged):
    """The colours of pixels that hardly show, whatever a program left there, do not show in the result."""
    spoiled = logo()
    faint = spoiled[..., 3] < 12
    spoiled[faint, :3] = np.random.default_rng(0).integers(0, 256, (int(faint.sum()), 3))
    made = picture_of(opened(spoiled), RestoreConfig(scale=2)).picture
    assert np.array_equal(made.alpha, enlarged.alpha)
    for ground in (0, 255):
        assert np.abs(on(made, ground) - on(enlarged, ground)).max() < 12


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("scale", [2, 3])
def test_all_or_nothing_stays_so(dtype, scale):
    white = np.iinfo(dtype).max
    hard = np.where(logo(48)[..., 3:] >= 128, white, 0).astype(dtype)
    rgb = (logo(48)[..., :3].astype(np.uint32) * (white // 255)).astype(dtype)
    made = picture_of(Picture(rgb, hard[..., 0], Metadata()), RestoreConfig(scale=scale)).picture
    assert set(np.unique(made.alpha).tolist()) == {0, int(white)} and made.alpha.dtype == dtype
    same = made.alpha == np.kron(hard[..., 0], np.ones((scale, scale), dtype))
    assert same.mean() > 0.9


def test_a_palette_with_transparency_and_sixteen_bits():
    palette = Image.fromarray(logo(48)).quantize(32, method=Image.Quantize.FASTOCTREE)
    buffer = io.BytesIO()
    palette.save(buffer, "PNG")
    given = read(buffer.getvalue())
    assert given.kept.palette and given.alpha is not None
    deep = Picture(given.pixels.astype(np.uint16) * 257, given.alpha.astype(np.uint16) * 257, Metadata(bits=16))
    first, second = (picture_of(p, RestoreConfig(scale=2)).picture for p in (given, deep))
    assert second.alpha.dtype == np.uint16
    assert np.abs(first.alpha.astype(float) - second.alpha / 257).max() <= 1
    back = read(encode(second, ".png", None))
    assert np.array_equal(back.alpha, second.alpha)


def test_flat_alpha_stays_exact():
    for level in (0, 1, 77, 255):
        alpha = np.full((12, 10), level, np.uint8)
        assert (shaped(np.random.default_rng(0).normal(128, 60, (24, 20)), alpha, 2) == level).all()
    picture = Picture(np.full((12, 10, 3), 90, np.uint8), np.full((12, 10), 255, np.uint8), Metadata())
    assert (picture_of(picture, RestoreConfig(scale=2)).picture.alpha == 255).all()


def test_no_value_of_alpha_is_far_from_what_was_near():
    alpha = np.zeros((20, 20), np.uint8)
    alpha[8:, 8:] = 90
    alpha[12:, 12:] = 200
    made = shaped(np.random.default_rng(1).normal(100, 200, (40, 40)), alpha, 2)
    assert (made[:8, :8] == 0).all() and (made[-8:, -8:] == 200).all() and made.max() <= 200


def test_what_is_hidden_mirrors_what_is_seen():
    """Under transparency a net sees the same noise as in front of the edge, not streaks of the edge's pixels."""
    rng = np.random.default_rng(0)
    pixels = np.clip(rng.normal(120, 20, (40, 60, 1)), 0, 255).astype(np.uint8)
    alpha = np.full((40, 60), 255, np.uint8)
    alpha[:, 40:] = 0
    seen = fill_transparent(pixels, alpha)
    assert np.array_equal(seen[:, :40], pixels[:, :40])
    assert np.array_equal(seen[:, 40:59], pixels[:, 38:19:-1])


def test_only_faint_pixels_beside_strong_ones_lean_to_them():
    pixels, alpha = np.full((9, 9, 3), 200, np.uint8), np.full((9, 9), 255, np.uint8)
    pixels[4, 4], alpha[4, 4] = 0, 2
    pixels[1, 1], alpha[1, 1] = 0, 100
    seen = fill_transparent(pixels, alpha)
    assert (seen[4, 4] > 190).all() and (seen[1, 1] == 0).all()
    glass = np.full((9, 9), 10, np.uint8)  # faint all over: its colours are all there is
    assert fill_transparent(pixels, glass) is pixels


def test_at_the_same_size_what_did_not_change_keeps_its_bits():
    spoiled = logo(48)
    faint = spoiled[..., 3] < 12
    spoiled[faint, :3] = np.random.default_rng(0).integers(0, 256, (int(faint.sum()), 3))
    picture = opened(spoiled)
    assert np.array_equal(from_tensor(to_tensor(picture), picture).pixels, picture.pixels)
    assert picture_of(picture, RestoreConfig(task="denoise", strength=1e-6)).picture is None
    levels = torch.from_numpy(spoiled[..., 3]).float()[None, None]
    assert torch.allclose(alpha_tensor(picture) * 127.5 + 127.5, levels, atol=1e-4)


def test_noise_is_taken_out_up_to_a_transparent_edge():
    """Beside a cut-out as much of the noise goes as elsewhere."""
    y, x = np.mgrid[:96, :96]
    clean = np.repeat((110 + 50 * np.sin(x / 17) + 30 * np.cos(y / 13))[..., None], 3, 2)
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 20, clean.shape), 0, 255).astype(np.uint8)
    alpha = np.where((x - 48) ** 2 + (y - 48) ** 2 < 30**2, 0, 255).astype(np.uint8)
    picture = Picture(np.where(alpha[..., None] == 0, 0, noisy).astype(np.uint8), alpha, Metadata())
    made = picture_of(picture, RestoreConfig(task="denoise")).picture
    ring = (alpha > 0) & ((x - 48) ** 2 + (y - 48) ** 2 < 33**2)
    far = (x - 48) ** 2 + (y - 48) ** 2 > 36**2
    error = np.abs(made.pixels - clean).mean(2)
    assert error[ring].mean() < 1.5 * error[far].mean() and error[ring].mean() < 6
