"""Plots as inline SVG inside small HTML frames: labels stay readable at any width, colours follow the page.

Positions are per cent of the frame, so a plot is as wide as its column; text is HTML
beside it and never shrinks. Colours are CSS classes (light and dark), and every mark
carries a <title>, so nothing is told by colour alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from zeuxis.pages.formats import brief, compact, decimal

Value = float | None
POINTS = 240  # of one line; more are averaged in blocks
NAMED = 10  # lines that a legend names; of more it would be longer than the chart
LINES = 6  # CSS classes line-0 to line-5, each with its own dashes


@dataclass(frozen=True)
class Scale:
    """Maps [low, high] to 0..100 per cent; values beyond are drawn at the edge."""

    low: float
    high: float

    def at(self, value: float) -> float:
        place = 100.0 * (value - self.low) / (self.high - self.low)
        return round(min(max(place, 0.0), 100.0), 3)

    def ticks(self, about: int = 5) -> list[float]:
        """Round numbers (1, 2 or 5 times a power of ten) inside the scale, `about` as many as asked."""
        raw = (self.high - self.low) / max(about, 1)
        power = 10.0 ** math.floor(math.log10(raw))
        step = power * next(m for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(i * step, 12) + 0.0 for i in range(first, last + 1)]


_FLAT = 1e-2
"""Of the largest number: a narrower scale would have ticks that read alike."""


def scale_of(values: Sequence[Value], pad: float = 0.06, least: float = 0.0) -> Scale | None:
    """A scale around the numbers in `values`, at least `least` wide; None where there is none."""
    there = [v for v in values if v is not None and math.isfinite(v)]
    if not there:
        return None
    low, high = min(there), max(there)
    span = max(high - low, least, _FLAT * max(abs(low), abs(high)), 1e-9)
    middle = (low + high) / 2
    return Scale(middle - span * (0.5 + pad), middle + span * (0.5 + pad))


def robust_scale(values: Sequence[Value], share: float = 0.01) -> tuple[Scale | None, bool]:
    """A scale without the outermost `share` at each end where these stretch it threefold, and whether it cut."""
    there = sorted(v for v in values if v is not None and math.isfinite(v))
    whole = scale_of(there)
    cut = math.ceil(len(there) * share)
    if whole is None or len(there) < 20:
        return whole, False
    inner = there[cut:-cut]
    if there[-1] - there[0] <= 3 * (inner[-1] - inner[0]) or inner[-1] == inner[0]:
        return whole, False
    return scale_of(inner), True


# ---------------------------------------------------------------- lines


@dataclass(frozen=True)
class Series:
    """One line: xs and ys of equal length; None and non-finite ys leave a gap. `mark`: an x to stress."""

    name: str
    xs: Sequence[Value]
    ys: Sequence[Value]
    mark: Value = None

    def points(self) -> list[tuple[float, Value]]:
        return [
            (x, y if y is not None and math.isfinite(y) else None)
            for x, y in zip(self.xs, self.ys, strict=False)
            if x is not None and math.isfinite(x)
        ]


def thin(points: Sequence[tuple[float, Value]], most: int = POINTS) -> list[tuple[float, Value]]:
    """At most `most` points: means over blocks of neighbours; a block without a number stays a gap."""
    size = math.ceil(len(points) / most) if points else 1
    if size == 1:
        return list(points)
    thinned: list[tuple[float, Value]] = []
    for start in range(0, len(points), size):
        block = points[start : start + size]
        ys = [y for _, y in block if y is not None]
        thinned.append((sum(x for x, _ in block) / len(block), sum(ys) / len(ys) if ys else None))
    return thinned


def _polylines(points: Sequence[tuple[float, Value]], x: Scale, y: Scale, css: str) -> Markup:
    drawn = Markup()
    for there, run in groupby(points, key=lambda p: p[1] is not None):
        if there:
            places = [f"{x.at(px)},{100 - y.at(py)}" for px, py in run if py is not None]
            # A single point becomes a line of no length, which its round cap shows as a dot.
            path = " ".join(places if len(places) > 1 else places * 2)
            dot = " dot" if len(places) == 1 else ""
            drawn += Markup('<polyline class="{}" points="{}"/>').format(css + dot, path)
    return drawn


def _marks(series: Series, x: Scale, y: Scale, css: str) -> Markup:
    drawn = Markup()
    for px, py in series.points():
        if py is not None and series.mark is not None and math.isclose(px, series.mark):
            place = f"{x.at(px)},{100 - y.at(py)} {x.at(px)},{100 - y.at(py)}"
            note = f"{series.name}: {brief(py)} at {compact(px)}"
            drawn += Markup('<polyline class="{} dot" points="{}"><title>{}</title></polyline>').format(
                css, place, note
            )
    return drawn


def _told(line: Series, dotted: bool) -> Value:
    """The number of a line in the legend: at its dot, where the lines have one, else the last that is drawn."""
    if dotted:
        known = [(x, y) for x, y in line.points() if y is not None]
        return next((y for x, y in known if line.mark is not None and math.isclose(x, line.mark)), None)
    drawn = [y for _, y in thin(line.points()) if y is not None]
    return drawn[-1] if drawn else None


def _legend(series: Sequence[Series]) -> Markup:
    """Names of the lines, each with a number; a first word says which one that is."""
    dotted = any(line.mark is not None for line in series)
    items = Markup('<li class="muted">{}:</li>').format("at the dot" if dotted else "last value")
    for i, line in enumerate(series):
        items += Markup(
            '<li><svg width="22" height="10" aria-hidden="true"><line class="line-{}" x2="22" y1="5" y2="5"/></svg>'
            " {} <b>{}</b></li>"
        ).format(i % LINES, line.name, brief(_told(line, dotted)))
    return Markup('<ul class="legend">{}</ul>').format(items)


def line_chart(
    title: str, series: Sequence[Series], x_name: str = "", events: Sequence[float] = (), *, from_zero: bool = False
) -> Markup:
    """A chart of `series` over one x axis, empty where there is no number.

    events: xs with an upright line; from_zero: the y axis begins at 0.
    """
    known = [line for line in series if any(y is not None for _, y in line.points())]
    thinned = [thin(line.points()) for line in known]
    xs = [px for points in thinned for px, _ in points]
    y, clipped = robust_scale([py for points in thinned for _, py in points] + [0.0] * from_zero)
    x = scale_of(xs, pad=0.0)
    if x is None or y is None:
        return Markup()
    grid = Markup().join(
        Markup('<line class="grid" x1="0" x2="100" y1="{0}" y2="{0}"/>').format(100 - y.at(t)) for t in y.ticks(5)
    )
    upright = Markup().join(
        Markup('<line class="event" x1="{0}" x2="{0}" y1="0" y2="100"/>').format(x.at(e)) for e in sorted(set(events))
    )
    lines = Markup().join(_polylines(p, x, y, f"line-{i % LINES}") for i, p in enumerate(thinned))
    lines += Markup().join(_marks(line, x, y, f"line-{i % LINES}") for i, line in enumerate(known))
    left = Markup().join(Markup('<span style="bottom:{}%">{}</span>').format(y.at(t), compact(t)) for t in y.ticks(5))
    below = Markup().join(Markup('<span style="left:{}%">{}</span>').format(x.at(t), compact(t)) for t in x.ticks(5))
    beyond = Markup(' <span class="muted">(extremes cut)</span>') if clipped else Markup()
    return Markup(
        '<figure class="chart"><figcaption>{title}{beyond}</figcaption><div class="chart-box">'
        '<div class="chart-y" aria-hidden="true">{left}</div>'
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="{title}">'
        "{grid}{upright}{lines}</svg>"
        '<div class="chart-x" aria-hidden="true">{below}</div></div>'
        '<div class="chart-name">{x_name}</div>{legend}</figure>'
    ).format(
        title=title,
        beyond=beyond,
        left=left,
        grid=grid,
        upright=upright,
        lines=lines,
        below=below,
        x_name=x_name,
        legend=_legend(known) if len(known) <= NAMED else Markup(),
    )


# ---------------------------------------------------------------- dots and intervals


@dataclass(frozen=True)
class Row:
    """One row of a dot plot: every repeat as a faint dot, the mean with its interval, a note at the right.

    tone: CSS class of the row ("other", "against", or the verdict's). stem: a line from zero to the mean.
    """

    label: str
    dots: Sequence[Value] = ()
    mean: Value = None
    low: Value = None
    high: Value = None
    note: str = ""
    tone: str = "other"
    stem: bool = False
    other: Value = None  # a second, hollow mark, joined to the mean

    def numbers(self) -> list[Value]:
        return [*self.dots, self.mean, self.low, self.high, self.other]


def _text(row: Row, unit: str) -> str:
    said = f"{row.label}: {decimal(row.mean, 2)} {unit}" if row.mean is not None else f"{row.label}: no number"
    if row.low is not None and row.high is not None:
        said += f", 95 % interval {decimal(row.low, 2)} to {decimal(row.high, 2)}"
    return said + (f", beside {decimal(row.other, 2)}" if row.other is not None else "")


def _line(css: str, a: float, b: float, y: float = 50) -> Markup:
    return Markup('<line class="{}" x1="{}%" x2="{}%" y1="{y}%" y2="{y}%"/>').format(css, a, b, y=y)


def _row_marks(row: Row, x: Scale) -> Markup:
    marks = Markup()
    if row.stem and row.mean is not None:
        marks += _line("stem", x.at(0.0), x.at(row.mean))
    if row.other is not None and row.mean is not None:
        marks += _line("stem", x.at(row.other), x.at(row.mean))
    for i, dot in enumerate(row.dots):
        if dot is not None:
            said = f"{row.label}, repeat {i + 1}: {decimal(dot, 2)}"
            place = 50 + (-14, 0, 14)[i % 3]
            marks += Markup('<circle class="dot" cx="{}%" cy="{}%" r="4"><title>{}</title></circle>').format(
                x.at(dot), place, said
            )
    if row.low is not None and row.high is not None:
        marks += _line("whisker", x.at(row.low), x.at(row.high))
    if row.other is not None:
        marks += Markup('<circle class="hollow" cx="{}%" cy="50%" r="5"/>').format(x.at(row.other))
    if row.mean is not None:
        marks += Markup('<circle class="mean" cx="{}%" cy="50%" r="6"/>').format(x.at(row.mean))
    return marks


def _back(x: Scale, zero: bool, band: float, about: int = 6) -> Markup:
    back = Markup()
    if band > 0:
        left, right = x.at(-band), x.at(band)
        back += Markup('<rect class="band" x="{}%" width="{}%" y="0" height="100%"/>').format(
            left, round(right - left, 3)
        )
    for tick in x.ticks(about):
        back += Markup('<line class="grid" x1="{0}%" x2="{0}%" y1="0" y2="100%"/>').format(x.at(tick))
    if zero:
        back += Markup('<line class="zero" x1="{0}%" x2="{0}%" y1="0" y2="100%"/>').format(x.at(0.0))
    return back


def dot_plot(
    title: str, rows: Sequence[Row], unit: str, *, zero: bool = False, band: float = 0.0, signed: bool = False
) -> Markup:
    """Rows of dots over one x axis in `unit`, empty without numbers.

    zero: a line at 0; band: shade from -band to band; signed: ticks carry their sign.
    """
    wanted = [v for row in rows for v in row.numbers()] + ([-1.2 * band, 0.0, 1.2 * band] if zero else [])
    x = scale_of(wanted, least=1.0) if any(v is not None for row in rows for v in row.numbers()) else None
    if x is None:
        return Markup()
    back = _back(x, zero, band)
    longest, notes = (max(len(getattr(row, part)) for row in rows) for part in ("label", "note"))
    drawn = Markup().join(
        Markup(
            '<div class="dots-row {}"><span class="dots-label">{}</span>'
            '<svg width="100%" height="100%" role="img"><title>{}</title>{}{}</svg>'
            '<span class="dots-note">{}</span></div>'
        ).format(row.tone, row.label, _text(row, unit), back, _row_marks(row, x), row.note)
        for row in rows
    )
    axis = Markup().join(
        Markup('<span style="left:{}%">{}</span>').format(x.at(t), ("+" if signed and t > 0 else "") + compact(t))
        for t in x.ticks(6)
    )
    return Markup(
        '<figure class="dots" style="--label:{};--note:{}"><figcaption>{}</figcaption>{}'
        '<div class="dots-row axis" aria-hidden="true"><span></span><div class="dots-axis">{}</div><span></span></div>'
        '<div class="dots-unit">{}</div></figure>'
    ).format(longest, notes, title, drawn, axis, unit)


def interval_cell(mean: Value, low: Value, high: Value, x: Scale | None) -> Markup:
    """A mean with its interval on a shared scale around 0, small enough for the cell of a table."""
    if x is None or mean is None:
        return Markup()
    row = Row("difference", mean=mean, low=low, high=high)
    return Markup('<svg class="cell" role="img" aria-label="{}">{}{}</svg>').format(
        _text(row, "points"), _back(x, True, 0.0, 2), _row_marks(row, x)
    )
