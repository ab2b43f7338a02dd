"""What keeps a run safe: signals turned into flags, and the log that only grows by whole lines."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zeuxis import platform
from zeuxis.data.files import plain_errors


class Stop:
    """Set by Ctrl-C or SIGTERM; the loop looks at it once a step. A second signal ends at once."""

    def __init__(self) -> None:
        self.number = 0

    def handle(self, number: int, frame: object) -> None:
        if self.number:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.number = number


@contextmanager
def stop_flag() -> Iterator[Stop]:
    stop = Stop()
    with platform.on_stop(stop.handle):
        yield stop


class Log:
    """log.jsonl: appended in whole lines, cut back to a checkpoint's length on resume."""

    def __init__(self, path: Path, length: int = 0, writes: bool = True) -> None:
        self.path, self.writes = path, writes
        self.length = length
        if writes:
            with plain_errors(path), open(path, "ab") as file:
                file.truncate(length)

    def add(self, kind: str, **entry: Any) -> None:
        """One event. Numbers that are not finite become null: JSON has no word for them."""
        line = json.dumps({"kind": kind, **_plain(entry)}, sort_keys=True).encode() + b"\n"
        if self.writes:
            with plain_errors(self.path), open(self.path, "ab") as file:
                file.write(line)
        self.length += len(line)

    def sync(self) -> None:
        if self.writes:
            with plain_errors(self.path), open(self.path, "ab") as file:
                os.fsync(file.fileno())


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, float):
        return round(value, 9) if abs(value) < 1e300 and value == value else None
    return value
