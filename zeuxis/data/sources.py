"""What lies in a source: which files, and which class, group and part each belongs to; nothing is decoded here.

The rule for folders (and for zips, which are read as folders): outer folders that hold nothing but
one other folder are passed over. If the folders there are called train and test (and perhaps val),
they are the official parts, and the level below counts. Where two folders or more hold pictures, at
any depth, each of them is a class; else the pictures carry no label.
"""

import os
import stat
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

from zeuxis.errors import BadInput

Skipped = list[tuple[str, str]]

_PARTS = {"train": "train", "training": "train", "val": "train", "valid": "train", "validation": "train"}
_PARTS |= {"test": "test", "testing": "test"}
_DESKTOP = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir"}
_OTHER = {".txt", ".tsv", ".csv", ".json", ".jsonl", ".ndjson", ".md", ".xml", ".yaml", ".yml", ".html", ".htm"}
_OTHER |= {".py", ".log", ".ini", ".db", ".sha256", ".md5", ".toml", ".npy", ".npz", ".mat", ".part", ".tmp"}
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
    """The candidates of a source in a fixed order; classes and channels only where the source states them."""

    entries: list[Entry]
    skipped: Skipped = field(default_factory=list)
    classes: tuple[str, ...] | None = None
    channels: int | None = None


def is_candidate(path: PurePosixPath) -> bool:
    """False for what desktop systems leave behind, hidden files, and files that never are pictures by their name."""
    if any(part.startswith(".") or part.lower() in _DESKTOP for part in path.parts):
        return False
    return path.suffix.lower() not in _OTHER


def _without_wrappers(paths: list[PurePosixPath]) -> list[PurePosixPath]:
    while paths and all(len(p.parts) > 1 for p in paths) and len({p.parts[0] for p in paths}) == 1:
        paths = [PurePosixPath(*p.parts[1:]) for p in paths]
    return paths


def placed(paths: list[PurePosixPath]) -> list[tuple[str | None, str | None]]:
    """(label, part) of each path by the rule for folders; the label of a loose file beside class folders is ""."""
    paths = _without_wrappers(paths)
    first = {p.parts[0].lower() for p in paths if len(p.parts) > 1}
    loose = any(len(p.parts) == 1 for p in paths)
    parts: list[str | None] = [None] * len(paths)
    if not loose and {_PARTS.get(name) for name in first} == {"train", "test"}:
        parts = [_PARTS[p.parts[0].lower()] for p in paths]
        paths = _without_wrappers([PurePosixPath(*p.parts[1:]) for p in paths])
    if len({p.parts[0] for p in paths if len(p.parts) > 1}) < 2:
        return [(None, part) for part in parts]
    labels = [p.parts[0] if len(p.parts) > 1 else "" for p in paths]
    return list(zip(labels, parts, strict=True))


def readable(name: str) -> str:
    """The name with bytes that are not UTF-8 written out, so that it can be printed and written down."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def by_folder(found: Iterable[tuple[PurePosixPath, Callable[[], IO[bytes] | Path]]], skipped: Skipped) -> Listing:
    """A listing of (path, opener) pairs, sorted by path, with classes from the folders."""
    pairs = sorted(found, key=lambda pair: pair[0].parts)
    places = placed([path for path, _ in pairs])
    entries = []
    for (path, opener), (label, part) in zip(pairs, places, strict=True):
        if label == "":
            skipped.append((readable(str(path)), "lies beside the class folders, so it has no class"))
        else:
            entries.append(Entry(readable(str(path)), opener, label and readable(label), None, part))
    return Listing(entries, skipped)


def walk(root: Path, skipped: Skipped) -> list[PurePosixPath]:
    """Regular files below `root` that may be pictures, relative; links are followed, but into no folder twice."""
    found: list[PurePosixPath] = []
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
    return found


def _regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:  # a dangling link
        return False


def from_folder(root: Path) -> Listing:
    """The pictures in and below a folder. Raises BadInput where the folder may not be read."""
    if not os.access(root, os.R_OK | os.X_OK):
        raise BadInput("this folder may not be read", str(root))
    skipped: Skipped = []
    return by_folder([(path, path_opener(root / path)) for path in walk(root, skipped)], skipped)


def path_opener(path: Path) -> Callable[[], Path]:
    return lambda: path


def from_zip(path: Path) -> Listing:
    """The pictures in a zip; members are unpacked in memory, one by one, never onto the disk.

    Raises BadInput for a damaged archive.
    """
    try:
        archive = zipfile.ZipFile(path)
        members = archive.infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise BadInput("this zip cannot be read", str(path), "pack it again") from error
    found: list[tuple[PurePosixPath, Callable[[], IO[bytes] | Path]]] = []
    skipped: Skipped = []
    for member in members:
        name = PurePosixPath(member.filename.replace("\\", "/"))
        if member.is_dir() or not name.parts:
            continue
        if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
            skipped.append((str(name), "its name points out of the zip"))
        elif is_candidate(name):
            found.append((name, _member_opener(archive, member)))
    return by_folder(found, skipped)


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
