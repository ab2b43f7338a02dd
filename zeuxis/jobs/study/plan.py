"""What a study was asked for, and how its time is laid out before anything is trained."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from zeuxis.augmentation.names import RIVALS
from zeuxis.errors import BadInput, counted, nearest
from zeuxis.jobs.study import treatment as treatments
from zeuxis.stats.found import FEWEST

CHECKPOINTS = (0.4, 0.6, 0.8, 1.0)  # progress at which the generator's weights are weighed up
PROBE_PER_CLASS = 100  # pictures of a class that a checkpoint's probe learns from
PROBE_SHARE = 0.35  # steps of a checkpoint's probe, as a share of an arm's
GENERATOR_TIME = 0.58  # share of a repeat that the generator gets
POOL_TIME = 0.2  # share of that which drawing the pool may take, where a fifth of the pool takes no more
MOST_POOL = 20_000  # pictures drawn for a repeat's arms
REST = "rest"
FEW_STEPS = 100  # steps of an arm below which nothing is learned to speak of
MOST_STEPS = 4_000  # steps of an arm: small sets are learned by then


@dataclass(frozen=True)
class StudyConfig:
    """What a person asked for.

    labels_per_class: real training pictures per class and repeat, None for 80 % of the
    training part; budget: seconds for the whole study; margin: the smallest difference, in
    points of balanced accuracy, that matters; treatment: a file of `treatments`.
    domain: the kind of picture, which decides what augmentation leaves the label true.
    chosen: why this recipe, where `auto` chose it.
    unlabelled: from what the generator also learns, by labels that its rival guesses: `REST` of the training part, or
    a folder, as an absolute path; empty: from nothing else.
    policies, shares: what the choice on validation is made from; share 0 is always in it.
    """

    labels_per_class: int | None = None
    repeats: int = 10
    budget: float = 3600.0
    recipe: str = "cgan"
    margin: float = 0.5
    seed: int = 0
    treatment: str = "gan"
    domain: str = "photo"
    policies: tuple[str, ...] = RIVALS
    shares: tuple[float, ...] = (0.25, 0.5)
    generator: Mapping[str, Any] = field(default_factory=dict)
    classifier: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[int, int] | None = None
    chosen: str | None = None
    unlabelled: str = ""

    def __post_init__(self) -> None:
        checks = [
            (self.repeats >= 1, f"--repeats must be 1 or more, not {self.repeats}"),
            (
                self.budget > 0 and math.isfinite(self.budget),
                f"--budget must be a number above zero, not {self.budget:g}",
            ),
            (
                0 < self.margin <= 100,
                f"--margin must be a number above zero, 100 at most, not {self.margin:g}",
            ),
            (self.labels_per_class is None or self.labels_per_class >= 2, "--labels-per-class must be 2 or more"),
        ]
        for good, message in checks:
            if not good:
                raise BadInput(message)
        known = list(treatments.names())
        if self.treatment not in known:
            raise BadInput(f"no treatment `{self.treatment}`", "--treatment", nearest(self.treatment, known))

    @property
    def generates(self) -> bool:
        """Whether a generator is trained, whose pictures are what is tried."""
        return treatments.named(self.treatment).generates

    @property
    def controls(self) -> tuple[str, ...]:
        """What stands in the synthetic slots of the arms beside that of the generated pictures, by name."""
        if not self.generates:
            return ()
        return ("duplicated", "shuffled", *(["guessed"] if self.unlabelled else []))

    def as_dict(self) -> dict[str, Any]:
        values = asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "StudyConfig":
        return cls(**{k: _frozen(v) for k, v in values.items()})


def _frozen(value: Any) -> Any:
    """What JSON made a list was a tuple, however deep it lies."""
    if isinstance(value, Mapping):
        return {k: _frozen(v) for k, v in value.items()}
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value


@dataclass(frozen=True)
class Rates:
    """Measured on this machine: seconds of a step by one process, with the device and compute options."""

    generator: float
    classifier: float
    sampling: float


@dataclass(frozen=True)
class Plan:
    """Steps of every part of the study, and what they should take; written down, then kept to.

    pool: pictures drawn for the arms of a repeat, at most.
    """

    slots: int
    generator_steps: int
    classifier_steps: int
    probe_steps: int
    generator_images: int
    seconds: dict[str, float]
    warnings: tuple[str, ...] = ()
    pool: int = MOST_POOL

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"warnings": list(self.warnings)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Plan":
        return cls(**{**values, "warnings": tuple(values["warnings"])})


def arms_of(asked: StudyConfig) -> int:
    """How many classifiers one repeat trains."""
    return len(asked.policies) + (len(asked.shares) + len(asked.controls) if asked.generates else 1)


def lay_out(
    asked: StudyConfig, rates: Rates, slots: int, batch: int, pool: int, probe: int = 1000, fixed: float = 25.0
) -> Plan:
    """Divides the time of all slots over repeats, then over generator and arms.

    slots: processes at once; batch: the generator's; pool: pictures drawn per repeat, fewer where drawing takes long;
    probe: pictures drawn for each checkpoint's probe; fixed: seconds of start and report. Where steps were asked for
    they stand and the time follows.
    """
    gan = asked.generates
    waves = -(-asked.repeats // slots)
    # short arms fill the gaps of the last wave, so time divides over slots almost evenly
    share_of_slot = max(asked.repeats / slots, 1.0) * 1.03 + 0.05 * (waves - asked.repeats / slots)
    repeat = max((asked.budget - fixed) / share_of_slot, 1.0)
    time_g = GENERATOR_TIME * repeat if gan else 0.0
    least = pool if asked.steps else max(pool // 5, round(POOL_TIME * time_g / max(rates.sampling, 1e-9)))
    pool, limited = min(pool, least), pool > least
    sampling = (pool + len(CHECKPOINTS) * probe) * rates.sampling if gan else 0.0
    probes = len(CHECKPOINTS) * PROBE_SHARE if gan else 0.0
    arm = (repeat - time_g) / (arms_of(asked) + probes)
    steps = asked.steps or (
        round(max(time_g - sampling, 0.0) / rates.generator) if gan else 0,
        round(max(arm - 0.5, 0.05) / rates.classifier),
    )
    classifier_steps = min(max(steps[1], 20), MOST_STEPS) if asked.steps is None else steps[1]
    spare = (arm - 0.5 - classifier_steps * rates.classifier) * (arms_of(asked) + probes)
    generator_steps = steps[0]
    if gan and asked.steps is None:
        generator_steps = max(steps[0] + max(round(spare / rates.generator), 0), 20)
    taken_g = generator_steps * rates.generator + sampling
    taken_c = classifier_steps * rates.classifier + 0.5
    whole = (taken_g + taken_c * (arms_of(asked) + probes)) * share_of_slot + fixed
    seconds = {
        "generator": taken_g,
        "drawing": sampling,
        "classifier": taken_c,
        "repeat": taken_g + taken_c * (arms_of(asked) + probes),
        "whole": whole,
    }
    return Plan(
        slots,
        generator_steps,
        classifier_steps,
        max(10, round(PROBE_SHARE * classifier_steps)),
        generator_steps * batch,
        {k: round(v, 1) for k, v in seconds.items()},
        _warnings(asked, classifier_steps, whole),
        pool if limited else MOST_POOL,
    )


def budget_for(steps: float, asked: StudyConfig, rates: Rates, plan: Plan) -> float:
    """Seconds of a budget at which a generator gets so many steps, about."""
    wanted = steps * rates.generator + plan.seconds["drawing"]
    return asked.budget * wanted / max(GENERATOR_TIME * plan.seconds["repeat"], plan.seconds["generator"], 1e-9)


def _warnings(asked: StudyConfig, classifier_steps: int, whole: float) -> tuple[str, ...]:
    warnings = []
    if asked.repeats < FEWEST:
        warnings.append(
            f"{counted(asked.repeats, 'repeat')} can never decide: the smallest possible p is "
            f"{2 / 2**asked.repeats:g}; six is the least"
        )
    spare = asked.repeats - FEWEST
    if asked.generates and 0 <= spare <= 1:
        who = (
            "two that choose no generated pictures make"
            if spare
            else "a single one that chooses no generated pictures makes"
        )
        warnings.append(
            f"with {counted(asked.repeats, 'repeat')} {who} HELPED and HURT impossible: 8 to 10 repeats are safer"
        )
    if classifier_steps < FEW_STEPS:
        warnings.append(f"the classifiers get only {counted(classifier_steps, 'step')} each: give more --budget")
    if asked.steps is None and whole > 1.15 * asked.budget:
        warnings.append(f"this will take about {counted(round(whole / 60), 'minute')}, more than was asked for")
    return tuple(warnings)
