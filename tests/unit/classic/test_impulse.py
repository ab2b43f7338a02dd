"""Salt and pepper: found where it was planted, put back, and seen in nothing else."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from zeuxis.classic.impulse import Impulses, despeckled, impulses

HELD_OUT = Path(__file__).resolve().parents[2] / "pictures" / "held-out"
SIDE = 192


def tensor(pixels: np.ndarray) -> Tensor:
    x = np.atleast_3d(pixels).astype(np.float32) / 127.5 - 1
    return torch.from_numpy(x).permute(2, 0, 1)[None].contiguous()


def photograph() -> np.ndarray:
    with Image.open(HELD_OUT / "canyon0.webp") as image:
        return np.array(image.convert("RGB"))


def slope(channels: int = 3) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.rint(np.stack([60 + x / 3 + k * y / 9 for k in range(channels)], 2)).astype(np.uint8)


def specked(pixels: np.ndarray, pepper: float, salt: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The picture with so large shares of its pixels black and white, and which these are, bool [H, W]."""
    u = np.random.default_rng(seed).random(pixels.shape[:2])
    dull = pixels.copy()
    dull[u < pepper], dull[u > 1 - salt] = 0, 255
    return dull, (u < pepper) | (u > 1 - salt)


def by_values(pixels: np.ndarray, share: float) -> np.ndarray:
    """As many values of each channel by itself."""
    u = np.random.default_rng(1).random(pixels.shape)
    return np.where(u < share / 2, 0, np.where(u > 1 - share / 2, 255, pixels)).astype(np.uint8)


@pytest.mark.parametrize(("pepper", "salt"), [(0.005, 0.005), (0.05, 0.05), (0.03, 0.012)])
@pytest.mark.parametrize("channels", [1, 3])
def test_planted_specks_are_found_and_put_back(pepper, salt, channels):
    """In a slope the median of what lies around is what was there, to within its rise."""
    clean = slope(channels)
    dull, where = specked(clean, pepper, salt)
    found = impulses(tensor(dull))
    assert found is not None
    assert found.pepper == pytest.approx(pepper, rel=0.3) and found.salt == pytest.approx(salt, rel=0.3)
    mended = despeckled(tensor(dull), found)
    away = torch.from_numpy(~where).expand_as(mended)
    assert torch.equal(mended[away], tensor(dull)[away]), "every other pixel keeps its bits"
    apart = (mended - tensor(clean)).abs()[~away] * 127.5
    assert float((apart > 3).float().mean()) < 2e-3, "but where chance heaped many of one kind"


def test_in_each_channel_by_itself():
    clean = photograph()
    dull = by_values(clean, 0.04)
    found = impulses(tensor(dull))
    assert found is not None and found.share == pytest.approx(0.04, rel=0.3)
    mended, same = despeckled(tensor(dull), found), tensor(clean) == tensor(dull)
    assert float((mended != tensor(dull))[same].float().mean()) < 1e-3
    errors = [float((x - tensor(clean)).square().mean()) for x in (tensor(dull), mended)]
    assert errors[1] < errors[0] / 20


def test_where_specks_strike_whole_pixels_a_channel_that_is_clipped_by_itself_stays():
    """Leaves in the sun: single pixels whose blue is 0 or whose red is 255, far from what lies around."""
    clean = slope()
    u = np.random.default_rng(3).random((SIDE, SIDE, 3))
    clean[u < 0.004], clean[u > 0.996] = 0, 255
    clean[(u < 0.004).all(2) | (u > 0.996).all(2)] = 99
    dull, where = specked(clean, 0.03, 0.03)
    found = impulses(tensor(dull))
    assert found is not None
    mended = despeckled(tensor(dull), found)
    away = torch.from_numpy(~where).expand_as(mended)
    assert torch.equal(mended[away], tensor(dull)[away]), "every other pixel keeps its bits"
    left = (mended == tensor(dull)) & (tensor(dull) != tensor(clean))
    assert float(left.float().mean()) < 2e-3


def test_what_is_truly_black_or_white_stays():
    """A white disk and a black frame in a picture with specks: the specks on them are filled, they are not."""
    clean = slope()
    y, x = np.mgrid[:SIDE, :SIDE]
    clean[np.hypot(y - 60, x - 60) < 25] = 255
    clean[:12], clean[:, :12] = 0, 0
    dull, where = specked(clean, 0.02, 0.02)
    found = impulses(tensor(dull))
    assert found is not None
    mended = despeckled(tensor(dull), found)
    away = torch.from_numpy(~where)[None, None].expand_as(mended)
    assert float((mended != tensor(dull))[away].float().mean()) < 1e-3
    assert float(((mended - tensor(clean)).abs() * 127.5 > 40).float().mean()) < 3e-3


def test_without_a_value_near_that_was_spared_nothing_is_guessed():
    black = torch.full((1, 1, 9, 9), -1.0)
    assert torch.equal(despeckled(black, Impulses(0.9, 0.0)), black)


def night_sky() -> np.ndarray:
    rng = np.random.default_rng(2)
    sky = rng.normal(14, 2, (SIDE, SIDE))
    sky[rng.random(sky.shape) < 0.01] = 255
    return np.clip(np.rint(sky), 0, 255).astype(np.uint8)


