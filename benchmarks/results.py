"""Keeps what was measured: one JSON line per row of figures, in benchmarks/results/NAME.jsonl of the script NAME.py.

Lines are only ever added. The environment variable BENCHMARK_RESULTS names another folder for them, for a trial.
"""

import argparse
import json
import math
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zeuxis.platform import cores

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "benchmarks" / "results"
DIGITS = 6
"""Of each figure that is no whole number."""
START = time.perf_counter()


def record(table: str, row: Sequence[str], figures: Mapping[str, float | None]) -> dict[str, Any]:
    """Adds a line and returns it.

    row: the labels that tell the row from the others of the table; their order does not matter. figures: numbers by
    name; None, NaN and infinity become null. `seconds` counts from the start of the script to this row.
    """
    line = {
        "table": table,
        "row": list(row),
        "command": command(sys.argv),
        "commit": commit(),
        "machine": machine(),
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(time.perf_counter() - START, 1),
        "figures": {name: number(value) for name, value in figures.items()},
    }
    folder = Path(os.environ.get("BENCHMARK_RESULTS") or FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{Path(sys.argv[0]).stem}.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
    return line


def number(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return int(value) if isinstance(value, int) else float(f"{value:.{DIGITS}g}")


def unusual(parser: argparse.ArgumentParser, asked: argparse.Namespace, *names: str) -> list[str]:
    """A label for each of these options that is not at its default: such a row is another one than the usual."""
    given = {n: getattr(asked, n) for n in names if getattr(asked, n) != parser.get_default(n)}
    return [f"--{n}" if value is True else f"--{n} {value}" for n, value in given.items()]


def command(argv: Sequence[str]) -> str:
    """As it was typed, with the names alone of what lies outside the repository."""
    return shlex.join(["python", f"benchmarks/{Path(argv[0]).name}", *map(_shown, argv[1:])])


def _shown(argument: str) -> str:
    head, sign, path = argument.rpartition("=")
    return head + sign + (Path(path).name if Path(path).is_absolute() else path)


@cache
def commit() -> str | None:
    """Of the tree that is measured; with a + where files differ from it; None without git."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results")
    found = _git("rev-parse", "--short=8", "HEAD")
    return None if found is None else found + ("+" if changed else "")


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


@cache
def machine() -> str:
    """Processor, cores that may be used, system, Python and torch."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = (names or [platform.processor() or platform.machine()])[0]
    system = f"{platform.system()}, Python {platform.python_version()}, torch {version('torch')}"
    return f"{processor}, {cores()} cores; {system}"
