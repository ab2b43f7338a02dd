"""Kinds of pictures, and which operations of a policy each of them can bear with its label still true."""

import re
from dataclasses import dataclass, field

from zeuxis.errors import BadInput, nearest


@dataclass(frozen=True)
class Guard:
    """Largest strength per operation that leaves the label true for one kind of picture; 0 leaves it out."""

    words: str
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
    "photo": Guard("photographs and the like: left-right flips, no up-down flips", {"flip_vertical": 0.0}),
    "garments": Guard("garments: left-right flips, no up-down flips", {"flip_vertical": 0.0}),
    "digits": Guard(
        "digits: no flips, rotation up to 15 degrees, shear up to 0.2, no solarizing, small cutouts",
        {**_GLYPHS, "rotate": 15 / 135},
    ),
    "text": Guard(
        "text: no flips, rotation up to 10 degrees, shear up to 0.2, no solarizing, small cutouts",
        {**_GLYPHS, "rotate": 10 / 135},
    ),
    "overhead": Guard("pictures from above (satellite, microscope): flips both ways, every rotation"),
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


def guard_words(domain: str) -> str:
    """One line that says what the policies do and leave out for this kind of picture, and where that is changed."""
    return f"taken as {guard_of(domain).words}; --domain says another kind"


def guess_domain(name: str) -> str:
    """The kind of picture of a set by its name ("mnist" is "digits"); "photo" where nothing is known.

    Of `NAME:FOLDER` the name counts; a single letter before the colon is a drive, not a name.
    """
    before, colon, _ = name.partition(":")
    name = before if colon and re.fullmatch(r"[\w-]{2,}", before) else name
    words = re.split(r"[^a-z]+", name.replace("\\", "/").rstrip("/").rpartition("/")[2].lower())
    return next((domain for domain, hints in _HINTS.items() if any(word in hints for word in words)), "photo")
