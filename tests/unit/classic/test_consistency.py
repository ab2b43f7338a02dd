"""A mended JPEG stays one that could have been compressed to the file."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zeuxis.classic.consistency import luma_table, within_cells

HELD_OUT = Path(__file__).resolve().parents[2] / "pictures" / "held-out"


def tensor(image: Image.Image) -> torch.Tensor:
    pixels = np.array(image)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1


@pytest.mark.parametrize("quality", [10, 30, 75])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_nothing_leads_away_from_the_original(quality, mode):
    original = Image.open(HELD_OUT / "city1.webp").convert(mode)
    buffer = io.BytesIO()
    original.save(buffer, "JPEG", quality=quality, subsampling=0)
    with Image.open(buffer) as file:
        table = file.quantization[0]
        given = tensor(file)
    truth = tensor(original)
    assert torch.equal(luma_table(quality), torch.tensor(table, dtype=torch.float64))
    assert float((within_cells(truth, given, table) - truth).abs().max()) < 2.5 / 127.5, "the original is consistent"
    wild = torch.nn.functional.avg_pool2d(given, 7, 1, 3)
    bound = within_cells(wild, given, table)
    assert float((bound - truth).square().mean()) <= float((wild - truth).square().mean())
    again = within_cells(bound, given, table)
    assert float((again - bound).square().mean()) < 1e-5


def test_the_grid_may_start_elsewhere():
    original = tensor(Image.open(HELD_OUT / "city1.webp").convert("L"))
    given = original.clone()
    for grid in ((0, 0), (3, 5)):
        shifted = given[..., (8 - grid[0]) % 8 :, (8 - grid[1]) % 8 :]
        far = shifted + 0.5
        near = within_cells(far, shifted, [2] * 64, grid)
        rows, columns = ((n - g) // 8 * 8 for n, g in zip(shifted.shape[2:], grid, strict=True))
        inner = (slice(None), slice(None), slice(grid[0], grid[0] + rows), slice(grid[1], grid[1] + columns))
        assert float((near - shifted)[inner].abs().max()) < 4 / 127.5
    tiny = torch.zeros(1, 3, 5, 7)
    assert torch.equal(within_cells(tiny + 0.1, tiny, [1] * 64), tiny + 0.1)
