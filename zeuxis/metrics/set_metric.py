"""Measures of generated pictures against real ones: which there are is read from the folder `sets`."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from torch import Tensor

from zeuxis.draw import some_of
from zeuxis.metrics.classification import balanced_accuracy
from zeuxis.metrics.distribution import Support, support
from zeuxis.metrics.linear_probe import Probe, fit_probe
from zeuxis.metrics.result import Result


@dataclass(frozen=True, eq=False)
class Sets:
    """Features [n, d] of generated pictures, of real ones to learn from, and of others that nothing learned from.

    labels: int64 [n] of each of the three in this order, or None; classes: how many there are; seen: whether the
    generator learned from just the pictures of `train`, so that what lies nearer to them than `test` does is a copy;
    mirrored: of the mirror images of `train`, of which one that learned from these, too, may make copies. plain: bool
    [n] of `fake` and `test`, pictures of nearly one colour, which are copies of none.
    """

    fake: Tensor
    train: Tensor
    test: Tensor
    labels: tuple[Tensor, Tensor, Tensor] | None = None
    classes: int = 0
    seen: bool = False
    mirrored: Tensor | None = None
    plain: tuple[Tensor, Tensor] | None = None

    @cached_property
    def taught_by_real(self) -> Probe:
        assert self.labels is not None
        return fit_probe(self.train, self.labels[1], self.classes)

    @cached_property
    def taught_by_fake(self) -> Probe:
        assert self.labels is not None
        return fit_probe(self.fake, self.labels[0], self.classes)

    @cached_property
    def neighbourhoods(self) -> Support:
        """With as many pictures on each side, since its figures depend on their number."""
        sides = {"fake": self.fake, "test": self.test, "train": self.train}
        n = min(map(len, sides.values()))
        k = min(5, n - 1)
        fake, test, train = (side[some_of(len(side), n, "neighbourhoods", name)] for name, side in sides.items())
        return support(fake, test, train, k, min(3, k))

    def accuracy(self, guess: Tensor, labels: Tensor) -> Result:
        """Of guesses int64 [n], the mean over classes; its floor is that of real pictures that real ones taught."""
        assert self.labels is not None
        floor = balanced_accuracy(self.taught_by_real(self.test), self.labels[2], self.classes).value
        return replace(balanced_accuracy(guess, labels, self.classes), floor=floor)


@dataclass(frozen=True)
class SetMetric:
    """title and unit for headings; digits behind the point; place: the least stands first; about: one sentence.

    measure: the figure with its interval, and what real pictures reach in the place of the generated ones; None where
    it cannot be taken. by_class: shares by class, where there are such. needs: which of labels and seen it cannot be
    without.
    """

    title: str
    digits: int
    higher_is_better: bool
    place: int
    about: str
    measure: Callable[[Sets], Result]
    by_class: Callable[[Sets], list[float | None]] | None = None
    needs: str = ""
    times: float = 1.0

    def possible(self, sets: Sets) -> bool:
        return {"": True, "labels": sets.labels is not None, "seen": sets.seen}[self.needs]


@cache
def catalog() -> dict[str, SetMetric]:
    """Every measure by its name, in the order of rows."""
    names = [path.stem for path in Path(__file__).with_name("sets").glob("[!_]*.py")]
    known: dict[str, SetMetric] = {name: importlib.import_module(f"{__package__}.sets.{name}").METRIC for name in names}
    return dict(sorted(known.items(), key=lambda item: (item[1].place, item[0])))
