"""How many changed copies of photographs are found as the same picture, and how many others are joined by mistake.

python benchmarks/families.py [SHARED]    (30 photographs of each change, seed 7, at 64 pixels; a minute on one core)
"""

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter
from results import record

from zeuxis.data.decode import Shape, shaped
from zeuxis.data.duplicates import families
from zeuxis.data.memory import MemoryDataset

N, OTHERS = 30, 300
SIZES = ((48, 48), (64, 64), (96, 96), (192, 144))
"""At which different photographs are compared; the last is the own size of most."""
Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def cut(share: float) -> Change:
    def change(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        width, height = round(image.width * share), round(image.height * share)
        left, top = rng.integers(0, image.width - width + 1), rng.integers(0, image.height - height + 1)
        part = image.crop((left, top, left + width, top + height))
        return part.resize(image.size, Image.Resampling.BICUBIC)

    return change


def turned(way: Image.Transpose) -> Change:
    return lambda image, rng: image.transpose(way)


def jpeg(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=40)
    return Image.open(buffer).convert("RGB")


def noisy(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(image) + rng.normal(0, 10, (image.height, image.width, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def moved(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    by = (1, 0, image.width * 0.05, 0, 1, image.height * 0.05)
    return image.transform(image.size, Image.Transform.AFFINE, by)


CHANGES: dict[str, Change] = {
    "mirrored": turned(Image.Transpose.FLIP_LEFT_RIGHT),
    "upside down": turned(Image.Transpose.FLIP_TOP_BOTTOM),
    "turned by 90 degrees": turned(Image.Transpose.ROTATE_90),
    "turned by 180 degrees": turned(Image.Transpose.ROTATE_180),
    "cut to 95 % of each side": cut(0.95),
    "cut to 90 %": cut(0.9),
    "cut to 80 %": cut(0.8),
    "cut to 70 %": cut(0.7),
    "cut to 60 %": cut(0.6),
    "cut to 90 % and mirrored": lambda image, rng: cut(0.9)(image, rng).transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "cut to 90 % and turned by 90 degrees": lambda image, rng: cut(0.9)(image, rng).transpose(
        Image.Transpose.ROTATE_90
    ),
    "brighter by 1.3": lambda image, rng: ImageEnhance.Brightness(image).enhance(1.3),
    "darker by 0.7": lambda image, rng: ImageEnhance.Brightness(image).enhance(0.7),
    "contrast times 1.3": lambda image, rng: ImageEnhance.Contrast(image).enhance(1.3),
    "grey": lambda image, rng: image.convert("L").convert("RGB"),
    "JPEG of quality 40": jpeg,
    "noise of 10 grey levels": noisy,
    "blurred, sigma 6 pixels of 700": lambda image, rng: image.filter(ImageFilter.GaussianBlur(6)),
    "turned by 5 degrees": lambda image, rng: image.rotate(5, resample=Image.Resampling.BICUBIC),
    "moved by 5 % out of the frame": moved,
}


def main() -> None:
    shared = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "shared") / "data"
    files = sorted(shared.glob("trashnet-600/*/*.jpg")) + sorted(shared.glob("photos-mini/*.jpg"))
    images = [Image.open(file).convert("RGB") for file in files]
    shape = Shape((64, 64), 3)
    small = [np.asarray(shaped(image, shape)) for image in images]

    def joined(pixels: list[np.ndarray]) -> np.ndarray:
        stacked = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous()
        return families(MemoryDataset(stacked)).roots

    for size in SIZES:
        roots = joined([np.asarray(shaped(image, Shape(size, 3))) for image in images])
        mistaken = [(files[i].name, files[r].name) for i, r in enumerate(roots.tolist()) if i != r]
        record("families", [f"{size[0]}x{size[1]}"], {"photographs": len(files), "joined": len(mistaken)})
        print(f"{len(files)} different photographs, {size[0]}x{size[1]}: {len(mistaken)} joined {mistaken}", flush=True)
    order = np.random.default_rng(7).permutation(len(files))
    for name, change in CHANGES.items():
        rng, start = np.random.default_rng(7), time.monotonic()
        changed = [np.asarray(shaped(change(images[i], rng), shape)) for i in order[:N]]
        roots = joined([small[i] for i in order[:N]] + changed + [small[i] for i in order[N : N + OTHERS]])
        found = int(sum(roots[N + k] == k for k in range(N)))
        record("families", [name], {"found": found, "pictures": N})
        print(f"{name:40} {found} of {N}   {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
