"""Before a picture is touched: what is wrong with it, and what should be done, or nothing, and why."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zeuxis.classic import estimate
from zeuxis.classic.consistency import luma_table
from zeuxis.classic.deblur import verified_width
from zeuxis.classic.detail import fine_detail, rounding_of
from zeuxis.classic.graphics import drawn
from zeuxis.classic.impulse import Impulses, despeckled, impulses
from zeuxis.classic.jpeg_noise import coded_noise
from zeuxis.classic.scratches import looks_worn, on_paper
from zeuxis.classic.variety import variety
from zeuxis.errors import BadInput, nearest
from zeuxis.jobs.restoring.measured import (
    COLOURS,
    JPEG_,
    NOISE_,
    SOFTNESS,
    SPECKS,
    UNSURE,
    Measured,
    specks_in_words,
)
from zeuxis.pictures.picture import Picture, grey_if_equal

# What counts as wrong. Chosen on held-out photographs, which no net was trained on, by benchmarks/kinds.py.
NOISE, SURE = 7.0, 0.4  # grey levels (less may be the grain of a film); confidence that it is no texture
GRAIN, ALIKE = 10.0, 0.25  # the same where all channels hold the same noise, as grain does: chroma below this share
VARIED = 0.7  # below it a picture is alike all over, as a texture is: what it is made of cannot be told from noise
CODED, CODED_SURE, UNEVEN = 9.4, 0.75, 6.0  # the same behind JPEG, which leaves little of the noise of colours
QUALITY = 60  # JPEG; above it gains are small, and many a picture that passes for clean was 75 once
TOLD = 95  # JPEG; finer steps than that are the rounding that smooth pictures show without any codec
EARLIER = 5  # qualities by which an earlier compression must have been coarser than the file's own
FAINT = 0.5  # grey levels; less is the rounding to 8 bits, which no detail is mistaken for (`fine_detail`)
DULL = 2.0  # fine detail, in units of what a blurred picture holds
BLUR = 0.9  # pixels

_FEW, _HIDDEN = "the picture looks drawn or computed", "the picture is too transparent"  # why nothing can be judged
_SMALL, _PLAIN = "the picture is too small", "the picture is too plain"
_CLIPPED = ("the picture is too dark", "the picture is too bright")
_SCANT = (_SMALL, _PLAIN, *_CLIPPED)  # `_scant` says which; until then it is called plain
_ALIKE, _FINE, _CODED = (
    "the picture is alike all over",
    "the picture has fine texture",
    "the picture is a JPEG",
)  # noise
_ONCE_CODED = "the picture went through JPEG"  # the same of a file of another kind
_NOISY, _SOFT = "the noise is as fine as detail", "the picture is too soft"
_LOSSY = "the picture is a lossy"
_SPECKED = "the picture has specks"  # then neither a lattice nor a blur's spectrum is whole
_ENDS = "the picture has so many black and white pixels"  # they may be specks, which hide all else
_FOR_WEAR, _FOR_PAPER = ("auto",), ("auto", "old-photo")
"""The tasks whose plan reads whether a picture is worn, which takes half a second; and whether its lines belong."""
_TAKING = {"denoise", "repair", "despeckle"}
_END = 1 - 16 / 127.5  # so near to black or white is dark or bright
_NO_SPECKS = Impulses(0.0, 0.0)
_FOR_SPECKS = ("auto",)
"""The tasks that look for salt and pepper: at half strength, as `enhance` works, half of each speck would stay."""


@dataclass(frozen=True)
class Plan:
    """What will be done, in this order, and why; no steps: the picture is left alone."""

    steps: tuple[str, ...]
    why: str
    strength: float = 1.0

    @property
    def only_takes(self) -> bool:
        """Whether what the steps change is noise or specks that they take away; all others add something, too."""
        return bool(self.steps) and set(self.steps) <= _TAKING


def measure(picture: Picture, image: Tensor, task: str = "auto") -> Measured:
    """Noise, JPEG quality (from the file's own tables first) and blur; image: [1, C, H, W] in [-1, 1].

    What only other tasks than `task` ask for is not looked for. Equal channels are measured as one.
    """
    seen, image = _seen(picture), grey_if_equal(image)
    specks, image, graphic, untold = _without_specks(image, seen, task in _FOR_SPECKS)
    noise = None if graphic else estimate.noise_sigma(image, seen)
    sigma, colours, noise_in = (0.0, 0.0, "") if noise is None else _noise(noise, image, seen)
    detail = math.inf if graphic else float(fine_detail(image))
    dull = seen is None and detail < DULL
    blur = verified_width(image, rounding_of(image.shape[1])) if dull else 0.0
    traces = None if graphic else estimate.jpeg_blockiness(image, seen)
    quality, grid, table = _jpeg(picture, traces)
    if quality is not None and not graphic and sigma <= NOISE and colours <= COLOURS:
        sigma = _coded(picture, image, seen, quality, grid) or sigma
    paper = (graphic or on_paper(image)) if task in _FOR_PAPER else None
    worn = (not paper and looks_worn(image)) if task in _FOR_WEAR else None
    quiet = 1.0 if noise is None else _quiet(noise)
    measured = Measured(sigma, quality, grid, blur, table, worn, colours, quiet, dull, specks, paper)
    if traces is None:
        causes = dict.fromkeys((NOISE_, JPEG_, SOFTNESS), _drawn_in(picture))
    else:
        jpeg_in = _jpeg_in(picture, traces)
        lossy = _CODED if quality is not None else jpeg_in if jpeg_in.startswith(_LOSSY) else ""
        softness_in = _softness_in(measured, detail, seen, noise_in, lossy)
        causes = {NOISE_: noise_in, JPEG_: jpeg_in, SOFTNESS: softness_in}
    if specks is not None:
        causes = {**causes, JPEG_: causes[JPEG_] or _SPECKED, SOFTNESS: "" if measured.blur else _SPECKED}
    if untold:
        same = set(causes.values())
        causes = {SPECKS: same.pop() if len(same) == 1 else "", **causes}
        causes = {name: _ENDS if cause in ("", _NOISY) else cause for name, cause in causes.items()}
    unjudged = _unjudged(measured, causes)
    truer = {_PLAIN: _scant(image, seen)} if _PLAIN in unjudged.values() else {}
    truer |= {} if picture.kept.tables else {_CODED: _ONCE_CODED}
    return replace(measured, unjudged={k: truer.get(cause, cause) for k, cause in unjudged.items()})


def _scant(image: Tensor, seen: Tensor | None) -> str:
    """Which it is of a picture of which too little can be judged: too small, too dark, too bright, or too plain."""
    pixels = image.mean(1, keepdim=True)[torch.ones_like(image[:, :1], dtype=torch.bool) if seen is None else seen]
    if min(image.shape[2:]) < 16 or pixels.numel() < 64 * estimate.FEWEST:
        return _SMALL
    ends = (pixels < -_END, pixels > _END)
    return next((why for why, end in zip(_CLIPPED, ends, strict=True) if float(end.float().mean()) > 0.5), _PLAIN)


def _without_specks(image: Tensor, seen: Tensor | None, look: bool) -> tuple[Impulses | None, Tensor, bool, bool]:
    """Salt and pepper, None where there is none, and in a drawing; the picture without it; whether it is drawn, which
    shows without the specks; and whether there may be some that cannot be told."""
    shares = impulses(image, seen) if look else _NO_SPECKS
    if shares is None or not shares.share:
        return None, image, drawn(image, seen), shares is None
    clear = despeckled(image, shares)
    graphic = drawn(clear, seen)
    return (None, image, drawn(image, seen), True) if graphic else (shares, clear, False, False)


def _unjudged(measured: Measured, causes: Mapping[str, str]) -> dict[str, str]:
    """What could not be judged, and why; causes: why each could not, empty where it could."""
    if measured.noise > NOISE or measured.colours > COLOURS:
        causes = {**causes, NOISE_: ""}
    elif measured.soft and not measured.blur and not causes[NOISE_]:  # it may have been blurred with the picture
        causes = {**causes, NOISE_: _SOFT}
    elif not causes[NOISE_]:  # a codec takes fine noise away, and what it leaves is like detail
        lossy = causes[JPEG_] if causes[JPEG_] not in (_PLAIN, _SPECKED) else ""
        causes = {**causes, NOISE_: _CODED if measured.quality is not None else lossy}
    if measured.quality is not None:
        causes = {**causes, JPEG_: ""}
    return {name: cause for name, cause in causes.items() if cause}


def _drawn_in(picture: Picture) -> str:
    """Why nothing can be judged of what looks drawn: what is wholly hidden does, too."""
    hidden = picture.alpha is not None and not (picture.alpha >= picture.white / 2).any()
    return _HIDDEN if hidden else _FEW


def _jpeg_in(picture: Picture, traces: estimate.JpegTraces) -> str:
    """Why traces of JPEG cannot be judged; empty where they can."""
    if not picture.kept.lossless:
        return f"{_LOSSY} {picture.kept.format} file"
    return "" if bool(traces.judged) else _PLAIN


def _softness_in(measured: Measured, detail: float, seen: Tensor | None, noise_in: str, lossy: str) -> str:
    """Why softness cannot be judged: a codec's waves and noise are as fine as detail. Empty where it can.

    noise_in: the same of noise; where that may be there, what is fine may be no detail. lossy: through which codec
    the picture went, in words; empty where through none.
    """
    if noise_in == _PLAIN and not measured.blur:
        return _PLAIN
    if measured.soft:
        return ""
    if seen is not None:
        return "the picture is transparent in part"
    if math.isinf(detail):
        return _PLAIN
    return lossy or (_NOISY if measured.noise >= FAINT else noise_in)


def _seen(picture: Picture) -> Tensor | None:
    """[1, 1, H, W]: the pixels that are half opaque at least; None: all. What others hide is no picture."""
    if picture.alpha is None:
        return None
    seen = picture.alpha >= picture.white / 2
    return None if seen.all() else torch.from_numpy(seen)[None, None]


def _noise(noise: estimate.Noise, image: Tensor, seen: Tensor | None) -> tuple[float, float, str]:
    """White noise in grey levels, 0 where it looks like the grain of a film; noise in the colours; and why
    neither can be judged, empty where they can."""
    if float(noise.sigma) == float(noise.confidence) == 0:
        return 0.0, 0.0, _PLAIN
    colours, white = float(noise.coarse), float(noise.sigma)
    grain = float(noise.chroma) < ALIKE * float(noise.luma)
    loud, sure = white > (GRAIN if grain else NOISE), float(noise.confidence) >= SURE
    if (loud and sure or colours > COLOURS) and variety(image, seen) < VARIED:
        return 0.0, 0.0, _ALIKE
    if loud and not sure and colours <= COLOURS:
        return 0.0, colours, _FINE
    return white if sure and (loud or not grain) else 0.0, colours, ""


def _coded(picture: Picture, image: Tensor, seen: Tensor | None, quality: int, grid: tuple[int, int]) -> float:
    """Noise that JPEG left, in grey levels of the luma; 0 where it is too little, or like detail."""
    own, last = _of_file(picture)
    table = (own.double() if quality == last else luma_table(quality)).reshape(8, 8)
    noise = coded_noise(image, ((table + table.T) / 2).flatten().tolist(), grid, seen)  # it may have been turned
    sure = noise is not None and noise.sigma > CODED and noise.alike > CODED_SURE and noise.uneven < UNEVEN
    return noise.sigma if noise and sure and variety(image, seen) >= VARIED else 0.0


def _quiet(noise: estimate.Noise) -> float:
    """How strong the luma's noise can be beside that of the colours: as strong as all that its calmest parts hold.

    Both as measured in the same frequencies, neither freed of what clipping took; 1 where the colours' was not told.
    """
    return min(1.0, float(noise.most_luma) / float(noise.coarse)) if float(noise.coarse) else 1.0


def _jpeg(picture: Picture, traces: estimate.JpegTraces | None) -> tuple[int | None, tuple[int, int], tuple[int, ...]]:
    """Quality, where the grid of blocks starts (not at the corner of a turned or cropped picture), and the table.

    The file's own tables know the last compression alone: an earlier, coarser one shows in the pixels. Its steps are
    then widened by those of the last, which moved every coefficient by half of them at most.
    """
    earlier, grid = None, (0, 0)
    if traces is not None and not math.isnan(float(traces.quality)):
        if (shown := round(float(traces.quality))) <= TOLD:
            earlier, grid = shown, (int(traces.row), int(traces.column))
    own, last = _of_file(picture)
    if earlier is not None and (last is None or earlier < last - EARLIER):
        quality, table = earlier, _either_way(luma_table(earlier).reshape(8, 8)) + _either_way(own)
    elif last is not None:
        quality, table = last, _either_way(own)
    else:
        return None, grid, ()
    return quality, grid, tuple(table.int().flatten().tolist())


def _of_file(picture: Picture) -> tuple[Tensor, int | None]:
    """The luma steps [8, 8] of the file's own table, and the quality that its tables mean; zeros and None without."""
    tables = picture.kept.tables
    if not tables:
        return torch.zeros(8, 8), None
    return torch.tensor(tables[0]).reshape(8, 8), estimate.jpeg_quality_of_tables(dict(enumerate(tables))).quality


def _either_way(table: Tensor) -> Tensor:
    """The larger of a step and that of the turned table: both compressions may have been turned, each its own way."""
    return torch.maximum(table, table.T)


def _mending(m: Measured) -> Plan:
    """The steps for what is wrong: one net for noise and JPEG; blur in what was compressed is the codec's own.

    Specks go first: all else was measured without them, and no net has learned them.
    """
    faults, steps = [], []
    if m.noise > NOISE or m.colours > COLOURS:
        faults.append(f"noise {m.noise:.0f}" if m.noise > NOISE else f"noise of {m.colours:.0f} in the colours")
        steps.append("denoise")
    if m.quality is not None and m.quality <= QUALITY:
        faults.append(f"JPEG quality {m.quality}")
        steps = ["repair" if steps else "unblock"]
    if m.specks is not None:
        faults.insert(0, specks_in_words(m.specks))
        steps.insert(0, "despeckle")
    if m.blur > BLUR and not faults:
        faults.append(f"blur {m.blur:.1f} px")
        steps.append("sharpen")
    return Plan(tuple(steps), ", ".join(faults) + (_beside(m) if steps else ""))


def _beside(m: Measured) -> str:
    """What may be there beside what is mended: noise and specks, where they could not be told."""
    left = {name: cause for name, cause in m.unjudged.items() if name in (SPECKS, NOISE_)}
    clauses = [f"; {name} cannot be judged, as {cause}" for name, cause in left.items()]
    return "".join(clauses) + (_hint(replace(m, quality=None)) if NOISE_ in left else "")


def _auto(m: Measured) -> Plan:
    plan = _mending(m)
    if m.worn:
        also = "; what may be scratches or specks of an old print stays: `--task old-photo` fills it"
        return replace(plan, why=(plan.why or m.words()) + also)
    return plan if plan.steps else Plan((), _spared(m))


def _spared(m: Measured) -> str:
    """Why nothing is done, and which tasks do it anyway: what is there, but not sure or not much, is not denied."""
    if m.unexplained:
        beside = m.words(without=(SOFTNESS,))
        anyway = "`--task deblur` sharpens it anyway and may make it worse"
        return f"{UNSURE}: {anyway}{beside and '; '}{beside}{_hint(m)}"
    if m.noise >= FAINT and NOISE_ not in m.unjudged:
        return f"too little to mend: {m.words()}; `--task denoise` takes such noise away anyway{_hint(m)}"
    if {NOISE_, JPEG_, SOFTNESS} <= set(m.unjudged):
        return f"{m.words()}{_hint(m)}"
    judged = " in what could be judged" if m.unjudged else ""
    return f"nothing found to mend{judged}: {m.words()}{_hint(m)}"


def _hint(m: Measured) -> str:
    """Which tasks do what `auto` does not, since it could not be judged."""
    tasks = []
    if m.unjudged.get(NOISE_) not in (None, _FEW, _HIDDEN, _SOFT, *_SCANT):
        tasks.append("`--task denoise` where it is noisy")
    lossy = m.quality is not None or m.unjudged.get(SOFTNESS, "").startswith(_LOSSY)
    if lossy and not m.blur and not m.unexplained:
        tasks.append("`--task deblur` where it is soft, which may make it worse")
    return f"; try {', '.join(tasks)}" if tasks else ""


def _enhance(m: Measured) -> Plan:
    plan = _mending(m)
    return Plan((*plan.steps, "contrast"), f"{plan.why}; contrast" if plan.why else "contrast", 0.5)


def _asked(m: Measured) -> Plan:
    return Plan(("repair",), f"asked for; {m.words()}")


def _old_photo(m: Measured) -> Plan:
    if m.paper:
        return Plan((), _WRITING)
    return Plan(("scratches", "inpaint", "repair", "levels"), f"an old photograph; {m.words()}")


_WRITING = "it may be writing or a drawing, whose lines are no scratches"
_PLANS: dict[str, Callable[[Measured], Plan]] = {
    "auto": _auto,
    "enhance": _enhance,
    "denoise": _asked,
    "jpeg": lambda m: Plan(("unblock",), f"asked for; {m.words()}"),
    "deblur": lambda m: Plan(("sharpen",), f"asked for; {m.words()}"),
    "inpaint": lambda m: Plan(("inpaint",), "asked to fill the mask"),
    "old-photo": _old_photo,
}


TASKS = tuple(_PLANS)
FILL = "inpaint"
"""The task that touches nothing outside of a mask, so that nothing else is to be told of what it did."""


def check_task(task: str) -> None:
    """Raises BadInput for an unknown task."""
    if task not in _PLANS:
        raise BadInput(f"there is no task `{task}`", "--task", nearest(task, list(TASKS)))


def plan(task: str, measured: Measured, masked: bool = False) -> Plan:
    """What to do with a picture; masked: somebody marked what is missing. Raises BadInput for an unknown task."""
    check_task(task)
    planned = _PLANS[task](measured)
    if planned.why != _WRITING:
        return planned
    if masked:
        return Plan((FILL,), f"the mask alone is filled: {_WRITING}")
    return replace(planned, why=f"{_WRITING}; a `--mask` says what is to be filled")
