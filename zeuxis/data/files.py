"""Whole files or none: written aside, flushed to the disk, then renamed over the name."""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from zeuxis.errors import BadInput, MachineGaveOut
from zeuxis.platform import is_alive, sync_file, sync_folder

_FULL = {errno.ENOSPC, errno.EDQUOT}
_DENIED = {errno.EACCES: "writing here is not allowed", errno.EPERM: "writing here is not allowed"}
_DENIED |= {errno.EROFS: "the file system is read-only", errno.ENOTDIR: "a file stands where a folder is needed"}
_DENIED |= {errno.EISDIR: "a folder stands where a file is needed", errno.ENAMETOOLONG: "the name is too long"}
_DENIED |= {errno.EEXIST: "a file stands where a folder is needed", errno.ENOENT: "this folder cannot be made"}


@contextlib.contextmanager
def plain_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns a failed write into words: MachineGaveOut for a full disk, BadInput for a forbidden place."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise MachineGaveOut("the disk is full", str(path), "free some space, then run the same again") from error
        if error.errno in _DENIED:
            raise BadInput(_DENIED[error.errno], str(path), "choose another place") from error
        raise


def make_folder(folder: str | os.PathLike[str]) -> Path:
    """The folder, made with its parents where missing. Raises BadInput or MachineGaveOut."""
    with plain_errors(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)


def cut(name: str, most: int) -> str:
    """The beginning of a name, `most` bytes of UTF-8 at most: file systems count bytes, and allow 255."""
    return name.encode("utf-8", "surrogateescape")[:most].decode("utf-8", "ignore")


def shortened(name: str, most: int) -> str:
    """The name, of `most` bytes at most: where it is cut, digits at its end keep names apart."""
    whole = name.encode("utf-8", "replace")
    return name if len(whole) <= most else f"{cut(name, most - 9)}-{hashlib.sha256(whole).hexdigest()[:8]}"


def check_place(path: str | os.PathLike[str]) -> None:
    """Raises BadInput where a file stands in the way of the folders that `path` would lie in."""
    above = next((folder for folder in Path(os.path.abspath(path)).parents if folder.exists()), Path(os.sep))
    if not above.is_dir():
        raise BadInput("a file stands where a folder is needed", str(path), "choose another place")


@contextlib.contextmanager
def _written_aside(path: str | os.PathLike[str], first: bool = False) -> Iterator[IO[bytes]]:
    """A file beside `path` that takes its name, flushed to the disk, when the block ends well; else it is gone.

    first: where another file has the name by then, that one stays.
    """
    path = Path(path)
    make_folder(path.parent)
    aside = path.with_name(f".{cut(path.name, 100)}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with plain_errors(path):
            with open(aside, "wb") as file:
                yield file
                file.flush()
                sync_file(file.fileno())
            (_take_free if first else os.replace)(aside, path)
            sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def meant(name: str) -> str:
    """The name that a file which is written aside is to take; any other name is its own."""
    aside = re.fullmatch(r"\.(.+)\.\d+-\d+\.tmp", name)
    return aside[1] if aside else name


def _take_free(aside: Path, path: Path) -> None:
    """Gives a file that name unless another one has it, in one step where the file system knows hard links."""
    try:
        os.link(aside, path)
    except FileExistsError:
        return
    except OSError:
        if not path.exists():
            os.replace(aside, path)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes `data` to `path` atomically and durably; a reader sees the old file or the new one.

    The parent folder is made where missing. Raises MachineGaveOut when the disk is
    full and BadInput where writing is not allowed; then `path` is as it was.
    """
    with _written_aside(path) as file:
        file.write(data)


def copy_file(source: str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """As `write_bytes`, of another file's bytes, without holding them in memory."""
    with _written_aside(path) as file, open(source, "rb") as read:
        shutil.copyfileobj(read, file, 1 << 20)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """As `write_bytes`, in UTF-8 with the line ends as they are."""
    write_bytes(path, text.encode("utf-8"))


def json_bytes(value: Any) -> bytes:
    """Readable JSON with sorted keys and a last line end; equal values give equal bytes. ValueError for NaN."""
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """As `write_bytes`, of `json_bytes(value)`."""
    write_bytes(path, json_bytes(value))


def write_first(path: str | os.PathLike[str], value: Any) -> None:
    """As `write_json`, but a file that is there stays: of several that do the same work the first counts."""
    with _written_aside(path, first=True) as file:
        file.write(json_bytes(value))


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Hex sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sweep_aside(folder: str | os.PathLike[str]) -> None:
    """Removes what killed processes left half-written in `folder` (not below it); those that live keep theirs."""
    for path in Path(folder).glob(".*.tmp"):
        pid = path.name.rsplit(".", 2)[-2].partition("-")[0]
        if pid.isdecimal() and not is_alive(int(pid)):
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
