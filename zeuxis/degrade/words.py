"""Damage in words: a preset such as `web`, or `blur=0.2..1.5+noise=25+jpeg=30..95@0.7`."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from zeuxis.degrade.blur import Anisotropic, Disk, Gaussian, Motion
from zeuxis.degrade.colour import Fading, Grey, LowColour, Sepia
from zeuxis.degrade.degradation import Chain, Degradation, Range, Sometimes
from zeuxis.degrade.jpeg import Jpeg
from zeuxis.degrade.masks import MEDIUM, THICK, THIN, Boxes, Scratches, Text
from zeuxis.degrade.noise import GaussianNoise, Grain, Poisson, SaltPepper, Speckle
from zeuxis.degrade.presets import PRESETS
from zeuxis.degrade.resize import Downscale, LowResolution
from zeuxis.errors import BadInput, nearest


class Kind(NamedTuple):
    """One word for damage: what it does, the unit of its value, its maker, the usual values and the limits.

    usual is None where the kind takes no value; whole: values are whole numbers; one: it takes no range.
    """

    what: str
    unit: str
    make: Callable[[Range], Degradation]
    usual: Range | None
    limits: Range = (0.0, math.inf)
    whole: bool = False
    one: bool = False


LEVELS = "grey levels of 255"
OF_256 = "number, in a picture of short side 256"

KINDS: dict[str, Kind] = {
    "blur": Kind("Gaussian blur", "pixels (sigma)", Gaussian, (0.2, 3.0), (0, 100)),
    "blur-linear": Kind(
        "Gaussian blur in linear light", "pixels (sigma)", lambda r: Gaussian(r, True), (0.2, 3.0), (0, 100)
    ),
    "anisotropic": Kind("Gaussian blur, longer in one direction", "pixels (sigma)", Anisotropic, (0.2, 3.0), (0, 100)),
    "motion": Kind("straight shake at any angle", "pixels (length)", Motion, (3, 15), (0, 500)),
    "motion-linear": Kind(
        "straight shake in linear light", "pixels (length)", lambda r: Motion(r, linear=True), (3, 15), (0, 500)
    ),
    "disk": Kind("lens out of focus", "pixels (radius)", Disk, (1, 5), (0, 100)),
    "noise": Kind("Gaussian noise, not clipped", LEVELS, GaussianNoise, (0, 50), (0, 1000)),
    "noise-8bit": Kind(
        "Gaussian noise, clipped and rounded to 8 bits as in a file",
        LEVELS,
        lambda r: GaussianNoise(r, clipped=1.0),
        (0, 50),
        (0, 1000),
    ),
    "noise-grey": Kind(
        "Gaussian noise, the same in all channels", LEVELS, lambda r: GaussianNoise(r, grey=1.0), (0, 50), (0, 1000)
    ),
    "grain": Kind("clumped grey noise of film", LEVELS, Grain, (5, 20), (0, 1000)),
    "poisson": Kind("shot noise, given by its deviation at white", LEVELS, Poisson, (0, 30), (0, 1000)),
    "speckle": Kind("multiplying noise, given by its deviation at white", LEVELS, Speckle, (0, 30), (0, 1000)),
    "salt-pepper": Kind("white and black pixels", "share of the pixels", SaltPepper, (0, 0.05), (0, 1)),
    "jpeg": Kind("JPEG, half of the samples 4:2:0, the grid shifted", "quality", Jpeg, (30, 95), (1, 100), True),
    "jpeg420": Kind("JPEG with colour at half size", "quality", lambda r: Jpeg(r, 1.0, 0), (30, 95), (1, 100), True),
    "jpeg444": Kind("JPEG with colour at full size", "quality", lambda r: Jpeg(r, 0.0, 0), (30, 95), (1, 100), True),
    "boxes": Kind("upright boxes cut out", OF_256, Boxes, (1, 4), (0, 100), True),
    "strokes": Kind("medium brush strokes cut out", OF_256, lambda r: replace(MEDIUM, count=r), (4, 5), (0, 200), True),
    "strokes-thin": Kind(
        "thin brush strokes cut out", OF_256, lambda r: replace(THIN, count=r), (4, 50), (0, 200), True
    ),
    "strokes-thick": Kind(
        "thick brush strokes cut out", OF_256, lambda r: replace(THICK, count=r), (1, 5), (0, 200), True
    ),
    "text": Kind("lines of marks like letters, painted over", "number of lines", Text, (1, 3), (0, 100), True),
    "scratches": Kind("thin upright scratches, painted over", "number", Scratches, (1, 6), (0, 100), True),
    "grey": Kind("no colour; wanted back without colour", "none", lambda r: Grey(), None),
    "sepia": Kind("toned brown; wanted back without colour", "strength", Sepia, (0.5, 1), (0, 1)),
    "fading": Kind("less contrast, another gamma, a colour cast", "strength", Fading, (0, 1), (0, 1)),
    "low-colour": Kind("colour at low resolution", "times smaller", LowColour, (1, 4), (1, 64)),
    "low-resolution": Kind("down and up again, by random kinds", "times smaller", LowResolution, (1, 4), (1, 64)),
    "down": Kind(
        "smaller, by bicubic as MATLAB has it", "times smaller", lambda r: Downscale(r[0]), (2, 2), (1, 64), one=True
    ),
    "down-area": Kind(
        "smaller, by means of areas", "times smaller", lambda r: Downscale(r[0], "area"), (2, 2), (1, 64), one=True
    ),
    "down-bilinear": Kind(
        "smaller, by bilinear", "times smaller", lambda r: Downscale(r[0], "bilinear"), (2, 2), (1, 64), one=True
    ),
}
"""Every word for damage."""

_NUMBER = r"\d+(?:\.\d+)?|\.\d+"
_PART = re.compile(
    rf"(?P<name>[a-z][a-z0-9-]*)(?:=(?P<low>{_NUMBER})(?:\.\.(?P<high>{_NUMBER}))?)?(?:@(?P<p>{_NUMBER}))?"
)
LANGUAGE = "write a preset, or parts such as blur=0.2..1.5+noise=25+jpeg=30..95@0.7"


def _values(kind: Kind, name: str, low: str | None, high: str | None, part: str) -> Range:
    if kind.usual is None:
        if low is not None:
            raise BadInput(f"{name} takes no value", part, f"write {name}, or {name}@0.5 for half of the pictures")
        return (0.0, 0.0)
    if low is None:
        return kind.usual
    values = (float(low), float(high if high is not None else low))
    if values[0] > values[1]:
        raise BadInput("a range must go from low to high", part, f"write {name}={high}..{low}")
    if not kind.limits[0] <= values[0] <= values[1] <= kind.limits[1]:
        raise BadInput(f"{name} goes from {kind.limits[0]:g} to {kind.limits[1]:g}", part, f"its unit: {kind.unit}")
    if kind.whole and any(v != round(v) for v in values):
        raise BadInput(f"{name} takes whole numbers", part)
    if kind.one and values[0] != values[1]:
        raise BadInput(f"{name} takes one number, no range", part, f"write {name}={low}")
    return values


def _part(part: str) -> Degradation:
    match = _PART.fullmatch(part.strip().lower().replace("_", "-"))
    if match is None:
        raise BadInput("this is no damage", part or "an empty part", LANGUAGE)
    name, p = match["name"], match["p"]
    if name not in KINDS and name not in PRESETS:
        names = sorted([*KINDS, *PRESETS])
        known, hint = f"known: {', '.join(names)}", nearest(name, names)
        raise BadInput(f"no such damage: {name}", mend=known if hint == known else f"{hint}; {known}")
    if name in KINDS:
        made = KINDS[name].make(_values(KINDS[name], name, match["low"], match["high"], part))
    elif match["low"] is not None:
        raise BadInput(f"the preset {name} takes no value", part)
    else:
        made = parse_preset(name)
    if p is None:
        return made
    if float(p) > 1:
        raise BadInput("a probability is at most 1", part)
    if isinstance(made, Downscale):
        raise BadInput(f"{name} changes the size, so it cannot be left to chance", part, "leave out @")
    return Sometimes(made, float(p))


def parse_preset(name: str) -> Degradation:
    """The preset of that name (a key of `PRESETS`)."""
    preset = PRESETS[name]
    return parse(preset) if isinstance(preset, str) else preset


def parse(words: str) -> Degradation:
    """The damage that the words say: parts joined by +, each `kind`, `kind=value` or `kind=low..high`, or a preset,
    with @p for a share p of the samples.

    A value is drawn uniform in its range for each sample. BadInput for anything else, with the nearest name.
    """
    parts = tuple(_part(part) for part in words.split("+"))
    return parts[0] if len(parts) == 1 else Chain(parts)
