"""The numbers of a study as plots and tables."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from zeuxis.augmentation.names import RIVALS
from zeuxis.pages.arm_results import Arm, mean_recalls
from zeuxis.pages.folder import StudyFolder
from zeuxis.pages.formats import (
    DASH,
    decimal,
    interval,
    percent,
    probability,
    signed,
    things,
)
from zeuxis.pages.plots import Row, dot_plot, interval_cell, scale_of
from zeuxis.pages.read import Line, mapping, mean, number, numbers, objects
from zeuxis.stats.found import NO_USEFUL_GAIN

CLASSES = 40  # rows of the recall plot; more are cut to those that differ most


def _tone(folder: StudyFolder, name: str) -> str:
    return f"{folder.tone} main" if name == folder.treatment else "against" if name in (*RIVALS, "best") else "other"


def arms_plot(folder: StudyFolder, arms: Sequence[Arm]) -> Markup:
    """Arms as rows: every repeat a faint dot, mean and 95 % interval."""
    rows = [
        Row(a.name, a.values, a.mean, a.low, a.high, decimal(a.mean, 1), _tone(folder, a.name))
        for a in arms
        if not a.is_candidate and not (folder.unmeasured and a.name == folder.treatment)
    ]
    return dot_plot("Balanced accuracy on the sealed test part", rows, "points (of 100)")


_CONTROLS = {
    "duplicated": "repeating real pictures in their place",
    "shuffled": "generated pictures with shuffled labels",
    "guessed": "pictures with guessed labels in their place",
}


def controls_words(folder: StudyFolder) -> str:
    """What the controls changed against the rival, beside what was tried, on average; empty without controls."""
    changed = {name: _against_rival(folder, name) for name in (folder.treatment, *_CONTROLS)}
    others = {name: words for name, words in _CONTROLS.items() if name != folder.treatment}
    controls = [(words, change) for name, words in others.items() if (change := changed[name]) is not None]
    if not controls:
        return ""
    first = changed[folder.treatment]
    clauses = [(folder.stuff, first)] if first is not None and not folder.unmeasured else []
    said = [f"{words} changed it by {_in_points(change)}" for words, change in clauses + controls]
    return f"Against the score without {folder.stuff}, on average over the repeats: {'; '.join(said)}."


def _against_rival(folder: StudyFolder, arm: str) -> float | None:
    """An arm's test accuracy less its rival's in points, the mean over the repeats that have both; None where none."""
    both = [(r.results[arm].test, r.results[r.rival].test) for r in folder.repeats if {arm, r.rival} <= set(r.results)]
    return mean([100 * (a - b) for a, b in both if a is not None and b is not None])


def _in_points(change: float) -> str:
    return f"{signed(change)} points"


def differences_plot(folder: StudyFolder) -> Markup:
    """Each repeat's paired difference, the zero line, the margin as a band, the mean with its interval."""
    v = folder.verdict
    differences = numbers(v.get("differences"))
    shares = numbers(v.get("shares"))
    rows = []
    for i, d in enumerate(differences):
        share = shares[i] if i < len(shares) else None
        chose = "" if share is None else f" · {percent(share)}"
        note = f"chose no {folder.stuff}" if share == 0 else signed(d) + chose
        rows.append(Row(f"repeat {i + 1}", mean=d, note=note, tone=f"{folder.tone} slim", stem=True))
    low, high = (numbers(v.get("interval95")) + [None, None])[:2]
    if not folder.unmeasured:
        rows.append(Row("mean", (), number(v.get("mean")), low, high, signed(v.get("mean")), f"{folder.tone} total"))
    if not folder.unmeasured and v.get("verdict") == NO_USEFUL_GAIN:  # what that verdict rests on
        low, high = (numbers(v.get("interval90")) + [None, None])[:2]
        rows.append(Row("at 90 %", (), number(v.get("mean")), low, high, "", f"{folder.tone} total"))
    title = f"Difference in each repeat: accuracy with {folder.stuff} minus accuracy without"
    band = number(v.get("margin", folder.asked.get("margin"))) or 0.0
    return dot_plot(
        title, rows, f"points; right of the line is better with {folder.stuff}", zero=True, band=band, signed=True
    )


