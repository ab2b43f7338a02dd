"""The terms of the glossary that a page uses, so that it explains itself without a network."""

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path

GLOSSARY = Path(__file__).parent / "templates" / "glossary.md"
"""A copy of docs/glossary.md, which `tools/draw_words.py` writes."""


@cache
def glossary() -> tuple[tuple[str, str], ...]:
    """Every term, or terms of one meaning ("critic, discriminator"), and what it means."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    return tuple((term.replace("`", ""), _plain(said)) for term, said in rows if term != "term")


def _plain(said: str) -> str:
    """Without emphasis, and without links to pages of docs/, which stand in brackets."""
    return re.sub(r"\*([^*]+)\*", r"\1", re.sub(r" \(\[[^\]]+\]\([^)]+\)\)", "", said))


def terms_of(html: str) -> list[tuple[str, str]]:
    """Those that stand in the text of a page, by alphabet."""
    text = unescape(re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)).lower()
    return sorted((term, said) for term, said in glossary() if any(_stands(name, text) for name in _names(term)))


def _names(term: str) -> Iterator[str]:
    return (name for name in term.lower().split(", ") if name != "...")


def _stands(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(s|es)?(?![\w-])", text) is not None
