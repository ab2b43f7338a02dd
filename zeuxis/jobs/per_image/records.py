"""What became of each picture, or what would: one record that messages, Python, `--json` and errors read."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from zeuxis.errors import BadInput, counted
from zeuxis.jobs.per_image.done import note_of
from zeuxis.jobs.per_image.pairs import Pair
from zeuxis.jobs.per_image.work import Judged
from zeuxis.spelling import spelled

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_SHOWN = 8  # pictures in a notebook


@dataclass(frozen=True)
class Record:
    """One picture. state: "done", "left alone", "done before", "failed", "would be done" or "would be left alone".

    source, result: its files, and where a result would lie; None of a picture that was in memory or came through a
    pipe. measured: None where nothing was measured, and so its attributes that could not be judged; used: nets and
    methods, or where it would be done the steps; decision: what was decided and why, or the reason of the failure;
    notes: what could not be kept, one line each. given, made: the bytes of what was in memory.
    """

    name: str
    source: Path | None = field(repr=False)
    result: Path | None = field(repr=False)
    state: str
    measured: Judged | None = field(default=None, repr=False)
    used: tuple[str, ...] = ()
    decision: str = ""
    notes: tuple[str, ...] = field(default=(), repr=False)
    given: bytes | None = field(default=None, repr=False)
    made: bytes | None = field(default=None, repr=False)

    @property
    def before(self) -> "Image.Image":
        """The picture that was given, as PIL reads it. Raises BadInput where its file is gone."""
        return _opened(_content(self.given, self.source))

    @property
    def image(self) -> "Image.Image":
        """The picture that was made, as PIL reads it: 8 bits of colours that have 16. Raises BadInput without one."""
        return _opened(self.data)

    after = image

    @property
    def pixels(self) -> "np.ndarray":
        """What was made as an array [H, W] or [H, W, C], uint8 or uint16, alpha last. Raises BadInput without one."""
        from zeuxis.pictures.in_memory import array_of

        return array_of(self.data)

    @property
    def data(self) -> bytes:
        """The bytes of the file that was made. Raises BadInput where there is none."""
        if self.has_result or self.made is not None:
            return _content(self.made, self.result)
        why = self.decision if self.state == "failed" else "a dry run makes none"
        raise BadInput(f"there is no result of this picture: {why}", self.name)

    @property
    def has_result(self) -> bool:
        """Whether a file was written, or was there already."""
        return self.result is not None and self.state in ("done", "left alone", "done before")

    @property
    def words(self) -> str:
        """What became of it, or would, and why."""
        would = self.state.startswith("would")
        done = self.decision if self.state == "failed" else ", ".join(self.used) or self.state
        what = (
            f"{self.state} by {done}" if would and self.used else f"failed: {done}" if self.state == "failed" else done
        )
        return what + (f" ({self.decision})" if self.decision and self.state != "failed" else "")

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "source": _text_of(self.source),
            "result": _text_of(self.result),
            "state": self.state,
            "measured": None if self.measured is None else self.measured.to_json(),
            "used": list(self.used),
            "decision": self.decision,
            "notes": list(self.notes),
        }

    def _repr_html_(self) -> str:
        """Before and after behind a slider, for a notebook."""
        from zeuxis.pages.notebook import before_and_after, line

        said = f"{self.name}: {self.words}"
        try:
            return before_and_after(self.before, self.image, said)
        except BadInput:
            return line(said)


def _text_of(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _content(data: bytes | None, path: Path | None) -> bytes:
    if data is not None:
        return data
    try:
        return (path or Path()).read_bytes()
    except OSError as error:
        raise BadInput("there is no such picture any more", _text_of(path) or "") from error


def _opened(data: bytes) -> "Image.Image":
    from PIL import Image

    try:
        image: Image.Image = Image.open(BytesIO(data))
        image.load()
    except OSError as error:
        raise BadInput("Pillow cannot read this picture") from error
    return image


@dataclass(frozen=True, repr=False)
class Results(Sequence[Record]):
    """What became of the pictures that a word was given: a record for each, in their order.

    beside: for `--json`, what belongs to all of them, such as the figures against originals.
    """

    records: tuple[Record, ...]
    beside: Mapping[str, Any] = field(default_factory=dict)

    @overload
    def __getitem__(self, at: int) -> Record: ...

    @overload
    def __getitem__(self, at: slice) -> "Results": ...

    def __getitem__(self, at: int | slice) -> "Record | Results":
        return self.records[at] if isinstance(at, int) else Results(self.records[at])

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    @property
    def files(self) -> list[Path]:
        """The files that were written or were there already; none after a dry run."""
        return _files_of(self.records)

    @property
    def only(self) -> Record:
        """The one record. Raises BadInput where there are none or several."""
        if len(self.records) != 1:
            raise BadInput(f"these are {counted(len(self.records), 'picture')}", "", "take one of them: [0]")
        return self.records[0]

    @property
    def image(self) -> "Image.Image":
        """The picture that was made of the only one."""
        return self.only.image

    @property
    def data(self) -> bytes:
        """The bytes of the file that was made of the only one."""
        return self.only.data

    @property
    def pixels(self) -> "np.ndarray":
        """What was made of the only one, as `Record.pixels`."""
        return self.only.pixels

    def __repr__(self) -> str:
        states = Counter(record.state for record in self.records)
        counts = "".join(f", {n:,} {state}" for state, n in states.items())
        return f"<Results: {counted(len(self.records), 'picture')}{counts}>"

    def to_json(self) -> dict[str, Any]:
        return {**summary(self.records), **self.beside}

    def _repr_html_(self) -> str:
        from zeuxis.pages.notebook import line

        more = len(self.records) - _SHOWN
        shown = "".join(record._repr_html_() for record in self.records[:_SHOWN])
        return shown + (line(f"and {counted(more, 'more picture')}") if more > 0 else "")


def record_of(pair: Pair, state: str, decision: str, notes: Sequence[str] = (), **beside: Any) -> Record:
    """A record in the words of whoever called: it is read after the word has ended."""
    said = tuple(map(spelled, notes))
    return Record(pair.name, pair.source, pair.target, state, decision=spelled(decision), notes=said, **beside)


def done_before(pair: Pair) -> Record:
    """What the note in a result that was there says of it."""
    note = note_of(pair.target) or {}
    used = tuple(map(str, note["used"])) if isinstance(note.get("used"), list) else ()
    return record_of(pair, "done before", str(note.get("why", "")), used=used)


def _files_of(records: Sequence[Record]) -> list[Path]:
    return [r.result for r in records if r.result is not None and r.has_result]


def summary(records: Sequence[Record]) -> dict[str, Any]:
    """For `--json`: results, every picture with its decision, and the failures with their reasons."""
    return {
        "files": [str(path) for path in _files_of(records)],
        "pictures": [r.to_json() for r in records],
        "failed": [
            {"name": r.name, "source": _text_of(r.source), "why": r.decision} for r in records if r.state == "failed"
        ],
    }
