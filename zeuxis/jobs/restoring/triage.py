"""Before a picture is touched: what is wrong with it, and what should be done, or nothing, and why."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from zeuxis.classic import estimate
from zeuxis.classic.consistency import luma_table
from zeuxis.classic.deblur import verified_width
from zeuxis.classic.detail import fine_detail, rounding_of
from zeuxis.classic.graphics import drawn
from zeuxis.classic.scratches import looks_worn
from zeuxis.errors import BadInput, nearest
from zeuxis.pictures.picture import Picture

# What counts as wrong. Chosen on held-out photographs, which no net was trained on, by benchmarks/kinds.py.
NOISE, SURE = 7.0, 0.4  # grey levels (less may be the grain of a film); confidence that it is no texture
GRAIN, ALIKE = 10.0, 0.25  # the same where all channels hold the same noise, as grain does: chroma below this share
COLOURS = 2.5  # grey levels of noise in the colours, white or not: neither film nor texture has it in both differences
QUALITY = 60  # JPEG; above it gains are small, and many a picture that passes for clean was 75 once
EARLIER = 5  # qualities by which an earlier compression must have been coarser than the file's own
DULL = 2.0  # fine detail, in units of 8-bit rounding: a blurred picture holds hardly any
BLUR = 0.9  # pixels

NOISE_, JPEG_, SOFTNESS = "noise", "JPEG traces", "softness"
"""What is measured, as `Measured.unjudged` names it."""
_FIELDS = {NOISE_: ("noise", "colours"), JPEG_: ("quality",), SOFTNESS: ("blur", "soft")}
_FEW, _HIDDEN = "a picture of few levels or colours", "so transparent a picture"  # in what nothing can be judged
_PLAIN = "so small, plain or clipped a picture"
_FOR_WEAR = ("auto",)
"""The tasks whose plan reads whether a picture is worn: finding that out takes half a second."""


@dataclass(frozen=True)
class Measured:
    """What was found.

    noise: standard deviation on the scale of 255, 0 where it looks like texture; quality: JPEG 1 to 100, None where
    the pixels show no grid of a JPEG; grid: row and column where its blocks start; blur: standard deviation in pixels
    of a Gaussian that would explain it that the finest detail is missing, 0 where none would; table: the 64 steps of
    JPEG's luma, row by row, the larger of both where the picture may have been turned; () without JPEG; worn: whether
    it looks like an old print with scratches, None where that was not looked for; colours: noise in the differences of
    colours, of any spectrum, as a camera makes it of a sensor's; soft: the finest detail is missing, whatever the
    reason. unjudged: which of NOISE_, JPEG_ and SOFTNESS could not be told, and in what; 0 and None say nothing there.
    """

    noise: float
    quality: int | None
    grid: tuple[int, int]
    blur: float
    table: tuple[int, ...] = ()
    worn: bool | None = None
    colours: float = 0.0
    soft: bool = False
    unjudged: Mapping[str, str] = field(default_factory=dict)

    def words(self) -> str:
        """One line for people: what was found, and what could not be judged."""
        jpeg = "no JPEG grid found" if self.quality is None else f"JPEG quality {self.quality}"
        told = {NOISE_: f"noise {self.noise:.1f}", JPEG_: jpeg, SOFTNESS: self._sharpness()}
        found = [", ".join(words for name, words in told.items() if name not in self.unjudged)]
        for cause in dict.fromkeys(self.unjudged.values()):
            names = [name for name, why in self.unjudged.items() if why == cause]
            found.append(f"{_listed(names)} in {cause} {'is' if names in ([NOISE_], [SOFTNESS]) else 'are'} not judged")
        return "; ".join(words for words in found if words)

    def _sharpness(self) -> str:
        if self.blur:
            return f"blur {self.blur:.1f} px"
        return "soft, but not by a blur that can be undone for sure" if self.soft else "no Gaussian blur found"

    def to_json(self) -> dict[str, Any]:
        """Plain values; null where something was not judged, and in `quality` where there is no grid of a JPEG."""
        silent = [name for what in self.unjudged for name in _FIELDS[what]]
        return {**asdict(self), **dict.fromkeys(silent)}


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


@dataclass(frozen=True)
class Plan:
    """What will be done, in this order, and why; no steps: the picture is left alone."""

    steps: tuple[str, ...]
    why: str
    strength: float = 1.0


def measure(picture: Picture, image: Tensor, task: str = "auto") -> Measured:
    """Noise, JPEG quality (from the file's own tables first) and blur; image: [1, C, H, W] in [-1, 1].

    What only other tasks than `task` ask for is not looked for.
    """
    seen = _seen(picture)
    graphic = drawn(image, seen)
    noise = None if graphic else estimate.noise_sigma(image, seen)
    sigma, colours = (0.0, 0.0) if noise is None else _noise(noise)
    detail = float(fine_detail(image))
    dull = not graphic and seen is None and detail < DULL
    blur = verified_width(image, rounding_of(image.shape[1])) if dull else 0.0
    traces = None if graphic else estimate.jpeg_blockiness(image, seen)
    quality, grid, table = _jpeg(picture, traces)
    worn = (not graphic and looks_worn(image)) if task in _FOR_WEAR else None
    found = Measured(sigma, quality, grid, blur, table, worn, colours, dull)
    return replace(found, unjudged=_unjudged(found, picture, noise, traces, _softness_in(found, detail, seen)))


def _unjudged(
    found: Measured,
    picture: Picture,
    noise: estimate.Noise | None,
    traces: estimate.JpegTraces | None,
    softness_in: str,
) -> dict[str, str]:
    """What could not be judged, and in what. noise, traces: None where a picture was drawn, which says nothing."""
    causes = {}
    if noise is None or traces is None:
        hidden = picture.alpha is not None and not (picture.alpha >= picture.white / 2).any()
        causes = dict.fromkeys((NOISE_, JPEG_, SOFTNESS), _HIDDEN if hidden else _FEW)
    else:
        if float(noise.sigma) == float(noise.confidence) == 0:
            causes[NOISE_] = _PLAIN
        if not picture.kept.lossless:
            causes[JPEG_] = f"a lossy {picture.kept.format} file"
        elif not bool(traces.judged):
            causes[JPEG_] = _PLAIN
        if softness_in:
            causes[SOFTNESS] = softness_in
    return {name: cause for name, cause in causes.items() if name != JPEG_ or found.quality is None}


def _softness_in(found: Measured, detail: float, seen: Tensor | None) -> str:
    """In what softness cannot be judged: a codec's waves and noise are as fine as detail. Empty where it can."""
    if found.soft:
        return ""
    if seen is not None:
        return "a picture transparent in part"
    if math.isinf(detail):
        return _PLAIN
    return "a JPEG" if found.quality is not None else "noise" if found.noise else ""


def _seen(picture: Picture) -> Tensor | None:
    """[1, 1, H, W]: the pixels that are half opaque at least; None: all. What others hide is no picture."""
    if picture.alpha is None:
        return None
    seen = picture.alpha >= picture.white / 2
    return None if seen.all() else torch.from_numpy(seen)[None, None]


def _noise(found: estimate.Noise) -> tuple[float, float]:
    """White noise in grey levels, 0 where it looks like texture or the grain of a film; and noise in the colours."""
    sigma = float(found.sigma) if float(found.confidence) >= SURE else 0.0
    grain = float(found.chroma) < ALIKE * float(found.luma)
    return sigma if sigma > GRAIN or not grain else 0.0, float(found.coarse)


def _jpeg(picture: Picture, traces: estimate.JpegTraces | None) -> tuple[int | None, tuple[int, int], tuple[int, ...]]:
    """Quality, where the grid of blocks starts (not at the corner of a turned or cropped picture), and the table.

    The file's own tables know the last compression alone: an earlier, coarser one shows in the pixels. Its steps are
    then widened by those of the last, which moved every coefficient by half of them at most.
    """
    found, grid = None, (0, 0)
    if traces is not None and not math.isnan(float(traces.quality)):
        found, grid = round(float(traces.quality)), (int(traces.row), int(traces.column))
    own = torch.tensor(picture.kept.tables[0]).reshape(8, 8) if picture.kept.tables else torch.zeros(8, 8)
    last = (
        estimate.jpeg_quality_of_tables(dict(enumerate(picture.kept.tables))).quality if picture.kept.tables else None
    )
    if found is not None and (last is None or found < last - EARLIER):
        quality, table = found, _either_way(luma_table(found).reshape(8, 8)) + _either_way(own)
    elif last is not None:
        quality, table = last, _either_way(own)
    else:
        return None, grid, ()
    return quality, grid, tuple(table.int().flatten().tolist())


def _either_way(table: Tensor) -> Tensor:
    """The larger of a step and that of the turned table: both compressions may have been turned, each its own way."""
    return torch.maximum(table, table.T)


def _mending(m: Measured) -> Plan:
    """The steps for what is wrong; where a picture is both compressed and blurred, the blur is the codec's own."""
    found, steps = [], []
    if m.noise > NOISE or m.colours > COLOURS:
        found.append(
            f"noise {m.noise:.0f}" if m.noise > NOISE else f"noise of a sensor, {m.colours:.0f} in the colours"
        )
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
        also = "; scratches or specks stay, as on an old print: `--task old-photo` fills them"
        return replace(plan, why=(plan.why or m.words()) + also)
    if not plan.steps and m.quality is not None and not m.blur:
        return Plan((), f"nothing found to mend: {m.words()}; try `--task deblur` where it is soft")
    return plan if plan.steps else Plan((), f"nothing found to mend: {m.words()}")


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
