"""The plan of a study as lines for people, before anything is trained."""

from zeuxis.augmentation.domains import guard_words
from zeuxis.engine.budget import words_for
from zeuxis.errors import counted
from zeuxis.jobs.held_out import left_out
from zeuxis.jobs.showing import two_labels_words
from zeuxis.jobs.study.place import Place
from zeuxis.jobs.study.plan import Plan, arms_of
from zeuxis.stats.twoway import least_effect
from zeuxis.stats.verdict import pictures_for_none


def test_part_words(place: Place) -> str:
    """What the test part alone allows as a rule: how far its pictures lean to either arm shows only afterwards."""
    examined, margin = place.examined, place.asked.margin
    needed, there = pictures_for_none(margin), round(examined.effective)
    units = f" in {counted(examined.units, 'group')}" if examined.units < len(examined.classes) else ""
    count = len(examined.classes)
    as_few = f" (they count as {there:,}: some stay together, or classes differ in size)"
    less = as_few if 10 * there < 9 * count else ""
    shown = (
        f"with {counted(count, 'sealed test picture')}{units}{less} a difference below about "
        f"{least_effect(examined):.2g} points can hardly be found, however many repeats (the true limit depends on how "
        "far single pictures lean to one side, which shows only after the study)"
    )
    if there >= needed:
        return f"zeuxis: {shown}; they are enough to say NO USEFUL GAIN within {margin:g} points"
    takes = f"to say NO USEFUL GAIN within {margin:g} points takes {needed:,}: give more pictures, or a wider --margin"
    return f"zeuxis: {shown}; {takes}"


def describe(place: Place) -> list[str]:
    """The plan as lines for people."""
    a, p, s = place.asked, place.plan, place.split
    n = counted(a.labels_per_class, "training picture") if a.labels_per_class else "80 % of the training pictures"
    lines = [
        f"zeuxis: {len(s.train):,} training, {len(s.validation):,} validation and "
        f"{counted(len(s.test), 'sealed test picture')}, "
        f"{counted(place.classes, 'class')}; each repeat draws {n} per class",
        *left_out(s),
        test_part_words(place),
        f"zeuxis: {counted(a.repeats, 'repeat')} x ({'1 generator + ' if a.generates else ''}"
        f"{counted(arms_of(a), 'classifier')}), "
        f"{counted(p.slots, 'process')} at once, about {words_for(p.seconds['whole'])}",
        (
            f"zeuxis: generator {counted(p.generator_steps, 'step')} ({counted(p.generator_images, 'image')}, "
            f"{words_for(p.seconds['generator'])}{_drawing(p)}), "
            if a.generates
            else "zeuxis: "
        )
        + f"each classifier {counted(p.classifier_steps, 'step')} ({words_for(p.seconds['classifier'])})",
    ]
    if a.unlabelled:
        lines.append(f"zeuxis: {_unlabelled_words(place)}, by guessed labels")
    if hint := guard_words(a.domain, a.policies):
        lines.append(f"zeuxis: {hint}")
    lines += two_labels_words(place.dataset)
    return lines + [f"zeuxis: warning: {w}" for w in p.warnings]


def _drawing(plan: Plan) -> str:
    """What of a generator's time is not training, where that is much of it."""
    drawing, whole = plan.seconds["drawing"], plan.seconds["generator"]
    return f", {words_for(drawing)} of them drawing its pictures" if drawing > 0.1 * whole else ""


def _unlabelled_words(place: Place) -> str:
    a, whole = place.asked, len(place.split.train)
    drawn = (a.labels_per_class or round(0.8 * whole / place.classes)) * place.classes
    rest = counted(whole - drawn, "other training picture")
    pictures = counted(place.others["pictures"], "unlabelled picture") if place.others else rest
    return f"the {'generator' if a.generates else 'classifier'} also learns from {pictures}"
