"""What a run drew, for its page: samples beside real pictures, how they developed, copies, and how it was judged."""

from pathlib import Path

from markupsafe import Markup

from zeuxis.pages.outcome import figure_rows, judgement_of, of_copies
from zeuxis.pages.page import fragment
from zeuxis.pages.pictures import Embedded, cell_of, embed, film, spread
from zeuxis.pages.read import Line, mapping, number, read_object
from zeuxis.pages.run_folder import RunFolder

FRAMES, ROWS = 10, 6  # columns and rows of the strip that shows how samples developed


def section(folder: RunFolder) -> Markup:
    """Empty where nothing was drawn and nothing judged."""
    last = embed(folder.samples[-1]) if folder.samples else None
    outcome = judgement_of(folder.finish)
    real, nearest_pairs = (embed(folder.path / "real" / f"{name}.png") for name in ("grid", "nearest_pairs"))
    by_class, strip = bool(folder.run.get("conditional")), strip_of(folder)
    return fragment(
        "samples",
        has_samples=bool(folder.samples),
        translates=translates(folder),
        last=last,
        last_name=sample_name(folder.samples[-1]) if folder.samples else "",
        row_names=row_names(folder.run, last) if by_class else [],
        real=real,
        real_rows=row_names(folder.run, real) if by_class else [],
        strip=strip,
        strip_rows=row_names(folder.run, last)[:ROWS] if by_class else [],
        nearest_pairs=nearest_pairs,
        copies=of_copies(read_object(folder.path / "real" / "nearest_pairs.json"), outcome),
        outcome=outcome,
        judged=figure_rows(outcome) if outcome else [],
    )


def translates(folder: RunFolder) -> bool:
    """Whether a look shows held-out pictures, and below them what was made of each."""
    return mapping(folder.run.get("spec")).get("target") is not None


def sample_name(path: Path) -> str:
    return f"step {int(path.stem):,}" if path.stem.isdigit() else path.stem


def row_names(header: Line, sheet: Embedded | None, most: int = 24) -> list[str]:
    """Class names for the rows of a grid, as many as it has rows; none where the rows outnumber them or `most`."""
    spec = mapping(header.get("spec"))
    classes, height, width = spec.get("classes"), number(spec.get("height")), number(spec.get("width"))
    grid = cell_of(sheet.source, int(height), int(width)) if sheet and height and width else None
    rows = grid[2] if grid else 0
    fits = isinstance(classes, list) and 1 < rows <= min(most, len(classes))
    return [str(c) for c in classes[:rows]] if fits and isinstance(classes, list) else []


def strip_of(folder: RunFolder) -> tuple[Embedded, list[str]] | None:
    """The strip of how the samples developed, and the names of its columns."""
    spec = mapping(folder.run.get("spec"))
    height, width = number(spec.get("height")), number(spec.get("width"))
    if not height or not width:
        return None
    line = 1 if translates(folder) else None
    strip = film(spread(folder.samples, FRAMES), int(height), int(width), ROWS, line)
    return (strip[0], [f"{int(p.stem):,}" if p.stem.isdigit() else p.stem for p in strip[1]]) if strip else None
