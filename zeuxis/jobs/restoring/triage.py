"""Before a picture is touched: what is wrong with it, and what should be done, or nothing, and why."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zeuxis.classic import estimate
from zeuxis.classic.consistency import luma_table
from zeuxis.classic.deblur import gaussian_width
from zeuxis.classic.detail import fine_detail, rounding_of
from zeuxis.classic.scratches import looks_worn
from zeuxis.errors import BadInput, nearest
from zeuxis.pictures.picture import Picture

# What counts as wrong. Chosen on held-out photographs, which no net was trained on, by benchmarks/triage.py.
NOISE, SURE = 5.0, 0.4  # grey levels (less is the grain of film and cameras); confidence that it is no texture
QUALITY = 60  # JPEG; above it gains are small, and many a picture that passes for clean was 75 once
DULL = 2.0  # fine detail, in units of 8-bit rounding: a blurred picture holds hardly any
BLUR = 0.9  # pixels


@dataclass(frozen=True)
class Measured:
    """What was found.

    noise: standard deviation on the scale of 255, 0 where it looks like texture; quality: JPEG 1 to 100, None where
    there is no trace of JPEG; grid: row and column where its blocks start; blur: standard deviation in pixels of a
    Gaussian that would explain it that the finest detail is missing, 0 where it is there; table: the 64 steps of
    JPEG's luma, row by row, the larger of both where the picture may have been turned; () without JPEG. worn: whether
    it looks like a print with scratches or specks.
    """

    noise: float
    quality: int | None
    grid: tuple[int, int]
    blur: float
    table: tuple[int, ...] = ()
    worn: bool = False

    def words(self) -> str:
        """One line for people."""
        jpeg = "no trace of JPEG" if self.quality is None else f"JPEG quality {self.quality}"
        return f"noise {self.noise:.1f}, {jpeg}, {self._sharpness()}"

    def _sharpness(self) -> str:
        """Softness, or why it is not told: a codec's waves and noise are as fine as detail."""
        if self.blur:
            return f"blur {self.blur:.1f} px"
        cause = "a JPEG" if self.quality is not None else "noise" if self.noise else ""
        return f"softness in {cause} is not judged" if cause else "fine detail is there"


@dataclass(frozen=True)
class Plan:
    """What will be done, in this order, and why; no steps: the picture is left alone."""

    steps: tuple[str, ...]
    why: str
    strength: float = 1.0


def measure(picture: Picture, image: Tensor) -> Measured:
    """Noise, JPEG quality (from the file's own tables first) and blur; image: [1, C, H, W] in [-1, 1]."""
    noise = estimate.noise_sigma(image)
    sigma = float(noise.sigma) if float(noise.confidence) >= SURE else 0.0
    dull = float(fine_detail(image)) < DULL
    blur = gaussian_width(image, rounding_of(image.shape[1])) if dull else 0.0
    quality, grid, table = _jpeg(picture, image)
    return Measured(sigma, quality, grid, blur, table, looks_worn(image))


def _jpeg(picture: Picture, image: Tensor) -> tuple[int | None, tuple[int, int], tuple[int, ...]]:
    """Quality, where the grid of blocks starts (not at the corner of a turned or cropped picture), and the table."""
    traces = estimate.jpeg_blockiness(image)
    seen = not math.isnan(float(traces.quality))
    grid = (int(traces.row), int(traces.column)) if seen else (0, 0)
    if picture.kept.tables:
        quality = estimate.jpeg_quality_of_tables(dict(enumerate(picture.kept.tables))).quality
        table = torch.tensor(picture.kept.tables[0]).reshape(8, 8)
    elif seen:
        quality = round(float(traces.quality))
        table = luma_table(quality).reshape(8, 8)
    else:
        return None, grid, ()
    return quality, grid, tuple(torch.maximum(table, table.T).int().flatten().tolist())


def _mending(m: Measured) -> Plan:
    """The steps for what is wrong; where a picture is both compressed and blurred, the blur is the codec's own."""
    found, steps = [], []
    if m.noise > NOISE:
        found.append(f"noise {m.noise:.0f}")
        steps.append("repair")
    if m.quality is not None and m.quality <= QUALITY:
        found.append(f"JPEG quality {m.quality}")
        steps.append("repair" if steps else "unblock")
    if m.blur > BLUR and not found:
        found.append(f"blur {m.blur:.1f} px")
        steps.append("sharpen")
    return Plan(tuple(dict.fromkeys(steps)), ", ".join(found))


def _auto(m: Measured) -> Plan:
    plan = _mending(m)
    if m.worn:
        also = "; scratches or specks stay, as on an old print: --task old-photo fills them"
        return replace(plan, why=(plan.why or m.words()) + also)
    if not plan.steps and m.quality is not None and not m.blur:
        return Plan((), f"nothing to mend: {m.words()}; try --task deblur where it is soft")
    return plan if plan.steps else Plan((), f"nothing to mend: {m.words()}")


def _enhance(m: Measured) -> Plan:
    plan = _mending(m)
    return Plan((*plan.steps, "contrast"), f"{plan.why}; contrast" if plan.why else "contrast", 0.5)


def _asked(m: Measured) -> Plan:
    return Plan(("repair",), f"asked for: {m.words()}")


_PLANS: dict[str, Callable[[Measured], Plan]] = {
    "auto": _auto,
    "enhance": _enhance,
    "denoise": _asked,
    "jpeg": lambda m: Plan(("unblock",), f"asked for: {m.words()}"),
    "deblur": lambda m: Plan(("sharpen",), f"asked for: {m.words()}"),
    "inpaint": lambda m: Plan(("inpaint",), "asked to fill the mask"),
    "old-photo": lambda m: Plan(("scratches", "inpaint", "repair", "levels"), f"an old photograph: {m.words()}"),
}


TASKS = tuple(_PLANS)
FILL = "inpaint"
"""The task that touches nothing outside of a mask, so that nothing else is to be told of what it did."""


def check_task(task: str) -> None:
    """Raises BadInput for an unknown task."""
    if task not in _PLANS:
        raise BadInput(f"there is no task `{task}`", "--task", nearest(task, list(TASKS)))


def plan(task: str, measured: Measured) -> Plan:
    """What to do with a picture. Raises BadInput for an unknown task."""
    check_task(task)
    return _PLANS[task](measured)
