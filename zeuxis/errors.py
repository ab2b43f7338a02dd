"""Errors for people: one line that says what is wrong, where, and what to do."""


class ZeuxisError(Exception):
    """Base of every error that a person can cause or mend.

    Prints as ``WHAT (WHERE); MEND``; `where` and `mend` may be empty.
    `exit_code` is what the command line ends with.
    """

    exit_code = 2

    def __init__(self, what: str, where: str = "", mend: str = "") -> None:
        self.what, self.where, self.mend = what, str(where), mend
        line = what + (f" ({where})" if where else "") + (f"; {mend}" if mend else "")
        super().__init__(line)


class BadInput(ZeuxisError):
    """Bad input or usage; nothing was written. Exit code 2."""


class SomeFailed(ZeuxisError):
    """A batch finished, but some pictures failed and are listed. Exit code 3."""

    exit_code = 3


class MachineGaveOut(ZeuxisError):
    """Disk full, memory, or numbers not finite after three attempts; resumable. Exit code 4."""

    exit_code = 4


class Stopped(ZeuxisError):
    """Stopped by a signal with a checkpoint saved. Exit code 130 (Ctrl-C) or 143 (SIGTERM)."""

    def __init__(self, signal_number: int, where: str = "", mend: str = "") -> None:
        super().__init__("stopped", where, mend)
        self.exit_code = 128 + signal_number


def nearest(name: str, known: list[str]) -> str:
    """A hint such as ``did you mean `dcgan`?``, or the list of `known` when nothing is close."""
    import difflib

    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else "known: " + ", ".join(known)
