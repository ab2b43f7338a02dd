"""What is held out of a collection, and what is said of it: copies, official parts, classes that are in no part."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zeuxis.data.dataset import Dataset
from zeuxis.data.origin import Origin
from zeuxis.data.patches import Pictures
from zeuxis.data.split import Split
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, counted
from zeuxis.pages.outcome import too_good

HELD_OUT = 0.1  # share of the pictures that a run never trains on: for scores and alarms
_MANY = 2_000  # pictures from which on the look for copies is heard of, as it may take half a minute


def known_before(dataset: Dataset | Pictures, split: Split) -> dict[str, Any]:
    """For run.json: the studies whose generators drew what is trained on, and learned from what is held out here.

    What is generated carries on what was learned, so that figures on these held-out pictures flatter; it is told.
    """
    origins: list[Origin] = getattr(dataset, "origins", None) or []
    drew = {origins[i].study for i in split.train.tolist() if origins[i].kind == "made"} if origins else set()
    learned_from = {origins[i].study for i in split.validation.tolist()} if drew else set()
    if not (studies := sorted((drew & learned_from) - {""})):
        return {}
    say(f"zeuxis: warning: what is measured on held-out pictures will be too good: {too_good(studies)}")
    return {"known_before": studies}


def tell_look(dataset: Dataset | Pictures, join: str | None) -> None:
    """That copies are looked for, on stderr, where that may take long."""
    if len(dataset) > _MANY and (join or "near") == "near":
        say(f"zeuxis: looking for copies among {counted(len(dataset), 'picture')}")


def tell_aside(split: Split) -> None:
    """Which pictures are neither trained on nor scored on, on stderr."""
    if len(split.test):
        say(f"zeuxis: the official test part, {counted(len(split.test), 'picture')}, is left aside")
    for line in left_out(split):
        say(line)


def left_out(split: Split) -> list[str]:
    """A line on the pictures that are in no part, where there are any."""
    dropped = counted(len(split.dropped), "picture")
    return [f"zeuxis: left out: {dropped}, as copies of those held out, or of their group"] * bool(len(split.dropped))


def tell_empty(dataset: Dataset, train: np.ndarray) -> None:
    """Classes of which a generator will have seen nothing, on stderr."""
    counts = np.bincount(np.asarray(dataset.labels)[train], minlength=dataset.spec.condition)
    for name in [name for name, n in zip(dataset.spec.classes, counts, strict=True) if not n]:
        say(f"zeuxis: warning: class `{name}` has no training picture, so what is drawn of it means nothing")


def held_share(dataset: Dataset) -> float:
    """A tenth, more where the smallest class would have none, at most half."""
    sizes = np.bincount(np.asarray(dataset.labels))
    return min(0.5, max(HELD_OUT, 1 / max(1, int(sizes[sizes > 0].min()))))


def check_classes(dataset: Dataset, parts: Mapping[str, np.ndarray]) -> None:
    """Raises BadInput, with the reason, where a class has no picture in one of the parts.

    A score by label is a mean over classes: one that is not there would not be in it.
    """
    classes, labels = dataset.spec.classes, np.asarray(dataset.labels)
    whole = np.bincount(labels, minlength=len(classes))
    for name, positions in parts.items():
        lacking = np.flatnonzero(np.bincount(labels[positions], minlength=len(classes)) == 0)
        if not len(lacking):
            continue
        first = int(lacking[0])
        n = len(lacking) - 1
        others = f", and neither {'has' if n == 1 else 'have'} {counted(n, 'other class')}" if n else ""
        why = (
            "official parts, groups and nearly equal pictures stay together"
            if whole[first] > 1
            else "each part needs one"
        )
        raise BadInput(
            f"class `{classes[first]}` ({counted(int(whole[first]), 'picture')} in all) has none in the {name} part"
            f"{others}: {why}",
            "",
            "give more pictures of it, or leave it out; `zeuxis data show` tells what stays together",
        )
