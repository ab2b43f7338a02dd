"""The standard test sets of restoration, damaged as the papers damage them; the benchmarks beside this share it."""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zeuxis.degrade.degradation import Degraded
from zeuxis.degrade.resize import bicubic
from zeuxis.draw import Draw, Stream
from zeuxis.metrics.fidelity import ALL, Protocol, levels, luma, on_y, psnr

SETS = {
    "upscale": ("sr/set5", "sr/set14"),
    "denoise": ("denoise/cbsd68", "denoise/set12"),
    "jpeg": ("jpeg/classic5", "jpeg/live1-gray"),
    "inpaint": ("sr/set14",),
}
STRENGTHS: dict[str, tuple[tuple[str, int], ...]] = {
    "upscale": (("x", 2), ("x", 3), ("x", 4)),
    "denoise": tuple((kind, sigma) for kind in ("unclipped", "8-bit") for sigma in (15, 25, 50)),
    "jpeg": (("q", 10), ("q", 20), ("q", 30), ("q", 40)),
    "inpaint": (("boxes", 16), ("boxes", 48), ("strokes", 12)),
}
"""Kinds of damage and their strengths: scale, sigma on 0..255, JPEG quality, pixels across a hole."""
BOXES, STROKES, STEPS = 4, 4, 24
"""Holes in a picture, and the straight steps of a stroke."""

BICUBIC_SET5 = {2: 33.66, 3: 30.39, 4: 28.42}
"""PSNR-Y in dB as published (SRCNN, Dong et al. 2016)."""
JPEG_CLASSIC5 = {10: 27.82, 20: 30.12, 30: 31.48, 40: 32.43}
"""PSNR in dB as published (DnCNN, Zhang et al. 2017)."""


@dataclass(frozen=True)
class Task:
    """One damage of one strength on one set."""

    job: str
    folder: str
    kind: str
    strength: int

    @property
    def scale(self) -> int:
        return self.strength if self.job == "upscale" else 1

    @property
    def level(self) -> float | None:
        return float(self.strength) if self.job == "denoise" else None

    @property
    def protocol(self) -> Protocol:
        return on_y(self.scale) if self.job == "upscale" else ALL

    @property
    def words(self) -> str:
        return f"{self.folder.rpartition('/')[2]} {self.kind}{'' if len(self.kind) == 1 else ' '}{self.strength}"


def tasks(jobs: list[str]) -> list[Task]:
    return [Task(job, s, kind, strength) for job in jobs for s in SETS[job] for kind, strength in STRENGTHS[job]]


