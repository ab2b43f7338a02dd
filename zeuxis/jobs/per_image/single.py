"""One picture that comes from stdin or from memory, or goes to stdout."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from zeuxis.data.files import write_bytes
from zeuxis.errors import BadInput
from zeuxis.jobs.per_image import pipeline
from zeuxis.jobs.per_image.records import Results
from zeuxis.jobs.per_image.work import Work


def one_picture(work: Work, given: str | bytes, out: str | None, mask: str | bytes | None = None) -> Results:
    """With its bytes, or the file that was named; given: a path, "-" for stdin, or the bytes of a file.

    Raises BadInput, also where a file stands at `out`.
    """
    reader = _reader(given)
    if out in (None, "-"):
        return Results((pipeline.through_pipe(work, reader, mask),))
    target = Path(str(out))
    if target.exists():
        raise BadInput("this is there already", str(target), "name another OUT, or remove it")
    record = pipeline.through_pipe(work, reader, mask, target.suffix)
    write_bytes(target, record.made or b"")
    return Results((replace(record, result=target, made=None),))


def _reader(given: str | bytes) -> Callable[[], bytes] | None:
    """How the one picture is read; None: from stdin."""
    if isinstance(given, bytes):
        return lambda: given
    return None if given == "-" else partial(_bytes_of, Path(given))


def _bytes_of(path: Path) -> bytes:
    if not path.is_file():
        raise BadInput("only one picture goes through a pipe", str(path), "name a file as IN, or a folder as OUT")
    return path.read_bytes()


def check_files_only(flags: Mapping[str, str | bool | None], what: str) -> None:
    """Raises BadInput for a flag that works on files alone."""
    for flag, given in flags.items():
        if given:
            raise BadInput(f"this needs files, and {what} is none", flag, "name files, or leave the flag away")
