"""What lies in a run folder, read once for its page."""

from dataclasses import dataclass
from pathlib import Path

from zeuxis.data.checks import ADAPTED
from zeuxis.pages.read import Line, Log, read_header, read_log, read_object


@dataclass(frozen=True)
class RunFolder:
    """What lies in a run folder; absent files are empty."""

    path: Path
    run: Line
    finish: Line
    log: Log
    samples: list[Path]
    recalls: Line
    gain: Line


def open_run(folder: Path) -> RunFolder:
    """Raises BadInput where `folder` holds no readable run.json."""
    run = read_header(folder / "run.json", "run")
    samples = sorted((folder / "samples").glob("*.png"), key=lambda path: (len(path.stem), path.stem))
    finish, recalls = read_object(folder / "finish.json"), read_object(folder / "recalls.json")
    gain = read_object(folder / ADAPTED / "gain.json")
    return RunFolder(folder, run, finish, read_log(folder / "log.jsonl"), samples, recalls, gain)
