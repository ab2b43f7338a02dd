"""How different the pictures are from one another."""

from zeuxis.metrics.result import Result
from zeuxis.metrics.set_metric import SetMetric, Sets
from zeuxis.metrics.spreads import diversity_ratio


def _measured(x: Sets) -> Result:
    return diversity_ratio(x.fake, x.train, held_out=x.test)


METRIC = SetMetric(
    "diversity", 2, True, 3, "mean distance between two generated pictures over that between two real ones", _measured
)
