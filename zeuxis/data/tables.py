"""Sources that are a table: CSV, JSONL, and the manifest that an exported folder carries."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zeuxis.data.sources import Entry, Listing, Skipped, path_opener, walk
from zeuxis.errors import BadInput

MANIFEST = "zeuxis.json"
"""Name of the manifest in a folder written by `zeuxis.data.export`."""


class Row(BaseModel):
    """One line of a table. `file` is relative to the table; `part` is train or test where there is a division."""

    model_config = ConfigDict(coerce_numbers_to_str=True, extra="ignore")
    file: str = Field(min_length=1)
    label: str | None = None
    group: str | None = None
    part: Literal["train", "test"] | None = None


class ManifestFile(BaseModel):
    """One picture of a manifest: file relative to the folder, label a position in `classes`, sha256 of the pixels."""

    file: str = Field(min_length=1)
    label: int | None = Field(default=None, ge=0)
    group: str | None = None
    part: Literal["train", "test"] | None = None
    source: str = ""
    sha256: str = ""


class Manifest(BaseModel):
    """What a folder loses: the order of pictures and classes, groups, parts and where each came from."""

    format: Literal[1]
    channels: int = Field(ge=1, le=4)
    classes: list[str]
    digest: str = ""
    files: list[ManifestFile]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("this table is not text in UTF-8", str(path), "save it as UTF-8") from error
    except OSError as error:
        raise BadInput(f"this table cannot be read: {error.strerror}", str(path)) from error


def _rows_of_csv(path: Path) -> tuple[list[Row], Skipped]:
    text = _text(path)
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows: list[Row] = []
    skipped: Skipped = []
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        if "file" not in names:
            raise BadInput("the first line has no column `file`", str(path), "begin with the line file,label")
        reader.fieldnames = names
        for record in reader:
            given = {k: v.strip() for k, v in record.items() if isinstance(v, str) and v.strip() and isinstance(k, str)}
            _add(rows, skipped, lambda given=given: Row.model_validate(given), f"line {reader.line_num}")  # type: ignore[misc]
    except csv.Error as error:
        raise BadInput(f"this table cannot be read: {error}", str(path)) from error
    return rows, skipped


def _rows_of_jsonl(path: Path) -> tuple[list[Row], Skipped]:
    rows: list[Row] = []
    skipped: Skipped = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        if line.strip():
            _add(rows, skipped, lambda line=line: Row.model_validate_json(line), f"line {number}")  # type: ignore[misc]
    return rows, skipped


def _add(rows: list[Row], skipped: Skipped, row: Callable[[], Row], where: str) -> None:
    try:
        rows.append(row())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        skipped.append((where, f"{field + ': ' if field else ''}{first['msg'].lower()}"))


_READERS = {".csv": _rows_of_csv, ".tsv": _rows_of_csv, ".jsonl": _rows_of_jsonl, ".ndjson": _rows_of_jsonl}


def is_table(path: Path) -> bool:
    return path.suffix.lower() in _READERS


def from_table(path: Path) -> Listing:
    """The pictures that a CSV (header `file`, with `label`, `group` and `part` if wanted) or JSONL file names.

    Rows that cannot be used are skipped with a reason. Raises BadInput for a table without rows.
    """
    rows, skipped = _READERS[path.suffix.lower()](path)
    if not rows:
        why = f": {skipped[0][0]}, {skipped[0][1]}" if skipped else ""
        raise BadInput(f"this table names no picture{why}", str(path), "write a line `file,label` per picture")
    labelled = any(row.label is not None for row in rows)
    parted = all(row.part is not None for row in rows)
    entries = []
    for row in rows:
        target = path.parent / row.file.replace("\\", "/")
        if labelled and row.label is None:
            skipped.append((row.file, "has no label"))
        elif not target.is_file():
            skipped.append((row.file, "does not exist"))
        else:
            part = row.part if parted else None
            entries.append(Entry(row.file, path_opener(target), row.label, row.group, part))
    return Listing(entries, skipped)


def from_manifest(folder: Path) -> Listing:
    """A folder that was exported, as it was: order, classes, groups, parts. Raises BadInput for a damaged manifest."""
    path = folder / MANIFEST
    mend = f"remove {MANIFEST} to read the folder as it lies"
    try:
        manifest = Manifest.model_validate(json.loads(_text(path)))
    except BadInput:
        raise
    except (ValidationError, ValueError) as error:
        raise BadInput("this manifest is damaged", str(path), mend) from error
    entries: list[Entry] = []
    skipped: Skipped = []
    for row in manifest.files:
        name = PurePosixPath(row.file)
        if name.is_absolute() or ".." in name.parts or (row.label is not None and row.label >= len(manifest.classes)):
            raise BadInput(f"this manifest is damaged at {row.file}", str(path), mend)
        label = None if row.label is None else manifest.classes[row.label]
        entries.append(Entry(row.file, path_opener(folder / name), label, row.group, row.part))
    named = {entry.name for entry in entries}
    skipped += [(str(p), f"is not in {MANIFEST}; {mend}") for p in sorted(walk(folder, skipped)) if str(p) not in named]
    return Listing(entries, skipped, tuple(manifest.classes) or None, manifest.channels)
