"""Density of neighbourhoods (Naeem et al. 2020, arXiv 2002.09797)."""

from zeuxis.metrics.distribution import support
from zeuxis.metrics.result import Result
from zeuxis.metrics.set_metric import SetMetric, Sets


def _measured(x: Sets) -> Result:
    """With as many pictures on each side, since it depends on their number."""
    n = min(len(x.fake), len(x.train), len(x.test))
    k = min(5, n - 1)
    return support(x.fake[:n], x.test[:n], x.train[:n], k, min(3, k)).density


METRIC = SetMetric(
    "density",
    2,
    True,
    1,
    "how many real neighbourhoods lie around a generated picture; 1 where the sets are alike",
    _measured,
)
