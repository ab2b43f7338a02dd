"""What a study still has to do, read from its folder alone: so a killed study goes on where it was."""

from typing import Any

from zeuxis.jobs.executing.executor import Spec
from zeuxis.jobs.study.place import Place
from zeuxis.stats import choice
from zeuxis.stats.choice import Choice, share_name

WORK = "zeuxis.jobs.study.repeat_jobs:work_on"


def ready(place: Place) -> list[Spec]:
    """The jobs whose results are missing and whose needs are met, most urgent first; read from the folder alone."""
    urgent: list[Spec] = []
    later: list[Spec] = []
    for r in range(place.asked.repeats):
        for spec in ready_in(place, r):
            (urgent if spec["kind"] == "generator" else later).append(spec)
    return urgent + later


def _spec(place: Place, r: int, kind: str, arm: str = "", **more: Any) -> Spec:
    name = f"repeat {r + 1}, {arm or kind}"
    at = {"study": str(place.folder)}
    return {"work": WORK, "at": at, "kind": kind, "repeat": r, "name": name, "arm": arm, **more}


def _arm(place: Place, r: int, arm: str, policy: str, share: float = 0.0, fill: str = "", seed: str = "arm") -> Spec:
    return _spec(place, r, "arm", arm, policy=policy, share=share, fill=fill, seed=seed)


def _validation(place: Place, r: int) -> dict[str, float]:
    """Validation accuracy of the arms of a repeat that are done."""
    names = [*place.asked.policies, *map(share_name, place.asked.shares)]
    return {name: result["validation"] for name in names if (result := place.result(r, name)) is not None}


def best_policy(place: Place, r: int) -> str | None:
    """The rival of a repeat, once all its policies are done."""
    return choice.best(_validation(place, r), place.asked.policies)


def chosen(place: Place, r: int) -> Choice | None:
    """What a repeat chose, once everything that it chooses from is done."""
    return choice.choose(_validation(place, r), place.asked.policies, place.asked.shares)


def control_share(place: Place, r: int) -> float | None:
    """The share of the controls: the chosen one, or the best of the others where 0 was chosen."""
    decision = chosen(place, r)
    if decision is None:
        return None
    if decision.share > 0:
        return decision.share
    others = {share_name(share): share for share in place.asked.shares}
    return others.get(choice.best(_validation(place, r), list(others)) or "")


def ready_in(place: Place, r: int) -> list[Spec]:
    """The jobs of one repeat that can start now: what a choice on validation decides waits for it."""
    asked = place.asked
    wanted = [_arm(place, r, p, p) for p in asked.policies]
    policy = best_policy(place, r)
    if asked.generates:
        if place.result(r, "generator") is None:
            if policy is not None or not asked.unlabelled:  # the rival guesses the labels
                wanted.append(_spec(place, r, "generator"))
        elif policy is not None:
            wanted += [_arm(place, r, share_name(s), policy, s, "generated") for s in asked.shares]
            share = control_share(place, r)
            if share is not None:
                wanted += [_arm(place, r, control, policy, share, control) for control in asked.controls]
    elif policy is not None:
        share, fill = (0.0, "") if place.treatment.fill is None else (max(asked.shares), asked.treatment)
        wanted.append(_arm(place, r, asked.treatment, policy, share, fill, place.treatment.seed))
    return [s for s in wanted if s["kind"] == "generator" or place.result(r, s["arm"]) is None]
