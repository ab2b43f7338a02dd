from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from zeuxis.classic.scratches import THIN, line_response, looks_worn, scratches, top_hat
from zeuxis.draw import Draw

HELD_OUT = Path(__file__).resolve().parents[2] / "pictures" / "held-out"
WIGGLE = [(20, 10), (45, 60), (50, 110), (70, 150)]


def photograph(height: int = 160, width: int = 200) -> Tensor:
    """Grey levels [1, 1, H, W]: slow shades, one hard edge, and noise of 2 levels."""
    coarse = Draw(1).at("shades").uniform(1, 1, 4, 5, low=70.0, high=170.0)
    shades = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=True)
    shades[..., width // 2 :, :] += 40
    shades[..., 3 * width // 4 :] -= 45
    return shades + 2 * Draw(1).at("noise").normal(1, 1, height, width)


def painted(points: list[tuple[int, int]], width: int, size: tuple[int, int] = (160, 200)) -> Tensor:
    """Opacity [H, W] of a line through `points` (x, y), its rim softened."""
    fine = Image.new("L", (4 * size[1], 4 * size[0]))
    ImageDraw.Draw(fine).line([(4 * x, 4 * y) for x, y in points], fill=255, width=4 * width)
    return torch.from_numpy(np.asarray(fine.resize(size[::-1], Image.Resampling.BOX), dtype=np.float32) / 255)


def scaled(grey: Tensor, channels: int = 1) -> Tensor:
    return (grey / 127.5 - 1).clamp(-1, 1).expand(-1, channels, -1, -1)


def share(mask: Tensor, where: Tensor) -> float:
    return float(mask[0, 0][where].mean())


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("level", [235.0, 15.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_long_scratch_is_found_and_little_else(width, level, channels):
    opacity = painted(WIGGLE, width)
    grey = photograph() * (1 - opacity) + level * opacity
    mask = scratches(scaled(grey, channels))
    assert mask.shape == (1, 1, 160, 200) and set(mask.unique().tolist()) == {0.0, 1.0}
    assert share(mask, opacity > 0.5) > 0.8
    near = torch.nn.functional.max_pool2d(opacity[None, None], 9, 1, 4)[0, 0] > 0
    assert share(mask, ~near) < 0.001


def test_bright_specks_are_found_and_dark_ones_left():
    grey = photograph()
    for y, x in ((30, 40), (100, 30), (60, 120)):
        grey[..., y : y + 2, x : x + 2] = 240
        grey[..., y : y + 2, x + 20 : x + 22] = 10
    mask = scratches(scaled(grey))
    assert all(mask[0, 0, y, x] == 1 and mask[0, 0, y, x + 20] == 0 for y, x in ((30, 40), (100, 30), (60, 120)))
    assert float(mask.mean()) < 0.005


def test_what_is_no_scratch_is_left():
    """Shades, an edge, a broad bar, texture all over, stripes: none is thin and lonely."""
    assert scratches(scaled(photograph())).sum() == 0
    bar = photograph()
    bar[..., 40:60] = 230
    assert scratches(scaled(bar)).sum() == 0
    texture = 120 + 25 * Draw(2).at("texture").normal(1, 1, 160, 200)
    assert float(scratches(scaled(texture)).mean()) < 0.002
    stripes = torch.where(torch.arange(200) % 5 < 2, 200.0, 100.0).expand(1, 1, 160, 200)
    assert scratches(scaled(stripes)).sum() == 0


def test_short_lines_and_the_prints_edge_are_left():
    short = painted([(50, 50), (62, 58)], 2)
    assert scratches(scaled(photograph() * (1 - short) + 235 * short)).sum() == 0
    edge = painted([(3, 0), (3, 159)], 2)
    assert scratches(scaled(photograph() * (1 - edge) + 235 * edge)).sum() == 0


def test_a_line_in_one_colour_alone_is_no_scratch():
    """Paint and bare paper differ in every channel; a stalk of grass does not."""
    line = painted(WIGGLE, 2)
    grey = photograph().repeat(1, 3, 1, 1)
    grey[:, 1] = grey[:, 1] * (1 - line) + 235 * line
    assert scratches((grey / 127.5 - 1).clamp(-1, 1)).sum() == 0


def test_top_hat_by_hand():
    grey = torch.full((1, 2, 20, 30), 50.0)
    grey[..., 5:8, :] = 90  # 3 pixels: thin
    grey[..., 11 : 11 + THIN, :] = 200  # broad enough for the square
    grey[:, 1, 5:8, :] -= 10
    hat = top_hat(grey)
    assert hat[0, 0, 5:8].eq(30).all() and hat.sum() == 30 * 3 * 30


def test_line_response_by_hand():
    """On an endless line both arms are whole; a dot fills one pixel of each arm of 11; beside lies nothing."""
    hat = torch.zeros(1, 1, 41, 41)
    hat[..., 20, :] = 33.0
    assert line_response(hat)[0, 0, 20, 20].item() == pytest.approx(33.0)
    dot = torch.zeros(1, 1, 41, 41)
    dot[..., 20, 20] = 33.0
    assert line_response(dot)[0, 0, 20, 20].item() == pytest.approx(3.0)
    assert line_response(torch.ones(1, 1, 8, 8)).abs().max() == 0


def test_each_picture_of_a_batch_is_searched_alone():
    line = painted(WIGGLE, 2)
    clean, spoiled = photograph(), photograph() * (1 - line) + 235 * line
    both = scratches(scaled(torch.cat([clean, spoiled])))
    assert both[0].sum() == 0 and torch.equal(both[1:], scratches(scaled(spoiled)))


def test_large_pictures_are_searched_for_wide_scratches_too():
    opacity = painted([(100, 10), (140, 80), (220, 150)], 9, (160, 1240))
    image = scaled(photograph(160, 1240) * (1 - opacity) + 240 * opacity)
    assert share(scratches(image), opacity > 0.5) > 0.7
    assert share(scratches(image[..., :600]), opacity[:, :600] > 0.5) < 0.2


def test_an_eager_search_takes_more():
    opacity = painted(WIGGLE, 2)
    faint = scaled(photograph() * (1 - opacity) + opacity * (photograph() + 14))
    found = [share(scratches(faint, eager), opacity > 0.5) for eager in (0.0, 1.0)]
    assert found[0] < 0.2 and found[1] > 0.6


def toned(grey: Tensor) -> Tensor:
    """Sepia: each channel a curve of the brightness."""
    v = (grey / 255).clamp(0, 1)
    return 2 * torch.cat([v**0.8, 0.93 * v, 0.8 * v**1.25], 1) - 1


def test_a_worn_print_is_told_from_a_clean_picture():
    grey, large = photograph(320, 400), (320, 400)
    assert not looks_worn(toned(grey)) and not looks_worn(scaled(grey)) and not looks_worn(scaled(grey, 3))
    crack = painted([(30, 20), (120, 100), (210, 180), (330, 300)], 2, large)
    assert looks_worn(toned(grey * (1 - crack) + 235 * crack))
    dusty = grey.clone()
    for k in range(20):
        dusty[..., 20 + 14 * k : 22 + 14 * k, 30 + 17 * k : 32 + 17 * k] = 245
    assert looks_worn(toned(dusty)) and not looks_worn(scaled(dusty))
    dark = 40 + 0.2 * grey
    assert not looks_worn(scaled(dark)) and looks_worn(scaled(dark * (1 - crack) + 250 * crack))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_no_clean_photograph_looks_worn_and_every_old_print_does(large_data):
    def worn(path, mode):
        pixels = np.atleast_3d(np.asarray(Image.open(path).convert(mode), dtype=np.float32))
        return looks_worn(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None] / 127.5 - 1)

    clean = [*(large_data / "photos-mini").glob("*.jpg"), *(HELD_OUT).glob("*.webp")]
    assert len(clean) > 60 and not [p.name for p in clean if worn(p, "RGB") or worn(p, "L")]
    assert all(worn(p, "RGB") for p in (large_data / "old-photos").glob("*.png"))


def test_photographs_have_few_and_drawn_scratches_are_found(large_data):
    """Pieces of four photographs: few pixels taken for a scratch; most of a long white line found where it shows."""
    taken, found = [], []
    for k, path in enumerate(sorted((large_data / "photos-mini").glob("*.jpg"))[4::12]):
        pixels = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32)[:320, :360]
        grey = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
        taken.append(float(scratches(grey / 127.5 - 1).mean()))
        u = Draw(k).at("points").uniform(4, 2).tolist()
        points = [(int(90 * i + 80 * x), int(310 * y)) for i, (x, y) in enumerate(u)]
        opacity = painted(points, 2, (grey.shape[2], grey.shape[3]))
        mask = scratches((grey * (1 - opacity) + 245 * opacity) / 127.5 - 1)
        found.append(share(mask, (opacity > 0.5) & (grey[0].mean(0) < 190)))
    assert np.mean(taken) < 0.01 and np.mean(found) > 0.6
