"""What differs between Linux, macOS and Windows: locks, flushing, signals, cores, memory, child processes."""

import contextlib
import ctypes
import errno
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Self

from zeuxis.errors import BadInput, counted

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_LOCKED_BYTE = 1 << 30  # Windows locks bytes, and a locked byte cannot be read: so one far behind the text


class Lock:
    """A held advisory lock; released by `release`, at the end of a `with`, or by the end of the process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self._descriptor = path, descriptor

    def release(self) -> None:
        """Gives the lock up; doing it twice is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


def acquire(path: str | os.PathLike[str]) -> Lock | None:
    """The lock of the file `path` (made where missing), or None where another process holds it; never waits.

    The file stays behind and holds the number of the last holder's process; the lock does
    not outlive that process, however it ends. A child made by fork shares the lock.
    Raises BadInput where the file cannot be written or its file system has no locks.
    """
    path = Path(path)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
    except OSError as error:
        raise BadInput(f"cannot write the lock file: {error.strerror}", str(path)) from error
    try:
        free = _lock(descriptor)
    except OSError as error:
        os.close(descriptor)
        raise BadInput(f"cannot lock: {error.strerror}", str(path), "use a folder on a local disk") from error
    if not free:
        os.close(descriptor)
        return None
    with contextlib.suppress(OSError):  # a full disk must not keep a run from being opened
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    return Lock(path, descriptor)


def owner(path: str | os.PathLike[str]) -> int | None:
    """Number of the process that holds, or last held, the lock file `path`; None where that is not known."""
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return None


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True


def is_alive(process: int) -> bool:
    """Whether a process of this number runs; true where the system does not say."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def sync_file(descriptor: int) -> None:
    """Returns when the file's bytes are on the disk (macOS needs F_FULLFSYNC: its fsync stops at the drive's cache)."""
    if sys.platform == "darwin":
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def sync_folder(path: str | os.PathLike[str]) -> None:
    """Returns when the folder's entries (new names, renames) are on the disk; Windows cannot and need not."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems flush folders by themselves
            raise
    finally:
        os.close(descriptor)


def stop_signals() -> tuple[signal.Signals, ...]:
    """The signals by which a person or a scheduler asks a process to stop."""
    wanted = ("SIGINT", "SIGBREAK") if sys.platform == "win32" else ("SIGINT", "SIGTERM")
    return tuple(getattr(signal, name) for name in wanted)


@contextlib.contextmanager
def on_stop(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """Calls `handler(number, frame)` for each stop signal, and puts the former handlers back at the end.

    Outside the main thread, where Python takes no handlers, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.signal(number, handler) for number in stop_signals()}
    try:
        yield
    finally:
        for number, old in former.items():
            signal.signal(number, signal.SIG_DFL if old is None else old)


def cores() -> int:
    """Processor cores that this process may use: by affinity, and by the quota of its control group; at least 1."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(count, math.floor(_quota(Path("/sys/fs/cgroup")))))


def crowded() -> str:
    """Such as "load 5.2 on 2 cores" where more programs want a core than there are; empty else, or if nobody knows."""
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):
        return ""
    there = os.cpu_count() or 1
    return f"load {load:.1f} on {counted(there, 'core')}" if load > there + 1 else ""


def _quota(root: Path) -> float:
    """Cores that the control group under `root` grants (version 2, then 1); a large number where it sets no bound."""
    v2 = _numbers(root / "cpu.max")
    v1 = _numbers(root / "cpu/cpu.cfs_quota_us") + _numbers(root / "cpu/cpu.cfs_period_us")
    for pair in (v2, v1):
        if len(pair) == 2 and pair[0] > 0 and pair[1] > 0:
            return pair[0] / pair[1]
    return 1e9


def _numbers(file: Path) -> list[int]:
    """The whole numbers of a short text file; [] where it is missing or says something else (such as "max")."""
    try:
        return [int(word) for word in file.read_text().split()]
    except (OSError, ValueError):
        return []


