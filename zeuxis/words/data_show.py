"""What a collection of pictures holds, before anything is trained on it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from zeuxis import asking
from zeuxis import parameters as p
from zeuxis.word import Answer, word


def _answer(summary: dict[str, Any], given: Mapping[str, Any]) -> Answer:
    return Answer("\n".join(f"{name:<15} {_short(value)}" for name, value in summary.items()), summary)


def _short(value: Any) -> str:
    if value is None:
        return "see sizes"
    if isinstance(value, dict):
        return ", ".join(f"{k} {_short(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list):
        first = "; ".join(" ".join(v) if isinstance(v, list) else _short(v) for v in value[:3])
        return f"{len(value)}: {first}{'; ...' if len(value) > 3 else ''}" if value else "0"
    return str(value)


@word(_answer, "zeuxis data show MY_PICTURES --page pictures.html")
def data_show(
    data: p.Collection,
    *,
    size: p.Size | None = None,
    channels: p.Channels | None = None,
    fit: p.Fit = "crop",
    classes_at: p.ClassesAt | None = None,
    group_at: p.GroupAt | None = None,
    part_at: p.PartAt | None = None,
    frames: p.Frames = "first",
    range: p.White | None = None,
    strict: p.Strict = False,
    join: p.Join | None = None,
    page: Annotated[p.PathLike, p.Arg("HTML file to write: what stays together, and why")] | None = None,
) -> dict[str, Any]:
    """What a source of pictures holds: counts, shape, classes, parts, groups, what is there twice, skipped files.

    Where the pictures differ in size and none is given, digest, height and width are None, and `sizes` says how
    many sizes there are, the smallest and the largest as (height, width), and what to give. page: an HTML file.
    """
    source = asking.source_of(data, locals())
    from zeuxis.jobs import training
    from zeuxis.jobs.showing import shown
    from zeuxis.pages.page import check_page

    if page is not None:
        training.apart(data, page, "--page")
        check_page(Path(page))
    return shown(source, None if page is None else Path(page))
