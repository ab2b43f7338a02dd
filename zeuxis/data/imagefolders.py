"""Folders with a table beside their pictures, as Hugging Face's image folders have them: metadata.csv or .jsonl."""

import os
import unicodedata
from dataclasses import replace
from pathlib import Path

from zeuxis.data.listing import Listing, walk
from zeuxis.data.parts import part_name
from zeuxis.data.tables import from_table
from zeuxis.data.trees import Where
from zeuxis.errors import counted, one_line

_TABLES = ("metadata.jsonl", "metadata.csv")


def from_metadata(folder: Path, where: Where) -> Listing | None:
    """The pictures that the table in a folder names, or the tables in the folder of each part.

    None where there is none that tells labels, or where `where` names levels: the folders tell the classes then.
    Raises BadInput as `from_table` does.
    """
    if any(isinstance(value, int) for value in (where.classes, where.groups, where.parts)):
        return None
    if table := _table_in(folder):
        return _labelled(table, where, f"read by {table.name}")
    listings = []
    for below in sorted(path for path in folder.iterdir() if path.is_dir()):
        part, table = part_name(below.name), _table_in(below)
        if part and table and (one := _labelled(table, where, f"read by the {table.name} of each part")):
            listings.append((part[0], below.name, one))
    if len(listings) < 2 or "train" not in {part for part, _, _ in listings}:
        return None
    return Listing(
        [replace(e, name=f"{name}/{e.name}", part=part) for part, name, one in listings for e in one.entries],
        [(f"{name}/{file}", reason) for _, name, one in listings for file, reason in one.skipped],
        remarks=list(dict.fromkeys(line for _, _, one in listings for line in one.remarks)),
    )


def _table_in(folder: Path) -> Path | None:
    return next((folder / name for name in _TABLES if (folder / name).is_file()), None)


def _labelled(table: Path, where: Where, remark: str) -> Listing | None:
    listing = from_table(table, where)
    if not any(entry.label for entry in listing.entries):
        return None
    named = {
        _key(table.parent, name) for name in (*(e.name for e in listing.entries), *(n for n, _ in listing.skipped))
    }
    there = (one_line(str(path)) for path in walk(table.parent, [])[0])
    left = sorted(path for path in there if _key(table.parent, path) not in named)
    more = (
        [f"left out: {counted(len(left), 'picture')} that {table.name} does not name, such as {left[0]}"]
        if left
        else []
    )
    return replace(listing, remarks=[remark, *more, *listing.remarks])


def _key(folder: Path, name: str) -> str:
    """One spelling of a file in or below a folder, however a table writes it."""
    path = os.path.relpath(name, folder) if os.path.isabs(name) else name.replace("\\", "/")
    return unicodedata.normalize("NFC", os.path.normpath(path))
