from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.unit.pages.fixtures import write_grid
from zeuxis.pages.pictures import Embedded, cell_of, embed, film, on_white, png_size, spread


@pytest.mark.parametrize(
    ("size", "cell", "found"),
    [
        ((280, 140), (28, 28), (0, 10, 5)),
        ((302, 152), (28, 28), (2, 10, 5)),
        ((298, 148), (28, 28), (-2, 10, 5)),
        ((96, 64), (32, 48), (0, 2, 2)),
        ((29, 37), (28, 28), None),
    ],
)
def test_cells_of_a_grid(size: tuple[int, int], cell: tuple[int, int], found: tuple[int, int, int] | None) -> None:
    assert cell_of(size, *cell) == found


def test_small_pngs_are_embedded_as_they_are(tmp_path: Path) -> None:
    write_grid(tmp_path / "a.png", 2, 3, 1.0)
    made = embed(tmp_path / "a.png")
    assert made is not None and (made.width, made.height) == (84, 56)
    assert made.uri.startswith("data:image/png;base64,")
    assert made.shown(440) == 420 and made.shown(440, 100) == 84 and made.pixelated


def test_large_pngs_shrink(tmp_path: Path) -> None:
    noisy = np.frombuffer(np.arange(3_000_000, dtype=np.uint32).tobytes(), np.uint8)[: 2000 * 1500 * 3]
    Image.fromarray((noisy.reshape(1500, 2000, 3) * 97).astype(np.uint8)).save(tmp_path / "a.png", compress_level=0)
    made = embed(tmp_path / "a.png")
    assert made is not None and made.uri.startswith("data:image/jpeg;base64,")
    assert (made.width, made.height) == (1200, 900) and not made.pixelated


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_no_picture_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.png").write_bytes(data)
    assert embed(tmp_path / "a.png") is None
    assert embed(tmp_path / "absent.png") is None
    assert png_size(data) is None


def test_a_truncated_png_is_none(tmp_path: Path) -> None:
    write_grid(tmp_path / "a.png", 4, 4, 0.2)
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:700])
    assert embed(tmp_path / "a.png") is None


def test_spread_keeps_first_and_last() -> None:
    paths = [Path(str(i)) for i in range(100)]
    kept = spread(paths, 10)
    assert kept[0] == paths[0] and kept[-1] == paths[-1] and len(kept) == 10
    assert spread(paths[:3], 10) == paths[:3]


def test_film_shows_the_first_column_of_each_grid(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for level, path in zip((10, 120, 250), paths, strict=True):
        sheet = np.zeros((16, 24), np.uint8)
        sheet[:, :8] = level
        Image.fromarray(sheet).save(path)
    (tmp_path / "2.png").write_bytes(b"damaged")
    made = film(paths, 8, 8, 6)
    assert made is not None
    strip, used = made
    assert isinstance(strip, Embedded) and (strip.width, strip.height) == (17, 17) and used == paths[:2]
    assert film(paths[1:], 8, 8, 6) is None


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    """On a dark page hidden colours, mostly black, stood for the background."""
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:4, :, 0], pixels[:4, :, 3] = 200, 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    made = embed(tmp_path / "a.png")
    assert made is not None
    with Image.open(BytesIO(b64decode(made.uri.partition(",")[2]))) as image:
        assert image.mode == "RGB" and image.getpixel((0, 0)) == (200, 0, 0) and image.getpixel((0, 7)) == (255,) * 3
    assert on_white(Image.fromarray(pixels[..., [0, 3]])).getpixel((0, 7)) == (255, 255, 255)


def test_a_film_takes_a_line_of_cells_in_place_of_the_first_column(tmp_path: Path) -> None:
    """Looks of a translator: pictures beside each other, below them what was made of them."""
    for k in range(3):
        sheet = Image.new("L", (4 * 10 + 2, 2 * 10 + 2))
        for column in range(4):
            sheet.paste(60 * column + 10 * k + 1, (2 + 10 * column, 12, 10 + 10 * column, 20))
        sheet.save(tmp_path / f"{k}.png")
    made = film([tmp_path / f"{k}.png" for k in range(3)], 8, 8, 3, line=1)
    assert made
    with Image.open(BytesIO(b64decode(made[0].uri.partition(",")[2]))) as image:
        pixels = np.asarray(image.convert("L")).astype(int)
    assert pixels.shape == (26, 26) and pixels[4::9, 4::9].tolist() == [
        [60 * r + 10 * k + 1 for k in range(3)] for r in range(3)
    ]
