"""Draws tables of measurements, and sums in sentences, of docs/ and README.md from the lines of benchmarks/results/.

    python tools/draw_results.py [--check]

A table stands between `<!-- results: NAME -->` and `<!-- end -->`, a sum such as "23 of 104" between
`<!-- count: NAME -->` and `<!-- end -->`; what they show is in `result_tables.py`. Of each row the last line counts.
With --check nothing is written, and the exit code is 1 where something would change.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from result_tables import COUNTS, TABLES, Count, Labels, Table, keys

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PLACE = re.compile(r"(<!-- results: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
SUM = re.compile(r"(<!-- count: ([\w-]+) -->).*?(<!-- end -->)")
Lines = Mapping[tuple[str, Labels], dict[str, Any]]


def newest(folder: Path = RESULTS) -> Lines:
    """The last line by table and labels."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.jsonl"))]
    lines = [json.loads(text) for part in texts for text in part.splitlines()]
    return {(line["table"], frozenset(line["row"])): line for line in lines}


def table(name: str, lines: Lines, tables: Mapping[str, Table] = TABLES) -> str:
    """As Markdown; a cell without a line is empty. Raises ValueError where a row has no cell with a figure."""
    it = tables[name]
    heads = [*it.heads, *(column.heading for column in it.columns)]
    rows = [heads, ["---"] * len(heads)]
    for row in it.rows:
        found = [[lines.get((column.lines or it.lines, key)) for key in keys(row, column)] for column in it.columns]
        first = [next((line for line in several if line), None) for several in found]
        if not any(first):
            raise ValueError(f"{name}: no line for {row.labels}")
        cells = [cell(c.templates, line["figures"]) if line else "" for c, line in zip(it.columns, first, strict=True)]
        rows.append([*row.words, *cells])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def count(name: str, lines: Lines, counts: Mapping[str, tuple[Count, ...]] = COUNTS) -> str:
    """As `N of M`. Raises ValueError where no line is counted."""
    found = [line["figures"] | {"n": line["figures"][one.figure]} for one in counts[name] for line in _of(one, lines)]
    if not found:
        raise ValueError(f"{name}: no line")
    return f"{sum(f['n'] for f in found)} of {sum(f['pictures'] for f in found)}"


def _of(one: Count, lines: Lines) -> list[dict[str, Any]]:
    """The lines of the cells of its table that bear its label, each once."""
    cells = {key for row in one.table.rows for column in one.table.columns for key in keys(row, column)}
    wanted = {(one.table.lines, key) for key in cells if one.label in key}
    return [lines[key] for key in lines if key in wanted]


def cell(templates: tuple[str, ...], figures: Mapping[str, float | None]) -> str:
    """The first template whose figures are all known, filled in."""
    known = {key: value for key, value in figures.items() if value is not None}
    for template in templates:
        try:
            return template.format(**known)
        except KeyError:
            continue
    return ""


def drawn() -> dict[Path, str]:
    """Every page with what it should hold."""
    lines = newest()
    paths = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
    pages = {page: page.read_text(encoding="utf-8") for page in paths}
    pages = {page: PLACE.sub(lambda m: m[1] + table(m[2], lines) + m[3], text) for page, text in pages.items()}
    return {page: SUM.sub(lambda m: m[1] + count(m[2], lines) + m[3], text) for page, text in pages.items()}


def main() -> int:
    other = {page: text for page, text in drawn().items() if page.read_text(encoding="utf-8") != text}
    for page, text in other.items():
        print(page.relative_to(ROOT))
        if "--check" not in sys.argv:
            page.write_text(text, encoding="utf-8")
    return int(bool(other) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
