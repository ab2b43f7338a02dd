"""What lies in a study folder, read once."""

from dataclasses import dataclass
from pathlib import Path

from zeuxis.augmentation.names import RIVALS
from zeuxis.pages.arm_results import Repeat, read_repeats
from zeuxis.pages.read import Line, Log, mapping, number, numbers, read_header, read_log, read_object

# Colour is never alone: each verdict has its word and its sign.
TONES = {
    "HELPED": ("helped", "▲"),
    "HURT": ("hurt", "▼"),
    "NO USEFUL GAIN": ("same", "="),
    "UNDECIDED": ("undecided", "?"),
}
OPEN = ("same", "…")


@dataclass(frozen=True)
class StudyFolder:
    """What lies in a study folder; absent files are empty."""

    path: Path
    study: Line
    split: Line
    verdict: Line
    repeats: list[Repeat]
    logs: dict[int, Log]

    @property
    def asked(self) -> Line:
        return mapping(self.study.get("asked"))

    @property
    def treatment(self) -> str:
        return str(self.asked.get("treatment") or "gan")

    @property
    def generates(self) -> bool:
        """Whether generated pictures are tried; the checks of the study itself train no generator."""
        return self.study.get("generates") is not False

    @property
    def stuff(self) -> str:
        """What the treatment adds, in words; other treatments than generated pictures test the study itself."""
        return "generated pictures" if self.generates else f"the treatment `{self.treatment}`"

    @property
    def unmeasured(self) -> bool:
        """Whether every repeat chose share 0: the differences are 0 by choice, and nothing was measured of any."""
        shares = numbers(self.verdict.get("shares"))
        return bool(shares) and all(share == 0 for share in shares)

    @property
    def seconds(self) -> float | None:
        """Wall clock of the study so far, over every time it was taken up; too few where `lost_time`."""
        return number(read_object(self.path / "clock.json").get("seconds"))

    @property
    def lost_time(self) -> bool:
        """Whether a process that worked on it was killed, and took some of its time with it."""
        clock = read_object(self.path / "clock.json")
        return clock.get("at_least") is True or clock.get("running") is True

    @property
    def wanted(self) -> int:
        """How many repeats were planned."""
        return int(number(self.asked.get("repeats")) or number(self.verdict.get("repeats")) or len(self.repeats))

    @property
    def tone(self) -> str:
        return TONES.get(str(self.verdict.get("verdict")), OPEN)[0]


def open_study(folder: Path) -> StudyFolder:
    """Raises BadInput where `folder` holds no readable study.json."""
    study = read_header(folder / "study.json", "study")
    asked = mapping(study.get("asked"))
    shares = [share for share in numbers(asked.get("shares")) if share]
    names = asked.get("policies")
    repeats = read_repeats(folder, [str(n) for n in names] if isinstance(names, list) else RIVALS, shares)
    logs = {r.index: read_log(r.path / "generator" / "log.jsonl") for r in repeats}
    verdict, split = read_object(folder / "verdict.json"), read_object(folder / "split.json")
    return StudyFolder(folder, study, split, verdict, repeats, logs)
