"""`data degrade`: pictures damaged on purpose, so that there is something to restore and to measure with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zeuxis.degrade.degradation import Degradation
from zeuxis.degrade.parsing import parse
from zeuxis.degrade.pixels import apply_to_pixels
from zeuxis.jobs.per_image import pipeline
from zeuxis.jobs.per_image.done import digest
from zeuxis.jobs.per_image.pairs import Pair
from zeuxis.jobs.per_image.records import Results
from zeuxis.jobs.per_image.single import one_picture
from zeuxis.jobs.per_image.work import Decision, Note, Outcome, Progress
from zeuxis.pictures.picture import Picture, from_tensor, to_tensor


@dataclass(frozen=True)
class Degrade:
    """Damaged, and written as PNG so that no other damage is added."""

    damage: str
    seed: int
    made: Degradation
    word = "damaged"
    suffix = ".png"
    spares = measures = bands = False

    def sized(self, size: tuple[int, int]) -> tuple[int, int]:
        return size

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"damage": self.damage, "seed": self.seed}

    def is_current(self, weights: Mapping[str, str]) -> bool:
        return True

    def note(self, pair: Pair, source: bytes | Path, mask: bytes | Path | None) -> Note:
        return {**self.settings, "source": pair.name, "of": digest(source)}

    def decide(self, picture: Picture, mask: Picture | None, name: str) -> Decision:
        lost = {"transparency is left out": picture.alpha is not None, "16 bits become 8": picture.white > 255}
        return Decision(True, "", tuple(remark for remark, so in lost.items() if so), detail=name)

    def by_what(self, decision: Decision) -> tuple[str, ...]:
        return (self.damage,)

    def apply(self, picture: Picture, decision: Decision) -> Outcome:
        eight = from_tensor(to_tensor(picture), replace(picture, pixels=picture.pixels.astype("uint8"), alpha=None))
        pixels = apply_to_pixels(eight.pixels, self.made, self.seed, str(decision.detail))
        damaged = replace(eight, pixels=pixels, kept=replace(eight.kept, icc=None, lost=None))
        return Outcome(damaged, "", self.by_what(decision), decision.remarks)

    def decide_large(self, pair: Pair) -> Decision:
        raise NotImplementedError("read as a whole, whatever its size")

    def apply_large(self, pair: Pair, decision: Decision, note: Note, progress: Progress) -> Outcome:
        raise NotImplementedError("read as a whole, whatever its size")


def degrade_files(given: str | bytes, out: str | None, damage: str, seed: int) -> Results:
    """Writes each picture damaged, as PNG; returns what became of each. given: see `single.one_picture`.

    Where two would get one name by that, they keep their whole ones. Raises BadInput, also where a file is there that
    is not this picture damaged in this way: then nothing is written; SomeFailed where some could not be read.
    """
    work = Degrade(damage, seed, parse(damage))
    if isinstance(given, bytes) or "-" in (given, out):
        return one_picture(work, given, out)
    return pipeline.run(given, out, work)
