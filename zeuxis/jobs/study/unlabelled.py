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

    Without what is a copy, by looks or by its note, of a picture that nothing may learn from, or of its group; and
    without copies of labelled training pictures, of which each repeat draws some. Said on stderr. Raises BadInput.
    """
    others = _opened(folder, source, dataset)
    chosen = some_of(len(others), MOST, "unlabelled")
    if len(chosen) < len(others):
        say(f"zeuxis: {counted(len(chosen), 'unlabelled picture')} of {len(others):,} are taken, by chance")
    sealed = np.concatenate([split.validation, split.test, split.dropped])
    mine, join = Subset(others, chosen), source.join or "near"
    mine = _without(mine, Subset(dataset, sealed), join, "validation or test pictures, or of their group")
    mine = _without(mine, Subset(dataset, split.train), join, "labelled training pictures", by_group=False)
    if not len(mine):
        raise BadInput("no unlabelled picture is left", folder, "give pictures that the labelled ones are not")
    return mine.images(torch.arange(len(mine)))


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


def _without(mine: Subset, labelled: Subset, join: str, which: str, by_group: bool = True) -> Subset:
    """Those of `mine` that belong to no picture of `labelled`; equal pixels do in any case. which: what these are."""
    both = (mine, labelled)
    groups = [one.groups or [f"{i} of {len(one)}" for i in range(len(one))] for one in both]
    origins = [one.origins or [PLAIN] * len(one) for one in both]
    whole = MemoryDataset(
        torch.cat([one.images(torch.arange(len(one))) for one in both]),
        groups=groups[0] + groups[1] if by_group and any(one.groups for one in both) else None,
        origins=origins[0] + origins[1],
    )
    roots = families(whole, "exact" if join == "off" else join).roots
    copies = np.isin(roots[: len(mine)], roots[len(mine) :])
    if copies.any():
        left, first = counted(int(copies.sum()), "unlabelled picture"), mine.sources[int(copies.argmax())]
        say(f"zeuxis: left out: {left}, as copies of {which}, the first: {first}")
    return Subset(mine, np.flatnonzero(~copies))


def described(pixels: Tensor) -> dict[str, Any]:
    """For study.json: how many pictures, and their digest."""
    return {"pictures": len(pixels), "digest": MemoryDataset(pixels).digest}


def going_on_words(words: dict[str, Any], folder: str) -> str:
    """Which pictures a study that goes on learns from, whatever its folder holds by now."""
    pictures = f"the unlabelled pictures are the {words['pictures']:,} that this study began with"
    return f"{pictures}; what lies in {folder} now is not read"


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
