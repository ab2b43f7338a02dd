"""One line that says what, where, and what to do."""

import pytest

from zeuxis.errors import BadInput, MachineGaveOut, SomeFailed, Stopped, ZeuxisError, nearest


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
