"""Draws the tables of measurements in docs/ from the lines of benchmarks/results/.

    python tools/draw_results.py [--check]

A table stands between `<!-- results: NAME -->` and `<!-- end -->`; what it shows is in `result_tables.py`. Of each row
the last line counts. With --check nothing is written, and the exit code is 1 where something would change.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from result_tables import TABLES, Labels, Table, keys

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PLACE = re.compile(r"(<!-- results: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
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
    pages = {page: page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md"))}
    return {page: PLACE.sub(lambda m: m[1] + table(m[2], lines) + m[3], text) for page, text in pages.items()}


def main() -> int:
    other = {page: text for page, text in drawn().items() if page.read_text(encoding="utf-8") != text}
    for page, text in other.items():
        print(page.relative_to(ROOT))
        if "--check" not in sys.argv:
            page.write_text(text, encoding="utf-8")
    return int(bool(other) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
