"""What was measured of a picture, and what is told of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from zeuxis.classic.impulse import Impulses

COLOURS = 2.5  # grey levels of noise in the colours, white or not: neither film nor texture has it in both differences
SPECKS, NOISE_, JPEG_, SOFTNESS = "salt and pepper", "noise", "JPEG traces", "softness"
"""What is measured, as `Measured.unjudged` names it."""
FIELDS = {SPECKS: ("specks",), NOISE_: ("noise", "colours", "quiet"), JPEG_: ("quality",), SOFTNESS: ("blur", "soft")}
UNSURE = "soft, but not surely by a Gaussian blur"


@dataclass(frozen=True)
class Judged:
    """What is told of `Measured`, with its units: None where something could not be judged, in `quality` also where
    there is no grid of a JPEG, and in `blur` where it is soft by no blur that can be undone. words: one line for
    people."""

    words: str
    noise: float | None
    quality: int | None
    grid: tuple[int, int]
    blur: float | None
    table: tuple[int, ...]
    worn: bool | None
    colours: float | None
    quiet: float | None
    soft: bool | None
    specks: Impulses | None
    paper: bool | None
    unjudged: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Measured:
    """What was found, as the steps use it: what could not be judged is 0, so that it counts for nothing.

    noise: standard deviation on the scale of 255, 0 where it looks like texture; quality: JPEG 1 to 100, None where
    the pixels show no grid of a JPEG; grid: row and column where its blocks start; blur: standard deviation in pixels
    of a Gaussian that would explain it that the finest detail is missing, 0 where none would; table: the 64 steps of
    JPEG's luma, row by row, the larger of both where the picture may have been turned; () without JPEG; worn: whether
    it looks like an old print with scratches, None where that was not looked for; colours: noise in the differences of
    colours, of any spectrum, as a camera makes it of a sensor's; quiet: how strong noise of the brightness can be
    beside that of the colours, 1 at most; soft: the finest detail is missing, whatever the reason. specks: salt and
    pepper, which all else was measured without; None where there is none, where it cannot be told, or was not looked
    for. paper: whether most of it is of one shade, or it looks drawn, so that its lines may be writing and no
    scratches; None where that was not looked for. unjudged: which of SPECKS, NOISE_, JPEG_ and SOFTNESS could not be
    told, and why; 0 and None say nothing there, and `judged` has None.
    """

    noise: float
    quality: int | None
    grid: tuple[int, int]
    blur: float
    table: tuple[int, ...] = ()
    worn: bool | None = None
    colours: float = 0.0
    quiet: float = 1.0
    soft: bool = False
    specks: Impulses | None = None
    paper: bool | None = None
    unjudged: Mapping[str, str] = field(default_factory=dict)

    @property
    def unexplained(self) -> bool:
        """Whether it is soft, but by no blur that is sure enough to be undone unasked."""
        return self.soft and not self.blur and SOFTNESS not in self.unjudged

    def words(self, without: Collection[str] = ()) -> str:
        """One line for people: what was found, and what could not be judged; without: what is told elsewhere."""
        jpeg = "no JPEG grid found" if self.quality is None else f"JPEG quality {self.quality}"
        judged = {NOISE_: self._noise(), JPEG_: jpeg, SOFTNESS: self._sharpness()}
        unjudged = {name: why for name, why in self.unjudged.items() if name not in without}
        clauses = [] if self.specks is None or SPECKS in without else [specks_in_words(self.specks)]
        if self.unexplained and SOFTNESS not in without:  # a clause with a comma of its own stands apart
            clauses.append(judged.pop(SOFTNESS))
        clauses.append(", ".join(clause for name, clause in judged.items() if name not in {*self.unjudged, *without}))
        for cause in dict.fromkeys(unjudged.values()):
            names = [name for name, why in unjudged.items() if why == cause]
            clauses.append(f"{_listed(names)} cannot be judged, as {cause}")
        return "; ".join(clause for clause in clauses if clause)

    def _noise(self) -> str:
        """0 is no measured silence: grain, and what may be texture, is left out of it."""
        if not self.noise:
            return (
                f"noise {self.colours:.1f} in the colours" if self.colours > COLOURS else "no noise beyond grain found"
            )
        return f"noise {self.noise:.1f}"

    def _sharpness(self) -> str:
        if self.blur:
            return f"blur {self.blur:.1f} px"
        return UNSURE if self.soft else "no Gaussian blur found"

    def judged(self) -> Judged:
        """What is told of it."""
        silent = {name for what in self.unjudged for name in FIELDS[what]}
        if self.soft and not self.blur:
            silent.add("blur")
        values: Any = {f.name: None if f.name in silent else getattr(self, f.name) for f in fields(Measured)}
        return Judged(self.words(), **values)


def specks_in_words(shares: Impulses) -> str:
    return f"specks of salt and pepper, {100 * shares.share:.1f} % of the pixels"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
