"""The page of a study: verdict first, then everything that it rests on, from the folder alone."""

from pathlib import Path

from zeuxis.errors import command, counted
from zeuxis.pages.arms import MEANING, arms_of
from zeuxis.pages.folder import OPEN, TONES, StudyFolder, open_study
from zeuxis.pages.formats import (
    DASH,
    decimal,
    duration,
    interval,
    probability,
    shape_words,
    signed,
    spelled,
    things,
    value,
    whole,
)
from zeuxis.pages.generators import alarms, cas_chart, curves_repeat, generators, suspects
from zeuxis.pages.origins import source_of
from zeuxis.pages.outcome import of_copies
from zeuxis.pages.page import render, write_page
from zeuxis.pages.pictures import embed
from zeuxis.pages.read import Line, mapping, mean, number, numbers
from zeuxis.pages.run import provenance, turn_charts
from zeuxis.pages.samples import row_names
from zeuxis.pages.study_tables import arms_plot, differences_plot, recalls_plot, secondary, table
from zeuxis.stats.found import FEWEST
from zeuxis.stats.sentences import round_up


def write_study_report(study_folder: Path) -> Path:
    """Draws `study_folder/report.html`, one self-contained page, from the files of the study.

    A study without its verdict has a page too, which says what is missing. Raises
    BadInput where the folder is no study, MachineGaveOut where the disk is full.
    """
    return write_page(study_folder, study_page(open_study(study_folder)))


def study_page(found: StudyFolder) -> str:
    """HTML of a study."""
    arms = arms_of(found.repeats, found.verdict)
    sign = TONES.get(str(found.verdict.get("verdict")), OPEN)[1]
    sheets = {name: embed(found.path / "samples" / f"{name}.png") for name in ("real", "fake", "suspects")}
    return render(
        "study",
        **verdict_words(found),
        stuff=found.stuff,
        generates=found.generates,
        tone=found.tone,
        sign=sign,
        kicker=kicker(found),
        missing=missing_words(found),
        facts=facts(found),
        arms_plot=arms_plot(found, arms),
        unmeasured=found.unmeasured,
        meaning=[(a.name, MEANING[a.name]) for a in arms if a.name in MEANING],
        differences_plot=differences_plot(found),
        shares_chosen=bool(numbers(found.verdict.get("shares"))),
        margin=decimal(found.verdict.get("margin", found.asked.get("margin")), 2),
        primary=str(found.study.get("primary") or ""),
        repeat_numbers=[r.index + 1 for r in found.repeats],
        table=table(found, arms),
        sheets=sheets,
        row_names={name: row_names(found.study, sheets[name]) for name in ("real", "fake")},
        suspects=suspects(found),
        copies=of_copies({}, None),
        cas_chart=cas_chart(found.repeats),
        generators=generators(found.repeats),
        curves_of=curves_repeat(found),
        curves=turn_charts(found.logs[i]) if (i := curves_repeat(found)) is not None else [],
        alarms=alarms(found),
        warnings=[str(w) for w in plan_warnings(found)],
        recalls_plot=recalls_plot(found),
        secondary=secondary(found.verdict),
        seen=seen_words(found),
        command=str(found.study.get("command") or ""),
        provenance=made_of(found),
        asked=sorted(found.asked.items()),
        versions=sorted(mapping(found.study.get("versions")).items()),
        folder=found.path.resolve().name,
        zeuxis=value(found.study.get("zeuxis") or mapping(found.study.get("versions")).get("zeuxis")),
    )


# ---------------------------------------------------------------- words


def finished_repeats(found: StudyFolder) -> int:
    """Repeats that hold the treatment's number."""
    arm = found.treatment
    return sum(arm in r.results and r.results[arm].test is not None for r in found.repeats)


