"""A study's folder, open: what every job of it reads, and which pictures a repeat draws."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zeuxis import catalog
from zeuxis.data.dataset import Dataset
from zeuxis.data.files import write_json
from zeuxis.data.split import Split
from zeuxis.draw import Stream, key_of
from zeuxis.engine.compute import ComputeOptions
from zeuxis.jobs.sources import Source
from zeuxis.jobs.study.hits import read_examined, unpack
from zeuxis.jobs.study.plan import Plan, StudyConfig
from zeuxis.jobs.study.treatment import Treatment, named
from zeuxis.jobs.training import domain_of
from zeuxis.recipes.recipe import Recipe, make
from zeuxis.runs import read_json
from zeuxis.stats.twoway import Examined


@dataclass(frozen=True)
class Place:
    """A study's folder with what every job of it reads. others: of the unlabelled pictures that it keeps."""

    folder: Path
    asked: StudyConfig
    plan: Plan
    dataset: Dataset
    split: Split
    compute: ComputeOptions
    examined: Examined
    others: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: str | Path, dataset: Dataset | None = None) -> "Place":
        """Reads study.json and split.json, and the pictures where they are not given."""
        folder = Path(folder)
        record = read_json(folder / "study.json", "study folder")
        d = record["data"]
        dataset = dataset or Source.from_words(d).read()
        split = Split.from_json(json.loads((folder / "split.json").read_text()), dataset)
        return cls(
            folder,
            StudyConfig.from_dict(record["asked"]),
            Plan.from_dict(record["plan"]),
            dataset,
            split,
            ComputeOptions(**record["compute"]),
            read_examined(folder),
            record.get("others") or {},
        )

    def hits(self, r: int, arm: str) -> np.ndarray:
        """Which test pictures a finished arm recognised, bool [test pictures], in the order of test.csv."""
        result = self.result(r, arm)
        assert result is not None, f"{arm} of repeat {r} is missing"
        return unpack(result["hits"], len(self.examined.classes))

    def repeat(self, r: int) -> Path:
        return self.folder / "repeats" / f"{r + 1:02d}"

    def result(self, r: int, name: str) -> dict[str, Any] | None:
        """A finished job's numbers, or None."""
        path = self.repeat(r) / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else None

    @property
    def treatment(self) -> Treatment:
        return named(self.asked.treatment)

    @property
    def classes(self) -> int:
        return self.dataset.spec.condition

    def generator_recipe(self) -> Recipe:
        recipe = catalog.load(self.asked.recipe)
        return make(recipe, None, **{**domain_of(recipe, self.asked.domain), **dict(self.asked.generator)})

    def classifier_recipe(self, **fields: Any) -> Recipe:
        domain = {"domain": self.asked.domain}
        return make(catalog.load("classifier"), None, **{**domain, **dict(self.asked.classifier), **fields})

    def seed(self, r: int, what: str) -> int:
        """A seed of one purpose of one repeat, in [0, 2^31)."""
        return key_of("study", self.asked.seed, r, what) & 0x7FFFFFFF


def draw_repeat(place: Place, r: int) -> dict[str, list[int]]:
    """Which real pictures a repeat trains on ("train") and which others it could have had ("extra"); written once."""
    path = place.repeat(r) / "draw.json"
    if path.exists():
        known: dict[str, list[int]] = json.loads(path.read_text())
        return known
    labels = np.asarray(place.dataset.labels)
    train: list[int] = []
    extra: list[int] = []
    for c in range(place.classes):
        pool = place.split.train[labels[place.split.train] == c]
        order = Stream(key_of("study draw", place.asked.seed, r, c)).permutation(len(pool)).numpy()
        n = place.asked.labels_per_class or max(1, round(0.8 * len(pool)))
        train += sorted(int(i) for i in pool[order[:n]])
        extra += sorted(int(i) for i in pool[order[n : 2 * n]])
    drawn = {"train": train, "extra": extra}
    write_json(path, drawn)
    return drawn
