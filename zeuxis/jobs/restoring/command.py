"""The words `restore` and `upscale` from what was typed to files, bytes and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, SomeFailed, ZeuxisError
from zeuxis.jobs.per_image import pipeline
from zeuxis.jobs.per_image.records import Record, Results
from zeuxis.jobs.per_image.single import check_files_only, one_picture
from zeuxis.jobs.restoring.comparing import Comparison, check
from zeuxis.jobs.restoring.mask_files import check_meaning
from zeuxis.jobs.restoring.restore import RestoreConfig, work_of

MASKED = ("inpaint", "old-photo")
"""The tasks that fill holes."""


def mend(
    given: str | bytes,
    out: str | None,
    asked: RestoreConfig,
    mask: str | bytes | None,
    compare: str | None,
    page: str | None,
    dry_run: bool,
) -> Results:
    """`restore` and `upscale`: what became of each picture; of one in memory or from stdin with the bytes.

    given: a path, a folder, a pattern, "-" for stdin, or the bytes of a file, which are taken as stdin's are.
    """
    for name, path in {"IN": given, "OUT": out, "--mask": mask}.items():
        if path == "":
            raise BadInput("an empty name names no file", name, "give a file or a folder")
    if mask == "-":
        raise BadInput("a mask cannot come through a pipe", "--mask", "give a file")
    if mask is not None and asked.task not in MASKED:
        raise BadInput(f"the task `{asked.task}` has no use for a mask", "--mask", f"add `--task {MASKED[0]}`")
    check_meaning(asked.mask_is, mask is not None)
    if asked.run is not None and asked.method != "net":
        raise BadInput(f"nothing reads --run with `--method {asked.method}`", "--run", "leave out either")
    if asked.uncertainty is not None and page is None:
        raise BadInput("the page alone shows this map, and there is none", "--uncertainty", "add `--page FILE.html`")
    if isinstance(given, bytes) or "-" in (given, out):
        what = "a picture in memory" if isinstance(given, bytes) else "a pipe"
        flags = {"--compare": compare, "--page": page, "--dry-run": dry_run, "--uncertainty": asked.uncertainty}
        check_files_only(flags, what)
        return one_picture(work_of(asked), given, out, mask)
    if isinstance(mask, bytes):
        mend = "give both as files, or both in memory"
        raise BadInput("a mask in memory goes with a picture in memory", "--mask", mend)
    originals = check(compare, page, given, asked.scale)
    if dry_run and (compare or page):
        say("zeuxis: a dry run compares nothing and draws no page")
    if dry_run or (compare is None and page is None):
        return pipeline.run(given, out, work_of(asked), mask, dry_run)
    comparison = Comparison(asked, compare, originals, page)
    try:
        records = pipeline.run(given, out, work_of(asked), mask, look=comparison.look)
    except SomeFailed as error:
        done = [record for record in error.results if record.state != "failed"]
        if done:
            error.found = {**_ended(comparison, done, given), **error.found}
        raise
    try:
        return replace(records, beside=comparison.end(records, given))
    except SomeFailed as error:
        error.found, error.results = {**records.to_json(), **error.found}, records
        raise


def _ended(comparison: Comparison, done: Sequence[Record], given: str) -> Mapping[str, Any]:
    """The figures of those that were done where others failed: what cannot be compared is told, too."""
    try:
        return comparison.end(done, given)
    except SomeFailed as error:
        return error.found
    except ZeuxisError as error:
        say(f"zeuxis: {error}")
        return {}


_LEAST = 100 << 20
"""Bytes: with less, a net sees so little at a time that most of its work goes into what tiles share."""
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def bytes_of(memory: str | int | None) -> int | None:
    """ "500M" or "2G" in bytes. Raises BadInput, also for less than works."""
    size = memory if memory is None or isinstance(memory, int) else _parsed(memory)
    if size is not None and size < _LEAST:
        raise BadInput(f"{size / (1 << 20):.3g} MB are too little to work with", "--memory", "give 100M or more")
    return size


def _parsed(memory: str) -> int:
    number, unit = memory.strip().rstrip("bB"), 1
    if number[-1:].lower() in _UNITS:
        number, unit = number[:-1], _UNITS[number[-1].lower()]
    try:
        size = int(float(number) * unit)
    except (ValueError, OverflowError):
        size = 0
    if size < 1:
        raise BadInput(f"`{memory}` is no amount of memory", "--memory", "such as 500M or 2G")
    return size
