"""Small sharp pictures to train restorers on: python tools/fine_photos.py READY OUT [--things FOLDER]

READY holds train/ and held/ of training_photos.py; OUT gets the same two. Photographs are shrunk further, so that
their detail is as fine as in the small pictures that people have from scans and the web; into some of them weaves are
drawn, for cloth, fences and roofs are rare among landscapes. `--things FOLDER` adds every third picture of a tree of
photographs, at half its size; a tenth of them, chosen by a hash of the name, is for held/.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from training_photos import held_out

SHRINK = (1.4, 2.0, 2.8, 4.0)
LEAST, SOFT = 112, 1.4  # sides of a square to train on; what large photographs are too soft for
SIDE, OVER = 384, 2  # pixels of a picture with weaves; times as fine while it is drawn
WEAVES = {"train": (150, 1), "held": (12, 2)}  # how many, and the seed
Array = np.ndarray


def kernel(name: str, turn: int = 0) -> Image.Resampling:
    """Lanczos for two in three, for the others the sharp mean of boxes, as cheap programs take it."""
    byte = hashlib.sha256(name.encode()).digest()[1]
    return Image.Resampling.LANCZOS if (byte + turn) % 3 else Image.Resampling.BOX


def shrink(file: Path, out: Path) -> None:
    with Image.open(file) as image:
        for turn, by in enumerate(SHRINK):
            width, height = round(image.width / by), round(image.height / by)
            if min(width, height) >= LEAST and not (by == SOFT and file.name.startswith("large")):
                small = image.resize((width, height), kernel(file.name, turn))
                small.save(out / f"{file.stem}-{by:g}.png", compress_level=1)


def field(r: np.random.Generator, scale: float, size: float) -> Array:
    """A smooth random field [n, n] of standard deviation `size`, its bumps `scale` pixels of the picture wide."""
    bumps = gaussian_filter(r.standard_normal((SIDE * OVER,) * 2), scale * OVER, mode="wrap")
    return size * bumps / bumps.std()


def threads(r: np.random.Generator, y: Array, x: Array, angle: float, frequency: float) -> Array:
    """Waves in [-1, 1], from a sine to stripes with edges."""
    waves = np.sin(2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle)) + r.uniform(0, 2 * np.pi))
    hard = r.choice([0.0, 1.5, 4.0])
    return np.tanh(hard * waves) / np.tanh(hard) if hard else waves


def cloth(r: np.random.Generator, y: Array, x: Array) -> Array:
    """Bent threads in [-1, 1]: in one direction, in two, or chequered; periods from 2.3 to 16 pixels."""
    frequency, angle = np.exp(r.uniform(np.log(1 / 16), np.log(1 / 2.3))), r.uniform(0, np.pi)
    y, x = (side + field(r, r.uniform(8, 40), r.uniform(0, 1.5) / frequency) for side in (y, x))
    woven, kind = threads(r, y, x, angle, frequency), r.random()
    if kind < 0.25:
        return np.maximum(woven, threads(r, y, x, angle + np.pi / 2, frequency * r.uniform(0.6, 1.6)))
    if kind < 0.4:
        return woven * threads(r, y, x, angle + np.pi / 2, frequency * r.uniform(0.2, 1))
    return woven


def weave(r: np.random.Generator, photo: Image.Image) -> Image.Image:
    """The photograph cut into patches with curved borders, most of which are cloth in its colours."""
    fine = SIDE * OVER
    base = np.asarray(photo.resize((fine, fine), Image.Resampling.BICUBIC)).astype(np.float64)
    y, x = np.mgrid[:fine, :fine] / OVER
    count = r.integers(5, 13)
    tops, lefts = (r.uniform(0, SIDE, (count, 1, 1)) for _ in range(2))
    which = np.argmin((y + field(r, 24, 8) - tops) ** 2 + (x + field(r, 24, 8) - lefts) ** 2, 0)
    shade, out = gaussian_filter(base, (10 * OVER, 10 * OVER, 0)), base.copy()
    for i in range(count):
        if r.random() < 0.2:
            continue
        height = r.uniform(8, 60) * (0.5 + 0.5 * np.tanh(field(r, 30, 1) + 1))
        drawn = (height * cloth(r, y, x))[..., None] * (1 + 0.25 * r.standard_normal(3))
        out = np.where((which == i)[..., None], (shade if r.random() < 0.7 else base) + drawn, out)
    cells = np.clip(out, 0, 255).reshape(SIDE, OVER, SIDE, OVER, 3).mean((1, 3))
    return Image.fromarray(np.uint8(cells + 0.5))


def square(r: np.random.Generator, file: Path) -> Image.Image:
    with Image.open(file) as image:
        side = min(image.size)
        left, top = (int(r.integers(0, length - side + 1)) for length in image.size)
        return image.convert("RGB").crop((left, top, left + side, top + side))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ready", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--things", type=Path)
    a = parser.parse_args()
    for part, (count, seed) in WEAVES.items():
        out, files = a.out / part, sorted((a.ready / part).glob("*.png"))
        out.mkdir(parents=True, exist_ok=True)
        for file in files:
            shrink(file, out)
        for i in range(count):
            r = np.random.default_rng((seed, i))
            weave(r, square(r, files[r.integers(len(files))])).save(out / f"weave-{i:03d}.png")
    for file in sorted(a.things.rglob("*.jpg"))[::3] if a.things else []:
        with Image.open(file) as image:
            small = image.convert("RGB").resize((image.width // 2, image.height // 2), kernel(file.name))
            small.save(a.out / ("held" if held_out(file.name) else "train") / f"thing-{file.stem}.png")


if __name__ == "__main__":
    main()
