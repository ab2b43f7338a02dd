"""Pictures without labels that a person has beside the labelled ones: read once, kept in the study's folder."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zeuxis.data.checks import SETS, check_source, unmistaken
from zeuxis.data.dataset import Dataset
from zeuxis.data.duplicates import families
from zeuxis.data.memory import MemoryDataset, Subset
from zeuxis.data.origin import PLAIN
from zeuxis.data.reader import Opened
from zeuxis.data.split import Split
from zeuxis.data.trees import Where
from zeuxis.draw import some_of
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, counted
from zeuxis.jobs.sources import Source, tell_skipped
from zeuxis.jobs.study.plan import REST
from zeuxis.weights import store

MOST = 20_000
FILE = "unlabelled.safetensors"


def asked_for(given: str | Path | None) -> str:
    """For `StudyConfig.unlabelled`: nothing, `REST`, or where the pictures are. Raises BadInput for two things."""
    if given is None:
        return ""
    named = unmistaken(given, {**SETS, REST: "the word for training pictures that are not drawn"})
    return REST if named == REST else Source(named).place


def taken(folder: str, source: Source, dataset: Dataset, split: Split) -> Tensor:
    """The pictures in `folder`, uint8 [n, C, H, W], read as those of `source` were; at most `MOST`, by chance.

    Without what is a copy of a validation or sealed test picture, by looks or by its note, or of its group, since
    nothing may learn from that; said on stderr. Raises BadInput.
    """
    others = _opened(folder, source, dataset)
    chosen = some_of(len(others), MOST, "unlabelled")
    if len(chosen) < len(others):
        say(f"zeuxis: {counted(len(chosen), 'unlabelled picture')} of {len(others):,} are taken, by chance")
    mine, sealed = Subset(others, chosen), Subset(dataset, np.concatenate([split.validation, split.test]))
    leaks = _leaks(mine, sealed, source.join or "near")
    if leaks.any():
        first = mine.sources[int(leaks.argmax())]
        left = counted(int(leaks.sum()), "unlabelled picture")
        say(
            f"zeuxis: left out: {left}, as copies of validation or test pictures, or of their group, the first: {first}"
        )
    if leaks.all():
        raise BadInput("no unlabelled picture is left", folder, "give pictures that the labelled ones are not")
    return mine.images(np.flatnonzero(~leaks))


def _opened(folder: str, source: Source, dataset: Dataset) -> Opened:
    """Read without classes and parts; by the groups of `source`, where the folder has them, too."""
    check_source(folder)
    spec, groups, found = dataset.spec, source.where.groups, None
    where = Where(labels=False)
    alike = replace(source, source=folder, size=(spec.height, spec.width), channels=spec.channels, where=where)
    if groups is not None:
        with suppress(BadInput):
            found = replace(alike, where=replace(where, groups=groups)).read()
    lacks_groups = groups is not None and found is None
    try:
        found = found or alike.read()
    except BadInput as error:
        place = error.where if error.where.startswith(folder) else f"--unlabelled {folder}"
        raise BadInput(error.what, place, error.mend) from error
    if lacks_groups:
        say(f"zeuxis: warning: {folder} has no groups where `--group-at` says; each picture counts as its own")
    found.remarks = [line.partition("; `--")[0] for line in found.remarks]  # those flags say how DATA is read
    tell_skipped(found)
    return found


def _leaks(mine: Subset, sealed: Subset, join: str) -> np.ndarray:
    """bool [n]: which of `mine` belong to a picture of `sealed`; equal pixels do in any case."""
    both = (mine, sealed)
    groups = [one.groups or [f"{i} of {len(one)}" for i in range(len(one))] for one in both]
    origins = [one.origins or [PLAIN] * len(one) for one in both]
    whole = MemoryDataset(
        torch.cat([one.images(torch.arange(len(one))) for one in both]),
        groups=groups[0] + groups[1] if any(one.groups for one in both) else None,
        origins=origins[0] + origins[1],
    )
    roots = families(whole, "exact" if join == "off" else join).roots
    return np.isin(roots[: len(mine)], roots[len(mine) :])


def described(pixels: Tensor) -> dict[str, Any]:
    """For study.json: how many pictures, and their digest."""
    return {"pictures": len(pixels), "digest": MemoryDataset(pixels).digest}


def keep(study: Path, pixels: Tensor) -> None:
    store.save(study / FILE, {"images": pixels}, {"format": "zeuxis unlabelled 1"})


def kept(study: Path, words: dict[str, Any]) -> MemoryDataset:
    """What `keep` wrote, described by `words`. Raises BadInput where it is not there, or not the same."""
    what = "the unlabelled pictures that this study began with are missing or changed"
    problem = BadInput(what, str(study / FILE), "put the file back, or begin a study in another folder")
    try:
        pictures = MemoryDataset(store.load(study / FILE)[0]["images"])
    except (BadInput, KeyError) as error:
        raise problem from error
    if pictures.digest != words["digest"]:
        raise problem
    return pictures
