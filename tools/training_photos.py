"""Photographs to train restorers on: shrunk until their own compression is gone, some held out for good.

    python tools/training_photos.py ~/.cache/zeuxis-data/photos ~/.cache/zeuxis-data/photos-ready

Makes OUT/train and OUT/held of PNG files. A tenth, chosen by a hash of the name, is held out: no bundled weights
have seen these, and thresholds and choices of nets are made on them.
"""

import argparse
import hashlib
from pathlib import Path

from PIL import Image

SHRINK = {"landscapes": 1.5, "monuments": 2.0}
LARGE = ((3000, 3.0), (0, 2.0))  # longest side from which on, and by how much


def held_out(name: str) -> bool:
    return hashlib.sha256(name.encode()).digest()[0] < 26


def factor(folder: str, image: Image.Image) -> float:
    return SHRINK.get(folder) or next(by for side, by in LARGE if max(image.size) >= side)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    a = parser.parse_args()
    for path in sorted(p for p in a.photos.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")):
        folder = path.relative_to(a.photos).parts[0]
        target = a.out / ("held" if held_out(path.name) else "train") / f"{folder}-{path.stem}.png"
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            by = factor(folder, image)
            size = (round(image.width / by), round(image.height / by))
            image.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(target, compress_level=1)


if __name__ == "__main__":
    main()
