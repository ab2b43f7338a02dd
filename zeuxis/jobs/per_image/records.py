"""What became of each picture, or what would: one record that messages, Python, `--json` and errors read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from zeuxis.errors import BadInput, counted
from zeuxis.jobs.per_image.done import note_of
from zeuxis.jobs.per_image.pairs import Pair
from zeuxis.jobs.per_image.work import Measured
from zeuxis.spelling import spelled

if TYPE_CHECKING:
    from PIL import Image

_SHOWN = 8  # pictures in a notebook


@dataclass(frozen=True)
class Record:
    """One picture. state: "done", "left alone", "done before", "failed", "would be done" or "would be left alone".

    source, result: its files; of a picture that was in memory or came through a pipe they are names alone. measured:
    None where nothing was measured; used: nets and methods, or where it would be done the steps; decision: what was
    decided and why, or the reason of the failure; notes: what could not be kept, one line each. given, made: the bytes
    of what was in memory.
    """

    name: str
    source: Path
    result: Path
    state: str
    measured: Measured | None = None
    used: tuple[str, ...] = ()
    decision: str = ""
    notes: tuple[str, ...] = ()
    given: bytes | None = field(default=None, repr=False)
    made: bytes | None = field(default=None, repr=False)

    @property
    def before(self) -> "Image.Image":
        """The picture that was given, as PIL reads it. Raises BadInput where its file is gone."""
        return _opened(self.given, self.source)

    @property
    def image(self) -> "Image.Image":
        """The picture that was made, as PIL reads it. Raises BadInput where there is none."""
        return _opened(self.made, self.result)

    after = image

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "source": str(self.source),
            "result": str(self.result),
            "state": self.state,
            "measured": None if self.measured is None else self.measured.to_json(),
            "used": list(self.used),
            "decision": self.decision,
            "notes": list(self.notes),
        }

    def _repr_html_(self) -> str:
        """Before and after behind a slider, for a notebook."""
        from zeuxis.pages.notebook import before_and_after, line

        said = f"{self.name}: {', '.join(self.used) or self.state}" + (f" ({self.decision})" if self.decision else "")
        try:
            return before_and_after(self.before, self.image, said)
        except BadInput:
            return line(said)


def _opened(data: bytes | None, path: Path) -> "Image.Image":
    from PIL import Image

    try:
        image: Image.Image = Image.open(path if data is None else BytesIO(data))
        image.load()
    except OSError as error:
        raise BadInput("there is no such picture (any more)", str(path)) from error
    return image


@dataclass(frozen=True)
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
        """The files that were written or were there already."""
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
        return self.only.result.read_bytes() if self.only.made is None else self.only.made

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
    return [r.result for r in records if r.made is None and r.state != "failed"]


def summary(records: Sequence[Record]) -> dict[str, Any]:
    """For `--json`: results, every picture with its decision, and the failures with their reasons."""
    return {
        "files": [str(path) for path in _files_of(records)],
        "pictures": [r.to_json() for r in records],
        "failed": [
            {"name": r.name, "source": str(r.source), "why": r.decision} for r in records if r.state == "failed"
        ],
    }