def verdict_words(found: StudyFolder) -> dict[str, str]:
    """title, word, sentence and why; without a verdict, that there is none yet."""
    verdict = found.verdict
    word = str(verdict.get("verdict") or "")
    if not word:
        done = f"{finished_repeats(found)} of {counted(found.wanted, 'repeat')} done"
        sentence = f"No verdict yet: {done}."
        why = f"A verdict needs all of them. Go on with: {command('resume', found.path.resolve().name)}"
        return {"title": sentence, "word": "NOT FINISHED", "sentence": sentence, "why": why}
    sentence = str(verdict.get("sentence") or word)
    why = str(verdict.get("why") or "")
    shown = f"{word} CLEARLY" if verdict.get("clearly") is True else word
    return {"title": sentence, "word": shown, "sentence": without_word(sentence, word), "why": why}


def without_word(sentence: str, word: str) -> str:
    """The sentence after `VERDICT:`, since the verdict stands above it in large letters."""
    head, colon, rest = sentence.partition(":")
    rest = rest.strip()
    return rest[:1].upper() + rest[1:] if colon and rest and word in head and head == head.upper() else sentence


def kicker(found: StudyFolder) -> str:
    """One line on what was studied."""
    per_class = found.asked.get("labels_per_class")
    drawn = f"{things(per_class, 'label')} per class" if number(per_class) else "80 % of the training part per repeat"
    classes = mapping(found.study.get("spec")).get("classes")
    parts = [
        "Zeuxis study",
        source_of(found.study),
        counted(len(classes), "class") if isinstance(classes, list) and classes else "",
        shape_words(found.study.get("spec")),
        drawn,
        f"generator {found.asked['recipe']}" if found.asked.get("recipe") and found.generates else "",
    ]
    return " · ".join(filter(None, parts))


def missing_words(found: StudyFolder) -> str:
    """Empty where every planned repeat has its treatment, else which are missing."""
    have = {r.index for r in found.repeats if found.treatment in r.results}
    gone = [str(i + 1) for i in range(found.wanted) if i not in have]
    if not gone or not found.verdict:
        return ""
    noun = "repeat" if len(gone) == 1 else "repeats"
    which = f"{noun} {', '.join(gone)} of {found.wanted}"
    return f"The results of {which} are not in the folder; the page shows what is there."


def facts(found: StudyFolder) -> list[tuple[str, str, str]]:
    """(name, figure, small print) of the tiles below the verdict."""
    v, margin = found.verdict, found.verdict.get("margin", found.asked.get("margin"))
    seconds = number(mapping(mapping(found.study.get("plan")).get("seconds")).get("whole"))
    rows = []
    if found.unmeasured:
        rows.append(("Mean difference", "not measured", "every repeat chose share 0 on validation: 0 by choice"))
    elif v:
        rows += [
            (
                "Mean difference",
                f"{signed(v.get('mean'))}",
                f"points of balanced accuracy; margin {decimal(margin, 2)}",
            ),
            ("95 % interval", interval(v.get("interval95")), f"points, over repeats and {pictures_words(found)}"),
            ("p value", probability(v.get("p")), p_words(found)),
        ]
    done = (
        f"{finished_repeats(found)} of {found.wanted}"
        if finished_repeats(found) < found.wanted
        else whole(found.wanted)
    )
    asked = found.asked.get("budget")
    budget = value(asked) if number(asked) is None else duration(asked)
    least = "at least " if found.lost_time else ""
    taken = "" if found.seconds is None else f", {least}{duration(found.seconds)} taken"
    rows.append(("Repeats", done, f"{budget} asked, {duration(seconds)} planned{taken}"))
    return rows


def pictures_words(found: StudyFolder) -> str:
    n = number(found.verdict.get("test_pictures"))
    return "test pictures" if n is None else things(n, "test picture")


def p_words(found: StudyFolder) -> str:
    """How p was found, and the least that it could have been in this study."""
    v = found.verdict
    how = "sampled" if (number(v.get("repeats")) or 0) > 20 else "exact"
    by_choice = sum(share == 0 for share in numbers(v.get("shares")))
    why = f", since {by_choice} difference{'s are' if by_choice > 1 else ' is'} 0 by choice" if by_choice else ""
    return f"{how} test over repeats; {probability(v.get('smallest_p'))} is the least possible{why}"