def free_memory() -> int:
    """Bytes that this process may still take without swapping: of the machine, and of its control group."""
    return max(0, min(_free_of_machine(), _free_of_group(Path("/sys/fs/cgroup"))))


def _free_of_group(root: Path) -> int:
    """Bytes left to the control group under `root`; pages of files read count as free, since they can be dropped."""
    tries = (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        (
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "memory/memory.stat",
            "total_inactive_file",
        ),
    )
    for limit_file, used_file, stat_file, key in tries:
        limit, used = _numbers(root / limit_file), _numbers(root / used_file)
        if limit and used:
            return limit[0] - used[0] + _named(root / stat_file, key)
    return sys.maxsize


def _named(file: Path, key: str) -> int:
    """The number after `key` in a file of lines `key number` or `key: number kB`; 0 where there is none."""
    try:
        lines = [line.split() for line in file.read_text().splitlines()]
    except OSError:
        return 0
    return next((int(w[1]) for w in lines if len(w) > 1 and w[0].rstrip(":") == key and w[1].isdigit()), 0)


def _free_of_machine() -> int:
    if sys.platform == "win32":
        return _free_of_windows()
    kilobytes = _named(Path("/proc/meminfo"), "MemAvailable")
    if kilobytes:
        return kilobytes * 1024
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return total // 2  # macOS has no cheap figure of what can be taken back: half of the memory is a safe guess


def _free_of_windows() -> int:
    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
            (name, ctypes.c_ulonglong)
            for name in ("total", "free", "page", "freepage", "virtual", "freevirtual", "extended")
        ]

    status = Status(length=ctypes.sizeof(Status))
    kernel: Any = vars(ctypes)["windll"].kernel32  # not there, and unknown to a type checker, elsewhere
    return int(status.free) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else 1 << 30


def cache_folder() -> Path:
    """Where downloaded data and weights are kept: $ZEUXIS_CACHE, else the system's cache folder; not made here."""
    given = os.environ.get("ZEUXIS_CACHE")
    if given:
        return Path(given).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "zeuxis" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "zeuxis"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zeuxis"


def child_environment(threads: int) -> dict[str, str]:
    """Environment for a child process that computes with `threads` threads and prints line by line."""
    pools = (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    )
    return {**os.environ, **{name: str(threads) for name in pools}, "PYTHONUNBUFFERED": "1"}


def child_options() -> dict[str, Any]:
    """Options for subprocess.Popen that keep Ctrl-C in the parent, which then asks its children to stop."""
    return {"creationflags": 0x200} if sys.platform == "win32" else {"start_new_session": True}


def ask_to_stop(process: int) -> None:
    """Asks a child started with `child_options` to save and end; one that has ended already is no error."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, stop_signals()[-1])


def crash_of(code: int) -> str:
    """How a child crashed by itself, from its exit code; empty where it ended well or was ended from outside.

    Windows gives a killed child and one that failed the same code 1, so there only larger codes are crashes.
    """
    if sys.platform == "win32":
        return f"exit code {code:#x}" if code > 0xFF else ""
    own = {signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT}
    if code > 0:
        return f"exit code {code}"
    return signal.Signals(-code).name if -code in own else ""


def die_with_parent() -> None:
    """On Linux, has this process end when its parent does, even by SIGKILL, so no orphan holds a lock; else nothing."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(1, int(signal.SIGTERM), 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:  # the parent went in between: nobody is left to end this process
            os.kill(os.getpid(), signal.SIGTERM)


_BLOCKS, _FREED = 128 << 20, 512 << 20
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # mallopt(3)


@cache
def keep_freed_memory() -> None:
    """Tells glibc to use freed blocks again in place of giving each back to the system; elsewhere nothing.

    A net frees and takes tens of megabytes with every layer. Given back, each page of them is cleared and mapped anew:
    on a virtual machine two thirds of the time of EfficientNet-Lite0 at 224 pixels (62 ms a picture, 17 with this).
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _BLOCKS)
        mallopt(_M_TRIM_THRESHOLD, _FREED)
