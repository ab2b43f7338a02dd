"""What lies in a source: which files, and which class, group and part each belongs to; nothing is decoded here.

How folders are read, and zips, which are read as folders, is in `layouts`.
"""

import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

from zeuxis.data.layouts import Where, layout
from zeuxis.errors import BadInput

Skipped = list[tuple[str, str]]

_DESKTOP = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin", "lost+found"}
_DESKTOP |= {"system volume information"}
_OTHER = {".txt", ".tsv", ".csv", ".json", ".jsonl", ".ndjson", ".md", ".xml", ".yaml", ".yml", ".html", ".htm"}
_OTHER |= {".py", ".log", ".ini", ".db", ".sha256", ".md5", ".toml", ".npy", ".npz", ".mat", ".part", ".tmp"}
_DRIVE = re.compile("[a-zA-Z]:")
_MEMBER = 1 << 30
"""Bytes that one file in a zip may unpack to."""


@dataclass(frozen=True)
class Entry:
    """One candidate: its name, how to open it, and what is known of it."""

    name: str
    open: Callable[[], IO[bytes] | Path]
    label: str | None = None
    group: str | None = None
    part: str | None = None


@dataclass(frozen=True)
class Listing:
    """The candidates of a source in a fixed order; classes and channels only where the source states them.

    remarks: what a person should know of how the source was read, a line each.
    """

    entries: list[Entry]
    skipped: Skipped = field(default_factory=list)
    classes: tuple[str, ...] | None = None
    channels: int | None = None
    remarks: list[str] = field(default_factory=list)


def is_candidate(path: PurePosixPath) -> bool:
    """False for what desktop systems leave behind, hidden files, and files that never are pictures by their name."""
    if any(part.startswith(".") or part.lower() in _DESKTOP for part in path.parts):
        return False
    return path.suffix.lower() not in _OTHER


def readable(name: str) -> str:
    """The name with what cannot be printed in one line written out: bytes that are not UTF-8, line breaks, controls."""
    whole = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if unicodedata.category(c) not in ("Cc", "Zl", "Zp") else repr(c)[1:-1] for c in whole)


def named(name: str | None) -> str | None:
    """A class or group by its name: readable, and one name in whatever way its accents were written (NFC)."""
    return None if name is None else unicodedata.normalize("NFC", readable(name))


Found = Iterable[tuple[PurePosixPath, Callable[[], IO[bytes] | Path]]]


def by_folder(found: Found, beside: Iterable[PurePosixPath], skipped: Skipped, where: Where) -> Listing:
    """A listing of (path, opener) pairs, sorted by path; beside: the files there that are no pictures."""
    pairs = sorted(found, key=lambda pair: pair[0].parts)
    read = layout([path for path, _ in pairs], beside, where)
    entries = []
    for (path, opener), place in zip(pairs, read.places, strict=True):
        if place.out:
            skipped.append((readable(str(path)), place.out))
        elif not place.away:
            entries.append(Entry(readable(str(path)), opener, named(place.label), named(place.group), place.part))
    return Listing(entries, skipped, remarks=[readable(line) for line in read.remarks])


def walk(root: Path, skipped: Skipped) -> tuple[list[PurePosixPath], list[PurePosixPath]]:
    """Regular files below `root` that may be pictures, and the others, relative.

    Links are followed, but into no folder twice.
    """
    found: list[PurePosixPath] = []
    beside: list[PurePosixPath] = []
    seen: set[tuple[int, int]] = set()

    def refused(error: OSError) -> None:
        skipped.append((os.path.relpath(error.filename or root, root), f"cannot be opened: {error.strerror}"))

    for folder, below, names in os.walk(root, onerror=refused, followlinks=True):
        here = os.stat(folder)
        if (here.st_dev, here.st_ino) in seen:
            below.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        relative = PurePosixPath(Path(folder).relative_to(root).as_posix())
        below[:] = sorted(name for name in below if is_candidate(PurePosixPath(name) / "file"))
        found += [relative / name for name in names if is_candidate(relative / name) and _regular(Path(folder) / name)]
        beside += [relative / name for name in names if not is_candidate(relative / name)]
    return found, beside


def _regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:  # a dangling link
        return False


def from_folder(root: Path, where: Where) -> Listing:
    """The pictures in and below a folder. Raises BadInput where it may not be read, or `layouts` asks how."""
    if not os.access(root, os.R_OK | os.X_OK):
        raise BadInput("this folder may not be read", str(root))
    skipped: Skipped = []
    found, beside = walk(root, skipped)
    listing = by_folder([(path, path_opener(root / path)) for path in found], beside, skipped, where)
    tables = sorted(p.name for p in beside if len(p.parts) == 1 and p.suffix.lower() in (".csv", ".tsv", ".jsonl"))
    listing.remarks.extend(f"the table {readable(name)} is not read; give it in place of the folder" for name in tables)
    return listing


def path_opener(path: Path) -> Callable[[], Path]:
    return lambda: path


def from_zip(path: Path, where: Where) -> Listing:
    """The pictures in a zip; members are unpacked in memory, one by one, never onto the disk.

    Raises BadInput for a damaged archive, or where `layouts` asks how to read it.
    """
    try:
        archive = zipfile.ZipFile(path)
        members = archive.infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise BadInput("this zip cannot be read", str(path), "pack it again") from error
    found: list[tuple[PurePosixPath, Callable[[], IO[bytes] | Path]]] = []
    beside: list[PurePosixPath] = []
    skipped: Skipped = []
    unsure: list[str] = []
    for member in members:
        text, sure = _name_of(member)
        unsure += [] if sure else [text]
        name = PurePosixPath(text)
        if text.endswith("/") or not name.parts:
            continue
        if name.is_absolute() or ".." in name.parts or _DRIVE.fullmatch(name.parts[0]):
            skipped.append((readable(str(name)), "its name points out of the zip"))
        elif is_candidate(name):
            found.append((name, _member_opener(archive, member)))
        else:
            beside.append(name)
    listing = by_folder(found, beside, skipped, where)
    if unsure:
        listing.remarks.append(f"names such as `{readable(unsure[0])}` may be misread, as the zip does not say how")
    return listing


def _name_of(member: zipfile.ZipInfo) -> tuple[str, bool]:
    """The name with slashes, and whether it is sure: old zips do not say how they write what is not ASCII."""
    name = member.filename.replace("\\", "/")
    if member.flag_bits & 0x800 or name.isascii():
        return name, True
    try:
        return name.encode("cp437").decode("utf-8"), True
    except UnicodeError:
        return name, False


def _member_opener(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        if member.file_size > _MEMBER:
            raise ValueError(f"it would unpack to {member.file_size} bytes")
        with archive.open(member) as file:
            data = file.read(member.file_size + 1)
        if len(data) != member.file_size:
            raise ValueError("its size is not the one that the zip states")
        return BytesIO(data)

    return opened
