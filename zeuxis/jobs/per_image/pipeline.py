"""One result for each picture: what is there already is passed over, what fails is listed, and the rest goes on."""

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from zeuxis.data.files import copy_file, sweep_aside, write_bytes
from zeuxis.data.signatures import Unreadable
from zeuxis.engine.budget import words_for
from zeuxis.engine.progress import say
from zeuxis.errors import (
    SHOWS_WHERE,
    BadInput,
    MemoryRanOut,
    SomeFailed,
    ZeuxisError,
    counted,
    debugging,
    fault_words,
    system_in_words,
    system_words,
)
from zeuxis.jobs.per_image.done import DONE, is_copy, unfinished
from zeuxis.jobs.per_image.pairs import Pair, left_out, pairs_of
from zeuxis.jobs.per_image.records import Record, Results, done_before, record_of, summary
from zeuxis.jobs.per_image.work import Decision, Judged, Measured, Note, Outcome, Work
from zeuxis.pictures import streaming
from zeuxis.pictures.picture import Picture, encode, read, remarks
from zeuxis.pictures.reading import OTHERS
from zeuxis.pictures.writing import form_of

_SUFFIX_OF = {"JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp"}
_DIM = 14  # bits at most that a picture of 16 bits fills where it may be one of 10, 12 or 14
_FORESEEN = (Unreadable, BadInput, MemoryRanOut, OSError)
_OFTEN = 10  # seconds between lines on one large picture


Look = Callable[[Record, Picture | None, Measured | None], None]
"""Sees a picture as soon as it is worked on: its record, and what was read and measured where it was."""

Batch = tuple[Pair, ...]
Each = Callable[[Batch], Sequence[Record]]
"""Works on a batch of pictures; a record for every file that it writes, of which one picture may have several."""
Tell = Callable[[Sequence[Record], int, int, float], None]


def run(
    given: str, out: str | None, work: Work, mask: str | None = None, dry_run: bool = False, look: Look | None = None
) -> Results:
    """Every picture of `given`; those whose result is there are passed over. dry_run: decided, and nothing written.

    look: called for each that did not fail, those that were there already last.
    A picture that cannot be read or worked on is listed, and the others go on. Raises BadInput before anything is
    written, also where a target is there that is another result; for a single named file that cannot be read;
    SomeFailed at the end where some could not be done.
    """
    pairs = pairs_of(given, out, work.word, mask, work.suffix)
    if len(pairs) == 1 and pairs[0].mask is not None:
        mask_bytes(str(pairs[0].mask))
    for line in left_out(given):
        say(f"zeuxis: {line}")
    todo, by_size = unfinished(pairs, work)
    if len(todo) < len(pairs):
        say(f"zeuxis: {len(pairs) - len(todo)} of {counted(len(pairs), 'picture')} done already")
    if by_size:
        say(f"zeuxis: {by_size} of these can hold no note (BMP, GIF, PPM): of them the size alone was checked")
    each = partial(_planned, work=work) if dry_run else partial(_done_now, work=work, look=look)
    batches = [(pair,) for pair in todo]
    worked = {r.name: r for r in in_turn(batches, lambda one: [each(*one)], _tell_each, single=len(pairs) == 1)}
    records = tuple(worked.get(pair.name) or done_before(pair) for pair in pairs)
    for record in records:
        if look is not None and record.name not in worked:
            look(record, None, None)
    failed = sum(record.state == "failed" for record in records)
    if failed:
        what = f"{failed} of {counted(len(pairs), 'picture')} could not be done"
        raise SomeFailed(what, given, "they are listed above", summary(records), Results(records))
    return Results(records)


def through_pipe(
    work: Work, read_all: Callable[[], bytes] | None = None, mask: str | bytes | None = None, suffix: str | None = None
) -> Record:
    """A picture from stdin to the bytes of the result: of the format `suffix`, else its own where it can be written.

    read_all: gives the bytes of one that is in memory. mask: a picture file, or its bytes. Raises BadInput where
    either cannot be read, or the format not be written.
    """
    name, what = ("stdin", "what came in on stdin") if read_all is None else ("the picture", "what was given")
    if suffix is not None:
        form_of(suffix)
    hole = mask_bytes(mask) if isinstance(mask, str) else _readable(mask, "what was given")
    data = read_all() if read_all else sys.stdin.buffer.read() if sys.stdin else b""
    if not data:
        raise BadInput("nothing came in on stdin" if read_all is None else f"{what} is empty", "IN", "give a picture")
    try:
        picture = read(data)
        own = _SUFFIX_OF.get(picture.kept.format, ".png")
        suffix = suffix or own
        pair = Pair(Path(f"stdin{own}"), Path(f"-{suffix}"), f"stdin{own}" if read_all is None else name)
        if read_all is None and OTHERS in picture.kept.remarks:
            raise BadInput("several pictures came in on stdin", "IN", "give one at a time, or a folder")
        result, outcome = _from_picture(work, picture, data, pair, hole)
    except Unreadable as error:
        raise BadInput(f"{what} {error}", "IN") from error
    record = replace(_recorded(replace(pair, name=name), outcome), source=None, result=None, given=data, made=result)
    _tell(record)
    return record


