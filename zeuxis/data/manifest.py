"""Folders and zips that state themselves what they hold, by the manifest that `export` writes beside the pictures."""

import json
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from pydantic import BaseModel, Field, ValidationError

from zeuxis.data.listing import Entry, Listing, Skipped, is_candidate, members, path_opener, walk
from zeuxis.data.tables import text_of
from zeuxis.errors import BadInput, one_line

MANIFEST = "zeuxis.json"
"""Name of the manifest in a folder written by `zeuxis.data.export`."""


class ManifestFile(BaseModel):
    """One picture of a manifest: file relative to the folder, label a position in `classes`, sha256 of the pixels.

    kind: whether a program changed or made it, so that it is known without its own note.
    """

    file: str = Field(min_length=1)
    label: int | None = Field(default=None, ge=0)
    group: str | None = None
    part: Literal["train", "val", "test"] | None = None
    source: str = ""
    sha256: str = ""
    kind: Literal["", "changed", "made"] = ""


class Manifest(BaseModel):
    """What a folder loses: the order of pictures and classes, groups, parts and where each came from."""

    format: Literal[1]
    channels: int = Field(ge=1, le=4)
    classes: list[str]
    digest: str = ""
    files: list[ManifestFile]


Openers = Mapping[PurePosixPath, Callable[[], IO[bytes] | Path]]


def in_folder(folder: Path) -> Listing | None:
    """A folder that was exported, as it was: order, classes, groups, parts; also where it lies in folders that hold
    nothing else. None where there is no manifest. Raises BadInput for a damaged one.
    """
    place = folder
    while not (place / MANIFEST).is_file():
        inside = [path for path in place.iterdir() if is_candidate(PurePosixPath(path.name))]
        if len(inside) != 1 or not inside[0].is_dir() or not os.access(inside[0], os.R_OK | os.X_OK):
            return None
        place = inside[0]
    skipped: Skipped = []
    openers = {name: path_opener(place / name) for name in walk(place, skipped)[0]}
    return _read(text_of(place / MANIFEST), PurePosixPath(MANIFEST), openers, str(place / MANIFEST), skipped)


def in_zip(path: Path) -> Listing | None:
    """The same of a zip. None where there is no manifest in it, or it cannot be read, which `from_zip` tells."""
    skipped: Skipped = []
    try:
        archive = zipfile.ZipFile(path)
        if not any(name.endswith(MANIFEST) for name in archive.namelist()):
            return None
        pairs, beside = members(archive, skipped, [])
        place = _above_all([name for name, _ in pairs], beside)
        if place is None:
            return None
        text = archive.read(beside[place]).decode("utf-8", "replace")
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, UnicodeDecodeError):
        return None
    return _read(text, place, dict(pairs), f"{path}, {place}", skipped)


def _above_all(paths: Iterable[PurePosixPath], beside: Iterable[PurePosixPath]) -> PurePosixPath | None:
    """The one manifest in whose folder, or below it, all pictures lie; None where there is none or another one."""
    manifests = [path for path in beside if path.name == MANIFEST]
    if len(manifests) != 1 or not all(path.is_relative_to(manifests[0].parent) for path in paths):
        return None
    return manifests[0]


def _read(text: str, place: PurePosixPath, openers: Openers, where: str, skipped: Skipped) -> Listing:
    mend = f"remove {MANIFEST} to read the pictures as they lie"
    try:
        manifest = Manifest.model_validate(json.loads(text))
    except (ValidationError, ValueError) as error:
        raise BadInput("this manifest is damaged", where, mend) from error
    entries: list[Entry] = []
    known: set[PurePosixPath] = set()
    for row in manifest.files:
        name = PurePosixPath(row.file)
        if name.is_absolute() or ".." in name.parts or (row.label is not None and row.label >= len(manifest.classes)):
            raise BadInput(f"this manifest is damaged at {row.file}", where, mend)
        label = None if row.label is None else manifest.classes[row.label]
        known.add(whole := place.parent / name)
        if whole in openers:
            entries.append(Entry(row.file, openers[whole], label, row.group, row.part, row.kind))
        else:
            skipped.append((one_line(row.file), "is not there any more"))
    left = sorted(name.relative_to(place.parent) for name in openers if name not in known)
    skipped += [(one_line(str(name)), f"is not in {MANIFEST}; {mend}") for name in left]
    return Listing(entries, skipped, tuple(manifest.classes) or None, manifest.channels)
