"""Names that are numbers: 1, 01, 1.0 and 1e0 in one column, or in one level of folders, are one name, and that is told.

A table that a spreadsheet or pandas wrote turns 1 into 1.0 or 01 where a value is missing or a column was merged; two
classes of one meaning would train wrongly, and two groups of one patient would stand in two parts.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from zeuxis.data.listing import Listing

Number = tuple[int, str, int]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST = 20
"""Digits of a number that is still written out."""


def number_of(name: str) -> Number | None:
    """Sign, digits without zeros at either end, and power of ten; equal for equal numbers. None where it is none."""
    if not _NUMBER.fullmatch(name):
        return None
    try:
        sign, digits, power = Decimal(name).as_tuple()
    except InvalidOperation:  # a power beyond what decimals hold
        return None
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0")
    return (sign, kept, int(power) + len(text) - len(kept)) if kept else (0, "", 0)


def equal(one: str, other: str) -> bool:
    """Whether two names are one, as text or as numbers."""
    return one == other or ((number := number_of(one)) is not None and number == number_of(other))


def _written(number: Number, spellings: set[str]) -> str:
    """As a plain decimal number, such as -12.5; one that would be long by its shortest spelling."""
    sign, digits, power = number
    if not -_LONGEST < power <= _LONGEST - len(digits):
        return min(spellings, key=lambda name: (len(name), name))
    whole = (digits or "0") + "0" * power
    point = len(whole) + min(power, 0)
    parts = (whole, "") if power >= 0 else (whole[: max(point, 0)] or "0", whole[max(point, 0) :].rjust(-power, "0"))
    return "-" * sign + ".".join(filter(None, parts))


def one_name(names: Iterable[str], whole: bool = False) -> tuple[dict[str, str], list[list[str]]]:
    """The name by each other spelling of its number, and the spellings that were joined, sorted.

    whole: a whole number with a point, such as 3.0, loses it even where it has one spelling.
    """
    spellings: dict[Number, set[str]] = {}
    for name in set(names):
        if (number := number_of(name)) is not None:
            spellings.setdefault(number, set()).add(name)
    name_by_spelling: dict[str, str] = {}
    for number, same in spellings.items():
        if len(same) > 1 or (whole and number[2] >= 0 and all("." in name for name in same)):
            name_by_spelling |= dict.fromkeys(same, _written(number, same))
    return name_by_spelling, sorted(sorted(same) for same in spellings.values() if len(same) > 1)


def joined_words(joined: Iterable[list[str]], what: str) -> list[str]:
    """A line on each number with several spellings. what: class, group."""
    noun = {"class": "labels"}.get(what, f"{what}s")
    return [f"the {noun} {', '.join(f'`{s}`' for s in one)} are one number, and one {what}" for one in joined]


def with_one_name(listing: Listing) -> Listing:
    """A listing whose classes and groups have one name for each number; its remarks tell of those that were joined.

    Classes that the source states in an order of its own stay as they are, and are told of alone.
    """
    classes, same = one_name(e.label for e in listing.entries if e.label is not None)
    groups, together = one_name(e.group for e in listing.entries if e.group is not None)
    lines = joined_words(same, "class") + joined_words(together, "group")
    if listing.classes is not None:
        classes, same = {}, one_name(listing.classes)[1]
        lines = [f"the classes {', '.join(f'`{s}`' for s in one)} are one number, and stay apart" for one in same]
        lines += joined_words(together, "group")
    entries = [
        replace(e, label=classes.get(e.label or "", e.label), group=groups.get(e.group or "", e.group))
        for e in listing.entries
    ]
    return replace(listing, entries=entries, remarks=listing.remarks + lines) if lines else listing