def from_bytes(work: Work, data: bytes, name: str, suffix: str, mask: bytes | None = None) -> tuple[bytes, Outcome]:
    """A file's bytes to the bytes of the result. Raises Unreadable, BadInput."""
    return _from_picture(work, read(data), data, Pair(Path(name), Path(f"-{suffix}"), name), mask)


def mask_bytes(path: str) -> bytes:
    """A mask that can be read. Raises BadInput, since the picture is not to blame."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise BadInput(f"the mask cannot be read: {error.strerror}", path, "give one picture for one") from error
    return _readable(data, path) or data


def _readable(mask: bytes | None, where: str) -> bytes | None:
    """The same mask. Raises BadInput where it is none."""
    try:
        if mask is not None:
            read(mask)
    except Unreadable as error:
        raise BadInput(f"the mask {error}", where, "give a picture, white where something is missing") from error
    return mask


# ------------------------------------------------------------------ one picture


def _planned(pair: Pair, work: Work) -> Record:
    """What would be done to a picture, and why; it is read and judged, and nothing is written."""
    lost: tuple[str, ...] = ()
    if work.bands and streaming.is_large(pair.source):
        decision = work.decide_large(pair)
    else:
        picture, mask = read(pair.source.read_bytes()), None if pair.mask is None else read(pair.mask.read_bytes())
        decision = _decided(work, picture, mask, pair.name)
        lost = remarks(picture, pair.target.suffix) if decision.changes else _spared(picture, pair.spared)
    pair = pair if decision.changes else pair.spared
    state = "would be done" if decision.changes else "would be left alone"
    used = work.by_what(decision) if decision.changes else ()
    notes = (*decision.remarks, *lost)
    return record_of(pair, state, decision.why, notes, measured=_judged(decision), used=used)


def _judged(decided: Decision | Outcome) -> Judged | None:
    return None if decided.measured is None else decided.measured.judged()


def _done_now(pair: Pair, work: Work, look: Look | None) -> Record:
    sweep_aside(pair.target.parent)
    picture, outcome = _one(pair, work)
    record = _recorded(pair if outcome.used else pair.spared, outcome)
    if look is not None:
        look(record, picture, outcome.measured)
    return record


def _recorded(pair: Pair, outcome: Outcome) -> Record:
    lost = remarks(outcome.picture, pair.target.suffix) if outcome.picture else ()
    state, notes = "done" if outcome.used else "left alone", (*outcome.remarks, *lost)
    return record_of(pair, state, outcome.why, notes, measured=_judged(outcome), used=outcome.used)


def _one(pair: Pair, work: Work) -> tuple[Picture | None, Outcome]:
    """One file to its target, whole or not at all; and the picture, where it was read whole.

    Raises Unreadable, BadInput, OSError.
    """
    if work.bands and streaming.is_large(pair.source):
        return None, _one_large(pair, work)
    data = pair.source.read_bytes()
    picture, mask = read(data), pair.mask.read_bytes() if pair.mask else None
    result, outcome = _from_picture(work, picture, data, pair, mask)
    pair = pair if outcome.used else pair.spared
    if not (pair.target.exists() and pair.target.read_bytes() == result):
        write_bytes(pair.target, result)
    return picture, outcome


def _from_picture(work: Work, picture: Picture, data: bytes, pair: Pair, mask: bytes | None) -> tuple[bytes, Outcome]:
    """The bytes of a picture's result: those of its file where it is left alone and keeps its format."""
    outcome = on_picture(work, picture, None if mask is None else read(mask), pair.name)
    if outcome.picture is not None:
        note = work.note(pair, data, mask) | _done(outcome)
        return encode(outcome.picture, pair.target.suffix, note), outcome
    pair = pair.spared
    if pair.source.suffix.lower() == pair.target.suffix.lower():
        return data, outcome
    lost = _spared(picture, pair)
    return encode(picture, pair.target.suffix, None), replace(outcome, remarks=(*outcome.remarks, *lost))


