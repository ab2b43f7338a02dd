"""Whether a file that is there already is what was asked for: by its note, or as a copy of what was left alone."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zeuxis.data import decode
from zeuxis.data.files import sha256_of
from zeuxis.data.signatures import Unreadable
from zeuxis.errors import BadInput
from zeuxis.jobs.per_image.pairs import Pair
from zeuxis.jobs.per_image.work import Note, Work
from zeuxis.pictures import streaming
from zeuxis.pictures.picture import encode, read
from zeuxis.pictures.png import read_note
from zeuxis.pictures.writing import SUFFIXES, form_of

DONE = ("used", "why", "weights")
"""In a note, what was done; the rest is what was asked for."""
_BY_WEIGHTS = ("run",)
"""What was asked for that the weights tell better: a run may move, or be trained anew under its name."""
_DIGITS = 16  # of the digests in a note


def digest(content: bytes | Path) -> str:
    """What a note calls a file by: the beginning of its sha256."""
    whole = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else sha256_of(content)
    return whole[:_DIGITS]


def request(settings: Mapping[str, Any], source: bytes | Path, mask: bytes | Path | None) -> Note:
    """What a note says of what was asked for, and of which files."""
    asked = {**settings, "source": digest(source), "mask": None if mask is None else digest(mask)}
    return {key: value for key, value in asked.items() if value is not None}


def unfinished(pairs: list[Pair], work: Work) -> tuple[list[Pair], int]:
    """The pairs that are to be done; and how many of the others hold no note and passed for done by their size.

    What is a copy of its source is done again where only measuring tells whether it was left alone. Raises BadInput
    where a target is there that was made of something else, or in another way.
    """
    todo, other, by_size = [], [], 0
    for pair in pairs:
        if pair.copy is not None and pair.copy.exists() and not is_copy(pair.spared):
            other.append(pair.spared)
        elif not pair.target.exists() or (work.measures and is_copy(pair)):
            todo.append(pair)
        elif _is_bare(pair) and not _is_same_picture(pair):
            by_size += 1
            if not _has_size(pair, work):
                other.append(pair)
        elif not _is_done(pair, work):
            other.append(pair)
    if other:
        raise not_ours([pair.target for pair in other], f"{other[0].name} {work.word}")
    return todo, by_size


def not_ours(there: Sequence[Path], wanted: str) -> BadInput:
    """What to say of files that are there already, the first of which is not `wanted`."""
    more = f", nor are {len(there) - 1} more" if len(there) > 1 else ""
    what = f"this is there already, and it is not {wanted} in this way{more}"
    return BadInput(what, str(there[0]), "name another OUT, or remove it")


def is_copy(pair: Pair) -> bool:
    """Whether the target is there, with the bytes of its source."""
    if not pair.target.exists() or pair.source.stat().st_size != pair.target.stat().st_size:
        return False
    return sha256_of(pair.source) == sha256_of(pair.target)


def _is_bare(pair: Pair) -> bool:
    return "note" not in form_of(pair.target.suffix).holds


def _is_done(pair: Pair, work: Work) -> bool:
    """By the note, as far as it is one of a change; else it can only be a copy that was left alone."""
    note = note_of(pair.target)
    if note and "used" in note:
        wanted, apart = work.note(pair, pair.source, pair.mask), (*DONE, *_BY_WEIGHTS)
        same = all(note.get(k) == wanted.get(k) for k in {*note, *wanted} if k not in apart)
        weights = note.get("weights")
        if same and isinstance(weights, dict):
            return work.is_current(weights)
    return work.spares and _is_same_picture(pair)


def note_of(path: Path) -> dict[str, Any] | None:
    """The note in a file that is there, of any size; None where it holds none, or cannot be read."""
    try:
        return streaming.note_of(path) if streaming.is_large(path) else read_note(path)
    except (BadInput, Unreadable):
        return None


def _is_same_picture(pair: Pair) -> bool:
    """Whether the target shows what its source would be, written in the target's format and nothing else."""
    if is_copy(pair):
        return True
    if (
        streaming.is_large(pair.source)
        or SUFFIXES.get(pair.source.suffix.lower()) == SUFFIXES[pair.target.suffix.lower()]
    ):
        return False
    try:
        wanted, there = read(encode(read(pair.source), pair.target.suffix, None)), read(pair.target)
    except (Unreadable, BadInput, OSError):
        return False
    if wanted.alpha is None or there.alpha is None:
        return wanted.alpha is there.alpha and np.array_equal(wanted.pixels, there.pixels)
    return np.array_equal(wanted.alpha, there.alpha) and np.array_equal(wanted.pixels, there.pixels)


def _has_size(pair: Pair, work: Work) -> bool:
    """All that can be told of a format without notes."""
    given, there = size_of_file(pair.source), size_of_file(pair.target)
    return given is not None and there == work.sized(given)


def size_of_file(path: Path) -> tuple[int, int] | None:
    """(height, width), upright, from the head alone; None where it cannot be read."""
    try:
        return streaming.size_of(path)
    except Unreadable:
        pass
    try:
        with decode.reasons(), Image.open(path, formats=decode.FORMATS) as image:
            turned = decode.orientation(image) > 4
            return (image.width, image.height) if turned else (image.height, image.width)
    except Unreadable:
        return None
