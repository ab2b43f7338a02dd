"""What a run translated of held-out pictures, for its page: strips, and how the answers pass beside the cheap ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from zeuxis.pages.formats import decimal, percent
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
    )


def _share(value: Any) -> str:
    found = mapping(value)
    low, high = number(found.get("low")), number(found.get("high"))
    return f"{percent(found.get('value'))} ({percent(low)} to {percent(high)})" if found else ""


def _kid(value: Any) -> str:
    found = number(mapping(value).get("value"))
    return "" if found is None else decimal(1000 * found, 0)


def _plain(value: Any) -> str:
    found = number(mapping(value).get("value"))
    return "" if found is None else decimal(found, 2)


def _levels(value: Any) -> str:
    found = number(mapping(value).get("value"))
    return "" if found is None else decimal(found, 1)


_COLUMNS = (
    ("pass", "passes", _share),
    ("KID x 1000", "kid", _kid),
    ("labels found", "labels", _share),
    ("edges kept", "edges", _plain),
    ("colours moved", "colours", _levels),
    ("off when led back", "back", _levels),
    ("L1", "l1", _levels),
    ("PSNR, dB", "psnr", _plain),
    ("SSIM", "ssim", _plain),
    ("LPIPS", "lpips", _plain),
)
