"""What a collection of pictures holds, before anything is trained on it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from zeuxis import asking
from zeuxis import parameters as p
from zeuxis.errors import counted
from zeuxis.word import Answer, word

_FOR_PROGRAMS = ("digest",)  # what only `--json` has: no person reads it
_WIDTH = 16


def _answer(summary: dict[str, Any], given: Mapping[str, Any]) -> Answer:
    said = {name: value for name, value in summary.items() if name not in _FOR_PROGRAMS}
    ways: dict[str, Callable[[Any], str]] = {"families": _families, "remarks": _all, "sizes": _sizes, "worst": _worst}
    return Answer("\n".join(f"{k:<{_WIDTH}}{ways.get(k, _short)(v)}" for k, v in said.items()), summary)


def _short(value: Any) -> str:
    if value is None:
        return "several"
    if isinstance(value, dict):
        return ", ".join(f"{k} {_short(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list):
        first = "; ".join(" ".join(v) if isinstance(v, list) else _short(v) for v in value[:3])
        return f"{len(value)}: {first}{'; ...' if len(value) > 3 else ''}" if value else "none"
    return str(value)


def _all(lines: Sequence[str]) -> str:
    """Every line below the other: what was left out or guessed is not to be cut."""
    return f"\n{' ' * _WIDTH}".join(lines) or "none"


def _sizes(found: Mapping[str, Any]) -> str:
    """How many there are, and that a training needs one."""
    ends = f"{found['different']} different, from {found['smallest']} to {found['largest']} (height x width)"
    return f"{ends}; a training needs one, so {found['to train']}; looked at here: {found['compared at']}"


def _worst(pairs: Sequence[Mapping[str, Any]]) -> str:
    """Pairs of which the edges agree least, and how far they are moved."""
    lines = []
    for pair in pairs[:_PAIRS]:
        shift = f", moved down {pair['down']:+.1%}, right {pair['right']:+.1%}" if "down" in pair else ""
        lines.append(f"{pair['pair']}: edges agree {pair['edges']:.2f}{shift}")
    return _all(lines)


_PAIRS = 8
_USUAL = ("families", "pictures", "largest", "asked")  # all else in the entry on families is a reason


def _families(found: Mapping[str, Any]) -> str:
    """Which pictures stay together in every split, why, and where they can be seen."""
    largest = found["largest"]
    if not largest:
        return "none: no picture belongs to another"
    reasons = {why: n for why, n in found.items() if why not in _USUAL}
    names = ", ".join(largest[:3]) + (", ..." if len(largest) > 3 else "")
    pictures = counted(found["pictures"], "picture")
    if found["families"] == 1:
        said = f"{pictures} stay together ({', '.join(reasons)}): {names}"
    else:
        why = ", ".join(f"{n} {name}" for name, n in reasons.items())
        said = f"{pictures} in {counted(found['families'], 'family')} stay together ({why}); the largest: {names}"
    asked = f"; {found['asked']}" if "asked" in found else ""
    return f"{said}{asked}; `--page FILE` shows them"


@word(_answer, "zeuxis data show MY_PICTURES --page pictures.html")
def data_show(
    data: p.Collections,
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
    side_by_side: p.SideBySide = False,
    page: Annotated[p.PathLike, p.Arg("HTML file to write: what stays together, and why")] | None = None,
) -> dict[str, Any]:
    """What a source of pictures holds: counts, shape, classes, parts, groups, what is there twice, skipped files.

    Where the pictures differ in size and none is given, digest, height and width are None, and `sizes` says how
    many sizes there are, the smallest and the largest as (height, width), and what to give. page: an HTML file.
    Of two collections, or of one with `side_by_side`, it says whether the two pictures of each pair lie on each other.
    """
    sources = asking.sources_of(data, locals())
    from zeuxis.jobs import training
    from zeuxis.jobs.alignment import aligned, is_pairs
    from zeuxis.jobs.showing import shown
    from zeuxis.pages.page import check_page

    if page is not None:
        for source in sources:
            training.apart(source.source, page, "--page")
        check_page(Path(page))
    place = None if page is None else Path(page)
    return aligned(sources, place) if is_pairs(sources) else shown(sources[0], place)
