"""What does restoring do to pictures blurred otherwise than by a Gaussian? `python benchmarks/blurs.py FOLDER`

Middles of photographs in FOLDER are blurred in ten ways and given to `restore` as it is and with `--task deblur`; the
figures of a row are, for both, how many came out worse by more than 0.02 dB of PSNR, and the mean and the least gain.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from results import record
from scipy import ndimage

import zeuxis

COUNT, HEIGHT, WIDTH, WORSE = 6, 256, 320, 0.02
Pixels = np.ndarray
"""float64 [H, W, 3], 0 to 255."""


def gauss(pixels: Pixels, sigma: float) -> Pixels:
    blurred: Pixels = ndimage.gaussian_filter(pixels, (sigma, sigma, 0), mode="reflect")
    return blurred


def by_kernel(pixels: Pixels, kernel: np.ndarray) -> Pixels:
    return np.stack([ndimage.convolve(pixels[..., c], kernel / kernel.sum(), mode="reflect") for c in range(3)], 2)


def motion(pixels: Pixels) -> Pixels:
    return by_kernel(pixels, np.eye(7))


def defocus(pixels: Pixels) -> Pixels:
    y, x = np.mgrid[-3:4, -3:4]
    return by_kernel(pixels, (x**2 + y**2 <= 9).astype(float))


def bordered(pixels: Pixels) -> Pixels:
    framed = pixels.copy()
    framed[:20], framed[:, -20:] = 0, 255
    return framed


def half(pixels: Pixels) -> Pixels:
    mixed = pixels.copy()
    mixed[:, : WIDTH // 2] = gauss(pixels, 2.0)[:, : WIDTH // 2]
    return mixed


Blur = Callable[[Pixels], tuple[Pixels, Pixels]]
"""Of an original: what is given, and what it is held to."""
KINDS: dict[str, Blur] = {
    "Gaussian, 1.5 px": lambda x: (gauss(x, 1.5), x),
    "Gaussian, 3 px": lambda x: (gauss(x, 3.0), x),
    "hardly (0.6 px)": lambda x: (gauss(x, 0.6), x),
    "Gaussian, 1.5 px, inside a sharp border": lambda x: (bordered(gauss(x, 1.5)), bordered(x)),
    "half of the picture": lambda x: (half(x), x),
    "box of 5 px": lambda x: (ndimage.uniform_filter(x, (5, 5, 1), mode="reflect"), x),
    "motion, 9 px along": lambda x: (ndimage.uniform_filter(x, (1, 9, 1), mode="reflect"), x),
    "motion, 7 px across": lambda x: (motion(x), x),
    "out of focus, radius 3 px": lambda x: (defocus(x), x),
    "strip of 24 rows": lambda x: (gauss(x[:24], 1.5), x[:24]),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    a = parser.parse_args()
    files = sorted(p for p in a.folder.iterdir() if p.suffix in (".jpg", ".png"))
    originals = [middle(p) for p in files[:: max(1, len(files) // COUNT)][:COUNT]]
    for kind, blur in KINDS.items():
        figures: dict[str, float | None] = {"pictures": len(originals)}
        for task in ("auto", "deblur"):
            gains = [gain(*blur(original), task) for original in originals]
            figures |= {f"{task}_worse": sum(g < -WORSE for g in gains), f"{task}_mean": float(np.mean(gains))}
            figures |= {f"{task}_least": min(gains)}
        record("blurs", [kind], figures)
        print(kind, {k: round(v, 2) for k, v in figures.items() if v is not None}, flush=True)
    return 0


def middle(path: Path) -> Pixels:
    with Image.open(path) as image:
        left, top = (image.width - WIDTH) // 2, (image.height - HEIGHT) // 2
        return np.asarray(image.convert("RGB").crop((left, top, left + WIDTH, top + HEIGHT)), dtype=float)


def gain(given: Pixels, original: Pixels, task: str) -> float:
    """dB of PSNR that restoring adds."""
    before = np.clip(given + 0.5, 0, 255).astype(np.uint8)
    after = np.asarray(zeuxis.restore(before, task=task)[0].image.convert("RGB"))
    return psnr(after, original) - psnr(before, original)


def psnr(pixels: np.ndarray, original: Pixels) -> float:
    return float(10 * np.log10(255**2 / np.square(pixels.astype(float) - original).mean()))


if __name__ == "__main__":
    sys.exit(main())
