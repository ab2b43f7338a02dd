"""What the estimators say of damage that is known: `python benchmarks/estimates.py FOLDER [--pictures 48]`

FOLDER holds photographs. Each is damaged (Gaussian noise clipped and rounded to 8 bits, JPEG by
Pillow as it comes, Gaussian blur) and measured; the table has the 5 % point, median and 95 % point
over the pictures, and the last lines the processor's seconds per megapixel.
"""

import argparse
import io
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from results import record, unusual
from scipy.ndimage import gaussian_filter

from zeuxis.classic.estimate import blur_sigma, jpeg_blockiness, noise_sigma
from zeuxis.draw import Draw

Damage = Callable[[np.ndarray, int], np.ndarray]


def clean(x: np.ndarray, place: int) -> np.ndarray:
    return x


def noise(x: np.ndarray, place: int, sigma: float) -> np.ndarray:
    z = Draw(0).at(f"noise {place}").normal(1, *x.shape)[0].numpy()
    return np.clip(np.round(x + sigma * z), 0, 255).astype(np.uint8)


def grain(x: np.ndarray, place: int, sigma: float) -> np.ndarray:
    """The same noise in all channels."""
    z = Draw(0).at(f"noise {place}").normal(1, *x.shape[:2], 1)[0].numpy()
    return np.clip(np.round(x + sigma * z), 0, 255).astype(np.uint8)


def jpeg(x: np.ndarray, place: int, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(x).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def cut(x: np.ndarray, place: int) -> np.ndarray:
    return x[5:, 3:]


def blur(x: np.ndarray, place: int, sigma: float) -> np.ndarray:
    return np.clip(np.round(gaussian_filter(x.astype(np.float32), (sigma, sigma, 0))), 0, 255).astype(np.uint8)


def half(x: np.ndarray, place: int) -> np.ndarray:
    """Half the size: no trace of the file's own JPEG is left."""
    small = Image.fromarray(x).resize((x.shape[1] // 2, x.shape[0] // 2), Image.Resampling.LANCZOS)
    return np.asarray(small)


CASES: dict[str, tuple[Damage, ...]] = {
    "as it is": (clean,),
    "half size": (half,),
    **{f"noise {s}": (partial(noise, sigma=s),) for s in (5, 10, 15, 25, 50)},
    "grey noise 15": (partial(grain, sigma=15),),
    **{f"jpeg {q}": (partial(jpeg, quality=q),) for q in (10, 30, 50, 75, 90)},
    "jpeg 30, cut": (partial(jpeg, quality=30), cut),
    **{f"blur {s}": (partial(blur, sigma=s),) for s in (1, 1.5, 2)},
    "noise 15, jpeg 90": (partial(noise, sigma=15), partial(jpeg, quality=90)),
    "noise 15, jpeg 50": (partial(noise, sigma=15), partial(jpeg, quality=50)),
    "blur 1.5, noise 5": (partial(blur, sigma=1.5), partial(noise, sigma=5)),
    "blur 1.5, noise 15": (partial(blur, sigma=1.5), partial(noise, sigma=15)),
    "blur 1.5, jpeg 75": (partial(blur, sigma=1.5), partial(jpeg, quality=75)),
}
COLUMNS = ("noise", "luma", "chroma", "confidence", "blur", "edge", "quality", "certainty", "score", "blocking")


def measured(x: np.ndarray, seconds: dict[str, list[float]]) -> tuple[float, ...]:
    image = torch.from_numpy(x.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    results = []
    for name, estimate in (("noise", noise_sigma), ("blur", blur_sigma), ("jpeg", jpeg_blockiness)):
        begin = time.process_time()
        results.append(estimate(image))
        seconds.setdefault(name, []).append((time.process_time() - begin) / (x.shape[0] * x.shape[1] / 1e6))
    n, b, j = results
    values = (n.sigma, n.luma, n.chroma, n.confidence, b.sigma, b.edge, j.quality, j.certainty, j.score, j.blocking)
    return tuple(float(v) for v in values)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=48)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    files = sorted(p for p in asked.folder.iterdir() if p.suffix.lower() in {".jpg", ".jpeg", ".png"})[: asked.pictures]
    if not files:
        print("no pictures there", file=sys.stderr)
        return 2
    seconds: dict[str, list[float]] = {}
    print("| damage | " + " | ".join(COLUMNS) + " | lattice found |")
    print("| --- " * (len(COLUMNS) + 2) + "|")
    for name, steps in CASES.items():
        rows = []
        for place, file in enumerate(files):
            x = np.asarray(Image.open(file).convert("RGB"))
            for step in steps:
                x = step(x, place)
            rows.append(measured(x, seconds))
        table = np.array(rows)
        cells, figures = [], {"pictures": len(files)}
        for column_name, column in zip(COLUMNS, table.T, strict=True):
            there = column[~np.isnan(column)]
            points = np.quantile(there, (0.05, 0.5, 0.95)) if len(there) else ()
            figures |= {f"{column_name}_{share}": float(p) for share, p in zip((5, 50, 95), points)}
            cells.append(" / ".join(f"{p:.2f}" for p in points) or "-")
        found = int((~np.isnan(table[:, COLUMNS.index("quality")])).sum())
        labels = [asked.folder.resolve().name, name, *unusual(parser, asked, "pictures")]
        record("estimates", labels, figures | {"lattice_found": found})
        print(f"| {name} | " + " | ".join(cells) + f" | {found} of {len(files)} |", flush=True)
    print()
    for name, values in seconds.items():
        record("estimates", [asked.folder.resolve().name, name], {"seconds_per_megapixel": statistics.median(values)})
        print(f"{name}: {statistics.median(values):.3f} processor-seconds per megapixel (median, one thread)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
