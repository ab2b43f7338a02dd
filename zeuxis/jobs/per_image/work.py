"""What is done to each of many pictures, one result for each: what the pipeline asks of it, and what it gets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from zeuxis.jobs.per_image.pairs import Pair
from zeuxis.pictures.picture import Picture

Note = dict[str, Any]
"""What stands in a result: what was asked for, of which file, and what was done."""
Progress = Callable[[int], None]
"""Gets the number of input pixels that are done."""


class Judged(Protocol):
    """What is told of what was measured: its attributes are None where nothing could be judged."""

    def to_json(self) -> dict[str, Any]: ...


class Measured(Protocol):
    """What was found in a picture before it was worked on, for the work itself."""

    def judged(self) -> Judged: ...


@dataclass(frozen=True, eq=False)
class Decision:
    """What will be done to a picture, and why, before anything is done.

    changes: False where it is left alone; detail: whatever the work has to know again.
    """

    changes: bool
    why: str
    remarks: tuple[str, ...] = ()
    measured: Measured | None = None
    detail: Any = None


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one picture. picture: None where it was left alone, or written in bands.

    weights: (name, sha256) of each net that had a part in it.
    """

    picture: Picture | None
    why: str
    used: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    weights: tuple[tuple[str, str], ...] = ()
    measured: Measured | None = None


class Work(Protocol):
    """One job on one picture, and by what its results are known."""

    @property
    def word(self) -> str:
        """Stands in the name of a result: NAME-WORD."""
        ...

    @property
    def suffix(self) -> str | None:
        """The only ending that results have; None: that of the source where it can be written."""
        ...

    @property
    def spares(self) -> bool:
        """Whether a picture may be left alone, so that a copy of it may be its result."""
        ...

    @property
    def measures(self) -> bool:
        """Whether measuring alone tells if a picture is left alone: then a copy of it is no proof."""
        ...

    @property
    def bands(self) -> bool:
        """Whether files that are too large for memory are worked on in bands."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """What decides of the result, as plain values."""
        ...

    def sized(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of the result of a picture of that size."""
        ...

    def is_current(self, weights: Mapping[str, str]) -> bool:
        """Whether nets of these names and hashes are those that would work now. Raises BadInput."""
        ...

    def note(self, pair: Pair, source: bytes | Path, mask: bytes | Path | None) -> Note:
        """What the result of a source says of what was asked for."""
        ...

    def decide(self, picture: Picture, mask: Picture | None, name: str) -> Decision:
        """What is to be done to a picture. Raises BadInput."""
        ...

    def by_what(self, decision: Decision) -> tuple[str, ...]:
        """The nets and methods that do what was decided, for a dry run. Raises BadInput where one is missing."""
        ...

    def apply(self, picture: Picture, decision: Decision) -> Outcome:
        """Does what was decided. Raises BadInput."""
        ...

    def decide_large(self, pair: Pair) -> Decision:
        """As `decide`, of a file that is too large for memory. Raises BadInput where that cannot be done."""
        ...

    def apply_large(self, pair: Pair, decision: Decision, note: Note, progress: Progress) -> Outcome:
        """As `apply`, from file to file in bands. Raises BadInput."""
        ...


class InMemory:
    """What is the same of works that change every picture, and read it as a whole, whatever its size."""

    suffix = None
    spares = measures = bands = False

    def sized(self, size: tuple[int, int]) -> tuple[int, int]:
        return size

    def decide_large(self, pair: Pair) -> Decision:
        raise NotImplementedError("no file is worked on in bands")

    def apply_large(self, pair: Pair, decision: Decision, note: Note, progress: Progress) -> Outcome:
        raise NotImplementedError("no file is worked on in bands")
