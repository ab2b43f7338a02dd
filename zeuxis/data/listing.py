"""What lies in a source: which files, and which class, group and part each belongs to; nothing is decoded here.

How folders are read, and zips, which are read as folders, is in `layouts`.
"""

import os
import re
import stat
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

from zeuxis.data import listed_origin
from zeuxis.data.file_column import names_files
from zeuxis.data.layouts import layout
from zeuxis.data.trees import Where
from zeuxis.errors import BadInput, counted, one_line

Skipped = list[tuple[str, str]]

_DESKTOP = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin", "lost+found"}
_DESKTOP |= {"system volume information"}
_OTHER = {".txt", ".tsv", ".csv", ".json", ".jsonl", ".ndjson", ".md", ".xml", ".yaml", ".yml", ".html", ".htm"}
_OTHER |= {".py", ".log", ".ini", ".db", ".sha256", ".md5", ".toml", ".npy", ".npz", ".mat", ".part", ".tmp"}
_PICTURES = {
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".gif",
    ".bmp",
    ".tif",
    ".tiff",
    ".avif",
    ".heic",
    ".jp2",
    ".jxl",
    ".ppm",
}
_JSON_HEAD = 1 << 16
_FIRST_LINE = 1 << 12
_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson")
_DRIVE = re.compile("[a-zA-Z]:")
_MEMBER = 1 << 30
"""Bytes that one file in a zip may unpack to."""


@dataclass(frozen=True)
class Entry:
    """One candidate: its name, how to open it, and what is known of it.

    kind: "made" by a model or "changed" by rules, where a list beside it says so; see `zeuxis.data.origin`.
    """

    name: str
    open: Callable[[], IO[bytes] | Path]
    label: str | None = None
    group: str | None = None
    part: str | None = None
    kind: str = ""


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


def named(name: str | None) -> str | None:
    """A class or group by its name: on one line, and one name in whatever way its accents were written (NFC)."""
    return None if name is None else unicodedata.normalize("NFC", one_line(name))


def joined_names(names: Iterable[str | None]) -> list[str]:
    """A line for each name that stands there in several Unicode forms, which `named` makes one."""
    forms = Counter(named(name) for name in set(names) if name is not None)
    return [f"`{name}` is written in {n} Unicode forms, and is one name" for name, n in sorted(forms.items()) if n > 1]


def hidden_words(beside: Iterable[PurePosixPath]) -> list[str]:
    """A line on the pictures in hidden folders, and in those of desktop systems; not on what macOS notes of files."""
    there = [p for p in beside if p.suffix.lower() in _PICTURES and not p.name.startswith("._")]
    kept = Counter(next(part for part in p.parts if not is_candidate(PurePosixPath(part))) for p in there)
    return [f"left out: {counted(n, 'hidden picture')}, in or called `{name}`" for name, n in sorted(kept.items())]


def _without_pictures(folders: Iterable[PurePosixPath], paths: Iterable[PurePosixPath]) -> list[str]:
    """A line on the folders without a picture in or below them, beside others that have some."""
    full = {parent for path in paths for parent in path.parents}
    bare = sorted(str(folder) for folder in folders if folder not in full and folder.parent in full)
    more = f" and {len(bare) - 3:,} more" if len(bare) > 3 else ""
    return [f"no picture lies in {', '.join(f'`{name}`' for name in bare[:3])}{more}"] * bool(bare)


