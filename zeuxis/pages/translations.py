"""What a run translated of held-out pictures, for its page: strips, and how the answers pass beside the cheap ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from zeuxis.pages.formats import decimal, percent, things, whole
from zeuxis.pages.page import fragment
from zeuxis.pages.pictures import Embedded, embed
from zeuxis.pages.read import mapping, number, read_object
from zeuxis.pages.run_folder import RunFolder


@dataclass(frozen=True)
class Shown:
    """One direction: heading, strips with the names of their rows, and a table of figures by who gave the answer."""

    title: str
    picture: Embedded | None
    rows: list[str]
    head: list[str]
    table: list[list[str]]
    n: int
    features: str
    copies: str


def section(folder: RunFolder) -> Markup:
    """Empty where nothing was translated."""
    record = read_object(folder.path / "real" / "translations.json")
    named = record.get("directions")
    directions = named if isinstance(named, list) else []
    shown = [_shown(folder, one, mapping(record.get("rows"))) for one in directions]
    return fragment("translations", shown=shown) if shown else Markup("")


def _shown(folder: RunFolder, one: Mapping[str, Any], rows: Mapping[str, Any]) -> Shown:
    direction = str(one.get("direction"))
    picture = embed(folder.path / "real" / f"translated-{direction}.png")
    names = rows.get(direction)
    who = list(dict.fromkeys(w for name in ("passes", "labels", "edges") for w in mapping(one.get(name))))
    columns = [(head, name, show) for head, name, show in _COLUMNS if one.get(name)]
    table = [[w, *(show(mapping(one[name]).get(w)) for _, name, show in columns)] for w in who]
    title = f"{one.get('from')} to {one.get('to')}"
    return Shown(
        title,
        picture,
        [str(n) for n in names] if isinstance(names, list) else [],
        [h for h, *_ in columns],
        table,
        int(number(one.get("n")) or 0),
        str(mapping(mapping(one.get("kid")).get("ours")).get("features") or ""),
        _copies(mapping(one.get("copies"))),
    )


def _copies(found: Mapping[str, Any]) -> str:
    n, count, expected = (number(found.get(name)) for name in ("n", "copies", "expected"))
    if n is None or count is None or expected is None:
        return ""
    return (
        f"{whole(count)} of {things(n, 'answer')} stand out as copies of it, as {decimal(expected, 1)} real ones would."
    )


def _share(value: Any) -> str:
    found = mapping(value)
    low, high = number(found.get("low")), number(found.get("high"))
    return f"{percent(found.get('value'))} ({percent(low)} to {percent(high)})" if found else ""


def _ranged(places: int, times: float = 1) -> Callable[[Any], str]:
    """Shows a figure with its interval, where it has one."""

    def show(value: Any) -> str:
        found = mapping(value)
        figure, low, high = (number(found.get(name)) for name in ("value", "low", "high"))
        if figure is None:
            return ""
        shown = decimal(times * figure, places)
        if low is None or high is None:
            return shown
        return f"{shown} ({decimal(times * low, places)} to {decimal(times * high, places)})"

    return show


_COLUMNS = (
    ("pass", "passes", _share),
    ("KID x 1000", "kid", _ranged(0, 1000)),
    ("labels found", "labels", _share),
    ("edges kept", "edges", _ranged(2)),
    ("colours moved", "colours", _ranged(1)),
    ("off when led back", "back", _ranged(1)),
    ("L1", "l1", _ranged(1)),
    ("PSNR, dB", "psnr", _ranged(1)),
    ("SSIM", "ssim", _ranged(2)),
    ("LPIPS", "lpips", _ranged(2)),
)
