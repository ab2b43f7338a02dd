"""Is the generator copying? Nearest real neighbours, copy rate, authenticity.

Every function takes samples [n, ...]: pixels, or better the features of a network that
was not trained on the images judged. Where a generator was trained with flips or crops,
append the flipped images to `train`: a mirrored copy is a copy.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from zeuxis.errors import BadInput
from zeuxis.metrics.distances import nearest, pair, rows
from zeuxis.metrics.result import Result, proportion


@dataclass(frozen=True)
class NearestPair:
    """A generated sample and its nearest real one, by index, and the distance between them.

    mirrored: that is the distance to the real one's mirror image.
    """

    fake: int
    real: int
    distance: float
    mirrored: bool = False


@dataclass(frozen=True)
class CopyRate:
    """Share of generated samples within `threshold` of a training sample.

    expected: that share for fresh real samples. p: one-sided, of as many copies or more
    if the generated samples were fresh real ones, allowing for the threshold's own
    uncertainty; p_binomial: the plain binomial p with `expected` taken as certain, which
    alarms too often where held-out samples are few. alarm: p < 0.01.
    """

    rate: Result
    threshold: float
    expected: float
    p: float
    p_binomial: float

    @property
    def alarm(self) -> bool:
        return self.p < 0.01


def copies(fake: Tensor, held_out: Tensor, quantile: float = 0.01) -> CopyRate:
    """Copy rate from how close each sample comes to a training one: `fake` [n] and `held_out` [h], smaller is closer.

    The threshold is the j-th smallest of `held_out`, j = quantile * (h + 1) rounded down, at least 1 and ties
    included, so a fresh real sample comes as close with mean probability j / (h + 1). The number of fresh ones
    among n that do is beta-binomial (exchangeability, no distribution assumed). Raises BadInput.
    """
    from scipy.stats import betabinom, binom

    if not 0.0 < quantile < 1.0:
        raise BadInput("the quantile must lie between 0 and 1", f"{quantile}", "leave it at 0.01")
    reference = held_out.sort().values
    h = len(reference)
    threshold = float(reference[min(h, max(1, int(quantile * (h + 1)))) - 1])
    j = int((reference <= threshold).sum())
    copied, n = int((fake <= threshold).sum()), len(fake)
    expected = j / (h + 1)
    return CopyRate(
        rate=proportion(copied, n, floor=j / h),
        threshold=threshold,
        expected=expected,
        p=float(betabinom.sf(copied - 1, n, j, h + 1 - j)),
        p_binomial=float(binom.sf(copied - 1, n, expected)),
    )


def copy_rate(fake: Any, train: Any, held_out: Any, quantile: float = 0.01) -> CopyRate:
    """`copies` by the distance to the nearest training sample. Raises BadInput."""
    return copies(nearest(fake, train)[0][:, 0], nearest(held_out, train)[0][:, 0], quantile)


def _authentic(samples: Tensor, train: Tensor) -> Tensor:
    distance, index = (x[:, 0] for x in nearest(samples, train))
    used, place = torch.unique(index, return_inverse=True)
    to_other = nearest(train[used], train, k=2)[0][:, 1]
    return distance > to_other[place]


def authenticity(fake: Any, train: Any, held_out: Any = None) -> Result:
    """AuthPct as a share, 0 to 1 (Alaa et al. 2022, arXiv 2102.08921): g counts where it is farther from its
    nearest training sample than that one is from the nearest other training sample.

    Near 0 means copies. The value of an honest sampler is not 0.5 (0.32 for Gaussians in
    one dimension, 0.90 in 784): judge it against `floor`, the share of held-out real
    samples, and warn below 0.7 of that. Raises BadInput.
    """
    a, b = pair(fake, train)
    if len(b) < 2:
        raise BadInput("needs two training samples or more", f"{len(b)}")
    floor = None if held_out is None else float(_authentic(rows(held_out), b).double().mean())
    return proportion(int(_authentic(a, b).sum()), len(a), floor)
