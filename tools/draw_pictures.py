"""Draws what the tables of docs/benchmarks.md say: `python tools/draw_pictures.py [FOLDER]`

Squares of the public-domain photographs in tests/pictures/held-out, which no net has seen: damaged, mended by a
classic method, by the nets of the package, and the truth, with PSNR over all channels. One sheet a task in FOLDER,
docs/pictures by default; and `restored.jpg`, three photographs as they come out of `zeuxis restore`.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from zeuxis.classic.denoising import non_local_means
from zeuxis.classic.inpainting import biharmonic
from zeuxis.degrade.degradation import Degraded
from zeuxis.degrade.noise import round_bytes
from zeuxis.degrade.parsing import parse
from zeuxis.degrade.resize import bicubic
from zeuxis.draw import Draw
from zeuxis.jobs.restoring import diagnose, steps
from zeuxis.jobs.restoring.steps import State, StepConfig
from zeuxis.metrics.fidelity import ALL, psnr_each
from zeuxis.pictures.picture import Picture, from_tensor, read, to_tensor

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = ROOT / "tests" / "pictures" / "held-out"
SIDE, SHOWN, SCALE = 160, 3, 4
Column = Callable[[Degraded, Picture], Tensor]


def _asked(task: str) -> Column:
    """What `zeuxis restore --task` does."""

    def column(seen: Degraded, picture: Picture) -> Tensor:
        image = round_bytes(seen.image)
        measured = diagnose.measure(from_tensor(image, picture), image)
        state = State(image, measured, seen.known)
        for step in diagnose.plan(task, measured).steps:
            state = steps.STEPS[step](state, StepConfig())
        return state.image

    return column


def _enlarged(fidelity: float) -> Column:
    net = steps.upscaler(SCALE, StepConfig(fidelity=fidelity))
    return lambda seen, _: steps.enlarged(round_bytes(seen.image), SCALE, net, None)


SHEETS: dict[str, tuple[str, dict[str, Column]]] = {
    "denoise": (
        "noise-8bit=25",
        {
            "non-local means": lambda seen, _: non_local_means.denoise(round_bytes(seen.image), torch.tensor([25.0])),
            "zeuxis restore": _asked("denoise"),
        },
    ),
    "jpeg": ("jpeg420=10", {"zeuxis restore": _asked("jpeg")}),
    "deblur": ("blur=1.5+noise-8bit=1", {"zeuxis restore": _asked("deblur")}),
    "inpaint": (
        "boxes=2+strokes-thin=6",
        {
            "biharmonic": lambda seen, _: biharmonic.fill(seen.image, seen.known),
            "zeuxis restore": _asked("inpaint"),
        },
    ),
    "upscale": (
        "",
        {
            "bicubic": lambda seen, _: bicubic(seen.image, SCALE),
            "zeuxis upscale": _enlarged(1.0),
            "--fidelity 0.5": _enlarged(0.5),
            "--fidelity 0": _enlarged(0.0),
        },
    ),
}

RESTORED = {"city1": "noise-8bit=25", "loc2": "jpeg420=10", "station4": "blur=1.5"}


def _seen(words: str, clean: Tensor, index: int) -> Degraded:
    if not words:
        return Degraded(round_bytes(bicubic(clean, 1 / SCALE)))
    return parse(words)(clean, Draw(index, phase="pictures"))


def _pixels(image: Tensor) -> Image.Image:
    return Image.fromarray(
        ((image[0].clamp(-1, 1) + 1) * 127.5).round().byte().expand(3, -1, -1).permute(1, 2, 0).numpy()
    )


def _tile(image: Tensor, words: str) -> Image.Image:
    shown = _pixels(image).resize((2 * SIDE, 2 * SIDE), Image.Resampling.NEAREST)
    sheet = Image.new("RGB", (2 * SIDE, 2 * SIDE + 24), "white")
    sheet.paste(shown, (0, 24))
    ImageDraw.Draw(sheet).text((4, 3), words, "black", ImageFont.load_default(15))
    return sheet


def _row(path: Path, index: int, words: str, columns: dict[str, Column]) -> list[Image.Image]:
    picture = read(path)
    clean = to_tensor(picture)
    top, left = ((s - SIDE) // 2 for s in clean.shape[2:])
    clean = clean[..., top : top + SIDE, left : left + SIDE].contiguous()
    seen = _seen(words, clean, index)
    given = seen.image.repeat_interleave(SCALE, 2).repeat_interleave(SCALE, 3) if not words else seen.image
    shown = {words or f"1/{SCALE} of the size": given, **{name: make(seen, picture) for name, make in columns.items()}}
    tiles = []
    for name, image in shown.items():
        image = round_bytes(image)
        dark = -torch.ones_like(image) if seen.known is not None and name == words else image
        image = image if seen.known is None else torch.where(seen.known > 0.5, image, dark)
        tiles.append(_tile(image, f"{name}  {float(psnr_each(image, clean, ALL)[0]):.1f} dB"))
    return [*tiles, _tile(clean, "truth")]


def _restored() -> Image.Image:
    """Before, after and truth of a photograph for each kind of damage, without words: the picture in README.md."""
    side, gap = 200, 4
    sheet = Image.new("RGB", (3 * (side + gap) - gap,) * 2, "white")
    for y, (name, words) in enumerate(RESTORED.items()):
        picture = read(PHOTOS / f"{name}.webp")
        seen = parse(words)(to_tensor(picture), Draw(y, phase="pictures"))
        for x, image in enumerate((seen.image, _asked("auto")(seen, picture), to_tensor(picture))):
            top, left = ((s - side) // 2 for s in image.shape[2:])
            tile = _pixels(image[..., top : top + side, left : left + side])
            sheet.paste(tile, (x * (side + gap), y * (side + gap)))
    return sheet


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures"
    torch.set_num_threads(1)
    photos = [p for p in sorted(PHOTOS.iterdir()) if p.suffix == ".webp"]
    for number, (name, (words, columns)) in enumerate(SHEETS.items()):
        chosen = [photos[(5 * number + 4 * k) % len(photos)] for k in range(SHOWN)]
        rows = [_row(path, k, words, columns) for k, path in enumerate(chosen)]
        width, height = rows[0][0].size
        sheet = Image.new("RGB", ((width + 6) * len(rows[0]) - 6, (height + 6) * len(rows) - 6), "white")
        for y, row in enumerate(rows):
            for x, tile in enumerate(row):
                sheet.paste(tile, (x * (width + 6), y * (height + 6)))
        sheet.save(folder / f"{name}.jpg", quality=85)
        print(folder / f"{name}.jpg")
    _restored().save(folder / "restored.jpg", quality=92)
    print(folder / "restored.jpg")


if __name__ == "__main__":
    main()
