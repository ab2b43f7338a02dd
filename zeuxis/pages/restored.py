"""The page of restored or enlarged pictures: before and after behind a slider, figures, and what changed."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from PIL import Image

from zeuxis.data.files import write_bytes
from zeuxis.metrics.score import catalog
from zeuxis.pages.formats import brief, decimal, signed
from zeuxis.pages.page import environment, render
from zeuxis.pages.pictures import Embedded, uri
from zeuxis.pictures.picture_file import Picture
from zeuxis.pictures.profiles import on_white

MOST = 12
"""Pictures on one page."""
WIDEST = 1200
"""Pixels of a picture's longer side on the page."""
SIDE = 128
"""Pixels of the square that is shown enlarged."""
GAINS = (16, 8, 4, 2)
"""How often a difference may be enlarged before it is shown."""
ROWS = 200
"""Rows of the table of all pictures."""

_QUALITY = 90
_DARK = 0.45  # of the picture's brightness below a map
_HEAT = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))
"""Colours of a map from nothing to most, five of matplotlib's inferno."""


@dataclass(frozen=True, eq=False)
class Map:
    """Values [h, w] in grey levels, none below zero; `top` is drawn as the brightest; what they mean, in words."""

    values: np.ndarray
    top: float
    words: str


@dataclass(frozen=True, eq=False)
class Shown:
    """One picture of the page.

    before, after, original: upright and of one shape (before: `scale` times smaller). size: height and width of the
    part of the result that was compared. done: what was measured and done, in words; tiles: (name, figure, small
    print); maps: where it changed, how sure it is; place: top and left of the square shown enlarged; taken: whether
    nothing was done but to take noise or specks away.
    """

    name: str
    before: Picture
    after: Picture
    original: Picture | None
    scale: int
    size: tuple[int, int]
    done: str
    left_alone: bool
    tiles: tuple[tuple[str, str, str], ...] = ()
    remarks: tuple[str, ...] = ()
    maps: tuple[Map, ...] = ()
    place: tuple[int, int] | None = None
    taken: bool = False


# ------------------------------------------------------------------ pictures


def _pixels(picture: Picture) -> Image.Image:
    """A picture as 8-bit RGB, laid on white."""
    pixels = picture.pixels if picture.alpha is None else on_white(picture.pixels, picture.alpha)
    eight = pixels if pixels.dtype == np.uint8 else np.rint(pixels / 257).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(eight, (*eight.shape[:2], 3))))


def _enlarged(image: Image.Image, scale: int) -> Image.Image:
    if scale == 1:
        return image
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.BICUBIC)


def _jpeg(image: Image.Image, widest: int = WIDEST) -> Embedded:
    shown, buffer = image.copy(), BytesIO()
    shown.thumbnail((widest, widest), Image.Resampling.LANCZOS)
    shown.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return Embedded(uri(buffer.getvalue(), "jpeg"), *shown.size, image.size)


