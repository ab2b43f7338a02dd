"""What every metric returns: a number with what is needed to judge it."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from zeuxis.errors import BadInput


@dataclass(frozen=True)
class Result:
    """A metric's value and its company; `float(result)` is the value alone.

    n: samples judged. low, high: 95 % interval, None where none is defined. floor: the
    same metric with held-out real samples in the place of the generated ones, the
    value to hold it against. features, weights_hash: the space it was measured in
    ("pixels", or the feature network's name and the sha256 of its weights).
    """

    value: float
    n: int
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    features: str = "pixels"
    weights_hash: str = ""

    def __float__(self) -> float:
        return self.value

    def measured_in(self, features: str, weights_hash: str = "") -> "Result":
        """The same numbers, marked with the feature network that they were measured in."""
        return dataclasses.replace(self, features=features, weights_hash=weights_hash)

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def mean_of(values: Tensor, least: float = -math.inf, most: float = math.inf) -> Result:
    """The mean of values [n], one for each picture, with Student's 95 % interval, cut to what is possible."""
    n, mean = len(values), float(values.double().mean())
    if n < 2:
        return Result(mean, n)
    from scipy.stats import t

    off = float(t.ppf(0.975, n - 1)) * float(values.double().std()) / math.sqrt(n)
    return Result(mean, n, max(least, mean - off), min(most, mean + off))


def wilson(k: int, n: int) -> tuple[float, float]:
    """Wilson's (1927) 95 % interval of a proportion after k of n."""
    from scipy.stats import binomtest

    interval = binomtest(k, n).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def proportion(k: int, n: int, floor: float | None = None) -> Result:
    """k of n with Wilson's interval. Raises BadInput for n = 0."""
    if n < 1:
        raise BadInput("a share of nothing has no value", f"{k} of {n}")
    low, high = wilson(k, n)
    return Result(k / n, n, low, high, floor)
