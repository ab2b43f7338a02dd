"""Where the pictures of a run or a study came from, out of its header."""

from zeuxis.pages.read import Line, mapping, number


def recorded_sources(header: Line) -> dict[str, Line]:
    """Words of what a run or a study read, by stream."""
    several = mapping(header.get("sources"))
    return {str(name): mapping(source) for name, source in (several or {"images": header.get("data")}).items()}


def source_words(header: Line) -> str:
    """The data's name: a built-in set's own, or the last part of a path; of several sources all names."""
    return " and ".join(
        _named(str(source.get("source") or "unnamed data")) for source in recorded_sources(header).values()
    )


def _named(source: str) -> str:
    return source.rstrip("/\\").replace("\\", "/").rpartition("/")[2] or source


def split_count(header: Line, what: str) -> float | None:
    """How many pictures of all sources are in a part of the split, "train" or "held_out"; None where none was made."""
    counts = [number(mapping(split).get(what)) for split in mapping(header.get("splits")).values()]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