def seen_words(found: StudyFolder) -> list[str]:
    """What this study could have called, in sentences."""
    v = found.verdict
    told = {} if found.unmeasured else v
    sd, mde, more = (number(told.get(k)) for k in ("sd", "mde80", "repeats_for_margin"))
    pictures = number(told.get("pictures_for_margin"))
    part, repeats, margin = number(told.get("error_pictures")), number(v.get("repeats")), number(v.get("margin"))
    words = []
    if sd is not None:
        words.append(f"From repeat to repeat the difference varies by {decimal(sd, 2)} points (standard deviation).")
    if part:
        words.append(
            f"Which pictures the {pictures_words(found)} happen to be moves the result by {decimal(part, 2)} points"
            " (standard error) in all repeats alike: more repeats do not lessen that, more test pictures do."
        )
    if mde is not None:
        words.append(
            f"Such a study calls a true difference of {decimal(mde, 2)} points four times in five; smaller ones are"
            " missed more often."
        )
    if pictures is not None and margin is not None:
        words.append(
            f"No number of repeats calls {decimal(margin, 2)} points as surely on {pictures_words(found)} like these:"
            f" it takes at least about {whole(round_up(int(pictures)))}."
        )
    if more is not None and margin is not None:
        enough = f"; there were {whole(repeats)}" if repeats is not None else ""
        words.append(f"To call {decimal(margin, 2)} points as surely takes about {things(more, 'repeat')}{enough}.")
    least_p = number(v.get("smallest_p"))
    if repeats is not None and repeats >= FEWEST and least_p is not None and least_p > 0.05:
        words.append(
            f"With the repeats that chose share 0, no p below {probability(least_p)} was possible: this study could"
            " call no effect of any size."
        )
    if repeats is not None and repeats < FEWEST and least_p is not None:
        words.append(
            f"The smallest p that these {things(repeats, 'repeat')} can give is {probability(least_p)}, which is above"
            " 0.05: so few repeats can never decide."
        )
    return words


def plan_warnings(found: StudyFolder) -> list[str]:
    listed = mapping(found.study.get("plan")).get("warnings")
    return [str(w) for w in listed] if isinstance(listed, list) else []


def split_rows(split: Line) -> list[tuple[str, str]]:
    """How many pictures each part has, and every hash that `split.json` holds, flat or by part."""
    sizes, hashes = [], []
    for part in ("train", "validation", "test"):
        entry = split.get(part)
        lists = [v for v in (entry, *mapping(entry).values()) if isinstance(v, list)]
        sizes += [f"{len(positions):,} {part}" for positions in lists[:1]]
    for key, entry in split.items():
        inside = entry if isinstance(entry, dict) else {"": entry}
        hashes += [(f"{key} {k}", v) for k, v in inside.items() if isinstance(v, str) and len(v) >= 32]
    named = [(f"Split hash, {spelled(k).strip().removesuffix('digest').strip() or 'whole'}", v) for k, v in hashes]
    return ([("Split", ", ".join(sizes))] if sizes else []) + named


def made_of(found: StudyFolder) -> list[tuple[str, str]]:
    """(name, value) of what a second person needs to get the same."""
    plan = mapping(found.study.get("plan"))
    rows = [r for r in provenance(found.study, {}) if r[0] not in ("Seed", "Split", "Split hash")]
    spent = [number(r.generator.get("seconds")) for r in found.repeats]
    of_generator = f"generator {whole(plan.get('generator_steps'))}, " if found.generates else ""
    rows += split_rows(found.split)
    rows += [
        ("Pictures per generator", whole(plan.get("generator_images")) if found.generates else DASH),
        ("Steps", f"{of_generator}classifier {whole(plan.get('classifier_steps'))}"),
        ("Planned time", duration(mapping(plan.get("seconds")).get("whole"))),
        ("Time per generator", duration(mean(spent))),
        ("Side by side", things(plan.get("slots"), "process")),
    ]
    return [(name, what) for name, what in rows if DASH not in what]
