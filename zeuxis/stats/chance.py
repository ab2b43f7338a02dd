"""Whether classifiers were shown to do better than guessing: of those that were not, a comparison says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zeuxis.stats.twoway import Examined, two_way

_DUST = 1e-9  # points; an arm that names one class for everything has exactly the accuracy of guessing


@dataclass(frozen=True)
class Guessing:
    """Balanced accuracies in per cent: of each arm, none of which was shown to do better, and of guessing."""

    arms: Mapping[str, float]
    chance: float


def guessing_of(hits: Mapping[str, Any], examined: Examined) -> Guessing | None:
    """What the arms reach where none is above guessing; None where one is, and with a single repeat.

    hits: bool [repeats, test pictures] of each arm. An arm is above where the 95 % interval of its balanced accuracy,
    over repeats and test pictures, lies above 1 / classes.
    """
    chance = 100.0 / len(np.unique(examined.classes))
    if any(len(rows) < 2 for rows in hits.values()):
        return None
    estimates = {name: two_way(100.0 * np.asarray(rows, dtype=np.float64), examined) for name, rows in hits.items()}
    if any(one.interval(0.95)[0] > chance + _DUST for one in estimates.values()):
        return None
    return Guessing({name: one.mean for name, one in estimates.items()}, chance)