def table(folder: StudyFolder, arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """Rows of arms x repeats: per repeat (test, small print, whether this repeat's rival)."""
    rows = []
    for arm in arms:
        cells = []
        for place, repeat in enumerate(folder.repeats):
            result = repeat.results.get(arm.name)
            test = result.test if result else None
            shown = 100 * test if test is not None else arm.values[place] if place < len(arm.values) else None
            small = [f"val {decimal(100 * result.validation)}"] if result and result.validation is not None else []
            if result and result.share is not None and arm.name in ("gan", folder.treatment):
                none = result.share == 0 and folder.generates
                small += [
                    f"policy {result.policy or DASH}",
                    f"no {folder.stuff}" if none else f"share {percent(result.share)}",
                ]
            cells.append((decimal(shown), small, arm.name == repeat.rival))
        rows.append({"name": arm.name, "cells": cells, "mean": decimal(arm.mean), "main": arm.name == folder.treatment})
    return rows


def recalls_plot(folder: StudyFolder) -> Markup:
    """Recall per class: the rival as a ring, with generated pictures as a dot; nothing where none were used."""
    if folder.unmeasured:
        return Markup("")
    names = mapping(folder.study.get("spec")).get("classes")
    classes = [str(c) for c in names] if isinstance(names, list) else []
    rival, gan = mean_recalls(folder.repeats, folder.verdict, len(classes), folder.treatment)
    pairs = [(n, a, b) for n, a, b in zip(classes, rival, gan, strict=False) if a is not None and b is not None]
    kept = sorted(sorted(range(len(pairs)), key=lambda i: -abs(pairs[i][2] - pairs[i][1]))[:CLASSES])
    rows = [
        Row(n, mean=b, other=a, note=f"{signed(b - a, 1)}", tone=f"{folder.tone} slim")
        for n, a, b in (pairs[i] for i in kept)
    ]
    cut = f" (the {CLASSES} of {len(pairs)} classes that differ most)" if len(pairs) > CLASSES else ""
    return dot_plot(f"Share of each class that is recognised{cut}", rows, "points (of 100), mean over repeats")


def secondary(verdict: Line) -> list[dict[str, Any]]:
    """The other comparisons, with p by Holm and what to make of it."""
    comparisons = objects(verdict.get("secondary"))
    ends = [numbers(s.get("interval95")) for s in comparisons]
    x = scale_of([0.0, *(number(s.get("mean")) for s in comparisons), *(e for pair in ends for e in pair)], least=0.2)
    rows = []
    for s, pair in zip(comparisons, ends, strict=True):
        low, high = (pair + [None, None])[:2]
        rows.append(
            {
                "name": str(s.get("comparison") or DASH),
                "mean": signed(s.get("mean")),
                "interval": interval(s.get("interval95")),
                "plot": interval_cell(number(s.get("mean")), low, high, x),
                "p": probability(s.get("p")),
                "p_holm": probability(s.get("p_holm")),
                "words": _judged(s),
            }
        )
    return rows


def none_judged(verdict: Line) -> bool:
    """Whether there are other comparisons, and every one takes more repeats than there were."""
    comparisons = objects(verdict.get("secondary"))
    return bool(comparisons) and all(number(s.get("repeats_needed")) is not None for s in comparisons)


def _judged(comparison: Line) -> str:
    """The judgement of a comparison; none where so many repeats are needed for one."""
    needed, judged = number(comparison.get("repeats_needed")), comparison.get("judged")
    if needed is not None:
        return f"not judged: it takes {things(needed, 'repeat')}"
    return "gan holds no generated pictures" if judged == "empty" else str(judged or DASH)