def on_picture(work: Work, picture: Picture, mask: Picture | None = None, name: str = "") -> Outcome:
    """What becomes of one picture that was read. Raises BadInput."""
    decision = _decided(work, picture, mask, name)
    return work.apply(picture, decision) if decision.changes else _left_alone(decision)


def _decided(work: Work, picture: Picture, mask: Picture | None, name: str) -> Decision:
    decision = work.decide(picture, mask, name)
    if picture.white == 255 or (top := int(picture.pixels.max())).bit_length() > _DIM:
        return decision
    dim = f"its brightest value is {top:,} of {picture.white:,}: worked on as a dark picture, not as one of fewer bits"
    return replace(decision, remarks=(*decision.remarks, dim))


def _left_alone(decision: Decision) -> Outcome:
    return Outcome(None, decision.why, (), decision.remarks, measured=decision.measured)


def _done(outcome: Outcome) -> Note:
    return dict(zip(DONE, (list(outcome.used), outcome.why, dict(outcome.weights)), strict=True))


def _spared(picture: Picture, pair: Pair) -> tuple[str, ...]:
    """What becomes of a picture that is left alone; nothing where its file is copied."""
    suffix = pair.target.suffix
    if pair.source.suffix.lower() == suffix.lower():
        return ()
    return (f"it is written as {form_of(suffix).name}", *remarks(picture, suffix, noted=False))


def _one_large(pair: Pair, work: Work) -> Outcome:
    """In bands, since it is too large for memory."""
    decision = work.decide_large(pair)
    if not decision.changes:
        if not is_copy(pair.spared):
            copy_file(pair.source, pair.spared.target)
        return _left_alone(decision)
    note = work.note(pair, pair.source, None) | {"why": decision.why}
    return work.apply_large(pair, decision, note, Bar(math.prod(streaming.size_of(pair.source)), pair.name))


# ------------------------------------------------------------------ all of them


class Bar:
    """Progress of one large picture: a line now and then, with pixels a second and the time left."""

    def __init__(self, pixels: int, name: str) -> None:
        self.pixels, self.name, self.started, self.told = pixels, name, time.monotonic(), time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self.told < _OFTEN or done >= self.pixels:
            return
        self.told, rate = now, done / (now - self.started)
        left = words_for((self.pixels - done) / rate)
        say(f"zeuxis: {self.name}: {100 * done / self.pixels:.0f} %, {rate / 1e6:.2f} Mpx/s, about {left} left")


def _why_failed(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"it cannot be read or written: {system_words(error)}"
    if isinstance(error, Unreadable):
        return f"it {error}"
    return str(error) if isinstance(error, ZeuxisError) else f"{fault_words(error)}; {SHOWS_WHERE}"


def in_turn(todo: Sequence[Batch], each: Each, tell: Tell, single: bool = False) -> Iterator[Record]:
    """The records of all batches, each as soon as it is there; what fails is told and listed, and the rest goes on.

    tell: gets the records of a batch, how many pictures are done, of how many, and how many seconds are left. single:
    raises what fails, as BadInput where it is no error of ours.
    """
    started, done, total = time.monotonic(), 0, sum(map(len, todo))
    for batch in todo:
        done += len(batch)
        try:
            with system_in_words(str(batch[0].source)):
                records = each(batch)
        except Exception as error:
            # a fault of ours with one picture is no reason to leave the others undone
            if not isinstance(error, _FORESEEN) and (single or isinstance(error, ZeuxisError) or debugging()):
                raise
            reason = _why_failed(error)
            if single:
                raise error if isinstance(error, ZeuxisError) else BadInput(reason, str(batch[0].source)) from error
            for pair in batch:
                say(f"zeuxis: {pair.name}: {reason}")
                yield record_of(pair, "failed", decision=reason)
            continue
        tell(records, done, total, (time.monotonic() - started) / done * (total - done))
        yield from records


def _tell_each(records: Sequence[Record], done: int, total: int, left: float) -> None:
    later = f"; {done} of {total}, about {words_for(left)} left" if total > 1 else ""
    for record in records:
        _tell(record, later)


def _tell(record: Record, later: str = "") -> None:
    """What became of a picture, or would, and what of it could not be kept, a line each."""
    planned = f" -> {record.result}" if record.state.startswith("would") else ""
    say(f"zeuxis: {record.name}{planned}: {record.words}{later}")
    for note in record.notes:
        say(f"zeuxis: {record.name}: {note}")
