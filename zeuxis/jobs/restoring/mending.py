"""The words `restore` and `upscale` from what was typed to files, bytes and figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zeuxis.data.files import write_bytes
from zeuxis.errors import BadInput
from zeuxis.jobs.restoring.comparing import check
from zeuxis.jobs.restoring.comparing import compare as compare_all
from zeuxis.jobs.restoring.restore import Asked, run_batch, through_pipe


def mend(
    given: str, out: str | None, asked: Asked, mask: str | None, compare: str | None, page: str | None, dry_run: bool
) -> tuple[list[Path] | bytes, dict[str, Any]]:
    """`restore` and `upscale`: the files that were written, or the bytes for stdout; and the figures of `compare`."""
    if given == "-":
        _check_pipe({"--compare": compare, "--page": page, "--dry-run": dry_run, "--uncertainty": asked.uncertainty})
        if out in (None, "-"):
            return through_pipe(asked, mask=mask), {}
        target = Path(str(out))
        write_bytes(target, through_pipe(asked, mask=mask, suffix=target.suffix))
        return [target], {}
    check(compare, page)
    paths = run_batch(given, out, asked, mask, dry_run)
    if dry_run or (compare is None and page is None):
        return paths, {}
    return paths, compare_all(given, paths, asked, compare, page)


def _check_pipe(flags: Mapping[str, str | bool | None]) -> None:
    """Raises BadInput for a flag that works on files alone."""
    for flag, given in flags.items():
        if given:
            raise BadInput("this needs files, and stdin is none", flag, "name a file as IN, or leave the flag away")


_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def bytes_of(memory: str | int | None) -> int | None:
    """ "500M" or "2G" in bytes. Raises BadInput."""
    if memory is None or isinstance(memory, int):
        return memory
    number, unit = memory.strip().rstrip("bB"), 1
    if number[-1:].lower() in _UNITS:
        number, unit = number[:-1], _UNITS[number[-1].lower()]
    try:
        found = int(float(number) * unit)
    except ValueError:
        found = 0
    if found < 1:
        raise BadInput(f"`{memory}` is no amount of memory", "--memory", "such as 500M or 2G")
    return found
