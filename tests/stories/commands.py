"""Command lines as typed: in this process for speed, or in a process of their own where signals or exits matter."""

import contextlib
import io
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from zeuxis import cli

TINY = ["--steps", "2", "--compute", "plain", "--width", "8", "--batch", "8"]
"""The smallest training of a recipe with `width`."""


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines of stderr that are no news of the work."""
        return [line for line in self.err.splitlines() if not line.startswith("zeuxis: ")]


class Text(io.StringIO):
    """A standard stream that knows its encoding."""

    encoding = "utf-8"


def typed(*words: str) -> Ended:
    """Runs `zeuxis WORDS` in this process, through the entry point."""
    before = sys.argv
    out, err = Text(), Text()
    sys.argv = ["zeuxis", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = cli.main()
            except SystemExit as end:
                code = int(end.code or 0)
    finally:
        sys.argv = before
    return Ended(code, out.getvalue(), err.getvalue())


def start(*words: str | bytes, cwd: Path | None = None, **environment: str) -> subprocess.Popen[str]:
    """Starts `zeuxis WORDS` as a process of its own, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "zeuxis.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **environment}, start_new_session=True, cwd=cwd,
    )  # fmt: skip


def ended(process: subprocess.Popen[str], seconds: float = 600) -> Ended:
    out, err = process.communicate(timeout=seconds)
    return Ended(process.returncode, out, err)


def in_process(*words: str | bytes, cwd: Path | None = None, **environment: str) -> Ended:
    return ended(start(*words, cwd=cwd, **environment))


def wait_until(true: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 300) -> None:
    """Waits for an event in the world, and fails at once where the process that should bring it has ended."""
    limit = time.monotonic() + seconds
    while not true():
        if process.poll() is not None:
            out, err = process.communicate()
            raise AssertionError(f"the process ended with {process.returncode} before that: {out}{err}")
        assert time.monotonic() < limit, "that never happened"
        time.sleep(0.02)


def kill_group(process: subprocess.Popen[str]) -> None:
    """SIGKILL to the process alone; its children notice by themselves."""
    process.send_signal(signal.SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


def tree(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder below, with its bytes."""
    found: dict[str, bytes | None] = {}
    for root, folders, files in os.walk(os.fsencode(folder)):
        for name in folders:
            found[os.path.join(root, name).decode("latin-1")] = None
        for name in files:
            path = os.path.join(root, name)
            with open(path, "rb") as file:
                found[path.decode("latin-1")] = file.read()
    return found


def pictures(folder: Path, classes: Sequence[str], each: int, side: int = 16, channels: int = 1) -> Path:
    """A folder per class of distinct pictures: stripes of a width and slope that tell the class, with grain."""
    y, x = np.mgrid[:side, :side]
    for c, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(each):
            grain = np.random.default_rng(1000 * c + i).integers(-40, 40, (side, side, channels))
            wave = 128 + 80 * np.sin((x * (c + 1) + y * (len(classes) - c)) * 0.5 + i)
            pixels = np.clip(wave[..., None] + grain, 0, 255).astype(np.uint8)
            Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(folder / name / f"{i:02d}.png")
    return folder


def bomb(side: int = 60_000) -> bytes:
    """A small PNG whose header claims side x side pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[Path]:
    with contextlib.chdir(folder):
        yield folder
