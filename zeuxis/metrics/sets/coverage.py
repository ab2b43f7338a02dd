"""Coverage of neighbourhoods (Naeem et al. 2020, arXiv 2002.09797)."""

from zeuxis.metrics.result import Result
from zeuxis.metrics.set_metric import SetMetric, Sets


def _measured(x: Sets) -> Result:
    return x.neighbourhoods.coverage


METRIC = SetMetric(
    "coverage",
    2,
    True,
    2,
    "share of real pictures with a generated one in their neighbourhood",
    _measured,
)
