"""The sizes in a collection whose pictures have no common one."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from zeuxis.data.arrays import Arrays
from zeuxis.data.loading import ALL, Taken, metered, parallel
from zeuxis.data.reader import candidates_of, found_in, wanted_shape
from zeuxis.data.trees import BY_RULE, Where
from zeuxis.errors import BadInput

_MOST = 64
"""Pixels of the size at which pictures of several sizes are compared: what `data.crops` looks at."""


@dataclass(frozen=True)
class Sizes:
    """How many pictures there are of each (height, width)."""

    counts: dict[tuple[int, int], int]

    @property
    def smallest(self) -> tuple[int, int]:
        """Of the fewest pixels; of two such the lower one."""
        return min(self.counts, key=lambda size: (size[0] * size[1], size))

    @property
    def largest(self) -> tuple[int, int]:
        return max(self.counts, key=lambda size: (size[0] * size[1], size))

    @property
    def common(self) -> int:
        """Side of a square to compare all in: no more than half of the pictures are enlarged for it."""
        sides = sorted(side for size, n in self.counts.items() for side in [min(size)] * n)
        return min(_MOST, sides[len(sides) // 2])


def sizes_of(source: str | Path, channels: int | None = None, where: Where = BY_RULE, taken: Taken = ALL) -> Sizes:
    """The sizes in a folder, zip or table of picture files, each decoded once and let go.

    Raises BadInput where it is something else, or no picture can be read.
    """
    path = Path(source).expanduser()
    listing = found_in(path, where)
    if isinstance(listing, Arrays):
        raise BadInput("these pictures have one size", str(path))
    shape = wanted_shape(None, channels or listing.channels, "crop")
    loaded = (one for one in parallel(metered(shape, 0), candidates_of(listing, taken)) if not isinstance(one, str))
    counts = Counter(one.size for one in loaded if not taken.leaves_out(one))
    if not counts:
        raise BadInput("no picture can be read", str(path), "mend or remove what is damaged")
    return Sizes(dict(counts))
