"""Draw the page of a run or a study again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zeuxis.data import checks
from zeuxis.parameters import AnyFolder
from zeuxis.word import Answer, word


def _answer(page: Path, given: Mapping[str, Any]) -> Answer:
    return Answer(str(page), {"report": str(page)})


@word(_answer, "zeuxis report runs/first")
def report(folder: AnyFolder) -> Path:
    """Draws report.html of a run or a study again from its folder; returns its path."""
    folder = Path(folder)
    checks.check_run(folder)
    from zeuxis.jobs import training
    from zeuxis.jobs.capability import write_report
    from zeuxis.pages.study import write_study_report

    if training.is_study(folder):
        return write_study_report(training.opened_study(folder))
    run = training.opened(folder)
    run.check_weights()  # the page names their hash
    return write_report(run.path)
