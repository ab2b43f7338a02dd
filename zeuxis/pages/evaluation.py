"""What `evaluate` measured: lines for a terminal, one sentence, and a page with pictures of both kinds."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

import zeuxis
from zeuxis.data.files import write_text
from zeuxis.errors import counted
from zeuxis.metrics.set_metric import SetMetric, catalog
from zeuxis.pages.formats import decimal, percent
from zeuxis.pages.outcome import few_held
from zeuxis.pages.page import render
from zeuxis.pages.pictures import Embedded, on_white, uri
from zeuxis.pictures.png import MADE, grid, png_bytes

if TYPE_CHECKING:
    from zeuxis.jobs.evaluating import Evaluation, Row

_COLUMNS = 10


def _number(value: float | None, metric: SetMetric) -> str:
    return "" if value is None or math.isnan(value) else f"{value * metric.times:.{metric.digits}f}"


def lines(record: Mapping[str, Any]) -> list[str]:
    """A table: the figure, its 95 % interval, what real pictures reach, and what it says; then the classes."""
    measured = {name: metric for name, metric in catalog().items() if name in record}
    rows = [("", "value", "95 % interval", "real", "")]
    for name, metric in measured.items():
        r = record[name]
        ends = [_number(r[end], metric) for end in ("low", "high")]
        interval = f"{ends[0]} to {ends[1]}" if all(ends) else ""
        rows.append((metric.title, _number(r["value"], metric), interval, _number(r["floor"], metric), metric.about))
    return [_line(row) for row in rows] + _classes(record, measured) + [_counts(record)]


def _line(row: tuple[str, ...]) -> str:
    title, value, interval, real, about = row
    return f"{title:<12} {value:>8}  {interval:<18} {real:>8}  {about}".rstrip()


def _classes(record: Mapping[str, Any], measured: Mapping[str, SetMetric]) -> list[str]:
    by_class = {name: record[name]["by_class"] for name in measured if record[name].get("by_class")}
    if not by_class:
        return []
    classes = list(next(iter(by_class.values())))
    widths = {name: max(9, len(measured[name].title)) for name in by_class}
    out = ["", f"{'class':<24} " + " ".join(f"{measured[name].title:>{wide}}" for name, wide in widths.items())]
    for one in classes:
        shares = (
            ("" if by_class[name][one] is None else f"{by_class[name][one]:.2f}", widths[name]) for name in widths
        )
        out.append(f"{one:<24} " + " ".join(f"{share:>{wide}}" for share, wide in shares))
    return [*out, ""]


def _counts(record: Mapping[str, Any]) -> str:
    held = counted(record["test"], "held-out picture")
    net = f"{record['features']} {record['features_sha256'][:12]}".rstrip()
    return f"{record['generated']:,} generated, {record['train']:,} training and {held}, in the features of {net}"


_ONE_PICTURE = 0.5
"""Diversity in class, below which a class is on the way to a single picture."""


def sentence_of(record: Mapping[str, Any]) -> str:
    """The answer in words: are the pictures of their class, do they teach it, how many real ones they cover, copies."""
    said = []
    if "cas" in record:
        gan, cas = record["gan_test"], record["cas"]
        said.append(
            f"{percent(gan['value'])} of the generated pictures are recognised as the class that they were made for "
            f"({percent(gan['floor'])} of real ones), and what learned from generated pictures alone recognises "
            f"{percent(cas['value'])} of real ones (from real ones: {percent(cas['floor'])}; "
            f"guessing: {percent(1 / max(1, len(cas['by_class'])))})"
        )
    coverage = record["coverage"]
    said.append(
        f"{percent(coverage['value'])} of the held-out real pictures have a generated one near them in these features "
        f"(real ones: {percent(coverage['floor'])})"
    )
    if "within" in record and record["within"]["value"] < _ONE_PICTURE:
        spread = record["within"]["value"]
        said.append(f"the pictures of a class are only {decimal(spread, 2)} times as varied as real ones of it")
    if "copied" in record:
        said.append(_of_copies(record["copied"]))
    few = few_held(record["test"])
    look = record["look"]["sentence"].removesuffix(few).rstrip()  # it is said once
    return " ".join(filter(None, [look, "; ".join(said) + ".", _BLIND.get(record["features"]), few]))


_BLIND = {
    "layout": "Layout and texture alone say little of what is on a picture: look at them.",
    "classifier": (
        "These features are those of a small classifier of these classes: they see what tells classes apart, and "
        "little else. Look at the pictures, or add a net that knows more (`zeuxis data weights list`)."
    ),
}
"""What is to be said of features that see only part of a picture."""


def _of_copies(copied: Mapping[str, Any]) -> str:
    rate, expected = copied["value"], copied["floor"]
    if expected is None or math.isnan(rate):
        return "whether they are copies was not measured, as hardly one is of more than one colour"
    if copied["low"] is not None and copied["low"] > expected:
        told = "copies of training pictures are among them"
    elif rate > 2 * expected:
        told = "more look like copies than new pictures would, which may be chance"
    else:
        told = "no more look like copies than new pictures would"
    return f"{told} ({percent(rate, 1)}; new real ones: {percent(expected, 1)})"


def write_evaluation(path: Path, name: str, evaluation: "Evaluation") -> None:
    """Writes one self-contained HTML file. Raises MachineGaveOut as writing does."""
    record = evaluation.to_json()
    metrics = {key: metric for key, metric in catalog().items() if key in record}
    table = [
        (metric.title, *(_number(record[key][at], metric) for at in ("value", "low", "high", "floor")), metric.about)
        for key, metric in metrics.items()
    ]
    by_class = {metric.title: record[key]["by_class"] for key, metric in metrics.items() if "by_class" in record[key]}
    html = render(
        "evaluation",
        zeuxis=zeuxis.__version__,
        kicker=f"Zeuxis evaluation · {name}",
        title="Generated pictures against real ones",
        sentence=sentence_of(record),
        counts=_counts(record),
        table=table,
        by_class=by_class,
        rows=[(row.name, _sheet(row, "generated"), _sheet(row, "real")) for row in evaluation.rows],
    )
    write_text(path, html)


def _sheet(row: "Row", side: str) -> Embedded | None:
    pictures: torch.Tensor = getattr(row, side)
    if not len(pictures):
        return None
    sheet = grid(pictures.float() / 127.5 - 1, _COLUMNS)
    if sheet.shape[2] in (2, 4):
        sheet = np.asarray(on_white(Image.fromarray(sheet)))
    data = png_bytes(sheet, None, MADE if side == "generated" else None)
    return Embedded(uri(data), sheet.shape[1], sheet.shape[0])
