"""Numbers as people read them; what is missing or not finite reads as a dash."""

import math
from pathlib import Path
from typing import Any

from zeuxis.errors import command, counted
from zeuxis.pages.read import mapping, number

DASH = "–"
MINUS = "\u2212"


def decimal(value: object, digits: int = 1, signed: bool = False) -> str:
    """`-0.04` with one digit reads 0.0, never minus nought; thousands are parted by commas."""
    figure = number(value)
    if figure is None:
        return DASH
    rounded = round(figure, digits) + 0.0
    text = f"{rounded:{'+' if signed and rounded else ''},.{digits}f}"
    return text.replace("-", MINUS)


def signed(value: object, digits: int = 2) -> str:
    """A difference, with its sign."""
    return decimal(value, digits, signed=True)


def percent(value: object, digits: int = 0) -> str:
    """A share from 0 to 1 in per cent, rounded as `brief` and `decimal` round the share itself."""
    share = number(value)
    return DASH if share is None else f"{decimal(100 * round(share, digits + 2), digits)} %"


def whole(value: object) -> str:
    """A count."""
    return decimal(value, 0)


def things(value: object, noun: str) -> str:
    """A count of things: "1 picture", "2,000 pictures"; a dash in place of one that is not there."""
    count = number(value)
    return f"{DASH} {noun}s" if count is None else counted(round(count), noun)


def brief(value: object) -> str:
    """Three significant digits, for figures of any size."""
    figure = number(value)
    if figure is None:
        return DASH
    if figure == 0 or 1e-3 <= abs(figure) < 1e5:
        digits = 0 if figure == 0 else max(0, 2 - math.floor(math.log10(abs(figure))))
        return decimal(figure, min(digits, 5))
    return f"{figure:.2e}".replace("-", MINUS)


def compact(value: float) -> str:
    """An axis label: 1500 reads 1.5k, 2000000 reads 2M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}".replace("-", MINUS)
    return f"{value:g}".replace("-", MINUS)


def probability(value: object) -> str:
    """A p value: three digits, never nought."""
    p = number(value)
    if p is None:
        return DASH
    return f"{p:.2g}" if 0 < p < 0.001 else f"{p:.3f}"


def duration(seconds: object) -> str:
    """Seconds as a person says them: 59 s, 5 min 1 s, 2 h 5 min."""
    exact = number(seconds)
    if exact is None:
        return DASH
    total = round(max(exact, 0.0))
    if total < 60:
        return f"{max(exact, 0.0):.1f} s" if exact < 10 else f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60} s"
    return f"{total // 3600} h {total % 3600 // 60} min"


def interval(pair: object, digits: int = 2, plus: bool = True) -> str:
    """Two ends of an interval."""
    ends = list(pair) if isinstance(pair, list | tuple) else []
    if len(ends) != 2 or number(ends[0]) is None or number(ends[1]) is None:
        return DASH
    return f"{decimal(ends[0], digits, plus)} to {decimal(ends[1], digits, plus)}"


def value(anything: Any) -> str:
    """A setting as text: lists by commas, objects as name value pairs, nothing as a dash."""
    if anything is None or anything == "" or (isinstance(anything, float) and not math.isfinite(anything)):
        return DASH
    if isinstance(anything, bool):
        return "yes" if anything else "no"
    if isinstance(anything, list | tuple):
        return ", ".join(value(v) for v in anything) or DASH
    if isinstance(anything, dict):
        return ", ".join(f"{k} {value(v)}" for k, v in anything.items()) or DASH
    return f"{anything:.6g}" if isinstance(anything, float) else str(anything)


def spelled(name: object) -> str:
    """A key of a file as words: critic_held_out reads critic held out."""
    return str(name).replace("_", " ")


def shape_words(spec: object) -> str:
    """Height, width and colour of the pictures: `28 x 28 pixels, grey`."""
    shape = mapping(spec)
    height, width, channels = (number(shape.get(k)) for k in ("height", "width", "channels"))
    colour = {1: "grey", 2: "grey with alpha", 3: "colour", 4: "colour with alpha"}.get(int(channels or 0), "")
    size = f"{height:.0f} x {width:.0f} pixels" if height and width else ""
    return ", ".join(filter(None, (size, colour)))


def resume_words(path: Path) -> str:
    """How to go on with the run or the study at `path`."""
    return f"Go on, in the folder that holds it, with: {command('resume', path.resolve().name)}"
