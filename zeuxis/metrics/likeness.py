"""How like real pictures the samples of a generator are, without a network: in layout and texture, within seconds.

A picture becomes numbers that people see too: where it is light, dark and coloured (8 x 8 means), and how much
detail of three scales lies where (4 x 4 means of the absolute bands of a Laplacian pyramid, Burt and Adelson 1983,
logarithmic, since blur and noise are factors). They are neither an Inception distance nor comparable with one;
they rank trainings on one set of pictures, and tell fog, noise and collapse from pictures.
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, interpolate

from zeuxis.metrics.distances import blocks
from zeuxis.metrics.distribution import support

MOST = 512
"""Pictures on a side that are compared, at most."""
_LAYOUT, _PLACES, _SCALES = 8, 4, 3
_LEAST_DETAIL = 1 / 255  # below half a grey level of 8 bits there is no detail to take the logarithm of
_GREY = 2 / 255  # a spread of less is no spread: what is equal in all real pictures must not decide


def _bands(image: Tensor) -> list[Tensor]:
    """Mean over channels of the absolute Laplacian bands, finest first; fewer where the picture is small."""
    bands = []
    for _ in range(_SCALES):
        if min(image.shape[-2:]) < 2 * _PLACES:
            break
        small = avg_pool2d(image, 2, ceil_mode=True, count_include_pad=False)
        bands.append((image - interpolate(small, image.shape[-2:], mode="bilinear")).abs().mean(1, keepdim=True))
        image = small
    return bands


def features(image: Tensor) -> tuple[Tensor, Tensor]:
    """Layout [n, C * 64] and texture [n, 16 * scales] of pictures [n, C, H, W] in [-1, 1]."""
    layout = adaptive_avg_pool2d(image, min(_LAYOUT, *image.shape[-2:])).flatten(1)
    detail = [adaptive_avg_pool2d(band, _PLACES).flatten(1) for band in _bands(image)]
    texture = torch.log(torch.cat(detail, 1) + _LEAST_DETAIL) if detail else layout.new_zeros(len(image), 0)
    return layout, texture


def sharpness(image: Tensor) -> float:
    """Mean absolute detail of the finest band of [n, C, H, W] in [-1, 1]; 0 for flat pictures."""
    bands = _bands(image)
    return float(bands[0].double().mean()) if bands else 0.0


@dataclass(frozen=True)
class Space:
    """Features as numbers of equal weight: centred and scaled by real pictures, layout and texture counting alike."""

    centre: Tensor
    scale: Tensor

    @classmethod
    def of(cls, real: Tensor) -> "Space":
        parts = features(real)
        spread = [(x - x.mean(0)).square().mean(0).sqrt() for x in parts]
        floors = (_GREY, 0.1)
        scale = [s.clamp(min=f) * max(s.numel(), 1) ** 0.5 for s, f in zip(spread, floors, strict=True)]
        return cls(torch.cat([x.mean(0) for x in parts]), torch.cat(scale))

    def __call__(self, image: Tensor) -> Tensor:
        return (torch.cat(features(image), 1) - self.centre) / self.scale


def _mean_distance(a: Tensor, b: Tensor, same: bool = False) -> float:
    """Mean Euclidean distance between rows; of one set, without each row's distance to itself."""
    total = 0.0
    for here, there, distance in blocks(a, b):
        total += float((distance.fill_diagonal_(0.0) if same and here == there else distance).sum())
    return total / (len(a) * (len(b) - same))


def apart(a: Tensor, b: Tensor) -> float:
    """How far two sets [n, d], [m, d] are apart: 0 alike, 1 two points; chance may take it slightly below 0.

    The energy distance over twice the mean distance between the sides, in its unbiased form
    (Székely and Rizzo 2013, "Energy statistics", section 4: the coefficient H).
    """
    between = _mean_distance(a, b)
    within = 0.5 * (_mean_distance(a, a, True) + _mean_distance(b, b, True))
    return 1 - within / between if between > 0 else 0.0


def _within(image: Tensor, label: Tensor | None) -> float:
    """Mean distance between two pictures of one class, over pixels; classes with fewer than two are left out."""
    groups = [image] if label is None else [image[label == c] for c in label.unique()]
    distances = [_mean_distance(x.flatten(1), x.flatten(1), True) for x in groups if len(x) > 1]
    return sum(distances) / max(len(distances), 1)


def _shares(samples: Tensor, held: Tensor) -> tuple[float, float]:
    """Coverage and recall of `held`, means over parts of `samples` that are as many as it: both depend on numbers."""
    size = min(len(held), len(samples))
    k = min(5, size - 1)
    parts = [p for p in samples.split(size) if len(p) == size]
    supports = [support(part, held[:size], None, k, min(3, k)) for part in parts]
    means = (sum(getattr(s, name).value for s in supports) / len(supports) for name in ("coverage", "recall"))
    coverage, recall = means
    return coverage, recall


@dataclass(frozen=True)
class Likeness:
    """Generated pictures against held-out real ones; beside each figure what as many training pictures reach.

    n, held: pictures on either side. diversity: mean distance between two pictures (of one class, where samples have
    classes) over that of real ones. sharpness: finest detail over that of real ones. distance: `apart`, 0 to 1.
    coverage: share of held-out pictures with a sample among their nearest 5 (arXiv 2002.09797); recall: share that
    lies within the samples (arXiv 1904.06991).
    """

    n: int
    held: int
    diversity: float
    sharpness: float
    distance: float
    distance_real: float
    coverage: float
    coverage_real: float
    recall: float
    recall_real: float

    def to_json(self) -> dict[str, float | None]:
        """Null for what cannot be measured."""
        return {k: round(v, 4) if math.isfinite(v) else None for k, v in asdict(self).items()}


def likeness(fake: Tensor, train: Tensor, held: Tensor, labels: tuple[Tensor, Tensor] | None = None) -> Likeness:
    """Samples and as many training pictures, each against held-out ones; all [*, C, H, W] in [-1, 1].

    labels: classes of `fake` and `train`. Two pictures a side at least; neighbours are fewer than 5 where
    pictures are few. Diversity and sharpness are NaN where real pictures have none.
    """
    space = Space.of(train)
    of_fake, of_train, of_held = (space(x) for x in (fake, train, held))
    covered, recalled = _shares(of_fake, of_held)
    covered_real, recalled_real = _shares(of_train, of_held)
    spread = _within(train, labels and labels[1])
    detail = sharpness(train)
    return Likeness(
        n=len(fake),
        held=len(held),
        diversity=_within(fake, labels and labels[0]) / spread if spread else math.nan,
        sharpness=sharpness(fake) / detail if detail else math.nan,
        distance=apart(of_fake, of_held),
        distance_real=apart(of_train, of_held),
        coverage=covered,
        coverage_real=covered_real,
        recall=recalled,
        recall_real=recalled_real,
    )
