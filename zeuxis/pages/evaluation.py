"""What `evaluate` measured, as lines for a terminal."""

from collections.abc import Mapping
from typing import Any

from zeuxis.errors import counted
from zeuxis.metrics.set_metric import SetMetric, catalog


def _number(value: float | None, metric: SetMetric) -> str:
    return "" if value is None else f"{value * metric.times:.{metric.digits}f}"


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
    out = ["", f"{'class':<24} " + " ".join(f"{measured[name].title:>9}" for name in by_class)]
    for one in classes:
        shares = (shares[one] for shares in by_class.values())
        out.append(f"{one:<24} " + " ".join(f"{'' if s is None else format(s, '.2f'):>9}" for s in shares))
    return [*out, ""]


def _counts(record: Mapping[str, Any]) -> str:
    held = counted(record["test"], "held-out picture")
    net = f"{record['features']} {record['features_sha256'][:12]}".rstrip()
    return f"{record['generated']:,} generated, {record['train']:,} training and {held}, in the features of {net}"