def bright_sky() -> np.ndarray:
    return specked(slope(), 0.0, 0.02)[0]


def code() -> np.ndarray:
    return np.kron(np.random.default_rng(3).integers(0, 2, (48, 48)) * 255, np.ones((4, 4))).astype(np.uint8)


def dither() -> np.ndarray:
    """Floyd and Steinberg's, of a slope from black to white."""
    image = Image.fromarray(np.broadcast_to(np.linspace(0, 255, SIDE), (SIDE, SIDE)).astype(np.uint8))
    return np.array(image.convert("1").convert("L"))


def screen() -> np.ndarray:
    """Grey paper with single black and white dots on a grid: too even to be chance."""
    paper = np.full((SIDE, SIDE), 128, np.uint8)
    paper[2::8, 2::8], paper[6::8, 6::8] = 0, 255
    return paper


def text_scan() -> np.ndarray:
    rng = np.random.default_rng(4)
    page = rng.normal(235, 2, (SIDE, SIDE))
    for row in range(8, SIDE - 8, 14):
        for left in range(8, SIDE - 8, 7):
            page[row : row + 8, left : left + 5] = np.where(rng.random((8, 5)) < 0.5, 5, 235)
    return np.clip(np.rint(page), 0, 255).astype(np.uint8)


def clipped() -> np.ndarray:
    """A photograph with so much contrast that its lights and shadows are cut."""
    x = photograph().astype(float)
    return np.clip(np.rint((x - x.mean()) * 3 + 127.5), 0, 255).astype(np.uint8)


def grain() -> np.ndarray:
    x = photograph() + np.random.default_rng(5).normal(0, 45, (*photograph().shape[:2], 1))
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


def dust() -> np.ndarray:
    """Black and white, but in blots of four pixels."""
    blots = np.random.default_rng(6).random((SIDE // 2, SIDE // 2)).repeat(2, 0).repeat(2, 1)
    return np.where(blots < 0.01, 0, np.where(blots > 0.99, 255, slope(1)[..., 0])).astype(np.uint8)


def few() -> np.ndarray:
    return specked(slope(), 5e-4, 5e-4)[0]


def corner() -> np.ndarray:
    """Specks in a quarter of the picture alone, as a picture within a picture has them."""
    dull = slope()
    dull[: SIDE // 2, : SIDE // 2] = specked(slope(), 0.05, 0.05)[0][: SIDE // 2, : SIDE // 2]
    return dull


@pytest.mark.parametrize(
    "made",
    [photograph, text_scan, few, slope],
)
def test_nothing_is_found(made):
    assert impulses(tensor(made())) == Impulses(0.0, 0.0)


def noisy_white_paper() -> np.ndarray:
    """Writing on paper so white, and noise so strong, that no window lies apart from white; and specks."""
    page = text_scan() + np.random.default_rng(7).normal(0, 12, (SIDE, SIDE))
    return specked(np.clip(np.rint(page), 0, 255).astype(np.uint8), 0.01, 0.01)[0]


@pytest.mark.parametrize(
    "made",
    [
        code, dither, screen, dust, corner, clipped, grain, night_sky, bright_sky, noisy_white_paper,
        lambda: slope()[:15], lambda: np.zeros((64, 64), np.uint8),
        lambda: specked(photograph(), 0.01, 0.0)[0], lambda: specked(slope(), 0.002, 0.02)[0],
    ],
)  # fmt: skip
def test_many_black_and_white_pixels_that_may_be_the_picture_are_neither_found_nor_denied(made):
    assert impulses(tensor(made())) is None


@pytest.mark.parametrize(("pepper", "salt"), [(0.005, 0.005), (0.025, 0.025)])
@pytest.mark.parametrize("paper", [0.94, (0.957, 0.918, 0.85)])
def test_specks_on_light_paper_are_found_and_the_writing_stays(paper, pepper, salt):
    """A scan of text on toned paper, struck by specks, was told to be clean: white ones stand out little there."""
    page = np.rint(text_scan().astype(float)[..., None] * np.ones(3) * paper).astype(np.uint8)
    dull, where = specked(page, pepper, salt)
    found = impulses(tensor(dull))
    assert found is not None and found.pepper == pytest.approx(pepper, rel=0.3)
    mended = despeckled(tensor(dull), found)
    away = torch.from_numpy(~where).expand_as(mended)
    assert torch.equal(mended[away], tensor(dull)[away]), "every other pixel keeps its bits"


def test_what_is_hidden_does_not_count():
    dull, _ = specked(slope(), 0.03, 0.03)
    seen = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.bool)
    assert impulses(tensor(dull), seen) is None, "nothing is seen of it"
    seen[..., 40:] = True
    assert impulses(tensor(dull), seen) is not None


def test_jpeg_smears_specks_into_what_they_are_not():
    """Behind a codec of 85 the values are no longer at the ends: nothing is claimed of them."""
    buffer = io.BytesIO()
    Image.fromarray(specked(slope(), 0.02, 0.02)[0]).save(buffer, "JPEG", quality=85)
    found = impulses(tensor(np.array(Image.open(buffer))))
    assert found is None or not found.share