def _is_coco(head: bytes) -> bool:
    """Whether a JSON file that begins so holds boxes or outlines as COCO has them."""
    has = {word: f'"{word}"'.encode() in head for word in ("images", "annotations", "bbox", "file_name", "height")}
    listed = has["images"] and (has["annotations"] or (has["file_name"] and has["height"]))
    return head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{") and (listed or (has["annotations"] and has["bbox"]))


Found = Iterable[tuple[PurePosixPath, Callable[[], IO[bytes] | Path]]]


def by_folder(
    unsorted: Found,
    beside: list[PurePosixPath],
    skipped: Skipped,
    where: Where,
    read: Callable[[PurePosixPath, int], bytes],
    folders: Iterable[PurePosixPath] = (),
) -> Listing:
    """A listing of (path, opener) pairs, sorted by path.

    beside: the files there that are no pictures; read: so many of the first bytes of one; folders: all that are there.
    """
    pairs = sorted(unsorted, key=lambda pair: pair[0].parts)
    paths = [path for path, _ in pairs]
    laid = layout(paths, beside, where, lambda path: _is_coco(read(path, _JSON_HEAD)))
    kinds = listed_origin.kinds_in(
        (p for p in beside if p.name in listed_origin.NAMES), lambda path: read(path, listed_origin.LONGEST)
    )
    remarks = laid.remarks + hidden_words(beside) + _without_pictures(folders, paths)
    remarks += joined_names(p.label for p in laid.places) + joined_names(p.group for p in laid.places)
    entries = []
    for (path, opener), place in zip(pairs, laid.places, strict=True):
        if place.out:
            skipped.append((one_line(str(path)), place.out))
        elif not place.away:
            known = named(place.label), named(place.group), place.part, kinds.get(path.with_suffix(""), "")
            entries.append(Entry(one_line(str(path)), opener, *known))
    return Listing(entries, skipped, remarks=[one_line(line) for line in remarks])


def walk(
    root: Path, skipped: Skipped, folders: list[PurePosixPath] | None = None
) -> tuple[list[PurePosixPath], list[PurePosixPath]]:
    """Regular files below `root` that may be pictures, and the others with the pictures in hidden folders, relative.

    Links are followed, but into no folder twice; one that leads nowhere is skipped. folders: takes those gone through.
    """
    candidates: list[PurePosixPath] = []
    beside: list[PurePosixPath] = []
    seen: set[tuple[int, int]] = set()

    def refused(error: OSError) -> None:
        skipped.append((os.path.relpath(error.filename or root, root), f"cannot be opened: {error.strerror}"))

    for folder, below, names in os.walk(root, onerror=refused, followlinks=True):
        here = os.stat(folder)
        relative = PurePosixPath(Path(folder).relative_to(root).as_posix())
        if (here.st_dev, here.st_ino) in seen:
            below.clear()
            skipped.append((one_line(str(relative)), "is a link to a folder that is read already"))
            continue
        seen.add((here.st_dev, here.st_ino))
        if folders is not None:
            folders.append(relative)
        hidden = [name for name in below if not is_candidate(PurePosixPath(name) / "file")]
        beside += [path for name in hidden for path in _pictures_below(root, Path(folder) / name)]
        below[:] = sorted(set(below) - set(hidden))
        candidates += [
            relative / name for name in names if is_candidate(relative / name) and _regular(Path(folder) / name)
        ]
        gone = [name for name in names if is_candidate(relative / name) and not (Path(folder) / name).exists()]
        skipped += [(one_line(str(relative / name)), "is a link to what is not there") for name in gone]
        beside += [relative / name for name in names if not is_candidate(relative / name)]
    return candidates, beside


def _pictures_below(root: Path, folder: Path) -> list[PurePosixPath]:
    inside = [(Path(here) / name).relative_to(root) for here, _, names in os.walk(folder) for name in names]
    return [PurePosixPath(path.as_posix()) for path in inside if path.suffix.lower() in _PICTURES]


def _head_of(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most) if _regular(path) else b""
    except OSError:
        return b""


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
    folders: list[PurePosixPath] = []
    candidates, beside = walk(root, skipped, folders)
    pairs = [(path, path_opener(root / path)) for path in candidates]
    listing = by_folder(pairs, beside, skipped, where, lambda path, most: _head_of(root / path, most), folders)
    mend = "give it in place of the folder"
    listing.remarks.extend(_tables(beside, mend, lambda path: _head_of(root / path, _FIRST_LINE)))
    return listing


def _tables(beside: Iterable[PurePosixPath], mend: str, head_of: Callable[[PurePosixPath], bytes]) -> list[str]:
    """A line on each table that lies there, or one folder down, as its labels may be those that are meant.

    mend: what to do with one that names files, as its first bytes tell.
    """
    tables = sorted(str(p) for p in beside if len(p.parts) <= 2 and p.suffix.lower() in _TABLES)
    more = [f"{counted(len(tables) - 3, 'more table')} not read either"] if len(tables) > 3 else []
    ways = [mend if names_files(head_of(PurePosixPath(name))) else "it has no column `file`" for name in tables[:3]]
    return [f"the table {one_line(name)} is not read; {way}" for name, way in zip(tables, ways)] + more


def path_opener(path: Path) -> Callable[[], Path]:
    return lambda: path


def from_zip(path: Path, where: Where) -> Listing:
    """The pictures in a zip; members are unpacked in memory, one by one, never onto the disk.

    Raises BadInput for a damaged archive, or where `layouts` asks how to read it.
    """
    skipped: Skipped = []
    folders: list[PurePosixPath] = []
    unsure: list[str] = []
    try:
        archive = zipfile.ZipFile(path)
        pairs, beside = members(archive, skipped, folders, unsure)
    except (OSError, zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise BadInput("this zip cannot be read", str(path), "pack it again") from error

    def read(name: PurePosixPath, most: int) -> bytes:
        return _member_head(archive, beside[name], most)

    listing = by_folder(pairs, [*beside], skipped, where, read, folders)
    mend = "unpack the zip and give it, or the folder that it lies in"
    listing.remarks.extend(_tables(beside, mend, lambda name: read(name, _FIRST_LINE)))
    twice = [str(name) for name, n in Counter(name for name, _ in pairs).items() if n > 1]
    if twice:
        listing.remarks.append(
            f"`{one_line(twice[0])}` stands in the zip more than once: every one counts as a picture"
        )
    if unsure:
        listing.remarks.append(f"names such as `{one_line(unsure[0])}` may be misread, as the zip does not say how")
    return listing


Members = tuple[list[tuple[PurePosixPath, Callable[[], IO[bytes] | Path]]], dict[PurePosixPath, zipfile.ZipInfo]]


def members(
    archive: zipfile.ZipFile, skipped: Skipped, folders: list[PurePosixPath], unsure: list[str] | None = None
) -> Members:
    """What may be pictures in a zip, with openers, and the other members by name.

    skipped, folders, unsure: take what points out of the zip, the folders, and the names that may be misread.
    """
    pairs: list[tuple[PurePosixPath, Callable[[], IO[bytes] | Path]]] = []
    beside: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        text, sure = _name_of(member)
        if unsure is not None and not sure:
            unsure.append(text)
        name = PurePosixPath(text)
        if text.endswith("/") or not name.parts:
            folders += [name] * (bool(name.parts) and is_candidate(name / "file"))
            continue
        if name.is_absolute() or ".." in name.parts or _DRIVE.fullmatch(name.parts[0]):
            skipped.append((one_line(str(name)), "its name points out of the zip"))
        elif is_candidate(name):
            pairs.append((name, _member_opener(archive, member)))
        else:
            beside[name] = member
    return pairs, beside


def _name_of(member: zipfile.ZipInfo) -> tuple[str, bool]:
    """The name with slashes, and whether it is sure: old zips do not say how they write what is not ASCII."""
    name = member.filename.replace("\\", "/")
    if member.flag_bits & 0x800 or name.isascii():
        return name, True
    try:
        return name.encode("cp437").decode("utf-8"), True
    except UnicodeError:
        return name, False


def _member_head(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    try:
        with archive.open(member) as file:
            return file.read(most)
    except Exception:  # passwords, methods, damage: then it tells nothing
        return b""


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
