"""`data degrade`: pictures damaged on purpose, so that there is something to restore and to measure with."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zeuxis.data.files import write_bytes
from zeuxis.data.signatures import Unreadable
from zeuxis.degrade.observed import Degradation
from zeuxis.degrade.pixels import apply_to_pixels
from zeuxis.degrade.words import parse
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, SomeFailed, counted
from zeuxis.jobs.restoring.files import Pair, pairs_of
from zeuxis.jobs.restoring.finished import digest, not_ours, note_of
from zeuxis.pictures.picture import encode, from_tensor, read, to_tensor


def degrade_files(given: str, out: str, damage: str, seed: int) -> list[Path]:
    """Writes each picture damaged, as PNG so that no other damage is added; returns the files.

    Where two would get one name by that, they keep their whole ones. Raises BadInput, also where a file is there that
    is not this picture damaged in this way: then nothing is written; SomeFailed where some could not be read.
    """
    made = parse(damage)
    pairs = pairs_of(given, out, "damaged", suffix=".png")
    notes = {pair.target: _note(pair, damage, seed) for pair in pairs}
    _check_targets(notes)
    failed: dict[str, str] = {}
    for pair in pairs:
        try:
            data = _damaged(pair, made, seed, notes[pair.target])
        except (Unreadable, OSError) as error:
            if len(pairs) == 1:
                raise BadInput(f"it {error}", str(pair.source)) from error
            failed[pair.name] = f"it {error}"
            say(f"zeuxis: {pair.name}: it {error}")
            continue
        write_bytes(pair.target, data)
    if failed:
        what = f"{len(failed)} of {counted(len(pairs), 'picture')} could not be read"
        files = [str(pair.target) for pair in pairs if pair.name not in failed]
        found = {"files": files, "failed": [{"name": name, "why": why} for name, why in failed.items()]}
        raise SomeFailed(what, given, "they are listed above", found)
    return [pair.target for pair in pairs]


def _note(pair: Pair, damage: str, seed: int) -> dict[str, Any]:
    try:
        return {"damage": damage, "seed": seed, "source": pair.name, "of": digest(pair.source)}
    except OSError:  # said when its turn comes
        return {}


def _check_targets(notes: Mapping[Path, Mapping[str, Any]]) -> None:
    """Raises BadInput where a file is there that would not be written again as it is."""
    other = [path for path, note in notes.items() if path.exists() and note_of(path) != note]
    if other:
        raise not_ours(other, "the same picture damaged")


def _damaged(pair: Pair, made: Degradation, seed: int, note: dict[str, Any]) -> bytes:
    """The bytes of the damaged picture. Raises Unreadable, OSError."""
    picture = read(pair.source.read_bytes())
    lost = {"transparency is left out": picture.alpha is not None, "16 bits become 8": picture.white > 255}
    for words in (words for words, so in lost.items() if so):
        say(f"zeuxis: {pair.name}: {words}")
    eight = from_tensor(to_tensor(picture), replace(picture, pixels=picture.pixels.astype("uint8"), alpha=None))
    pixels = apply_to_pixels(eight.pixels, made, seed, pair.name)
    return encode(replace(eight, pixels=pixels, kept=replace(eight.kept, icc=None, lost=None)), ".png", note)