def read(path: Path) -> Tensor:
    """[1, C, H, W] in [-1, 1], C = 1 or 3 as the file has it."""
    with Image.open(path) as image:
        pixels = np.array(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    return torch.from_numpy(np.atleast_3d(pixels)).permute(2, 0, 1)[None].float() / 127.5 - 1


def files(data: Path, folder: str, limit: int = 0) -> list[Path]:
    found = sorted(p for p in (data / folder).iterdir() if p.suffix.lower() in (".png", ".jpg", ".bmp"))
    return found[:limit] if limit else found


def eight_bits(image: Tensor) -> Tensor:
    """As a file would hold it."""
    return (levels(image) / 127.5 - 1).float()


def cut(image: Tensor, scale: int) -> Tensor:
    """Sides that are multiples of the scale: the right and the lower edge are cut."""
    return image[..., : image.shape[-2] // scale * scale, : image.shape[-1] // scale * scale]


def pairs(task: Task, data: Path, limit: int = 0) -> Iterator[tuple[str, Degraded, Tensor]]:
    """Name, what a method is given, and the original, picture by picture; the same each time."""
    for path in files(data, task.folder, limit):
        truth = cut(read(path), task.scale)
        yield path.stem, _DAMAGES[task.job](truth, task, path.stem), truth


def _smaller(truth: Tensor, task: Task, name: str) -> Degraded:
    return Degraded(eight_bits(bicubic(truth, 1 / task.scale)))


def _noisy(truth: Tensor, task: Task, name: str) -> Degraded:
    """Seed 0 for each picture in numpy's old generator, row by row, as in the published test code (cszn/KAIR)."""
    shape = (*truth.shape[2:], truth.shape[1])
    noise = torch.from_numpy(np.random.RandomState(0).normal(0, task.strength / 255, shape))
    image = truth + 2 * noise.permute(2, 0, 1)[None].float()
    return Degraded(
        image if task.kind == "unclipped" else eight_bits(image), level=torch.full((1, 1, 1, 1), float(task.strength))
    )


def _compressed(truth: Tensor, task: Task, name: str) -> Degraded:
    out = io.BytesIO()
    pixels = levels(truth)[0].permute(1, 2, 0).to(torch.uint8).numpy()
    Image.fromarray(pixels.squeeze()).save(out, "JPEG", quality=task.strength)
    with Image.open(out) as image:
        return Degraded(torch.from_numpy(np.atleast_3d(np.array(image))).permute(2, 0, 1)[None].float() / 127.5 - 1)


def _holed(truth: Tensor, task: Task, name: str) -> Degraded:
    height, width = truth.shape[2:]
    stream = Draw(0).at(f"{task.kind} {task.strength} {name}")
    hole = _HOLES[task.kind](height, width, task.strength, stream)
    known = (~hole).float()[None, None]
    return Degraded(truth * known, known=known)


def _boxes(height: int, width: int, side: int, stream: Stream) -> Tensor:
    """Squares of `side`, a window of SSIM away from the edges; they may overlap."""
    hole = torch.zeros(height, width, dtype=torch.bool)
    for u, v in stream.uniform(BOXES, 2).tolist():
        top, left = (6 + int(s * (n - side - 12)) for s, n in ((u, height), (v, width)))
        hole[top : top + side, left : left + side] = True
    return hole


def _strokes(height: int, width: int, thick: int, stream: Stream) -> Tensor:
    """Pens of `thick` pixels that wander in straight steps of 1 to 2 times that, turning by 45 degrees at most."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    hole = torch.zeros(height, width, dtype=torch.bool)
    for numbers in stream.uniform(STROKES, 3 + 2 * STEPS).tolist():
        y, x, angle = numbers[0] * height, numbers[1] * width, 2 * math.pi * numbers[2]
        for turn, stretch in zip(numbers[3::2], numbers[4::2]):
            angle += (turn - 0.5) * math.pi / 2
            for _ in range(int(2 * (1 + stretch))):
                y, x = (y + thick / 2 * math.sin(angle)) % height, (x + thick / 2 * math.cos(angle)) % width
                hole |= (rows - y).square() + (columns - x).square() <= (thick / 2) ** 2
    return hole


_DAMAGES = {"upscale": _smaller, "denoise": _noisy, "jpeg": _compressed, "inpaint": _holed}
_HOLES = {"boxes": _boxes, "strokes": _strokes}


def checks(data: Path) -> list[tuple[str, float, float, float]]:
    """(what, measured, published, tolerance) in dB: that kernel, codec, crop and rounding are those of the papers.

    Bicubic as SRCNN's script has it: Y rounded first, resized in floating point, rounded at the end. The
    tables give every method an 8-bit RGB picture in its place, which moves the mean by up to 0.02 dB.
    """
    found = []
    for scale, published in BICUBIC_SET5.items():
        values = []
        for path in files(data, "sr/set5"):
            y = eight_bits(luma(levels(cut(read(path), scale))) / 127.5 - 1)
            values.append(float(psnr(bicubic(bicubic(y, 1 / scale), scale), y, Protocol(crop=scale))))
        found.append((f"Set5 bicubic x{scale}, PSNR-Y", float(np.mean(values)), published, 0.02))
    for quality, published in JPEG_CLASSIC5.items():
        task = Task("jpeg", "jpeg/classic5", "q", quality)
        values = [float(psnr(seen.image, truth)) for _, seen, truth in pairs(task, data)]
        found.append((f"Classic5 JPEG q{quality}, PSNR", float(np.mean(values)), published, 0.01))
    return found
