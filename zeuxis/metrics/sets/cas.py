"""Classification accuracy score (Ravuri and Vinyals 2019, arXiv 1905.10887): do the pictures teach the classes?"""

from zeuxis.metrics.classification import recalls
from zeuxis.metrics.result import Result
from zeuxis.metrics.set_metric import SetMetric, Sets


def _measured(x: Sets) -> Result:
    assert x.labels is not None
    return x.accuracy(x.taught_by_fake(x.test), x.labels[2])


def _by_class(x: Sets) -> list[float | None]:
    assert x.labels is not None
    return recalls(x.taught_by_fake(x.test), x.labels[2], x.classes)


METRIC = SetMetric(
    "CAS",
    2,
    True,
    5,
    "accuracy on real pictures of a classifier that learned from generated ones",
    _measured,
    _by_class,
    needs="labels",
)
