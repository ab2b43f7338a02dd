"""Pictures without labels that a person has beside the labelled ones: read once, kept in the study's folder."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zeuxis.data.checks import check_source
from zeuxis.data.dataset import Dataset
from zeuxis.data.duplicates import families
from zeuxis.data.memory import MemoryDataset
from zeuxis.data.split import Split
from zeuxis.draw import some_of
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, counted
from zeuxis.jobs.sources import Source
from zeuxis.jobs.study.plan import REST
from zeuxis.weights import store

MOST = 20_000
FILE = "unlabelled.safetensors"


def asked_for(given: str | Path | None) -> str:
    """For `StudyConfig.unlabelled`: nothing, `REST`, or an absolute path. Raises BadInput where nothing is there."""
    if given is None or str(given) == REST:
        return "" if given is None else REST
    check_source(str(given))
    return str(Path(given).expanduser().resolve())


def taken(folder: str, source: Source, dataset: Dataset, split: Split) -> Tensor:
    """The pictures in `folder`, uint8 [n, C, H, W], read as those of `source` were; at most `MOST`, by chance.

    Without what is a copy of a validation or sealed test picture, since nothing may learn from that; said on stderr.
    Raises BadInput.
    """
    spec = dataset.spec
    alike = replace(source, source=folder, size=(spec.height, spec.width), channels=spec.channels)
    others = alike.open()
    chosen = some_of(len(others), MOST, "unlabelled")
    if len(chosen) < len(others):
        say(f"zeuxis: {counted(len(chosen), 'unlabelled picture')} of {len(others):,} are taken, by chance")
    pixels = others.images(chosen)
    sealed = np.concatenate([split.validation, split.test])
    both = MemoryDataset(torch.cat([pixels, dataset.images(sealed)]))
    roots = families(both, source.join or "near").roots
    leaks = np.isin(roots[: len(pixels)], roots[len(pixels) :])
    if leaks.any():
        first = others.sources[int(chosen[int(leaks.argmax())])]
        left = counted(int(leaks.sum()), "unlabelled picture")
        say(f"zeuxis: left out: {left}, as copies of validation or test pictures, the first: {first}")
    if leaks.all():
        raise BadInput("no unlabelled picture is left", folder, "give pictures that the labelled ones are not")
    return pixels[torch.from_numpy(~leaks)]


def keep(study: Path, pixels: Tensor) -> None:
    store.save(study / FILE, {"images": pixels}, {"format": "zeuxis unlabelled 1"})


def kept(study: Path) -> MemoryDataset | None:
    """What `keep` wrote; None where nothing was kept."""
    return MemoryDataset(store.load(study / FILE)[0]["images"]) if (study / FILE).exists() else None
