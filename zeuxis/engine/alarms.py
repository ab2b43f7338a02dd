"""Alarms: what goes wrong in adversarial training, in words, with what to do.

Thresholds are starting values; the diversity, saturation and penalty signals follow
the practice of StyleGAN2-ADA (Karras et al. 2020, arXiv 2006.06676: overfitting by held-out
logits) and of R3GAN (Huang et al. 2024, arXiv 2501.05441: both penalties must bite).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from zeuxis.recipes.recipe import Need, Recipe, settings_of


@dataclass(frozen=True)
class Alarm:
    name: str
    words: str
    mend: str = ""


@dataclass(frozen=True)
class Signs:
    """What the alarms look at: the newest score and watched values, the progress (0 to 1), the images seen."""

    score: Mapping[str, float]
    watch: Mapping[str, float]
    progress: float
    images: int

    @property
    def early(self) -> bool:
        """Too soon to judge samples: every generator looks collapsed at first. The last look is never too soon."""
        return self.progress < 1 and (self.progress < 0.15 or self.images < 3_000)


BESIDE = {
    "collapse": ("more pictures", "another --seed"),
    "saturation": ("more pictures",),
    "penalty gap": ("another --seed",),
    "overfitting": ("more pictures", "fewer --images"),
    "posterior collapse": ("more --images",),
    "divergence": ("another --seed",),
}
"""What may help against a trouble whatever the recipe is."""


def advice(trouble: str, recipe: Recipe, more: int | None = None) -> str:
    """What to do about a trouble: only fields that this recipe has, at values that it does not have now.

    more: images that it should have seen, where it saw fewer: then nothing helps before that does.
    """
    if more is not None:
        return f"train again with --images {more}: it has seen too few"
    settings = settings_of(recipe)
    changes = (remedy.changes(settings) for remedy in recipe.remedies.get(trouble, ()))
    flags = [" ".join(_flag(name, value) for name, value in change.items()) for change in changes if change]
    ways = [*flags, *BESIDE.get(trouble, ())]
    return f"train again with {', or '.join(ways)}" if ways else ""


def _flag(name: str, value: object) -> str:
    """As it is typed: `--gamma 4`, `--norm`, `--no-norm`."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {value:g}" if isinstance(value, float) else f"--{flag} {value}"


def _collapse(s: Signs) -> Alarm | None:
    ratio = s.score.get("diversity")
    if ratio is None or s.early or ratio >= 0.5:
        return None
    how = "look alike" if ratio < 0.2 else "vary too little"
    return Alarm(
        "collapse",
        f"the samples {how}: their diversity is {ratio:.2f} of the real pictures'",
    )


def _saturation(s: Signs) -> Alarm | None:
    share = s.score.get("saturation")
    if share is None or s.early or share <= 0.98:
        return None
    return Alarm(
        "saturation",
        f"the critic tells {share:.0%} of the real and generated pictures apart: it has won",
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
        f"the critic is {times:.0f} times steeper on {side} pictures than on the others: it may diverge",
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
    )


def _posterior(s: Signs) -> Alarm | None:
    share = s.watch.get("model/active_units", s.watch.get("elbo/active_units"))
    if share is None or s.progress < 0.3 or share >= 0.25:
        return None
    return Alarm("posterior collapse", f"only {share:.0%} of the code's units carry anything")


def _divergence(s: Signs) -> Alarm | None:
    large = {k: v for k, v in s.watch.items() if k.split("/")[-1] in ("real", "fake") and abs(v) > 1e3}
    if not large:
        return None
    name, value = next(iter(large.items()))
    return Alarm("divergence", f"logits run away: {name} is {value:.3g}")


RULES: tuple[Callable[[Signs], Alarm | None], ...] = (
    _collapse,
    _saturation,
    _penalty_gap,
    _overfitting,
    _posterior,
    _divergence,
)


_OF_SAMPLES = ("collapse", "saturation")  # what too short a training shows too


def ring(signs: Signs, recipe: Recipe, need: Need | None = None) -> list[Alarm]:
    """The alarms that the signs give now, with what this recipe can do about them; what is not finite is no sign.

    need: what the recipe needs on these pictures, where that is measured.
    """
    score, watch = ({k: v for k, v in x.items() if math.isfinite(v)} for x in (signs.score, signs.watch))
    finite = replace(signs, score=score, watch=watch)
    found = (alarm for rule in RULES if (alarm := rule(finite)))
    more = need.enough if need and signs.progress >= 1 and signs.images < need.enough else None
    return [replace(a, mend=advice(a.name, recipe, more if a.name in _OF_SAMPLES else None)) for a in found]
