"""How different the pictures of a class are from one another: the whole set hides classes of one picture each."""

import math

from zeuxis.metrics.result import Result
from zeuxis.metrics.set_metric import SetMetric, Sets
from zeuxis.metrics.spreads import diversity_ratio


def _ratios(x: Sets) -> list[Result | None]:
    """Of each class; None of one with fewer than two pictures on either side."""
    assert x.labels is not None
    found: list[Result | None] = []
    for c in range(x.classes):
        sides = (x.fake, x.train, x.test)
        fake, train, test = (side[labels == c] for side, labels in zip(sides, x.labels, strict=True))
        enough = min(len(fake), len(train)) > 1
        found.append(diversity_ratio(fake, train, test if len(test) > 1 else None) if enough else None)
    return found


def _measured(x: Sets) -> Result:
    """The mean over classes, its standard error as of independent ones."""
    found = [ratio for ratio in _ratios(x) if ratio is not None]
    if not found:
        return Result(math.nan, len(x.fake))
    errors = [(ratio.high - ratio.value) ** 2 if ratio.high is not None else 0.0 for ratio in found]
    floors = [ratio.floor for ratio in found if ratio.floor is not None]
    value, half = sum(ratio.value for ratio in found) / len(found), math.sqrt(sum(errors)) / len(found)
    floor = sum(floors) / len(floors) if floors else None
    return Result(value, len(x.fake), max(0.0, value - half), value + half, floor)


def _by_class(x: Sets) -> list[float | None]:
    return [None if ratio is None else ratio.value for ratio in _ratios(x)]


METRIC = SetMetric(
    "diversity in class", 2, True, 3, "the same within each class, averaged", _measured, _by_class, needs="labels"
)
