"""Whether a file that is there already is what was asked for: by its note, or as a copy of what was left alone."""

import filecmp
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zeuxis.data.decode import Unreadable
from zeuxis.data.files import sha256_of
from zeuxis.errors import BadInput
from zeuxis.jobs.restoring.files import Pair
from zeuxis.jobs.restoring.large import is_large
from zeuxis.pictures.picture import read
from zeuxis.pictures.write import read_note
from zeuxis.pictures.writing import SUFFIXES, form_of

DONE = ("used", "why")
"""In a note, what was done; the rest is what was asked for."""
_DIGITS = 16  # of the digests in a note


def digest(content: bytes | Path) -> str:
    """What a note calls a file by: the beginning of its sha256."""
    whole = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else sha256_of(content)
    return whole[:_DIGITS]


def request(asked: Mapping[str, Any], source: bytes | Path, mask: bytes | Path | None) -> dict[str, Any]:
    """What a note says of what was asked for, and of which files."""
    words = {**asked, "source": digest(source), "mask": None if mask is None else digest(mask)}
    return {key: value for key, value in words.items() if value is not None}


def unfinished(pairs: list[Pair], asked: Mapping[str, Any]) -> list[Pair]:
    """The pairs without a target; asked: the settings for all of them.

    Raises BadInput where a target is there that was made of something else, or with other settings.
    """
    other = [pair for pair in pairs if pair.target.exists() and not _is_done(pair, asked)]
    if other:
        more = f", nor are {len(other) - 1} more" if len(other) > 1 else ""
        what = f"this is there already, and it is not {other[0].name} mended in this way{more}"
        raise BadInput(what, str(other[0].target), "name another OUT, or remove it")
    return [pair for pair in pairs if not pair.target.exists()]


def _is_done(pair: Pair, asked: Mapping[str, Any]) -> bool:
    """What cannot be told passes: formats without notes, copies in another format, files too large to be read."""
    if filecmp.cmp(pair.source, pair.target, shallow=False) or _is_large(pair.target):
        return True
    try:
        note = read_note(pair.target)
    except BadInput:
        return False
    if note and "used" in note:
        wanted = request(asked, pair.source, pair.mask)
        return {k: v for k, v in note.items() if k not in DONE} == wanted or note == _note_of(pair.source)
    bare = "note" not in form_of(pair.target.suffix).holds
    other = SUFFIXES.get(pair.source.suffix.lower()) != SUFFIXES[pair.target.suffix.lower()]
    return bare or (other and _same_size(pair))


def _is_large(path: Path) -> bool:
    try:
        return is_large(path)
    except Unreadable:
        return False


def _note_of(path: Path) -> dict[str, Any] | None:
    try:
        return read_note(path)
    except BadInput:
        return None


def _same_size(pair: Pair) -> bool:
    try:
        return read(pair.source).size == read(pair.target).size
    except (Unreadable, OSError):
        return False
