"""Density of neighbourhoods (Naeem et al. 2020, arXiv 2002.09797)."""

from zeuxis.metrics.result import Result
from zeuxis.metrics.set_metric import SetMetric, Sets


def _measured(x: Sets) -> Result:
    return x.neighbourhoods.density


METRIC = SetMetric(
    "density",
    2,
    True,
    1,
    "how many real neighbourhoods lie around a generated picture; 1 where the sets are alike",
    _measured,
)
