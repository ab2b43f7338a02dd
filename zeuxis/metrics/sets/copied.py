"""How many generated pictures lie as near to a training picture as hardly a new one does."""

from dataclasses import replace

import torch

from zeuxis.metrics.neighbours import copy_rate
from zeuxis.metrics.result import Result
from zeuxis.metrics.set_metric import SetMetric, Sets


def _measured(x: Sets) -> Result:
    learned = x.train if x.mirrored is None else torch.cat([x.train, x.mirrored])
    rate = copy_rate(x.fake, learned, x.test)
    return replace(rate.rate, floor=rate.expected)


METRIC = SetMetric(
    "copies",
    3,
    False,
    6,
    "share that lies as near to a training picture, or its mirror image, as hardly a new real one does",
    _measured,
    needs="seen",
)
