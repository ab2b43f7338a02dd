"""GAN-test (Shmelkov et al. 2018, arXiv 1807.09499, section 3.1): are the pictures of the class they were asked for?"""

from zeuxis.metrics.classification import recalls
from zeuxis.metrics.result import Result
from zeuxis.metrics.set_metric import SetMetric, Sets


def _measured(x: Sets) -> Result:
    assert x.labels is not None
    return x.accuracy(x.taught_by_real(x.fake), x.labels[0])


def _by_class(x: Sets) -> list[float | None]:
    assert x.labels is not None
    return recalls(x.taught_by_real(x.fake), x.labels[0], x.classes)


METRIC = SetMetric(
    "GAN-test",
    2,
    True,
    4,
    "accuracy on generated pictures of a classifier that learned from real ones",
    _measured,
    _by_class,
    needs="labels",
)
