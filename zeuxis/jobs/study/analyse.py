"""From the results of a study to its table, verdict and sample sheets."""

import csv
import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zeuxis.data.files import write_json, write_text
from zeuxis.data.memory import Subset
from zeuxis.engine.batches import to_image
from zeuxis.engine.enough import FAR, verdict_of
from zeuxis.errors import counted
from zeuxis.jobs.study.job_graph import best_policy, chosen
from zeuxis.jobs.study.place import Place, draw_repeat
from zeuxis.jobs.study.plan import FEW_STEPS
from zeuxis.jobs.study.repeat_jobs import read_pool
from zeuxis.jobs.study.treatment import noun_of
from zeuxis.pictures.png import write_sheet
from zeuxis.stats.chance import guessing_of
from zeuxis.stats.choice import highest, share_name
from zeuxis.stats.twoway import balanced, two_way
from zeuxis.stats.verdict import Comparison, secondary, verdict

_COLUMNS = 10


def analyse(place: Place) -> None:
    """Writes table.csv, verdict.json and samples/ from the repeats' results."""
    asked, repeats = place.asked, range(place.asked.repeats)
    gan = asked.generates
    rivals = [str(best_policy(place, r)) for r in repeats]
    choices = [choice for r in repeats if gan and (choice := chosen(place, r))]
    shares = [choice.share for choice in choices] if gan else None
    treated = [choice.treated for choice in choices] if gan else [asked.treatment] * len(rivals)
    sources = {name: [name] * len(rivals) for name in _plain_arms(place)} | {"best": rivals, asked.treatment: treated}
    hits = {arm: np.stack([place.hits(r, one) for r, one in enumerate(names)]) for arm, names in sources.items()}
    conclusion = verdict(
        np.subtract(hits[asked.treatment], hits["best"], dtype=np.int8),
        place.examined,
        margin=asked.margin,
        shares=shares,
        guessing=guessing_of({"with it": hits[asked.treatment], "without": hits["best"]}, place.examined),
        treatment=noun_of(asked.treatment),
        shortage=_shortage(place),
    )
    pairs = [(asked.treatment, c) for c in (*asked.controls, *asked.policies) if c in hits]
    record = conclusion.to_json() | {
        "shares": shares,
        "rivals": rivals,
        "arms": [_arm_summary(place, arm, sources[arm], seen) for arm, seen in hits.items()],
        "secondary": _others(secondary(hits, pairs, place.examined), shares) if len(rivals) > 1 else [],
    }
    _table(place)
    if gan:
        _samples(place)
    write_json(place.folder / "verdict.json", record)


def _shortage(place: Place) -> str:
    """Of what the training was far too short, by the plan; empty where of nothing, or where that is not measured."""
    shortages, plan = [], place.plan
    if place.asked.generates:
        need = place.generator_recipe().need(place.dataset.spec)
        if need is not None and verdict_of(plan.generator_images, need) in FAR:
            seen = counted(plan.generator_images, "image")
            shortages.append(
                f"each generator was trained on {seen}, where pictures like these need about {need.enough:,}"
            )
    if plan.classifier_steps < FEW_STEPS:
        shortages.append(f"each classifier was trained for {counted(plan.classifier_steps, 'step')} only")
    return "; ".join(shortages)


def _others(comparisons: Sequence[Comparison], shares: list[float] | None) -> list[dict[str, Any]]:
    """The secondary comparisons; judged "empty" where every repeat chose share 0: gan holds nothing generated."""
    if shares is None or any(shares):
        return [c.to_json() for c in comparisons]
    nothing = {"judged": "empty", "repeats_needed": None}
    return [c.to_json() | nothing for c in comparisons]


def _plain_arms(place: Place) -> list[str]:
    asked = place.asked
    extra = [*map(share_name, asked.shares), *asked.controls]
    return [*asked.policies, *(extra if asked.generates else [])]


def _arm_summary(place: Place, arm: str, sources: list[str], hits: np.ndarray) -> dict[str, Any]:
    """An arm's accuracy in points, by repeat and on average, with its interval over repeats and test pictures."""
    values = [round(100 * float(x), 6) for x in balanced(hits, place.examined)]
    rows = [place.result(r, source) or {} for r, source in enumerate(sources)]
    ends = two_way(100.0 * hits, place.examined).interval() if len(values) > 1 else (None, None)
    return {
        "arm": arm,
        "values": values,
        "mean": float(np.mean(values)),
        "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "low": None if ends[0] is None else float(np.clip(ends[0], 0.0, 100.0)),
        "high": None if ends[1] is None else float(np.clip(ends[1], 0.0, 100.0)),
        "recalls": [round(float(x), 4) for x in np.mean([row["recalls"] for row in rows], axis=0)],
    }


def _table(place: Place) -> None:
    """Every repeat's number, for whoever wants to do the statistics again."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["repeat", "arm", "policy", "share", "validation", "test"])
    for r in range(place.asked.repeats):
        for path in sorted(place.repeat(r).glob("*.json")):
            row = place.result(r, path.stem) if path.stem not in ("draw", "generator") else None
            if row:
                writer.writerow([r + 1, row["arm"], row["policy"], row["share"], row["validation"], row["test"]])
    write_text(place.folder / "table.csv", out.getvalue())


def best_repeat(place: Place) -> int:
    """The repeat whose generator scored best on validation, the first of equals; the page picks the same."""
    scores = [(place.result(r, "generator") or {"cas": -1.0})["cas"] for r in range(place.asked.repeats)]
    return highest(scores)


def _rows(images: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The first ten pictures of each class, a class a row; a class with fewer is repeated."""
    rows = []
    for c in range(classes):
        mine = images[labels == c]
        rows.append(mine[torch.arange(_COLUMNS) % max(len(mine), 1)])
    return torch.cat(rows)


def _samples(place: Place) -> None:
    """samples/real.png, fake.png and nearest_pairs.png, of the best generator."""
    r = best_repeat(place)
    folder: Path = place.folder / "samples"
    fakes, labels = read_pool(place, r)
    (place.repeat(r) / "pool.safetensors").unlink(missing_ok=True)
    train_set = Subset(place.dataset, draw_repeat(place, r)["train"])
    real = train_set.images(torch.arange(len(train_set)))
    real_labels = torch.from_numpy(np.asarray(train_set.labels))
    note = {"recipe": place.asked.recipe, "study": place.folder.name, "repeat": r + 1}
    sheets = {"fake": (fakes, labels, note), "real": (real, real_labels, None)}
    for name, (images, of, metadata) in sheets.items():
        write_sheet(folder / f"{name}.png", to_image(_rows(images, of, place.classes)), _COLUMNS, metadata)
    shutil.copyfile(place.repeat(r) / "nearest_pairs.png", folder / "nearest_pairs.png")
