"""The arms of a study: every repeat's number, from the results in the folder."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from zeuxis.report.read import Line, mapping, mean, number, numbers, objects, read_object, read_table

POLICIES = ("none", "light", "strong")
ORDER = (*POLICIES, "best", "gan-25", "gan-50", "gan", "duplicated", "shuffled")

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
    """What one repeat left behind: results by arm, the generator's result, which training pictures it drew."""

    index: int
    results: dict[str, Result]
    generator: Line
    path: Path

    @property
    def rival(self) -> str:
        """The policy that this repeat chose on validation: recorded with its gan arm, else the best one there is."""
        chosen = self.results["gan"].policy if "gan" in self.results else ""
        if chosen in self.results:
            return chosen
        scored = [(r.validation, -i, p) for i, p in enumerate(POLICIES) if (r := self.results.get(p)) and r.validation]
        return max(scored)[2] if scored else ""


def result_of(found: Line, arm: str) -> Result:
    score = {key: number(found.get(key)) for key in ("share", "validation", "test")}
    policy = str(found.get("policy") or "")
    return Result(str(found.get("arm") or arm), policy, **score, recalls=numbers(found.get("recalls")))


def choose_gan(results: dict[str, Result], candidates: Sequence[str]) -> Result | None:
    """The gan arm of a repeat that has all its candidates: the best on validation, the smaller share where equal.

    Share 0 is the rival itself. None while a candidate or the rival is missing.
    """
    scored = {name: r.validation for name, r in results.items() if r.validation is not None}
    rivals = [name for name in POLICIES if name in scored]
    if not candidates or not rivals or any(name not in scored for name in candidates):
        return None
    rival = max(rivals, key=lambda name: scored[name])
    best = results[max([rival, *candidates], key=lambda name: scored[name])]
    return replace(best, arm="gan", policy=rival, share=best.share if best.arm != rival else 0.0)


def read_repeats(study: Path, candidates: Sequence[str] = ("gan-25", "gan-50"), most: int = 10_000) -> list[Repeat]:
    """Repeats in their order: `repeats/NN/*.json`, completed by `table.csv` where a file is missing.

    A repeat without a gan result of its own gets it from its `candidates`, as the study chooses it.
    """
    repeats: dict[int, Repeat] = {}
    for folder in sorted((study / "repeats").glob("*")):
        if folder.is_dir() and folder.name.isdigit() and int(folder.name) < most:
            files = [p for p in sorted(folder.glob("*.json")) if p.stem not in ("draw", "generator")]
            results = {p.stem: result_of(found, p.stem) for p in files if (found := read_object(p))}
            generator = read_object(folder / "generator.json")
            repeats[int(folder.name)] = Repeat(int(folder.name), results, generator, folder)
    for row in read_table(study / "table.csv"):
        at, arm = number(row.get("repeat")), row.get("arm") or ""
        if at is None or not arm:
            continue
        place = study / "repeats" / f"{int(at):02d}"
        repeat = repeats.setdefault(int(at), Repeat(int(at), {}, {}, place))
        repeat.results.setdefault(arm, result_of(dict(row), arm))
    for repeat in repeats.values():
        chosen = choose_gan(repeat.results, candidates)
        if "gan" not in repeat.results and chosen:
            repeat.results["gan"] = chosen
    return [repeats[i] for i in sorted(repeats)]


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
        found = mapping(judged.get(name))
        values = numbers(found.get("values")) or [
            points(r.results[name].test) if name in r.results else None for r in repeats
        ]
        average = number(found.get("mean"))
        average = mean(values) if average is None else average
        if any(v is not None for v in values) or average is not None:
            arms.append(Arm(name, values, average, number(found.get("low")), number(found.get("high"))))
    return arms


def recalls_in(repeat: Repeat, arm: str) -> list[float | None]:
    """Recalls per class of an arm; where its result carries none, those of the run that it stands for."""
    result = repeat.results.get(arm)
    if result is None or result.recalls:
        return result.recalls if result else []
    stands_for = f"gan-{100 * result.share:.0f}" if result.share else result.policy
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
    best = max(((m, n) for m, n in rivals if n in POLICIES), default=(0.0, ""))[1]
    rival, gan = judged.get("best") or judged.get(best, []), judged.get(treatment, [])
    return ([points(v) for v in rival], [points(v) for v in gan]) if len(rival) == len(gan) == classes else ([], [])
