"""Scores of a picture against its original: which there are is read from the folder `scores`."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from torch import Tensor

from zeuxis.metrics.result import Result


@dataclass(frozen=True, eq=False)
class Compared:
    """A picture and its original, [1, C, H, W] of one size in [-1, 1], as they are seen on white.

    scale: how many times the picture was enlarged; alphas: those of both, [1, 1, H, W], where something is transparent;
    distance: LPIPS by AlexNet, where its weights were added.
    """

    image: Tensor
    target: Tensor
    scale: int = 1
    alphas: tuple[Tensor, Tensor] | None = None
    distance: Callable[[Tensor, Tensor], Result] | None = None


@dataclass(frozen=True)
class Score:
    """title and unit for headings; digits behind the point; place: the least stands first.

    protocol: on what it is measured, in words, by the scale; measure: the value, infinite for equal pictures, None
    where it cannot be taken. needs: which of alphas and distance it cannot be without.
    """

    title: str
    unit: str
    digits: int
    higher_is_better: bool
    place: int
    protocol: Callable[[int], str]
    measure: Callable[[Compared], float | None]
    needs: str = ""

    @property
    def heading(self) -> str:
        return f"{self.title} {self.unit}".strip()


@cache
def catalog() -> dict[str, Score]:
    """Every score by its name, in the order of columns."""
    names = [path.stem for path in Path(__file__).with_name("scores").glob("[!_]*.py")]
    scores: dict[str, Score] = {name: importlib.import_module(f"{__package__}.scores.{name}").SCORE for name in names}
    return dict(sorted(scores.items(), key=lambda item: (item[1].place, item[0])))
