"""Words for people count in English, with no "1 pictures": every count before a noun goes through `errors.counted`."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

import zeuxis
from zeuxis.errors import counted

ROOT = Path(zeuxis.__file__).parent
NOUNS = (
    "steps repeats pictures images photographs originals copies files classes labels samples folders groups families "
    "rows jobs epochs frames pages channels columns neighbours processes classifiers generators predictions minutes "
    "times"
).split()
_NO_ADJECTIVES = "of|over|on|the|in|at|and|are|is|was|no|not|does|has|them|takes|holds|comes|from"
_BETWEEN = f"(?!(?:{_NO_ADJECTIVES}) )[a-z-]+ "  # such as in "3 sealed test pictures"
_COUNT = re.compile(rf" (?:{_BETWEEN}){{0,3}}?({'|'.join(NOUNS)})\b(?!/)")
OTHERS = {
    "of_class[label]": "more than five, or nothing is asked",
    "one.frames": "of a file that has several",
    "count": "frames of a file that has several",
    "times": "a ratio of ten and more",
    "asked.scale": "2, 3 or 4",
    "item.scale": "2, 3 or 4",
    "net.scale": "2, 3 or 4",
    "scale": "2, 3 or 4",
    "need.enough": "thousands",
    "verdict.pictures_for_none": "hundreds",
    "len(entries)": "of a page with several",
    "len(members)": "more than are shown",
    "n_generated": "of several",
    "len(pairs)": "more than are shown",
    "recipe_name(type(recipe))": "a name",
    **dict.fromkeys(("name", "side", "some(by)", "out"), "a name"),
    **dict.fromkeys(("level", "level + 1", "len(above) + 1"), "a level, before a verb"),
    "rate": "images a second",
}
"""What stands before a plural and never is a count of one, and why."""
_WORDS = ("counted", "things", "some", "points", "decimal")  # these give words, or numbers with decimals


def offences(text: str) -> list[str]:
    """Counts that stand right before a plural, in f-strings, without `counted`."""
    found = []
    for node in ast.walk(ast.parse(text)):
        parts = node.values if isinstance(node, ast.JoinedStr) else []
        for value, after in pairwise(parts):
            if not isinstance(value, ast.FormattedValue) or not isinstance(after, ast.Constant):
                continue
            if _COUNT.match(str(after.value)) and _may_be_one(value.value):
                found.append(f"line {value.lineno}: {{{ast.unparse(value.value)}}}{after.value}")
    return found


def _may_be_one(value: ast.expr) -> bool:
    """False for a constant in capitals, for what a function gives as words, and for the `OTHERS`."""
    constant = isinstance(value, ast.Name) and value.id.isupper()
    words = isinstance(value, ast.Call) and ast.unparse(value.func) in _WORDS
    chosen = isinstance(value, ast.IfExp)  # words, either way
    return not (constant or words or chosen or ast.unparse(value) in OTHERS)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_count_before_a_noun_is_counted(path: Path) -> None:
    assert offences(path.read_text("utf-8")) == []


def test_the_law_finds_what_it_forbids() -> None:
    assert offences('f"{n} pictures"') and offences('f"{len(x):,} test pictures"') and offences('f"{whole(n)} steps"')
    assert offences('f"of {n - 1} sealed test pictures"') and offences('f"{len(a)} classes"')
    assert not offences('f"{MOST} pictures {rate} images/s {counted(n, noun)} images, {n} of the files"')


@pytest.mark.parametrize(
    ("n", "noun", "words"),
    [
        (1, "picture", "1 picture"),
        (0, "picture", "0 pictures"),
        (2000, "test picture", "2,000 test pictures"),
        (1, "class", "1 class"),
        (2, "class", "2 classes"),
        (2, "process", "2 processes"),
        (3, "family", "3 families"),
        (5, "copy", "5 copies"),
        (2, "day", "2 days"),
        (2, "box", "2 boxes"),
    ],
)
def test_counted(n: int, noun: str, words: str) -> None:
    assert counted(n, noun) == words
