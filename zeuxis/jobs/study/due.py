"""What a study still has to do, read from its folder alone: so a killed study goes on where it was."""

from typing import Any

from zeuxis.jobs.study.arms import Place

Spec = dict[str, Any]


def ready(place: Place) -> list[Spec]:
    """The jobs whose results are missing and whose needs are met, most urgent first; read from the folder alone."""
    urgent: list[Spec] = []
    later: list[Spec] = []
    for r in range(place.asked.repeats):
        for spec in ready_in(place, r):
            (urgent if spec["kind"] == "generator" else later).append(spec)
    return urgent + later


def _spec(place: Place, r: int, kind: str, arm: str = "", **more: Any) -> Spec:
    return {"study": str(place.folder), "kind": kind, "repeat": r, "name": f"{r:02d}/{arm or kind}", "arm": arm, **more}


def _arm(place: Place, r: int, arm: str, policy: str, share: float = 0.0, fill: str = "", seed: str = "arm") -> Spec:
    return _spec(place, r, "arm", arm, policy=policy, share=share, fill=fill, seed=seed)


def best_policy(place: Place, r: int) -> str | None:
    """The policy with the best validation accuracy of a repeat (the first of equals), once all are there."""
    found = [(p, place.result(r, p)) for p in place.asked.policies]
    if any(result is None for _, result in found):
        return None
    return max(found, key=lambda pair: pair[1]["validation"])[0]  # type: ignore[index]


def chosen_share(place: Place, r: int) -> float | None:
    """The share with the best validation accuracy, 0 (the rival's own run) among them; the smaller of equals."""
    policy = best_policy(place, r)
    if policy is None:
        return None
    candidates = [(0.0, place.result(r, policy)), *((s, place.result(r, share_name(s))) for s in place.asked.shares)]
    if any(result is None for _, result in candidates):
        return None
    return max(candidates, key=lambda pair: pair[1]["validation"])[0]  # type: ignore[index]


def share_name(share: float) -> str:
    return f"gan-{round(100 * share)}"


def control_share(place: Place, r: int) -> float | None:
    """The share of the controls: the chosen one, or the better of the others where 0 was chosen."""
    share = chosen_share(place, r)
    if share is None or share > 0:
        return share
    return max(place.asked.shares, key=lambda s: place.result(r, share_name(s))["validation"])  # type: ignore[index]


def ready_in(place: Place, r: int) -> list[Spec]:
    """The jobs of one repeat that can start now: what a choice on validation decides waits for it."""
    asked = place.asked
    wanted = [_arm(place, r, p, p) for p in asked.policies]
    policy = best_policy(place, r)
    if asked.treatment == "gan":
        if place.result(r, "generator") is None:
            wanted.append(_spec(place, r, "generator"))
        elif policy is not None:
            wanted += [_arm(place, r, share_name(s), policy, s, "generated") for s in asked.shares]
            share = control_share(place, r)
            if share is not None:
                wanted += [
                    _arm(place, r, "duplicated", policy, share, "duplicated"),
                    _arm(place, r, "shuffled", policy, share, "shuffled"),
                ]
    elif policy is not None and asked.treatment == "again":
        wanted.append(_arm(place, r, "again", policy, seed="again"))
    elif policy is not None:
        wanted.append(_arm(place, r, asked.treatment, policy, max(asked.shares), asked.treatment))
    return [s for s in wanted if s["kind"] == "generator" or place.result(r, s["arm"]) is None]