def heat_picture(heat: Map, below: Image.Image) -> Image.Image:
    """A map laid on the picture, which is grey and dark where the map has nothing."""
    share = np.clip(heat.values / heat.top, 0, 1)[..., None]
    at = np.linspace(0, 1, len(_HEAT))
    colours = np.concatenate([np.interp(share, at, [c[i] for c in _HEAT]) for i in range(3)], -1)
    grey = np.asarray(below.convert("L").resize(heat.values.shape[::-1], Image.Resampling.BOX), np.float64)[..., None]
    cover = np.clip(2 * share, 0, 1)
    mixed = Image.fromarray(np.rint(cover * colours + (1 - cover) * _DARK * grey).astype(np.uint8))
    times = max(1, 400 // max(mixed.size))
    return mixed.resize((mixed.width * times, mixed.height * times), Image.Resampling.NEAREST)


def bar() -> str:
    """The colours of a map as a gradient of CSS."""
    return "linear-gradient(to right, " + ", ".join("#{:02x}{:02x}{:02x}".format(*c) for c in _HEAT) + ")"


def difference(first: Image.Image, second: Image.Image) -> tuple[Image.Image, int]:
    """first - second around middle grey, and how often it is enlarged: as much as leaves most of it in range."""
    apart = np.asarray(first, np.int16) - np.asarray(second, np.int16)
    gain = next((g for g in GAINS if g * apart.std() < 50), 1)
    return Image.fromarray(np.clip(128 + gain * apart, 0, 255).astype(np.uint8)), gain


def _doubled(image: Image.Image) -> Image.Image:
    return image.resize((2 * image.width, 2 * image.height), Image.Resampling.NEAREST)


def _squares(item: Shown, before: Image.Image, after: Image.Image, original: Image.Image | None) -> list[Any]:
    """(name, picture) of the same square of each, side by side."""
    if item.place is None:
        return []
    top, left = item.place
    box = (left, top, min(left + SIDE, after.width), min(top + SIDE, after.height))
    parts = {"before": before.crop(box), "after": after.crop(box)}
    if item.scale == 1:
        pair = ("before", "after") if item.taken else ("after", "before")  # what was added is bright then
        apart, gain = difference(*(parts[name] for name in pair))
        name = "taken away" if item.taken else "changed"
        parts[f"{name}, its contrast times {gain}" if gain > 1 else name] = apart
    if original is not None:
        parts["original"] = original.crop(box)
    return [(name, _jpeg(_doubled(part), 2 * SIDE)) for name, part in parts.items()]


def _slides(item: Shown, before: Image.Image, after: Image.Image, original: Image.Image | None) -> list[Any]:
    """(name, picture) of the two behind the slider, or of one: left alone, it is held against its original."""
    if item.left_alone:
        shown = {"left alone": after} | ({} if original is None else {"original": original})
    else:
        first = f"before, enlarged {item.scale} times by bicubic" if item.scale > 1 else "before"
        shown = {first: before, "after": after}
    return [(name, _jpeg(picture)) for name, picture in shown.items()]


def drawn(item: Shown) -> dict[str, Any]:
    """What the template needs of one picture."""
    box = (0, 0, item.size[1], item.size[0])
    before = _enlarged(_pixels(item.before), item.scale).crop(box)
    after = _pixels(item.after).crop(box)
    original = None if item.original is None else _pixels(item.original).crop(box)
    return {
        "name": item.name,
        "done": item.done,
        "left_alone": item.left_alone,
        "tiles": item.tiles,
        "remarks": item.remarks,
        "slides": _slides(item, before, after, original),
        "by_map": item.scale == 1,
        "squares": _squares(item, before, after, original),
        "maps": [(_jpeg(heat_picture(m, after), WIDEST), m.words, brief(m.top)) for m in item.maps],
    }


# ------------------------------------------------------------------ the page


def slider_script() -> Markup:
    """The one script of the page, as it stands in the template folder."""
    source = environment().loader.get_source(environment(), "slider.js")[0]  # type: ignore[union-attr]
    return Markup(source)


def fingerprint(script: str) -> str:
    """sha256 of a script as a Content-Security-Policy writes it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def table_of(rows: Sequence[Mapping[str, Any]], mean: Mapping[str, Any], names: Mapping[str, str]) -> list[list[str]]:
    """Rows of text: name, then before and after per score; the mean last where there are several."""
    digits = {name: score.digits for name, score in catalog().items()}
    all_rows = [*rows[:ROWS], *([{"name": "mean", **mean}] if len(rows) > 1 else [])]
    table = []
    for row in all_rows:
        cells = [str(row["name"])]
        for key in names:
            pair = [row[side].get(key) for side in ("input", "output")]
            cells += ["equal" if p == "equal" else decimal(p, digits.get(key, 2)) for p in pair]
        table.append(cells)
    return table


def write_restored(path: Path, items: Sequence[Mapping[str, Any]], content: Mapping[str, Any]) -> Path:
    """Writes the page to `path`, whole or not at all, and returns it.

    items: what `drawn` made of the pictures, `MOST` of them at most. content: title, kicker, sentence (strings);
    protocol (name to words), columns (name to heading) and rows (`table_of`), all empty where there was no original;
    total (pictures in all). Raises BadInput, MachineGaveOut.
    """
    script = slider_script()
    html = render(
        "restored",
        **content,
        pictures=items[:MOST],
        scale_bar=bar(),
        side=SIDE,
        script=script,
        policy=fingerprint(str(script)),
        zeuxis=_version(),
        folder="",
    )
    write_bytes(path, html.encode("utf-8", errors="replace"))
    return path


def _version() -> str:
    import zeuxis

    return zeuxis.__version__


def gain_words(before: float | None, after: float | None, unit: str = " dB", digits: int = 2) -> str:
    """Small print of a score: `was 24.61 dB, +4.29`."""
    if before is None or after is None:
        return "" if before is None else f"was {decimal(before, digits)}{unit}"
    return f"was {decimal(before, digits)}{unit}, {signed(after - before, digits)}"
