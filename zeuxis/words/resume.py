"""Finish a stopped run or study."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from zeuxis import asking
from zeuxis.data import checks
from zeuxis.parameters import AnyFolder, Arg, CheckpointEvery, Collection, OnNan
from zeuxis.word import FINISHED_KEPT, Answer, word

if TYPE_CHECKING:
    from zeuxis.jobs.study.handle import Study
    from zeuxis.runs import Run


def concluded(folder: Path) -> Answer:
    """The sentence of a study and its page."""
    verdict, page = _read(folder / "verdict.json"), str(folder / "report.html")
    return Answer(f"{verdict['sentence']}\n{page}", {**verdict, "study": str(folder), "report": page})


def finished(folder: Path, end: Mapping[str, Any]) -> Answer:
    """The page of a run, and how it ended."""
    page = str(folder / "report.html")
    return Answer(page, {"run": str(folder), **end, "report": page})


def _read(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def _answer(resumed: "Run | Study", given: Mapping[str, Any]) -> Answer:
    if (resumed.path / "verdict.json").exists():
        return concluded(resumed.path)
    return finished(resumed.path, _read(resumed.path / "finish.json"))


@word(_answer, "zeuxis resume runs/first", kept=FINISHED_KEPT)
def resume(
    folder: AnyFolder,
    *,
    data: Annotated[Collection, Arg("where the pictures are now, if they were moved", "where they were")] | None = None,
    checkpoint_every: CheckpointEvery = "30s",
    on_nan: OnNan = "rewind",
) -> "Run | Study":
    """Finishes a stopped run or study from what lies in its folder, as if it had never stopped. Returns it.

    data: where the pictures are now, if they were moved. Raises BadInput where they are others.
    """
    folder = Path(folder)
    checks.check_run(folder)
    from zeuxis.jobs import training
    from zeuxis.jobs.study import run_study
    from zeuxis.jobs.study import study as studies
    from zeuxis.jobs.study.handle import Study
    from zeuxis.jobs.study.place import Place

    started = time.monotonic()
    options = asking.loop_options_of(checkpoint_every, on_nan)
    readable = training.find_pictures(folder, None if data is None else checks.name_of(data))
    if training.is_study(folder):
        if (checkpoint_every, on_nan) != ("30s", "rewind"):
            raise asking.unread("--checkpoint-every or --on-nan", "in a study")
        if not readable:
            return Study(run_study.left_as_it_is(folder))
        place = Place.open(training.opened_study(folder))
        with studies.held(folder):
            run_study.conclude(place, started)
            run_study.deliver(place)
        return Study(folder)
    return training.go_on(folder, options)
