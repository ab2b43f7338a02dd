"""Damage in words: a preset such as `web`, or `blur=0.2..1.5+noise=25+jpeg=30..95@0.7`."""

import importlib
import pkgutil
import re

from zeuxis import degrade
from zeuxis.degrade.degradation import Chain, Degradation, Kind, Range, Sometimes
from zeuxis.degrade.presets import PRESETS
from zeuxis.degrade.resize import Downscale
from zeuxis.errors import BadInput, nearest


def _gathered() -> dict[str, Kind]:
    """The WORDS of every module of this folder: a new damage is one file, or one entry beside its class."""
    kinds: dict[str, Kind] = {}
    for module in sorted(one.name for one in pkgutil.iter_modules(degrade.__path__)):
        more = getattr(importlib.import_module(f"{degrade.__name__}.{module}"), "WORDS", {})
        assert not kinds.keys() & more.keys(), f"two damages of one name: {kinds.keys() & more.keys()}"
        kinds |= more
    return kinds


KINDS = _gathered()
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
        degradation = KINDS[name].make(_values(KINDS[name], name, match["low"], match["high"], part))
    elif match["low"] is not None:
        raise BadInput(f"the preset {name} takes no value", part)
    else:
        degradation = parse_preset(name)
    if p is None:
        return degradation
    if float(p) > 1:
        raise BadInput("a probability is at most 1", part)
    if isinstance(degradation, Downscale):
        raise BadInput(f"{name} changes the size, so it cannot be left to chance", part, "leave out @")
    return Sometimes(degradation, float(p))


def parse_preset(name: str) -> Degradation:
    """The preset of that name (a key of `PRESETS`)."""
    preset = PRESETS[name]
    return parse(preset) if isinstance(preset, str) else preset


def parse(damage: str) -> Degradation:
    """The damage that the words say: parts joined by +, each `kind`, `kind=value` or `kind=low..high`, or a preset,
    with @p for a share p of the samples.

    A value is drawn uniform in its range for each sample. BadInput for anything else, with the nearest name.
    """
    parts = tuple(_part(part) for part in damage.split("+"))
    return parts[0] if len(parts) == 1 else Chain(parts)
