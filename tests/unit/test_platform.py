"""What differs between systems, as far as this one can show it."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from zeuxis import platform
from zeuxis.errors import BadInput

TRY = "import sys; from zeuxis import platform; print(platform.acquire(sys.argv[1]) is not None)"


def from_another_process(path: Path) -> bool:
    done = subprocess.run([sys.executable, "-c", TRY, str(path)], capture_output=True, text=True, check=True)
    return done.stdout.strip() == "True"


def test_a_lock_keeps_others_out_until_released(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    lock = platform.acquire(path)
    assert lock is not None and platform.owner(path) == os.getpid()
    assert platform.acquire(path) is None
    assert not from_another_process(path)
    lock.release()
    lock.release()
    assert from_another_process(path)
    with platform.acquire(path) as again:
        assert again.path == path and platform.acquire(path) is None
    assert platform.acquire(path) is not None


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    code = TRY + "; sys.stdout.flush(); held = platform.acquire(sys.argv[1] + '2'); print(flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout.readline() and child.stdout.readline()
        assert platform.acquire(f"{path}2") is None
        assert platform.owner(f"{path}2") == child.pid
        child.kill()
    assert platform.acquire(f"{path}2") is not None


def test_a_lock_that_cannot_be_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="cannot write the lock file"):
        platform.acquire(tmp_path / "missing" / ".lock")

    def no_locks(descriptor: int) -> bool:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(platform, "_lock", no_locks)
    with pytest.raises(BadInput, match="cannot lock: No locks available .*; use a folder on a local disk"):
        platform.acquire(tmp_path / ".lock")


@pytest.mark.parametrize("content", [None, "", "nobody"])
def test_an_owner_may_be_unknown(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / ".lock").write_text(content)
    assert platform.owner(tmp_path / ".lock") is None


def test_flushing(tmp_path: Path) -> None:
    with open(tmp_path / "a", "wb") as file:
        file.write(b"x")
        file.flush()
        platform.sync_file(file.fileno())
    platform.sync_folder(tmp_path)
    assert (tmp_path / "a").read_bytes() == b"x"
    with pytest.raises(FileNotFoundError):
        platform.sync_folder(tmp_path / "missing")


def test_stop_signals_are_caught_and_given_back() -> None:
    caught, before = [], [signal.getsignal(s) for s in platform.stop_signals()]
    with platform.on_stop(lambda number, frame: caught.append(number)):
        for number in platform.stop_signals():
            signal.raise_signal(number)
    assert caught == list(platform.stop_signals())
    assert [signal.getsignal(s) for s in platform.stop_signals()] == before


def test_stop_signals_in_another_thread_are_left_alone() -> None:
    seen = []

    def work() -> None:
        with platform.on_stop(lambda number, frame: None):
            seen.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_cores_and_memory() -> None:
    assert 1 <= platform.cores() <= (os.cpu_count() or 1)
    assert 0 < platform.free_memory() < 1 << 50


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "150000 100000"}, 1.5),
        ({"cpu.max": "max 100000"}, 1e9),
        ({"cpu/cpu.cfs_quota_us": "400000", "cpu/cpu.cfs_period_us": "100000"}, 4.0),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 1e9),
        ({}, 1e9),
    ],
)
def test_quota_of_a_control_group(tmp_path: Path, files: dict[str, str], cores: float) -> None:
    write(tmp_path, files)
    assert platform._quota(tmp_path) == cores


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({"memory.max": "1000", "memory.current": "700", "memory.stat": "anon 5\ninactive_file 50\n"}, 350),
        ({"memory.max": "max", "memory.current": "700"}, sys.maxsize),
        (
            {
                "memory/memory.limit_in_bytes": "1000",
                "memory/memory.usage_in_bytes": "900",
                "memory/memory.stat": "total_inactive_file 20\n",
            },
            120,
        ),
        ({}, sys.maxsize),
    ],
)
def test_memory_of_a_control_group(tmp_path: Path, files: dict[str, str], free: int) -> None:
    write(tmp_path, files)
    assert platform._free_of_group(tmp_path) == free


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_the_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ZEUXIS_CACHE", str(tmp_path / "mine"))
    assert platform.cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("ZEUXIS_CACHE")
    assert "zeuxis" in platform.cache_folder().parts
    assert not (tmp_path / "mine").exists()


def test_children_get_threads_and_can_be_asked_to_stop() -> None:
    code = "import os, sys; print(os.environ['OMP_NUM_THREADS'], flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=platform.child_environment(3),
        **platform.child_options(),
    )
    with child:
        assert child.stdout.readline() == "3\n"
        platform.ask_to_stop(child.pid)
        assert child.wait() != 0
    platform.ask_to_stop(child.pid)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent death signal is Linux's own")
def test_a_child_dies_with_its_parent() -> None:
    grandchild = (
        "import os, sys; from zeuxis import platform; platform.die_with_parent(); "
        "os.write(1, b'%d\\n' % os.getpid()); sys.stdin.read()"
    )
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        number = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        assert parent.stdout.read() == "", "the pipe closes when the last of the two has ended"
    assert not Path(f"/proc/{number}/cmdline").exists() or not Path(f"/proc/{number}/cmdline").read_bytes()


def test_a_machine_is_crowded_where_more_programs_want_a_core_than_there_are(monkeypatch):
    monkeypatch.setattr(platform.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(platform.os, "getloadavg", lambda: (5.2, 0, 0), raising=False)
    assert platform.crowded() == "load 5.2 on 2 cores"
    monkeypatch.setattr(platform.os, "getloadavg", lambda: (2.4, 0, 0))
    assert platform.crowded() == ""
    monkeypatch.delattr(platform.os, "getloadavg")
    assert platform.crowded() == ""
