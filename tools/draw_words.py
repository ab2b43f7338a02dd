"""Draws what is made from the words: the tables of docs/ and the types that an editor reads, `zeuxis/__init__.pyi`.

    python tools/draw_words.py [--check]

A table stands between `<!-- word: NAME -->` and `<!-- end -->`. With --check nothing is written, and the exit code is 1
where something would change.
"""

import re
import sys
from pathlib import Path

from zeuxis import word
from zeuxis.flags import parser_of
from zeuxis.pages.glossary import GLOSSARY

ROOT = Path(__file__).resolve().parent.parent
PLACE = re.compile(r"(<!-- word: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(name: str) -> str:
    """The arguments of a word as a Markdown table."""
    choices = {action.dest: action.choices for action in parser_of(name)._actions}
    rows = ["| flag | what it does | default |", "| --- | --- | --- |"]
    for one in word.parameters(name):
        told = one.arg.help
        if choices[one.name] and not one.arg.offered:
            told += ": " + ", ".join(f"`{value}`" for value in choices[one.name] or ())
        rows.append(f"| `{one.flag}` | {told} | {_default(one)} |")
    return "\n".join([*rows, "| `--json` | print one JSON object | off |", ""])


def _default(one: word.Parameter) -> str:
    if one.default is word.REQUIRED:
        return "needed"
    if isinstance(one.default, bool):
        return "off"
    return one.arg.default or ("" if one.default is None else f"`{one.default}`")


def stub() -> str:
    """What the package offers, for editors and type checkers."""
    lines = [f"from zeuxis.words.{name} import {name} as {name}" for name in word.names()]
    return "\n".join([*lines, "", "__version__: str", "__all__: list[str]", ""])


def drawn() -> dict[Path, str]:
    """Every file with what it should hold."""
    pages = {page: page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md"))}
    found = {page: PLACE.sub(lambda m: m[1] + table(m[2]) + m[3], text) for page, text in pages.items()}
    terms = {GLOSSARY: found[ROOT / "docs" / "glossary.md"]}  # which pages explain their terms by
    return found | terms | {ROOT / "zeuxis" / "__init__.pyi": stub()}


def main() -> int:
    other = {file: text for file, text in drawn().items() if not file.exists() or file.read_text("utf-8") != text}
    for file, text in other.items():
        print(file.relative_to(ROOT))
        if "--check" not in sys.argv:
            file.write_text(text, encoding="utf-8")
    return int(bool(other) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
