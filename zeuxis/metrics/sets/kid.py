"""Kernel inception distance."""

from zeuxis.metrics.distribution import kid
from zeuxis.metrics.result import Result
from zeuxis.metrics.set_metric import SetMetric, Sets


def _measured(x: Sets) -> Result:
    return kid(x.fake, x.test, held_out=x.train)


METRIC = SetMetric(
    "KID x 1000",
    1,
    False,
    0,
    "how far the distributions are apart; about 0 where they are alike",
    _measured,
    times=1000,
)
