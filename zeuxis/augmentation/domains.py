"""Kinds of pictures, and which operations of a policy each of them can bear with its label still true."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from zeuxis.augmentation.policy import Policy, find_policy
from zeuxis.errors import BadInput, nearest


@dataclass(frozen=True)
class Guard:
    """Largest strength per operation that leaves the label true for one kind of picture; 0 leaves it out.

    noun: the kind, in words.
    """

    noun: str
    limits: dict[str, float] = field(default_factory=dict)


_GLYPHS = {
    "flip_horizontal": 0.0,
    "flip_vertical": 0.0,
    "shear_x": 0.2,
    "shear_y": 0.2,
    "solarize": 0.0,
    "cutout": 0.5,
}

DOMAINS: dict[str, Guard] = {
    "photo": Guard("photographs and the like", {"flip_vertical": 0.0}),
    "garments": Guard("garments", {"flip_vertical": 0.0}),
    "digits": Guard("digits", {**_GLYPHS, "rotate": 15 / 135}),
    "text": Guard("text", {**_GLYPHS, "rotate": 10 / 135}),
    "overhead": Guard("pictures from above (satellite, microscope)"),
}

_HINTS = {
    "garments": ("fashion", "fashionmnist"),
    "digits": ("mnist", "qmnist", "svhn", "usps", "digits"),
    "text": ("emnist", "kmnist", "omniglot", "letters", "text"),
}


def guard_of(domain: str) -> Guard:
    """Raises BadInput for an unknown kind, with the nearest known one."""
    if domain not in DOMAINS:
        raise BadInput(f"no domain `{domain}`", "", nearest(domain, sorted(DOMAINS)))
    return DOMAINS[domain]


def guard_words(domain: str, policies: Iterable[str | Policy]) -> str:
    """One line that says what these policies do and leave out for this kind of picture, and where that is changed.

    Empty where they do nothing that hangs on the kind.
    """
    guard, reach = guard_of(domain), _reach(policies)
    across, down = (reach.get(name, 0) and guard.limits.get(name, 1.0) for name in ("flip_horizontal", "flip_vertical"))
    phrases = []
    if {"flip_horizontal", "flip_vertical"} <= set(reach):
        phrases.append(_FLIPS[bool(across), bool(down)])
    if "rotate" in reach:
        degrees = 135 * min(reach["rotate"], guard.limits.get("rotate", 1.0))
        strong = " in `strong`, as published" if degrees > 45 else ""
        phrases.append(f"rotation up to {degrees:.0f} degrees{strong}")
    limited = [name for name in ("shear_x", "solarize", "cutout") if guard.limits.get(name, 1.0) < reach.get(name, 0)]
    phrases += [_LIMITED[name].format(guard.limits[name]) for name in limited]
    if not phrases:
        return ""
    such = ", such as `overhead`" if domain == "photo" else ""
    return f"taken as {guard.noun}: {', '.join(phrases)}; --domain sets another kind{such}"


_FLIPS = {
    (True, True): "flips both ways",
    (True, False): "left-right flips, no up-down flips",
    (False, True): "up-down flips, no left-right flips",
    (False, False): "no flips",
}
_LIMITED = {"shear_x": "shear up to {:g}", "solarize": "no solarizing", "cutout": "small cutouts"}


def _reach(policies: Iterable[str | Policy]) -> dict[str, float]:
    """The largest strength that any of the policies gives an operation, for those that one of them has."""
    reach: dict[str, float] = {}
    for policy in map(find_policy, policies):
        for name, strength in (*((name, 1.0) for name in policy.one_of), *policy.always, *policy.last):
            reach[name] = max(reach.get(name, 0.0), strength * policy.strength)
    return reach


def guess_domain(name: str) -> str:
    """The kind of picture of a set by its name ("mnist" is "digits"); "photo" where nothing is known.

    Of `NAME:FOLDER` the name counts; a single letter before the colon is a drive, not a name.
    """
    before, colon, _ = name.partition(":")
    name = before if colon and re.fullmatch(r"[\w-]{2,}", before) else name
    words = re.split(r"[^a-z]+", name.replace("\\", "/").rstrip("/").rpartition("/")[2].lower())
    return next((domain for domain, hints in _HINTS.items() if any(word in hints for word in words)), "photo")
