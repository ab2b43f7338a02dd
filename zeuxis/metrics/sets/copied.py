"""How many generated pictures lie as near to a training picture as hardly a new one does."""

import math
from dataclasses import replace

import torch

from zeuxis.metrics.neighbours import copy_rate
from zeuxis.metrics.result import Result
from zeuxis.metrics.set_metric import SetMetric, Sets


def _measured(x: Sets) -> Result:
    learned = x.train if x.mirrored is None else torch.cat([x.train, x.mirrored])
    fake, test = (s if p is None else s[~p] for s, p in zip((x.fake, x.test), x.plain or (None, None), strict=True))
    if not len(fake) or not len(test):
        return Result(math.nan, len(fake))
    rate = copy_rate(fake, learned, test)
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
