"""What became of each picture, or what would: one record that messages, `--json` and errors read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zeuxis.jobs.per_image.done import note_of
from zeuxis.jobs.per_image.pairs import Pair
from zeuxis.jobs.per_image.work import Measured
from zeuxis.spelling import spelled


@dataclass(frozen=True)
class Record:
    """One picture. state: "done", "left alone", "done before", "failed", "would be done" or "would be left alone".

    measured: None where nothing was measured; used: nets and methods, or where it would be done the steps; why: the
    decision, or the reason of the failure; remarks: what could not be kept, one line each.
    """

    name: str
    source: Path
    result: Path
    state: str
    measured: Measured | None = None
    used: tuple[str, ...] = ()
    why: str = ""
    remarks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        found = {**vars(self), "source": str(self.source), "result": str(self.result), "why": spelled(self.why)}
        measured = None if self.measured is None else self.measured.to_json()
        return {
            **found,
            "measured": measured,
            "used": list(self.used),
            "remarks": [spelled(remark) for remark in self.remarks],
        }


def record_of(pair: Pair, state: str, **beside: Any) -> Record:
    return Record(pair.name, pair.source, pair.target, state, **beside)


def done_before(pair: Pair) -> Record:
    """What the note in a result that was there says of it."""
    note = note_of(pair.target) or {}
    used = note.get("used")
    return record_of(
        pair, "done before", used=tuple(map(str, used)) if isinstance(used, list) else (), why=str(note.get("why", ""))
    )


def summary(records: Sequence[Record]) -> dict[str, Any]:
    """For `--json`: results, every picture with its decision, and the failures with their reasons."""
    return {
        "files": [str(r.result) for r in records if r.state != "failed"],
        "pictures": [r.to_json() for r in records],
        "failed": [
            {"name": r.name, "source": str(r.source), "why": spelled(r.why)} for r in records if r.state == "failed"
        ],
    }
