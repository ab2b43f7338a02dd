"""Squares of open pictures to train autoencoders on: python tools/autoencoder_pictures.py OUT KIND=FOLDER:COUNT...

    python tools/autoencoder_pictures.py squares --side 96 --photographs photos photographs=photos:6000
        objects=tuxpaint-stamps-default:2500 drawings=openclipart-png:2500 icons=icons:1500 drawn=:2500

Writes OUT/train-KIND.npy and OUT/held-KIND.npy, uint8 [N, side, side, 3]; the number behind the colon is that of the
squares to train on. A tenth of the files of a kind, by a hash of the name, is held out. A square is cut from a random
place at a random size, from all that fits down to `--least` sides, and shrunk; so traces of a file's compression are
gone. What is smaller than a side is laid on a flat ground, and so is what is transparent. "drawn" needs no folder: it
is what `benchmarks/untouchable.py` draws (text, charts, screens, textures).
"""

import argparse
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from training_photos import held_out

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import untouchable
from source import Rng, Source

HELD = 200
MOST = 1e8
"""Pixels of the largest file that is opened."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
DRAWN = (
    "logo", "sheet music", "halftone", "chart", "screenshot", "scan of text", "text black", "line art", "pixel art",
    "map of lands", "bokeh", "clouds", "gradient", "cloth", "wood", "stones", "night sky", "x ray", "heat map",
)  # fmt: skip


Image.MAX_IMAGE_PIXELS = None


def files(folder: Path) -> list[Path]:
    """One of each name and size: themes hold links and copies."""
    found = (p for p in sorted(folder.rglob("*")) if p.suffix.lower() in SUFFIXES and p.is_file())
    return list({(p.name, p.stat().st_size): p for p in found if not p.is_symlink()}.values())


def ground(rng: Rng) -> tuple[int, ...]:
    """White in half of the cases, black in a tenth, or any colour."""
    chance = rng.random()
    return (255,) * 3 if chance < 0.5 else (0,) * 3 if chance < 0.6 else tuple(int(v) for v in rng.integers(0, 256, 3))


def flat(image: Image.Image, rng: Rng) -> Image.Image:
    """The picture in RGB, on a flat ground where it is transparent."""
    if image.mode not in ("RGBA", "LA", "PA", "P"):
        return image.convert("RGB")
    above = image.convert("RGBA")
    below = Image.new("RGBA", above.size, (*ground(rng), 255))
    return Image.alpha_composite(below, above).convert("RGB")


def square(image: Image.Image, side: int, least: float, rng: Rng) -> np.ndarray:
    """uint8 [side, side, 3] cut from a random place at a random size; a small picture lies on a flat ground."""
    short = min(image.size)
    if short < side:
        factor = min(1.0, side / max(image.size))
        image = image.resize([max(1, round(n * factor)) for n in image.size], Image.Resampling.BICUBIC)
        canvas = Image.new("RGB", (side, side), ground(rng))
        canvas.paste(image, tuple(int(rng.integers(0, side - n + 1)) for n in image.size))
        return np.array(canvas)
    lowest = min(short, least * side)
    cut = lowest * (short / lowest) ** rng.random()
    left, top = (rng.random() * (n - cut) for n in image.size)
    kernel = (Image.Resampling.BOX, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)[int(rng.integers(3))]
    return np.array(image.resize((side, side), kernel, (left, top, left + cut, top + cut), reducing_gap=3.0))


def cuts(paths: list[Path], count: int, side: int, least: float) -> Iterator[np.ndarray]:
    """`count` squares, as evenly from all files as can be."""
    for i, path in enumerate(paths):
        rng = np.random.default_rng([zlib.crc32(path.name.encode()), side])
        mine = count * (i + 1) // len(paths) - count * i // len(paths)
        if not mine:
            continue
        with Image.open(path) as image:
            if image.width * image.height > MOST:
                print(f"{path.name}: left out, {image.width}x{image.height} pixels")
                continue
            image.draft("RGB", (side * 8, side * 8))
            image.load()
            for _ in range(mine):
                yield square(flat(image, rng), side, least, rng)


def drawn(source: Source, count: int, side: int, seed: int) -> Iterator[np.ndarray]:
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        pixels = untouchable.KINDS[DRAWN[i % len(DRAWN)]](rng, source)
        yield square(flat(Image.fromarray(pixels), rng), side, 0.75, rng)


def write(path: Path, squares: Iterator[np.ndarray]) -> None:
    found = np.stack(list(squares))
    np.save(path, found)
    print(f"{path}: {len(found)} squares", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("kinds", nargs="+", help="KIND=FOLDER:COUNT")
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--least", type=float, default=1.0, help="smallest cut of a kind's files, in sides")
    parser.add_argument("--photographs", type=Path, required=True, help="what `drawn` takes photographs from")
    a = parser.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    for words in a.kinds:
        kind, _, rest = words.partition("=")
        folder, _, count = rest.rpartition(":")
        if kind == "drawn":
            source = Source(tuple(p for p in files(a.photographs) if not held_out(p.name)))
            write(a.out / "held-drawn.npy", drawn(source, HELD, a.side, 1))
            write(a.out / "train-drawn.npy", drawn(source, int(count), a.side, 0))
            continue
        found = files(Path(folder))
        least = 1.5 * a.least if kind == "photographs" else a.least
        held, train = ([p for p in found if held_out(p.name) == yes] for yes in (True, False))
        print(f"{kind}: {len(train)} files to train on, {len(held)} held out")
        write(a.out / f"held-{kind}.npy", cuts(held, HELD, a.side, least))
        write(a.out / f"train-{kind}.npy", cuts(train, int(count), a.side, least))


if __name__ == "__main__":
    main()
