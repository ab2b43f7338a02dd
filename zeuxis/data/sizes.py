"""What a collection holds whose pictures have no common size: counts and sizes, and no pixels."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from zeuxis.data.arrays import Arrays
from zeuxis.data.loading import metered, parallel
from zeuxis.data.reader import candidates_of, found_in, natural, wanted_shape
from zeuxis.data.sources import Skipped
from zeuxis.data.trees import BY_RULE, Where
from zeuxis.errors import BadInput


@dataclass(frozen=True)
class Sizes:
    """How many pictures there are of each (height, width) and of each class; channels: 1 where all are grey, else 3.

    classes is empty where the pictures carry no label, parts where they are not divided; groups: how many there are;
    skipped lists (file, reason), remarks how the source was read.
    """

    counts: dict[tuple[int, int], int]
    channels: int
    classes: dict[str, int]
    skipped: Skipped
    parts: dict[str, int] = field(default_factory=dict)
    groups: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def smallest(self) -> tuple[int, int]:
        """Of the fewest pixels; of two such the lower one."""
        return min(self.counts, key=lambda size: (size[0] * size[1], size))

    @property
    def largest(self) -> tuple[int, int]:
        return max(self.counts, key=lambda size: (size[0] * size[1], size))


def sizes_of(source: str | Path, channels: int | None = None, where: Where = BY_RULE) -> Sizes:
    """The sizes in a folder, zip or table of picture files, each decoded once and let go.

    Raises BadInput where it is something else, or no picture can be read.
    """
    path = Path(source).expanduser()
    listing = found_in(path, where)
    if isinstance(listing, Arrays):
        raise BadInput("these pictures have one size", str(path))
    shape = wanted_shape(None, channels or listing.channels, "crop")
    counts: Counter[tuple[int, int]] = Counter()
    labels: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    groups: set[str] = set()
    skipped, grey = list(listing.skipped), True
    candidates = candidates_of(listing)
    for candidate, found in zip(candidates, parallel(metered(shape, 0), candidates), strict=True):
        if isinstance(found, str):
            skipped.append((candidate.name, found))
            continue
        counts[found.size] += 1
        grey = grey and found.grey_hash is not None
        labels.update([candidate.label] if candidate.label else [])
        parts.update([candidate.part] if candidate.part else [])
        groups.update([candidate.group] if candidate.group else [])
    if not counts:
        raise BadInput("no picture can be read", str(path), "mend or remove what is damaged")
    classes = {name: labels[name] for name in (listing.classes or natural(labels)) if labels}
    return Sizes(
        dict(counts), shape.channels or (1 if grey else 3), classes, skipped, dict(parts), len(groups), listing.remarks
    )
