"""What was measured is kept as lines of figures, and the tables of docs/ are drawn from these."""

import argparse
import importlib
import json
import math
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tools")]

import draw_results  # noqa: E402 - scripts of tools/ and benchmarks/
import results  # noqa: E402
from result_tables import COUNTS, TABLES, Column, Count, Row, Table  # noqa: E402

LINES = [
    (file.name, line)
    for file in sorted(draw_results.RESULTS.glob("*.jsonl"))
    for line in file.read_text(encoding="utf-8").splitlines()
]
FIELDS = ["table", "row", "command", "commit", "machine", "date", "seconds", "figures"]


def test_the_tables_are_those_of_the_lines():
    other = [page.name for page, text in draw_results.drawn().items() if page.read_text(encoding="utf-8") != text]
    assert not other, "python tools/draw_results.py"
    pages = [page.read_text(encoding="utf-8") for page in draw_results.drawn()]
    assert sorted(m[2] for text in pages for m in draw_results.PLACE.finditer(text)) == sorted(TABLES)
    assert {m[2] for text in pages for m in draw_results.SUM.finditer(text)} == set(COUNTS)


def test_a_line_holds_numbers_and_where_they_are_from():
    for name, text in LINES:
        line = json.loads(text)
        assert list(line) == FIELDS, (name, text)
        figures = line["figures"].values()
        assert figures and all(f is None or (isinstance(f, int | float) and math.isfinite(f)) for f in figures), text
        assert all(isinstance(label, str) for label in line["row"]) and len(set(line["row"])) == len(line["row"])
        assert line["date"] is None or re.fullmatch(r"\d{4}-\d\d-\d\d", line["date"])
        assert not re.search(r"(^|[\s='\"])/", line["command"] or ""), text


def test_a_row_is_recorded_and_the_last_one_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCHMARK_RESULTS", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "speed.py"), "--data", str(tmp_path / "sets"), "--rounds", "3"])
    results.record("speed", ["set5 x4", "ours"], {"psnr": 31.2345678, "rate": 8.0, "n": 5})
    line = results.record("speed", ["ours", "set5 x4"], {"psnr": math.inf, "rate": 1 / 3, "n": 5})
    assert line["command"] == "python benchmarks/speed.py --data sets --rounds 3"
    assert line["figures"] == {"psnr": None, "rate": 0.333333, "n": 5} and list(line) == FIELDS
    texts = (tmp_path / "speed.jsonl").read_text().splitlines()
    assert [json.loads(text)["figures"]["psnr"] for text in texts] == [31.2346, None]
    assert draw_results.newest(tmp_path) == {("speed", frozenset({"set5 x4", "ours"})): line}


def test_options_that_are_not_the_usual_make_another_row():
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--decide", action="store_true")
    assert results.unusual(parser, parser.parse_args([]), "limit", "decide") == []
    asked = parser.parse_args(["--limit", "2", "--decide"])
    assert results.unusual(parser, asked, "limit", "decide") == ["--limit 2", "--decide"]


def test_a_table_as_it_is_drawn():
    gain, best = Column("gain", ("{gain:+.2f}", "equal"), ("a", "b")), Column("best", ("{n:,}",), ("c | d",))
    table = Table("t", ("set",), (gain, best), (Row(("one",), ("x",)), Row(("two",), ("y", "z"))))
    lines = {
        ("t", frozenset({"x", "a"})): {"figures": {"gain": 1.005}},
        ("t", frozenset({"x", "b"})): {"figures": {"gain": 9.0}},
        ("t", frozenset({"x", "c", "d"})): {"figures": {"n": 1234}},
        ("t", frozenset({"z", "b"})): {"figures": {"gain": None}},
    }
    drawn = draw_results.table("t", lines, {"t": table})
    assert drawn == "| set | gain | best |\n| --- | --- | --- |\n| one | +1.00 | 1,234 |\n| two | equal |  |\n"
    with pytest.raises(ValueError, match="no line"):
        draw_results.table("t", {}, {"t": table})


def test_a_sum_within_a_sentence():
    """The page said that fifteen of 520 were left alone, above a table that added up to thirty."""
    column = Column("left alone", ("{left_alone}",))
    table = Table("t", ("set",), (column, column), (Row(("one",), ("x | blur",)), Row(("two",), ("y | blur",))))
    lines = {
        ("t", frozenset({"x", "blur"})): {"figures": {"left_alone": 3, "pictures": 14}},
        ("t", frozenset({"y", "blur"})): {"figures": {"left_alone": 2, "pictures": 5}},
        ("t", frozenset({"z", "blur"})): {"figures": {"left_alone": 9, "pictures": 9}},
        ("other", frozenset({"x", "blur"})): {"figures": {"left_alone": 9, "pictures": 9}},
    }
    counts = {"blurred": (Count(table, "blur", "left_alone"),), "none": (Count(table, "noise", "left_alone"),)}
    assert draw_results.count("blurred", lines, counts) == "5 of 19"
    with pytest.raises(ValueError, match="no line"):
        draw_results.count("none", lines, counts)


def test_every_script_is_in_the_index():
    index = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    scripts = [p.name for p in (ROOT / "benchmarks").glob("*.py") if "__main__" in p.read_text(encoding="utf-8")]
    assert sorted(re.findall(r"^\| `(\w+\.py)` \|", index, re.MULTILINE)) == sorted(scripts)
    tools = (ROOT / "tools" / "README.md").read_text(encoding="utf-8")
    assert all(f"`{p.name}`" in tools for p in (ROOT / "tools").glob("*.py"))


@pytest.mark.parametrize("script", sorted(p.stem for d in ("benchmarks", "tools") for p in (ROOT / d).glob("*.py")))
def test_what_a_script_takes_from_the_package_is_there(script):
    assert Path(importlib.import_module(script).__file__).parent.name in ("benchmarks", "tools")
