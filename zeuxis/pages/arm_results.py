"""The arms of a study: every repeat's number, from the results in the folder."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from zeuxis.augmentation.names import RIVALS
from zeuxis.pages.read import Line, mapping, mean, number, numbers, objects, read_object, read_table
from zeuxis.stats import choice

ORDER = (*RIVALS, "best", "gan-25", "gan-50", "gan", "duplicated", "shuffled", "guessed")

MEANING = {
    "none": "real pictures as they are",
    "light": "real pictures, light classic augmentation",
    "strong": "real pictures, strong classic augmentation",
    "best": "the best policy on validation of each repeat: the rival",
    "gan": "the rival plus generated pictures, share chosen on validation",
    "gan-25": "candidate: a quarter of each batch generated",
    "gan-50": "candidate: half of each batch generated",
    "duplicated": "control: real pictures again in place of the generated ones",
    "shuffled": "control: generated pictures with permuted labels",
    "guessed": "the rival plus pictures without labels, by labels that it guesses",
    "again": "check: the rival trained once more with another seed",
    "more-real": "check: the rival plus further real pictures where generated ones would stand",
    "shuffled-real": "check: the same with permuted labels",
}


@dataclass(frozen=True)
class Result:
    """One arm in one repeat; accuracies are balanced and from 0 to 1."""

    arm: str
    policy: str = ""
    share: float | None = None
    validation: float | None = None
    test: float | None = None
    recalls: list[float | None] = field(default_factory=list)


@dataclass(frozen=True)
class Repeat:
    """What one repeat left behind: results by arm, the generator's result, the policy it chose as rival ("" before)."""

    index: int
    results: dict[str, Result]
    generator: Line
    path: Path
    rival: str = ""


def result_of(record: Line, arm: str) -> Result:
    score = {key: number(record.get(key)) for key in ("share", "validation", "test")}
    policy = str(record.get("policy") or "")
    return Result(str(record.get("arm") or arm), policy, **score, recalls=numbers(record.get("recalls")))


def _with_choice(repeat: Repeat, policies: Sequence[str], shares: Sequence[float]) -> Repeat:
    """The repeat with its rival and, where it has all its candidates, its gan arm, chosen as the study chooses them."""
    results = repeat.results
    validation = {name: result.validation for name, result in results.items()}
    chosen = choice.choose(validation, policies, shares) if shares else None
    if chosen and "gan" not in results:
        gan = replace(results[chosen.treated], arm="gan", policy=chosen.rival, share=chosen.share)
        results = {**results, "gan": gan}
    recorded = results["gan"].policy if "gan" in results else ""
    rival = recorded if recorded in results else choice.best(validation, policies) or ""
    return replace(repeat, results=results, rival=rival)


def read_repeats(
    study: Path, policies: Sequence[str] = RIVALS, shares: Sequence[float] = (), most: int = 10_000
) -> list[Repeat]:
    """Repeats in their order: `repeats/NN/*.json`, NN from 01, completed by `table.csv` where a file is missing.

    policies, shares: what the study chose from; without shares there is no gan arm to choose.
    """
    repeats: dict[int, Repeat] = {}
    for folder in sorted((study / "repeats").glob("*")):
        if folder.is_dir() and folder.name.isdigit() and 0 < int(folder.name) <= most:
            files = [p for p in sorted(folder.glob("*.json")) if p.stem not in ("draw", "generator")]
            results = {p.stem: result_of(record, p.stem) for p in files if (record := read_object(p))}
            generator = read_object(folder / "generator.json")
            at = int(folder.name) - 1
            repeats[at] = Repeat(at, results, generator, folder)
    for row in read_table(study / "table.csv"):
        count, arm = number(row.get("repeat")), row.get("arm") or ""
        if count is None or count < 1 or not arm:
            continue
        at, place = int(count) - 1, study / "repeats" / f"{int(count):02d}"
        repeat = repeats.setdefault(at, Repeat(at, {}, {}, place))
        repeat.results.setdefault(arm, result_of(dict(row), arm))
    return [_with_choice(repeats[i], policies, shares) for i in sorted(repeats)]


def arm_names(repeats: Sequence[Repeat], verdict: Line) -> list[str]:
    """Every arm that the verdict or a repeat knows, in the order of the study."""
    known = {str(a.get("arm")): None for a in objects(verdict.get("arms"))}
    known |= {name: None for repeat in repeats for name in repeat.results}
    return [n for n in ORDER if n in known] + sorted(n for n in known if n not in ORDER)


@dataclass(frozen=True)
class Arm:
    """One arm over the repeats, in points (0 to 100); low and high: the 95 % interval of the mean, where known."""

    name: str
    values: list[float | None]
    mean: float | None
    low: float | None = None
    high: float | None = None

    @property
    def is_candidate(self) -> bool:
        return self.name.startswith("gan-")


def points(value: float | None) -> float | None:
    return None if value is None else 100.0 * value


def arms_of(repeats: Sequence[Repeat], verdict: Line) -> list[Arm]:
    """The verdict's arms; of an arm it does not know (or before there is one), plain means of what is there."""
    judged = {str(a.get("arm")): a for a in objects(verdict.get("arms"))}
    arms = []
    for name in arm_names(repeats, verdict):
        entry = mapping(judged.get(name))
        values = numbers(entry.get("values")) or [
            points(r.results[name].test) if name in r.results else None for r in repeats
        ]
        average = number(entry.get("mean"))
        average = mean(values) if average is None else average
        if any(v is not None for v in values) or average is not None:
            arms.append(Arm(name, values, average, number(entry.get("low")), number(entry.get("high"))))
    return arms


def recalls_in(repeat: Repeat, arm: str) -> list[float | None]:
    """Recalls per class of an arm; where its result carries none, those of the run that it stands for."""
    result = repeat.results.get(arm)
    if result is None or result.recalls:
        return result.recalls if result else []
    stands_for = choice.share_name(result.share) if result.share else result.policy
    other = repeat.results.get(stands_for)
    return other.recalls if other else []


def mean_recalls(
    repeats: Sequence[Repeat], verdict: Line, classes: int, treatment: str = "gan"
) -> tuple[list[float | None], list[float | None]]:
    """(rival, treatment) recall per class in points, means over the repeats that have both."""
    both = [(recalls_in(r, r.rival), recalls_in(r, treatment)) for r in repeats if r.rival]
    both = [(a, b) for a, b in both if len(a) == len(b) == classes]
    if both:
        return tuple([points(mean([pair[side][c] for pair in both])) for c in range(classes)] for side in (0, 1))  # type: ignore[return-value]
    judged = {str(a.get("arm")): numbers(a.get("recalls")) for a in objects(verdict.get("arms"))}
    rivals = [(number(a.get("mean")) or 0.0, str(a.get("arm"))) for a in objects(verdict.get("arms"))]
    best = max(((m, n) for m, n in rivals if n in RIVALS), default=(0.0, ""))[1]
    rival, gan = judged.get("best") or judged.get(best, []), judged.get(treatment, [])
    return ([points(v) for v in rival], [points(v) for v in gan]) if len(rival) == len(gan) == classes else ([], [])
