"""What every repeat of a study chooses on its validation pictures: its rival, and the share of generated pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """rival: the best policy; treated: the arm that stands for the treatment, which is the rival at share 0."""

    rival: str
    treated: str
    share: float


def share_name(share: float) -> str:
    """The arm of a candidate share in (0, 1]: `gan-25` for a quarter."""
    return f"gan-{100 * share:.0f}"


ROUNDING = 1e-12
"""Mean recalls, 0 to 1, that are no farther apart are equal: the same recalls in another order add up to other bits."""


def highest(scores: Sequence[float]) -> int:
    """The position of the highest score, the first of equals."""
    most = max(scores) - ROUNDING
    return next(i for i, score in enumerate(scores) if score >= most)


def best(scores: Mapping[str, float | None], names: Sequence[str]) -> str | None:
    """The name with the highest score, the first of equals; None while the score of one is missing."""
    pairs = [(name, scores.get(name)) for name in names]
    known = [(name, score) for name, score in pairs if score is not None]
    if not known or len(known) < len(pairs):
        return None
    return known[highest([score for _, score in known])][0]


def choose(validation: Mapping[str, float | None], policies: Sequence[str], shares: Sequence[float]) -> Choice | None:
    """The choice of one repeat from the validation accuracy of its arms; None while one of them is missing.

    The rival is the best policy, the first of equals. Share 0, which is the rival's own run, competes with the
    `shares`; of equals the one that stands first, 0 before all.
    """
    rival = best(validation, policies)
    by_arm = {share_name(share): share for share in shares}
    treated = best(validation, [rival, *by_arm]) if rival else None
    return Choice(rival, treated, by_arm.get(treated, 0.0)) if rival and treated else None
