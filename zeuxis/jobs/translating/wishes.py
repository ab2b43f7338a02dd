"""What `translate` was asked for, as a work: by a run, or in the manner of paintings."""

from collections.abc import Mapping
from typing import Any

from zeuxis.errors import BadInput
from zeuxis.jobs.per_image.work import Work
from zeuxis.jobs.restoring.command import bytes_of
from zeuxis.jobs.translating import neural_style, translators
from zeuxis.jobs.translating.painting import SMALLEST, Paint, painting
from zeuxis.jobs.translating.translate import Translate


def work_of(by_run: Mapping[str, Any], by_style: Mapping[str, Any], size: int | None, seed: int) -> Work:
    """Raises BadInput where both are given, or neither, and for what nothing would read."""
    run, style = by_run["run"], by_style["style"]
    if (run is None) is (style is None):
        what = "neither a run nor a painting was given" if run is None else "both a run and a painting were given"
        mend = "add `--run RUN`, or `--style PAINTING`" if run is None else "leave out either"
        raise BadInput(what, "--run, --style", mend)
    idle = by_style if style is None else by_run
    if given := [f"--{name.replace('_', '-')}" for name, value in idle.items() if value not in (None, False)]:
        beside = "--run" if style is None else "--style"
        raise BadInput(f"nothing reads {', '.join(given)} with {beside}", "", "leave it out")
    if size is not None and size < SMALLEST:
        raise BadInput(f"must be {SMALLEST} or more, not {size}", "--size")
    if style is None:
        direction = by_run["direction"] or "ab"
        translators.channels(translators.translator(run, by_run["snapshot"]), direction)
        return Translate(run, direction, by_run["snapshot"], bytes_of(by_run["memory"]), seed, size)
    strength = by_style["strength"]
    if strength is not None and not 0 <= strength <= 1:
        raise BadInput(f"must be 0 to 1, not {strength:g}", "--strength")
    method = by_style["method"] or "patches"
    if method == "neural":
        neural_style.net()
    several = style if isinstance(style, list | tuple) else (style,)
    paintings = tuple(painting(str(one)) for one in several)
    if not paintings:
        raise BadInput("no painting was given", "--style", "give a picture")
    return Paint(paintings, 1.0 if strength is None else strength, by_style["keep_colours"], size, seed, method)
