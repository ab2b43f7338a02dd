"""Alarms: what goes wrong in adversarial training, in words, with what to do.

Thresholds are starting values; the diversity, saturation and penalty signals follow
the practice of StyleGAN2-ADA (Karras et al. 2020, arXiv 2006.06676: overfitting by held-out
logits) and of R3GAN (Huang et al. 2024, arXiv 2501.05441: both penalties must bite).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Alarm:
    name: str
    words: str
    mend: str


@dataclass(frozen=True)
class Signs:
    """What the alarms look at: the newest score and watched values, the progress (0 to 1), the images seen."""

    score: Mapping[str, float]
    watch: Mapping[str, float]
    progress: float
    images: int

    @property
    def early(self) -> bool:
        """Too soon to judge samples: every generator looks collapsed at first."""
        return self.progress < 0.15 or self.images < 3_000


def _collapse(s: Signs) -> Alarm | None:
    ratio = s.score.get("diversity")
    if ratio is None or s.early or ratio >= 0.5:
        return None
    how = "look alike" if ratio < 0.2 else "vary too little"
    return Alarm(
        "collapse",
        f"the samples {how}: their diversity is {ratio:.2f} of the real pictures'",
        "train again with a higher penalty (r3gan: gamma 4 times higher), more pictures, or another --seed",
    )


def _saturation(s: Signs) -> Alarm | None:
    share = s.score.get("saturation")
    if share is None or s.early or share <= 0.98:
        return None
    return Alarm(
        "saturation",
        f"the critic tells {share:.0%} of the real and generated pictures apart: it has won",
        "raise the penalty (gamma), lower the critic's rate, or augment (r3gan: augment)",
    )


def _penalty_gap(s: Signs) -> Alarm | None:
    r1, r2 = s.watch.get("critic/r1"), s.watch.get("critic/r2")
    if not r1 or not r2 or r1 <= 0 or r2 <= 0 or s.progress < 0.05:
        return None
    gap = math.log10(r2 / r1)
    if abs(gap) <= 1:
        return None
    side = "generated" if gap > 0 else "real"
    times = 10 ** abs(gap)
    return Alarm(
        "penalty gap",
        f"the critic is {times:.0f} times steeper on {side} pictures than on the others",
        "raise gamma; training that leans to one side tends to diverge",
    )


def _overfitting(s: Signs) -> Alarm | None:
    real, held, fake = (s.score.get(f"critic_{k}") for k in ("real", "held_out", "fake"))
    if real is None or held is None or fake is None or s.progress < 0.1 or real - fake < 1e-3:
        return None
    share = (real - held) / (real - fake)
    if share <= 0.5:
        return None
    return Alarm(
        "overfitting",
        f"the critic rates held-out real pictures {share:.0%} of the way towards generated "
        "ones: it knows the training pictures by heart",
        "augment (r3gan: preset few), use more pictures, or stop earlier",
    )


def _posterior(s: Signs) -> Alarm | None:
    share = s.watch.get("model/active_units", s.watch.get("elbo/active_units"))
    if share is None or s.progress < 0.3 or share >= 0.25:
        return None
    return Alarm(
        "posterior collapse", f"only {share:.0%} of the code's units carry anything", "lower beta, or give free bits"
    )


def _divergence(s: Signs) -> Alarm | None:
    large = {k: v for k, v in s.watch.items() if k.split("/")[-1] in ("real", "fake") and abs(v) > 1e3}
    if not large:
        return None
    name, value = next(iter(large.items()))
    words = f"logits run away: {name} is {value:.3g}"
    return Alarm("divergence", words, "lower the learning rate or raise the penalty")


RULES: tuple[Callable[[Signs], Alarm | None], ...] = (
    _collapse,
    _saturation,
    _penalty_gap,
    _overfitting,
    _posterior,
    _divergence,
)


def ring(signs: Signs) -> list[Alarm]:
    """The alarms that the signs give now; what is not finite is no sign."""
    score, watch = ({k: v for k, v in x.items() if math.isfinite(v)} for x in (signs.score, signs.watch))
    finite = replace(signs, score=score, watch=watch)
    return [alarm for rule in RULES if (alarm := rule(finite))]
