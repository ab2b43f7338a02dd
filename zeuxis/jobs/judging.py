"""What came of a run: its last samples against held-out pictures, or its held-out figures against doing nothing."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zeuxis.data.dataset import Dataset
from zeuxis.data.files import write_json
from zeuxis.engine.alarms import advice
from zeuxis.errors import counted
from zeuxis.jobs.capability import capabilities_of
from zeuxis.jobs.sources import Material
from zeuxis.pages.outcome import UNJUDGED, Earlier, Held, Outcome, few_held, of_held, too_good, unjudged
from zeuxis.recipes.recipe import Generates, Yardstick
from zeuxis.runs import Run
from zeuxis.spelling import Advice, Way

_BYTES = 256 << 20  # of floating-point numbers on one side; larger pictures are compared in smaller numbers
_LEAST = 4  # pictures, two on either side; looks at held-out pictures
_MUCH = 5  # times the least gain


def judge(run: Run, given: Material) -> Outcome:
    """The judgement of a finished run, added to its finish.json with what to do about it, and returned."""
    outcome = _of_run(run, given)
    beside = [one.beside(run) for one in capabilities_of(run.recipe) if one.beside is not None]
    if studies := sorted({study for entry in given.words.values() for study in entry.get("known_before", ())}):
        beside.insert(0, f"This figure is too good: {too_good(studies)}.")
    outcome = too_early(outcome, run)
    outcome = replace(outcome, sentence=" ".join(filter(None, [outcome.sentence, *beside])))
    judgement = {**outcome.to_json(), "advice": _mend(outcome, run).to_json()}
    write_json(run.path / "finish.json", {**run.finish, "judgement": judgement})
    return outcome


def _of_run(run: Run, given: Material) -> Outcome:
    yardstick = run.recipe.yardstick(run.spec)
    held = _of_figures(run, yardstick, given.held_out) if yardstick else None
    judges = [one.judge for one in capabilities_of(run.recipe) if one.judge is not None]
    if not judges:
        return held or unjudged("this recipe names no held-out figure that says it")
    outcome = judges[0](run, given)
    if held is None:
        return outcome
    before = {k: v for k, v in held.figures.items() if k == "earlier"}
    said = outcome.sentence.removesuffix(few_held(outcome.figures.get("held"))).rstrip()  # the second says it too
    return replace(outcome, sentence=f"{said} {held.sentence}", figures={**outcome.figures, **before})


def too_early(outcome: Outcome, run: Run) -> Outcome:
    """Samples of so few images look like nothing, however near their light and colour come to those of real ones."""
    need, images = run.recipe.need(run.spec), int(run.finish["images"])
    if need is None or images > need.hopeless or outcome.grade not in ("usable", "close"):
        return outcome
    seen = f"Too early: after {counted(images, 'image')} such pictures show nothing yet, as a rule"
    return replace(outcome, grade="poor", sentence=f"{seen} ({need.hopeless:,} were too few). {outcome.sentence}")


def _of_figures(run: Run, yardstick: Yardstick, held: Dataset | None) -> Outcome:
    """The newest held-out score against the recipe's rival."""
    scores: list[dict[str, Any]] = run.log("score")
    last: Mapping[str, Any] = scores[-1]["score"] if scores else {}
    rival = last.get(yardstick.rival) if yardstick.chance is None else yardstick.chance
    ours = last.get(yardstick.ours)
    if held is None or not len(held) or ours is None or rival is None:
        return unjudged("no pictures were held out")
    labels = None if yardstick.chance is None else np.asarray(held.labels)
    noise = 0.0 if labels is None else _noise(rival, labels)
    best = max((line["score"].get(yardstick.ours, ours) for line in scores), default=ours)
    earlier = _earlier(scores, yardstick, _much(yardstick, best, labels))
    if earlier is not None:
        earlier = replace(earlier, kept=_kept(run.path, isinstance(run.recipe, Generates)))
    return of_held(
        Held(ours, rival, yardstick.doing, yardstick.unit, yardstick.least, noise, len(held), yardstick.aside, earlier)
    )


def _noise(chance: float, labels: np.ndarray) -> float:
    """Two standard errors of a balanced accuracy, such as that of guessing, over pictures of these labels."""
    counts = np.unique(labels, return_counts=True)[1]
    return 2 * math.sqrt(chance * (1 - chance) * (1 / counts).sum()) / len(counts)


def _much(yardstick: Yardstick, best: float, labels: np.ndarray | None) -> float:
    """By how much an earlier look must be better to count; of a share of pictures two standard errors, if less."""
    much = _MUCH * yardstick.least
    return much if labels is None else min(much, max(2 * yardstick.least, _noise(best, labels)))


def _kept(run: Path, generates: bool) -> str:
    """Where the weights of the best look are, in words; empty where they were not kept."""
    if not (run / "snapshots" / "best.safetensors").exists():
        return ""
    if generates:
        return "`zeuxis sample RUN --snapshot best` draws from those weights"
    return "those weights are in snapshots/best.safetensors"


def _earlier(scores: list[dict[str, Any]], yardstick: Yardstick, much: float) -> Earlier | None:
    """The best look, where no later one in the last quarter of the looks came within `much` of it.

    Of recipes whose "score" picks the best weights; a game against a critic lowers the others' figures by design.
    """
    looks = [line for line in scores if "score" in line["score"] and yardstick.ours in line["score"]]
    if len(looks) < _LEAST:
        return None
    best = max(looks, key=lambda line: line["score"]["score"])
    figure, late = (
        max(line["score"][yardstick.ours] for line in some) for some in ([best], looks[-(len(looks) // 4) :])
    )
    return Earlier(figure, best["images"], best.get("step")) if figure - late > much else None


def _mend(outcome: Outcome, run: Run) -> Advice:
    """What to do about a result that is of no use; no ways where it is of use, or nothing is known of it."""
    if outcome.grade in (UNJUDGED, "usable", "close", "better"):
        return Advice()
    standing = [name for line in run.log("score")[-1:] for name in line.get("alarms", ())]
    if "earlier" in outcome.figures or "overfitting" in standing:
        return advice("overfitting", run.recipe)
    need, images = run.recipe.need(run.spec), int(run.finish["images"])
    if need is None:
        return Advice((Way({"images": 4 * images}),), "how many this recipe needs on such pictures is not measured")
    until = need.alike if "collapse" in standing else need.enough
    return advice("collapse", run.recipe, max(need.enough, 2 * images) if images < until else None)
