"""One line that says what, where, and what to do."""

import errno
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

from zeuxis import errors
from zeuxis.errors import (
    BadInput,
    MachineGaveOut,
    MemoryRanOut,
    SomeFailed,
    Stopped,
    ZeuxisError,
    command,
    is_out_of_memory,
    nearest,
    system_in_words,
)


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        (("no pictures",), "no pictures"),
        (("no pictures", "cats/"), "no pictures (cats/)"),
        (("no pictures", "", "give a folder of pictures"), "no pictures; give a folder of pictures"),
        (("no pictures", "cats/", "give another"), "no pictures (cats/); give another"),
    ],
)
def test_line(parts: tuple[str, ...], line: str) -> None:
    assert str(BadInput(*parts)) == line


def test_a_place_is_told_on_one_line() -> None:
    assert str(BadInput("no picture", "a\nb\udcff\ud800.png", "give another")) == (
        r"no picture (a\nb\xff\ud800.png); give another"
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInput("x"), 2),
        (SomeFailed("x"), 3),
        (MachineGaveOut("x"), 4),
        (Stopped(2), 130),
        (Stopped(15), 143),
    ],
)
def test_exit_codes(error: ZeuxisError, code: int) -> None:
    assert isinstance(error, ZeuxisError)
    assert error.exit_code == code


def test_parts_can_be_read_apart() -> None:
    error = Stopped(15, "runs/a", "go on with `zeuxis resume runs/a`")
    assert (error.what, error.where, error.mend) == ("stopped", "runs/a", "go on with `zeuxis resume runs/a`")


def test_nearest() -> None:
    known = ["dcgan", "r3gan", "vae"]
    assert nearest("dcgam", known) == "did you mean `dcgan`?"
    assert nearest("quux", known) == "known: dcgan, r3gan, vae"


@pytest.mark.parametrize(
    ("error", "ran_out"),
    [
        (MemoryError(), True),
        (np._core._exceptions._ArrayMemoryError((9,), np.dtype(float)), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: 9"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 18.13 GB)"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (OSError(errno.ENOSPC, "No space left on device"), False),
        (RuntimeError("shapes do not match"), False),
        (ValueError("out of memory of what was said"), False),
    ],
)
def test_memory_that_ran_out_is_known_whoever_says_it(error: Exception, ran_out: bool) -> None:
    assert is_out_of_memory(error) is ran_out
    with pytest.raises(MemoryRanOut if ran_out else type(error)) as told, system_in_words("a.png"):
        raise error
    if ran_out:
        assert told.value.exit_code == 4
        assert str(told.value) == "the memory is used up (a.png); close other programs, or use smaller pictures"


def test_a_command_in_a_message_can_be_typed_as_it_stands() -> None:
    assert command("resume", Path("runs/first")) == "zeuxis resume runs/first"
    assert command("resume", "my runs/a") == "zeuxis resume 'my runs/a'"
    assert shlex.split(command("resume", "it's", "--data", "NEW")) == ["zeuxis", "resume", "it's", "--data", "NEW"]


def test_no_message_writes_a_path_into_a_command_by_hand() -> None:
    """A path with a space in it would become two words."""
    by_hand = re.compile(r"`zeuxis [a-z]+ \{")
    files = {path.name: path.read_text(encoding="utf-8") for path in Path(errors.__file__).parent.rglob("*.py")}
    assert [name for name, text in files.items() if by_hand.search(text)] == []
