"""The strips of held-out squares in a run folder, for its page."""

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from zeuxis.pages.formats import decimal
from zeuxis.pages.page import fragment
from zeuxis.pages.pictures import Embedded, embed
from zeuxis.pages.read import mean, number, numbers, read_object
from zeuxis.pages.run_folder import RunFolder


@dataclass(frozen=True)
class Strips:
    """The picture, names of its rows from top to bottom, rows of figures as text, and the words beside them."""

    picture: Embedded
    names: list[str]
    table: list[list[str]]
    damage: str
    scale: int
    protocol: str


def section(folder: RunFolder) -> Markup:
    """Empty where there are none."""
    strips = read_strips(folder.path)
    return Markup("") if strips is None else fragment("strips", strips=strips)


def read_strips(folder: Path) -> Strips | None:
    """`real/strips.png` and `real/strips.json` of a run; None where one of them is missing or damaged."""
    record, picture = read_object(folder / "real" / "strips.json"), embed(folder / "real" / "strips.png")
    names, scores = record.get("rows"), record.get("psnr")
    if picture is None or not isinstance(names, list) or not isinstance(scores, list) or len(scores) != len(names):
        return None
    table = [[str(name), *_cells(row)] for name, row in zip(names, scores, strict=True) if isinstance(row, list)]
    damage, scale = str(record.get("damage") or ""), int(number(record.get("scale")) or 1)
    return Strips(picture, [str(name) for name in names], table, damage, scale, str(record.get("protocol") or ""))


def _cells(row: list[object]) -> list[str]:
    """Each figure, and their mean; what has no difference reads `equal`."""
    cells = ["equal" if v is None else decimal(v, 2) for v in row]
    return [*cells, decimal(mean(numbers(row)), 2)]
