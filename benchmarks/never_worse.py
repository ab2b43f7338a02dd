"""Is a picture ever worse after `zeuxis restore --task auto` than before? Lists every one that is.

    python benchmarks/never_worse.py FOLDER... [--side 384] [--out never_worse.json]

Each picture as it is, and after noise of sigma 15 and 25, JPEG of quality 10 and 30, and a Gaussian blur of 1.5 pixels,
as files of 8 bits, goes through the command's own path. Figures are PSNR in dB over all channels, 8-bit, whole
pictures. A clean picture must come out unchanged or at 45 dB and more. Where nets of the package did the work, the
intervals of `uncertainty` are held to their promise: the share of true values inside, and half their width.
"""

import argparse
import io
import json
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from results import record, unusual

from zeuxis.degrade.parsing import parse
from zeuxis.degrade.pixels import apply_to_pixels
from zeuxis.jobs.restoring.restore import RestoreConfig, work_on
from zeuxis.jobs.restoring.uncertainty import head_for, told

SUFFIXES = (".png", ".webp", ".bmp", ".tif", ".jpg")
LEAST_GAIN = {"noise 15": 8.8, "noise 25": 10.4, "JPEG 10": 1.35, "JPEG 30": 1.05, "blur 1.5": 3.3}
"""Mean gains in dB that the held-out photographs of the tests must reach; raised as nets get better, never lowered."""
CLEAN = 45.0
IDLE = 0.05


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def jpeg(pixels: np.ndarray, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def damaged(pixels: np.ndarray, name: str) -> dict[str, tuple[str, bytes]]:
    """File name and bytes by damage."""

    def words(text: str) -> bytes:
        return png(apply_to_pixels(pixels, parse(text), 0, name))

    return {
        "clean": ("x.png", png(pixels)),
        "noise 15": ("x.png", words("noise=15")),
        "noise 25": ("x.png", words("noise=25")),
        "JPEG 10": ("x.jpg", jpeg(pixels, 10)),
        "JPEG 30": ("x.jpg", jpeg(pixels, 30)),
        "blur 1.5": ("x.png", words("blur=1.5")),
    }


def pixels_of(data: bytes, channels: int) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        found = np.array(image.convert("L" if channels == 1 else "RGB"))
    return found.reshape(*found.shape[:2], channels)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = float(np.square(a.astype(np.float64) - b.astype(np.float64)).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def tried(pixels: np.ndarray, name: str, out: str = ".png") -> list[dict[str, object]]:
    """One row for each damage of a picture: PSNR before and after, and what was done."""
    rows = []
    for damage, (file, data) in damaged(pixels, name).items():
        made, outcome = work_on(data, file, RestoreConfig(), out)
        given, mended = (pixels_of(x, pixels.shape[2]) for x in (data, made))
        before, after = psnr(given, pixels), psnr(mended, pixels)
        alone = np.array_equal(given, mended)
        rows.append(
            {
                "picture": name,
                "damage": damage,
                "before": before,
                "after": after,
                "gain": 0.0 if alone else after - before,
                "alone": alone,
                "why": outcome.why,
                **sure(given, mended, pixels, outcome.used),
            }
        )
    return rows


def sure(given: np.ndarray, mended: np.ndarray, truth: np.ndarray, used: tuple[str, ...]) -> dict[str, object]:
    """The share of true values inside the calibrated intervals, and half their width; nothing where no head speaks."""
    head = head_for(None, used, None)
    if head is None:
        return {}
    before, after, clean = (torch.from_numpy(x).permute(2, 0, 1)[None] / 127.5 - 1 for x in (given, mended, truth))
    return told(head, before, after, clean)[1]


def failures(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Rows that break the promise: clean ones below 45 dB, damaged ones that came out farther away."""
    return [
        r
        for r in rows
        if (r["after"] < CLEAN if r["damage"] == "clean" else r["gain"] < 0)  # type: ignore[operator]
    ]


def read(path: Path, side: int | None) -> np.ndarray:
    with Image.open(path) as image:
        pixels = np.array(image.convert("L" if image.mode in ("1", "L", "LA", "I;16") else "RGB"))
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if side is None:
        return pixels
    top, left = (max(0, (n - side) // 2) for n in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


def table(rows: list[dict[str, object]]) -> list[str]:
    heads = ("damage", "pictures", "before", "after", "mean gain", "least gain", "left alone", "inside", "half width")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for damage in ("clean", *LEAST_GAIN):
        mine = [r for r in rows if r["damage"] == damage]
        gain = [float(r["gain"]) for r in mine]  # type: ignore[arg-type]
        before, after = (float(np.mean([min(99.0, float(r[k])) for r in mine])) for k in ("before", "after"))  # type: ignore[arg-type]
        alone = sum(bool(r["alone"]) for r in mine)
        ends = "" if damage == "clean" else f"{np.mean(gain):+.2f} | {min(gain):+.2f}"
        ends = ends or f" | {min(float(r['after']) for r in mine):.1f} dB"  # type: ignore[arg-type]
        told_of = [r for r in mine if r.get("inside") is not None]
        inside, width = (float(np.mean([r[k] for r in told_of])) if told_of else 0 for k in ("inside", "half_width"))  # type: ignore[misc]
        said = f"{inside:.1%} | {width:.1f}" if told_of else " | "
        lines.append(f"| {damage} | {len(mine)} | {before:.2f} | {after:.2f} | {ends} | {alone} | {said} |")
    return lines


def figures(rows: list[dict[str, object]], clean: bool) -> dict[str, float | None]:
    """The means of one damage over one folder; of clean pictures how many were changed, and how far the worst is."""
    alone = sum(bool(r["alone"]) for r in rows)
    found: dict[str, float | None] = {"pictures": len(rows), "left_alone": alone}
    if clean:
        changed = [float(r["after"]) for r in rows if not r["alone"]]  # type: ignore[arg-type]
        return found | {"changed": len(changed) or None, "least_after": min(changed, default=None)}
    means = {k: float(np.mean([float(r[k]) for r in rows])) for k in ("before", "after", "gain")}  # type: ignore[arg-type]
    told_of = [r for r in rows if r.get("inside") is not None]
    sure = {k: float(np.mean([r[k] for r in told_of])) if told_of else None for k in ("inside", "half_width")}  # type: ignore[misc]
    return found | means | {"least_gain": min(float(r["gain"]) for r in rows)} | sure  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--side", type=int, help="cut the middle out, so many pixels; default: whole")
    parser.add_argument("--suffix", default=".png", help="format of what comes out")
    parser.add_argument("--out", type=Path, help="JSON file for the rows")
    a = parser.parse_args()
    rows: list[dict[str, object]] = []
    for folder in a.folders:
        mine: list[dict[str, object]] = []
        for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
            mine += tried(read(path, a.side), path.name, a.suffix)
        for damage in ("clean", *LEAST_GAIN):
            labels = [folder.resolve().name, damage, *unusual(parser, a, "side", "suffix")]
            record("never_worse", labels, figures([r for r in mine if r["damage"] == damage], damage == "clean"))
        print(f"\n{folder}\n")
        print("\n".join(table(mine)))
        for r in failures(mine):
            print(f"FAILED {r['picture']} {r['damage']}: {r['before']:.2f} -> {r['after']:.2f} dB ({r['why']})")
        rows += mine
    if a.out:
        plain = [{k: str(v) if v == math.inf else v for k, v in r.items()} for r in rows]
        a.out.write_text(json.dumps(plain, indent=1))


if __name__ == "__main__":
    main()
