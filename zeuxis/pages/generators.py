"""The generators of a study: scores, nearest pairs, alarms."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from zeuxis.errors import counted
from zeuxis.pages.arm_results import Repeat
from zeuxis.pages.folder import StudyFolder
from zeuxis.pages.formats import (
    DASH,
    decimal,
    duration,
    percent,
    value,
)
from zeuxis.pages.plots import Series, line_chart
from zeuxis.pages.read import mapping, mean, number, objects
from zeuxis.pages.run import alarms_of
from zeuxis.spelling import Way, in_flags, plain
from zeuxis.stats.choice import highest


def cas_chart(repeats: Sequence[Repeat]) -> Markup:
    """Accuracy of a classifier that saw generated pictures alone, over progress, a line per repeat.

    The dot, and the number beside the name, is the checkpoint that was chosen and that the study compares.
    """
    series = []
    for repeat in repeats:
        curve = [p for p in repeat.generator.get("curve") or [] if isinstance(p, list | tuple) and len(p) == 2]
        xs = [None if (x := number(p[0])) is None else 100 * x for p in curve]
        ys = [None if (y := number(p[1])) is None else 100 * y for p in curve]
        chosen = number(repeat.generator.get("chosen"))
        series.append(Series(f"repeat {repeat.index + 1}", xs, ys, None if chosen is None else 100 * chosen))
    title = "Accuracy on real validation pictures, in points; the dot is the checkpoint that was chosen"
    return line_chart(title, series, "per cent of the training")


def generators(repeats: Sequence[Repeat]) -> list[dict[str, str]]:
    return [
        {
            "repeat": str(r.index + 1),
            "chosen": percent(r.generator.get("chosen")),
            "cas": decimal(100 * cas) if (cas := number(r.generator.get("cas"))) is not None else DASH,
            "seconds": duration(r.generator.get("seconds")),
            "hash": value(r.generator.get("weights_sha256"))[:8],
        }
        for r in repeats
        if r.generator
    ]


def guesses(repeats: Sequence[Repeat]) -> str:
    """From how many pictures without labels the generators learned, and how many guesses were right; empty: none."""
    guessed = [mapping(r.generator.get("guessed")) for r in repeats]
    most = max((int(number(one.get("pictures")) or 0) for one in guessed), default=0)
    if not most:
        return ""
    right = mean([number(one.get("right")) for one in guessed])
    which = "without labels" if right is None else "that its repeat did not draw"
    known = "" if right is None else f"; {percent(right)} of the guesses were right"
    learned = f"Each also learned from {counted(most, 'picture')} {which}"
    return f"{learned}, by labels that the repeat's rival guessed{known}."


def curves_repeat(folder: StudyFolder) -> int | None:
    """The repeat whose generator is shown: of those with a log, the one with the best score."""
    logged = [r for r in folder.repeats if folder.logs[r.index].steps]
    return logged[highest([number(r.generator.get("cas")) or 0.0 for r in logged])].index if logged else None


def shown_repeat(repeats: Sequence[Repeat]) -> Repeat | None:
    """The repeat whose pictures lie in `samples/`: its generator scored best on validation, the first of equals."""
    scored = [(cas, r) for r in repeats if (cas := number(r.generator.get("cas"))) is not None]
    return scored[highest([cas for cas, _ in scored])][1] if scored else None


def nearest_pairs(folder: StudyFolder) -> list[str]:
    """Class and distance of the pairs in `samples/nearest_pairs.png`, in their order."""
    shown = shown_repeat(folder.repeats)
    nearest = objects(shown.generator.get("nearest_pairs")) if shown else []
    names = mapping(folder.study.get("spec")).get("classes")
    classes = [str(c) for c in names] if isinstance(names, list) else []
    captions = []
    for s in nearest:
        at = number(s.get("class"))
        name = classes[int(at)] if at is not None and 0 <= at < len(classes) else "unknown class"
        captions.append(f"{name} {decimal(s.get('distance'), 2)}")
    return captions


def of_augment(way: Way) -> str:
    """A way to try, in flags of `augment`: fields of the generator by --generator, images by time.

    Fewer images are no way: the checkpoint is chosen on validation, and less time would be less for the classifiers.
    """
    if way.of == "images" or "images" in way.values:
        return "" if way.how == "fewer" else "more --budget"
    if not way.values:
        return in_flags(way)
    fields = ((name, str(v).lower() if isinstance(v, bool) else plain(v)) for name, v in way.values.items())
    return f"`{' '.join(f'--generator {name}={value}' for name, value in fields)}`"


def alarms(folder: StudyFolder) -> list[dict[str, Any]]:
    """Alarms of all generators, one entry per name, in the words of the first, and in which repeats."""
    merged: dict[str, dict[str, Any]] = {}
    for repeat in folder.repeats:
        for alarm in alarms_of(folder.logs[repeat.index], repeat.generator):
            entry = merged.setdefault(alarm["name"], {**alarm, "times": 0, "over": False, "repeats": []})
            if (number_of := str(repeat.index + 1)) not in entry["repeats"]:
                entry["repeats"].append(number_of)
            entry["mend"] = (entry["advice"] if entry["advice"].ways else alarm["advice"]).words(of_augment)
    for entry in merged.values():
        noun = "repeat" if len(entry["repeats"]) == 1 else "repeats"
        figures = f"; the figures are of repeat {entry['repeats'][0]}" if len(entry["repeats"]) > 1 else ""
        entry["where"] = f"generator of {noun} {', '.join(entry['repeats'])}{figures}"
    return list(merged.values())
