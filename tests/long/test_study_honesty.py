"""The study checked through its whole pipeline, with a tiny classifier and seeds fixed beforehand.

A/A: the treatment is the rival trained once more with another seed; more-real: real pictures
that double the training set stand in the synthetic slots; shuffled-real: the same with permuted labels.
"""

import json
from pathlib import Path

import pytest

from zeuxis.data.dataset import Dataset
from zeuxis.data.memory import MemoryDataset, Subset
from zeuxis.data.reader import open_dataset
from zeuxis.jobs.study import study
from zeuxis.jobs.study.plan import StudyConfig

pytestmark = pytest.mark.long

TINY = {"width": 8, "batch": 32, "half_life": 300.0}
REPEATS = 8
STEPS = 80


@pytest.fixture(scope="module")
def pictures() -> Dataset:
    """Real garments at 12 pixels: 2,000 to draw from and 400 sealed for the test."""
    whole = open_dataset("fashion-mini", size=12)
    assert whole.parts is not None and whole.labels is not None
    seen: dict[tuple[str, int], int] = {}
    kept = []
    for i, key in enumerate(zip(whole.parts, whole.labels.tolist(), strict=True)):
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= (200 if key[0] == "train" else 40):
            kept.append(i)
    part = Subset(whole, kept)
    return MemoryDataset(part.images(list(range(len(part)))), part.labels, whole.spec.classes, parts=part.parts)


def conclude(folder: Path, pictures: Dataset, treatment: str, seed: int) -> str:
    """The verdict of one study, run in this process."""
    asked = StudyConfig(
        labels_per_class=5,
        repeats=REPEATS,
        seed=seed,
        treatment=treatment,
        domain="garments",
        policies=("none",),
        shares=(0.5,),
        classifier=TINY,
        steps=(0, STEPS),
    )
    words = {"source": "in memory", "size": None, "channels": None, "fit": "crop", "digest": pictures.digest}
    place = study.begin(folder, pictures, asked, words, slots=1, device="cpu")
    assert place is not None
    study.run(place, here=True)
    return json.loads((folder / "verdict.json").read_text())["verdict"]


def verdicts(tmp_path: Path, pictures: Dataset, treatment: str, seeds: range) -> list[str]:
    return [conclude(tmp_path / f"{treatment}-{s}", pictures, treatment, s) for s in seeds]


def test_equal_arms_are_seldom_called_different(tmp_path: Path, pictures: Dataset) -> None:
    found = verdicts(tmp_path, pictures, "again", range(1000, 1020))
    print(found)
    assert sum(v in ("HELPED", "HURT") for v in found) <= 3


def test_twice_the_real_pictures_help(tmp_path: Path, pictures: Dataset) -> None:
    found = verdicts(tmp_path, pictures, "more-real", range(2000, 2010))
    print(found)
    assert found.count("HELPED") >= 9


def test_shuffled_labels_never_help(tmp_path: Path, pictures: Dataset) -> None:
    found = verdicts(tmp_path, pictures, "shuffled-real", range(3000, 3010))
    print(found)
    assert "HELPED" not in found
