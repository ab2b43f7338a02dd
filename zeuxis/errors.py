"""Errors for people: one line that says what is wrong, where, and what to do."""

import errno
import os
import shlex
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any


def one_line(text: str) -> str:
    """The text with what cannot be printed in one line written out: bytes that are not UTF-8, line breaks, controls."""
    return "".join(_on_it(c) for c in text)


def _on_it(c: str) -> str:
    if 0xDC80 <= ord(c) <= 0xDCFF:  # a byte of a name that is not UTF-8, as Python carries it
        return f"\\x{ord(c) - 0xDC00:02x}"
    return repr(c)[1:-1] if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c


class ZeuxisError(Exception):
    """Base of every error that a person can cause or mend.

    Prints as ``WHAT (WHERE); MEND``; `where` and `mend` may be empty.
    `exit_code` is what the command line ends with.
    """

    exit_code = 2

    def __init__(self, what: str, where: str = "", mend: str = "") -> None:
        super().__init__()
        self.say(what, str(where), mend)

    def say(self, what: str, where: str, mend: str) -> None:
        """Other words for the same error."""
        self.what, self.where, self.mend = what, where, mend
        self.args = (what + (f" ({one_line(where)})" if where else "") + (f"; {mend}" if mend else ""),)


class BadInput(ZeuxisError, ValueError):
    """Bad input or usage; nothing was written. Exit code 2."""


class WrongType(BadInput, TypeError):
    """A value of a type that this argument does not take. Exit code 2."""


class SomeFailed(ZeuxisError):
    """A batch finished, but some pictures failed and are listed. Exit code 3.

    found: what came of the whole batch, the failures with their reasons among it, for `--json`; may be empty. results:
    what the word would have returned had none failed, where that is a record for each picture; else None.
    """

    exit_code = 3

    def __init__(
        self,
        what: str,
        where: str = "",
        mend: str = "",
        found: Mapping[str, Any] = MappingProxyType({}),
        results: Any = None,
    ) -> None:
        super().__init__(what, where, mend)
        self.found, self.results = found, results


class MachineGaveOut(ZeuxisError):
    """Disk full, memory, or numbers not finite after three attempts; resumable. Exit code 4."""

    exit_code = 4


class MemoryRanOut(MachineGaveOut):
    """The memory of the machine or of its device is used up. Exit code 4."""

    def __init__(self, where: str = "", mend: str = "") -> None:
        super().__init__("the memory is used up", where, mend or "close other programs, or use smaller pictures")


class Stopped(ZeuxisError):
    """Stopped by a signal. Exit code 130 (Ctrl-C) or 143 (SIGTERM).

    mend: how to go on, where the place that was stopped knows it; else the command line says what was kept.
    """

    def __init__(self, signal_number: int, where: str = "", mend: str = "") -> None:
        super().__init__("stopped", where, mend)
        self.exit_code = 128 + signal_number


_NO_MEMORY = ("allocate memory", "not enough memory", "out of memory", "alloc_failed")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: Python's, the system's, or torch's, which come as RuntimeError."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    message = str(error).lower()
    by_message = isinstance(error, RuntimeError) and any(part in message for part in _NO_MEMORY)
    return by_message or isinstance(error, MemoryError | MemoryRanOut)


@contextmanager
def system_in_words(where: str = "", mend: str = "") -> Iterator[None]:
    """Memory that runs out in here becomes MemoryRanOut, and a name that is too long BadInput; other errors pass."""
    try:
        yield
    except (MemoryError, RuntimeError, OSError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            name = max(str(error.filename or where).split(os.sep), key=len)
            raise BadInput("the name is too long", f"{name[:40]}...", "choose a shorter one") from error
        if not is_out_of_memory(error):
            raise
        raise MemoryRanOut(where, mend) from error


SHOWS_WHERE = "ZEUXIS_DEBUG=1 before the same command shows where"


def debugging() -> bool:
    """Whether errors are to be shown where they arose."""
    return os.environ.get("ZEUXIS_DEBUG") == "1"


def fault_words(error: Exception) -> str:
    """What is said of an error that nobody foresaw: it is ours, and no fault of the picture."""
    return f"a fault in zeuxis: {type(error).__name__}: {' '.join(str(error).split())}"


def system_words(error: OSError | ValueError) -> str:
    """What the system says of an error, without its number and the path, which stand elsewhere in a message."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def counted(n: int, noun: str) -> str:
    """A number of things: "1 picture", "2,000 pictures", "3 classes", "5 copies"."""
    if n != 1:
        y = noun.endswith("y") and noun[-2:-1] not in "aeiou"
        noun = f"{noun[:-1]}ies" if y else f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
    return f"{n:,} {noun}"


def command(*words: object) -> str:
    """A command line of `zeuxis` for a message, quoted so that it can be typed as it stands."""
    return shlex.join(["zeuxis", *map(str, words)])


def closest(name: str, known: list[str]) -> str | None:
    """What `name` may be misspelt from, or None when nothing is close."""
    import difflib

    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.6)), None)


def nearest(name: str, known: list[str], list_as: str = "known:") -> str:
    """A hint such as ``did you mean `dcgan`?``, or the list of `known` when nothing is close."""
    close = closest(name, known)
    return f"did you mean `{close}`?" if close else f"{list_as} {', '.join(known)}"
