"""Alarms: what goes wrong in adversarial training, in words, with what to do.

Thresholds are starting values; the diversity, saturation and penalty signals follow
the practice of StyleGAN2-ADA (Karras et al. 2020, arXiv 2006.06676: overfitting by held-out
logits) and of R3GAN (Huang et al. 2024, arXiv 2501.05441: both penalties must bite).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from zeuxis.errors import counted
from zeuxis.recipes.recipe import Need, Recipe, settings_of
from zeuxis.spelling import Advice, Way

FEW = 3_000
"""Images seen below which a training has only begun: what a look finds then says nothing of how it goes."""
FEW_PICTURES = 1_000
"""Real pictures to train on below which it is no surprise that a critic knows them by heart: the fewer, the sooner
(Karras et al. 2020, section 2)."""
PAIRS = 59
"""Fewest pictures that a share is read from: were one in twenty missed, 59 in a row would be found once in 20 tries."""
WON = 4.0
"""Mean difference of logits from which a generator learns little: softplus's slope is .018 there, and .14 at 1.8, where
one was seen to learn well although its critic told all pairs apart."""
SURE = 3.0
"""Standard errors by which the critic must rate held-out pictures below those trained on."""


@dataclass(frozen=True)
class Alarm:
    """fact: what was measured; means: what it says of the training; advice: what may help."""

    name: str
    fact: str
    means: str = ""
    advice: Advice = Advice()

    @property
    def words(self) -> str:
        return f"{self.fact}: {self.means}" if self.means else self.fact


@dataclass(frozen=True)
class Signals:
    """What the alarms look at: the newest score and watched values, the progress (0 to 1), the images seen.

    pictures: how many real ones, with as many samples, the score was read from; trained_on: how many there are in all,
    None where that is not known.
    """

    score: Mapping[str, float]
    watch: Mapping[str, float]
    progress: float
    images: int
    pictures: int
    trained_on: int | None = None

    @property
    def early(self) -> bool:
        """Too soon to look at samples: every generator looks collapsed at first. The last look is always taken."""
        return self.progress < 1 and (self.progress < 0.15 or self.images < FEW)


_PICTURES, _SEED = Way(how="more pictures"), Way(how="another", of="seed")
BESIDE = {
    "too early": (Way({"images": FEW}, "or more"),),
    "collapse": (_PICTURES, _SEED),
    "saturation": (_PICTURES,),
    "penalty gap": (_SEED,),
    "overfitting": (_PICTURES, Way(how="fewer", of="images")),
    "posterior collapse": (Way(how="more", of="images"),),
    "copying": (Way(how="more", of="images"),),
    "inverted": (_SEED,),
    "pattern": (Way(how="more", of="images"),),
    "divergence": (_SEED,),
}
"""What may help against a trouble whatever the recipe is."""


def advice(trouble: str, recipe: Recipe, more: int | None = None) -> Advice:
    """What to do about a trouble: only fields that this recipe has, at values that it does not have now.

    more: images that it should have seen, where it saw fewer: then nothing helps before that does.
    """
    if more is not None:
        return Advice((Way({"images": more}),), "it has seen too few")
    settings = settings_of(recipe)
    changes = (remedy.changes(settings) for remedy in recipe.remedies.get(trouble, ()))
    return Advice((*(Way(change) for change in changes if change), *BESIDE.get(trouble, ())))


def _collapse(s: Signals) -> Alarm | None:
    ratio = s.score.get("diversity")
    if ratio is None or s.early or ratio >= 0.5:
        return None
    how = "they look alike" if ratio < 0.2 else "they vary too little"
    return Alarm("collapse", f"the diversity of the samples is {ratio:.2f} of the real pictures'", how)


def _saturation(s: Signals) -> Alarm | None:
    share = s.score.get("saturation")
    if share is None or s.early or share <= 0.98 or s.pictures < PAIRS:
        return None
    gap = s.score.get("critic_real", 0.0) - s.score.get("critic_fake", 0.0)
    if not gap > WON:
        return None
    fact = f"the critic tells {share:.0%} of {s.pictures} pairs of a real and a generated picture apart"
    fact += f", by {gap:.1f} on average in its logits"
    return Alarm("saturation", fact, "it has won")


def _penalty_gap(s: Signals) -> Alarm | None:
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
        "it may diverge",
    )


def _overfitting(s: Signals) -> Alarm | None:
    real, held, fake = (s.score.get(f"critic_{k}") for k in ("real", "held_out", "fake"))
    if real is None or held is None or fake is None or s.progress < 0.1 or real - fake < 1e-3:
        return None
    share = (real - held) / (real - fake)
    if share <= 0.5 or s.score.get("held_out_z", 0.0) < SURE:
        return None
    few = s.trained_on is not None and s.trained_on < FEW_PICTURES
    return Alarm(
        "overfitting",
        "the critic trusts real pictures that it was not trained on much less than those it was: on average they lie "
        f"{share:.0%} of the way down to the generated ones",
        "it knows the training pictures by heart"
        + (f", as is usual with so few of them ({s.trained_on})" if few else ""),
    )


def _posterior(s: Signals) -> Alarm | None:
    share = s.watch.get("model/active_units", s.watch.get("elbo/active_units"))
    if share is None or s.progress < 0.3 or share >= 0.25:
        return None
    return Alarm("posterior collapse", f"only {share:.0%} of the code's units carry anything")


COPIES = 0.05
"""Of the distance of real pictures, below which an answer is what was given."""
INVERTED = 0.3
"""Mean correlation, below zero, from which light stands where dark was."""
PATTERN = 30.0
"""Times that the power of a fine period stands out more than in real pictures, from which on it can be seen."""


def _copying(s: Signals) -> Alarm | None:
    share = s.score.get("changed")
    if share is None or s.early or share >= COPIES:
        return None
    return Alarm("copying", f"answers differ from what was given by {share:.0%} of what real pictures do", "it copies")


def _inverted(s: Signals) -> Alarm | None:
    inverted = s.score.get("inverted")
    if inverted is None or s.early or inverted <= INVERTED:
        return None
    return Alarm(
        "inverted", "answers are dark where light was given, and light where dark was", "it turns colours over"
    )


def _of_pattern(s: Signals) -> Alarm | None:
    times = s.score.get("pattern")
    if times is None or s.early or times <= PATTERN:
        return None
    return Alarm(
        "pattern",
        f"a period of 2 or 4 pixels stands out {times:.0f} times as far as in real pictures",
        "stripes or a checkerboard",
    )


def _divergence(s: Signals) -> Alarm | None:
    large = {k: v for k, v in s.watch.items() if k.split("/")[-1] in ("real", "fake") and abs(v) > 1e3}
    if not large:
        return None
    name, value = next(iter(large.items()))
    return Alarm("divergence", f"logits run away: {name} is {value:.3g}")


RULES: tuple[Callable[[Signals], Alarm | None], ...] = (
    _collapse,
    _saturation,
    _penalty_gap,
    _overfitting,
    _posterior,
    _copying,
    _inverted,
    _of_pattern,
    _divergence,
)


_OF_SAMPLES = ("collapse", "saturation")  # what too short a training shows too
_AT_ONCE = ("divergence",)  # what is so however few images were seen


def _too_early(alarms: list[Alarm], signals: Signals) -> list[Alarm]:
    """In place of what says nothing after so few images one alarm that says so, at the last look alone."""
    early = [a for a in alarms if a.name not in _AT_ONCE]
    rest = [a for a in alarms if a.name in _AT_ONCE]
    if not early or signals.progress < 1:
        return rest
    facts = ", ".join(a.fact for a in early)
    message = (
        f"after {counted(signals.images, 'image')} it is too early to tell what becomes of this training ({facts})"
    )
    return [*rest, Alarm("too early", message)]


def check_alarms(signals: Signals, recipe: Recipe, need: Need | None = None) -> list[Alarm]:
    """The alarms that the signs give now, with what this recipe can do about them; what is not finite is no sign.

    need: what the recipe needs on these pictures, where that is measured.
    """
    score, watch = ({k: v for k, v in x.items() if math.isfinite(v)} for x in (signals.score, signals.watch))
    finite = replace(signals, score=score, watch=watch)
    alarms = [alarm for rule in RULES if (alarm := rule(finite))]
    if signals.images < FEW:
        alarms = _too_early(alarms, signals)
    return [replace(a, advice=advice(a.name, recipe, _more(a.name, signals, need))) for a in alarms]


def _more(name: str, signals: Signals, need: Need | None) -> int | None:
    """Images that help before anything else does, where the alarm shows no more than that they are missing."""
    if need is None or signals.progress < 1 or name not in (*_OF_SAMPLES, "too early"):
        return None
    return need.enough if signals.images < (need.alike if name == "collapse" else need.enough) else None
