"""Every score of a picture against its original, and their means."""

from collections.abc import Mapping, Sequence
from math import fsum, isfinite

from torch import Tensor

from zeuxis.errors import BadInput
from zeuxis.jobs.published_nets import Distance
from zeuxis.metrics.score import Compared, Score, catalog


def _taken(with_lpips: bool, with_alpha: bool) -> dict[str, Score]:
    """The scores that can be taken."""
    there = {"": True, "distance": with_lpips, "alphas": with_alpha}
    return {name: score for name, score in catalog().items() if there[score.needs]}


def protocol_words(scale: int, with_lpips: bool, with_alpha: bool = False) -> dict[str, str]:
    """On what each score is measured, in words."""
    white = ", on white where transparent" if with_alpha else ""
    scores = _taken(with_lpips, with_alpha).items()
    return {name: one.protocol(scale) + ("" if one.needs == "alphas" else white) for name, one in scores}


def alike(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Two pictures with as many channels: a grey one beside one in colours is repeated."""
    channels = max(first.shape[1], second.shape[1])
    return first.expand(-1, channels, -1, -1), second.expand(-1, channels, -1, -1)


def scores(
    image: Tensor,
    target: Tensor,
    scale: int,
    measure: Distance | None,
    alphas: tuple[Tensor, Tensor] | None = None,
) -> dict[str, float | None]:
    """Every score of a picture against its original, [1, C, H, W] of one size; None where one cannot be taken.

    Both as they are seen; alphas: those of both, [1, 1, H, W] in [-1, 1], where something is transparent.
    Raises BadInput where the sizes differ.
    """
    if image.shape[2:] != target.shape[2:]:
        raise BadInput("a picture and its original must be of one size", f"{tuple(image.shape)}, {tuple(target.shape)}")
    both = Compared(*alike(image, target), scale, alphas, measure)
    return {name: one.measure(both) for name, one in _taken(measure is not None, alphas is not None).items()}


def means(scores: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """The mean of each score over the pictures that have it and do not equal their original."""
    result: dict[str, float | None] = {}
    for name in dict.fromkeys(name for one in scores for name in one):
        values = [v for one in scores if (v := one.get(name)) is not None and isfinite(v)]
        result[name] = fsum(values) / len(values) if values else None
    return result
