"""Tolerant reading of run and study folders: what is absent or damaged is said on the page, not raised."""

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zeuxis.errors import BadInput
from zeuxis.spelling import Advice, Way

FORMAT = 1
Line = dict[str, Any]


def number(value: object) -> float | None:
    """`value` as a finite float; None for anything else (None, NaN, infinity, words, booleans)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        parsed = float(value)
    except ValueError:
        return None
    return parsed if math.isfinite(parsed) else None


def numbers(values: object) -> list[float | None]:
    """Each entry of a list as `number`; an empty list for anything that is no list."""
    return [number(v) for v in values] if isinstance(values, list | tuple) else []


def mean(values: list[float | None]) -> float | None:
    """Mean of the numbers that are there; None where there is none."""
    there = [v for v in values if v is not None]
    return sum(there) / len(there) if there else None


def mapping(value: object) -> Line:
    """`value` where it is a JSON object, else an empty one."""
    return dict(value) if isinstance(value, Mapping) else {}


def objects(value: object) -> list[Line]:
    """The JSON objects of a list; an empty list for anything else."""
    return [dict(v) for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def advice(value: object) -> Advice:
    """The advice that was written as JSON; what is damaged of it is left out."""
    record = mapping(value)
    ways = [
        Way(mapping(w.get("values")), str(w.get("how") or ""), str(w.get("of") or ""))
        for w in objects(record.get("ways"))
    ]
    return Advice(tuple(way for way in ways if way.values or way.how), str(record.get("why") or ""))


def read_object(path: Path) -> Line:
    """The JSON object in `path`; an empty one where the file is absent, damaged or holds something else."""
    try:
        return mapping(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def read_header(path: Path, noun: str) -> Line:
    """`run.json` or `study.json`: the one file without which there is nothing to report.

    Raises BadInput where it is absent, damaged or of another format.
    """
    if not path.is_file():
        raise BadInput(f"no {noun} to report: it has no {path.name}", str(path.parent), f"name the folder of a {noun}")
    header = read_object(path)
    if not header:
        raise BadInput(f"{path.name} is damaged", str(path.parent), "restore the file from a copy")
    if header.get("format", FORMAT) != FORMAT:
        what = f"{path.name} has format {header['format']}, not {FORMAT}"
        raise BadInput(what, str(path.parent), "report it with the version of zeuxis that wrote it")
    return header


@dataclass(frozen=True)
class Log:
    """The events of `log.jsonl` by kind; of a step that was played twice (after a rewind) the last stands."""

    steps: list[Line] = field(default_factory=list)
    scores: list[Line] = field(default_factory=list)
    alarms: list[Line] = field(default_factory=list)
    rewinds: list[Line] = field(default_factory=list)
    damaged: int = 0

    @property
    def last(self) -> Line:
        return self.steps[-1] if self.steps else {}


def _latest_by_step(events: list[Line]) -> list[Line]:
    by_step = {at: event for event in events if (at := number(event.get("step"))) is not None}
    return [by_step[at] for at in sorted(by_step)]


def read_log(path: Path) -> Log:
    """`log.jsonl` of a run; lines that are no JSON object (a write cut short) are counted and passed over."""
    kinds: dict[str, list[Line]] = {"step": [], "score": [], "alarm": [], "rewind": []}
    damaged = 0
    try:
        lines = path.read_text("utf-8", errors="replace").split("\n")
    except OSError:
        lines = []
    for line in filter(str.strip, lines):
        try:
            event = mapping(json.loads(line))
        except ValueError:
            event = {}
        damaged += not event
        kinds.get(str(event.get("kind")), []).append(event)
    steps, scores = _latest_by_step(kinds["step"]), _latest_by_step(kinds["score"])
    return Log(steps, scores, kinds["alarm"], kinds["rewind"], damaged)


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of `table.csv`; none where it is absent or unreadable."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [{k: v or "" for k, v in row.items() if isinstance(k, str)} for row in csv.DictReader(file)]
    except (OSError, ValueError, csv.Error):
        return []
