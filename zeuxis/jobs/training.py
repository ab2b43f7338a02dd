"""From words to a run: pictures opened and split, recipe made, engine played, page drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zeuxis import catalog
from zeuxis.data.dataset import Dataset
from zeuxis.data.files import write_json
from zeuxis.data.memory import Subset
from zeuxis.data.reader import open_dataset
from zeuxis.data.split import Split, split_dataset
from zeuxis.engine import train as engine
from zeuxis.engine.budget import Budget
from zeuxis.engine.loop import Habits
from zeuxis.engine.progress import say
from zeuxis.engine.train import Start
from zeuxis.recipes.recipe import make
from zeuxis.runs import Run

HELD_OUT = 0.1  # share of the pictures that a run never trains on: for scores and alarms
_ENOUGH = 20  # pictures from which on some are held out


@dataclass(frozen=True)
class Source:
    """Where pictures come from and how they are made one size."""

    source: str
    size: int | tuple[int, int] | None = None
    channels: int | None = None
    fit: str = "crop"
    strict: bool = False

    def open(self) -> Dataset:
        """The pictures; files that could not be read are listed on stderr with a count. Raises BadInput."""
        found = open_dataset(self.source, size=self.size, channels=self.channels, fit=self.fit, strict=self.strict)
        tell_skipped(found)
        return found

    def words(self, dataset: Dataset) -> dict[str, Any]:
        """For run.json and study.json."""
        path = Path(self.source)
        size = list(self.size) if isinstance(self.size, tuple) else self.size
        return {"source": str(path.resolve()) if path.exists() else self.source, "size": size,
                "channels": self.channels, "fit": self.fit, "digest": dataset.digest, "items": len(dataset),
                "skipped": len(getattr(dataset, "skipped", []))}

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> "Source":
        size = tuple(words["size"]) if isinstance(words["size"], list) else words["size"]
        return cls(words["source"], size, words["channels"], words["fit"])


def tell_skipped(dataset: Dataset) -> None:
    skipped: list[tuple[str, str]] = getattr(dataset, "skipped", [])
    for name, reason in skipped[:20]:
        say(f"zeuxis: skipped {name}: {reason}")
    if skipped:
        more = f" ({len(skipped) - 20} more not listed)" if len(skipped) > 20 else ""
        say(f"zeuxis: {len(skipped)} files skipped, {len(dataset)} pictures read{more}")


def divide(dataset: Dataset, seed: int) -> Split | None:
    """The training and held-out parts of a run; None where the pictures are too few to hold any out."""
    return split_dataset(dataset, seed=seed, validation=HELD_OUT, test=0.0) if len(dataset) >= _ENOUGH else None


def _streams(dataset: Dataset, split: Split | None) -> tuple[dict[str, Dataset], Dataset | None]:
    if split is None:
        return {"images": dataset}, None
    return {"images": Subset(dataset, split.train)}, Subset(dataset, split.validation)


def begin(
    recipe: str, source: Source, run: Path, budget: Budget, start: Start, habits: Habits, settings: Mapping[str, Any]
) -> Run:
    """Trains a recipe on pictures from the start. Raises BadInput before anything is written."""
    made = make(catalog.load(recipe), start.preset, **settings)
    if (run / "run.json").exists():
        Run.open(run)
    dataset = source.open()
    split = divide(dataset, start.seed)
    streams, held = _streams(dataset, split)
    said = {"digest": split.digest, "train": len(split.train), "held_out": len(split.validation)} if split else None
    whole = Start(**{**vars(start), "data": source.words(dataset), "split": said})
    done = engine.train(made, streams, run, budget, held, whole, habits)
    return finish(done, split)


def go_on(run: Path, habits: Habits) -> Run:
    """Finishes a begun run. Raises BadInput where its pictures have changed."""
    begun = Run.open(run)
    if begun.finished:
        return begun
    words = begun.record["data"]
    dataset = Source.from_words(words).open()
    split = divide(dataset, begun.record["seed"])
    return finish(engine.resume(run, *_streams(dataset, split), habits), split)


def finish(run: Run, split: Split | None) -> Run:
    """The last papers of a run: split, card and page."""
    from zeuxis.report.card import write_card
    from zeuxis.report.run import write_run_report

    import os

    if int(os.environ.get("RANK", "0")) == 0:
        if split is not None:
            write_json(run.path / "split.json", split.to_json())
        write_card(run.path)
        write_run_report(run.path)
    return run


def is_study(folder: Path) -> bool:
    return (folder / "study.json").exists()


