"""The page of a study: verdict first, then everything that it rests on, from the folder alone."""

from pathlib import Path

from zeuxis.errors import counted
from zeuxis.pages.arm_results import MEANING, arms_of
from zeuxis.pages.folder import OPEN, TONES, StudyFolder, open_study
from zeuxis.pages.formats import (
    DASH,
    decimal,
    duration,
    interval,
    probability,
    resume_words,
    shape_words,
    signed,
    spelled,
    things,
    value,
    whole,
)
from zeuxis.pages.generators import alarms, cas_chart, curves_repeat, generators, guesses, nearest_pairs, shown_repeat
from zeuxis.pages.origins import source_words
from zeuxis.pages.outcome import of_copies
from zeuxis.pages.page import render, write_page
from zeuxis.pages.pictures import embed
from zeuxis.pages.read import Line, mapping, mean, number, numbers
from zeuxis.pages.run import provenance, turn_charts
from zeuxis.pages.samples import row_names
from zeuxis.pages.study_tables import (
    arms_plot,
    controls_words,
    differences_plot,
    none_judged,
    recalls_plot,
    secondary,
    table,
)
from zeuxis.spelling import typed_time
from zeuxis.stats.found import FEWEST
from zeuxis.stats.sentences import MANY, round_up


def write_study_report(study_folder: Path) -> Path:
    """Draws `study_folder/report.html`, one self-contained page, from the files of the study.

    A study without its verdict has a page too, which says what is missing. Raises
    BadInput where the folder is no study, MachineGaveOut where the disk is full.
    """
    return write_page(study_folder, study_page(open_study(study_folder)))


def study_page(folder: StudyFolder) -> str:
    """HTML of a study."""
    arms = arms_of(folder.repeats, folder.verdict)
    sign = TONES.get(str(folder.verdict.get("verdict")), OPEN)[1]
    shown = shown_repeat(folder.repeats)
    sheets = {name: embed(folder.path / "samples" / f"{name}.png") for name in ("real", "fake", "nearest_pairs")}
    return render(
        "study",
        **verdict_words(folder),
        stuff=folder.stuff,
        generates=folder.generates,
        tone=folder.tone,
        sign=sign,
        kicker=kicker(folder),
        missing=missing_words(folder),
        facts=facts(folder),
        arms_plot=arms_plot(folder, arms),
        controls=controls_words(folder),
        unmeasured=folder.unmeasured,
        meaning=[(a.name, MEANING[a.name]) for a in arms if a.name in MEANING],
        differences_plot=differences_plot(folder),
        shares_chosen=bool(numbers(folder.verdict.get("shares"))),
        margin=decimal(folder.verdict.get("margin", folder.asked.get("margin")), 2),
        primary=str(folder.study.get("primary") or ""),
        repeat_numbers=[r.index + 1 for r in folder.repeats],
        table=table(folder, arms),
        sheets=sheets,
        row_names={name: row_names(folder.study, sheets[name]) for name in ("real", "fake")},
        nearest_pairs=nearest_pairs(folder),
        copies=of_copies(mapping(shown.generator.get("copies")) if shown else {}, None),
        cas_chart=cas_chart(folder.repeats),
        generators=generators(folder.repeats),
        guesses=guesses(folder.repeats),
        curves_of=curves_repeat(folder),
        curves=turn_charts(folder.logs[i]) if (i := curves_repeat(folder)) is not None else [],
        alarms=alarms(folder),
        warnings=[str(w) for w in plan_warnings(folder)],
        recalls_plot=recalls_plot(folder),
        secondary=secondary(folder.verdict),
        none_judged=none_judged(folder.verdict),
        seen=seen_words(folder),
        command=str(folder.study.get("command") or ""),
        provenance=made_of(folder),
        asked=sorted(settings_words(folder.asked).items()),
        versions=sorted(mapping(folder.study.get("versions")).items()),
        folder=folder.path.resolve().name,
        zeuxis=value(folder.study.get("zeuxis") or mapping(folder.study.get("versions")).get("zeuxis")),
    )


# ---------------------------------------------------------------- words


def finished_repeats(folder: StudyFolder) -> int:
    """Repeats that hold the treatment's number."""
    arm = folder.treatment
    return sum(arm in r.results and r.results[arm].test is not None for r in folder.repeats)


def verdict_words(folder: StudyFolder) -> dict[str, str]:
    """title, word, lead, rest of the sentence and why; without a verdict, that there is none yet."""
    verdict = folder.verdict
    word = str(verdict.get("verdict") or "")
    if not word:
        done = f"{finished_repeats(folder)} of {counted(folder.wanted, 'repeat')} done"
        sentence = f"No verdict yet: {done}."
        why = f"A verdict needs all of them. {resume_words(folder.path)}"
        return {"title": sentence, "word": "NOT FINISHED", "lead": sentence, "rest": "", "why": why}
    sentence = str(verdict.get("sentence") or word)
    why = str(verdict.get("why") or "")
    shown = f"{word} CLEARLY" if verdict.get("clearly") is True else word
    lead, _, rest = without_word(sentence, word).partition("; ")
    return {
        "title": sentence,
        "word": shown,
        "lead": f"{lead}." if rest else lead,
        "rest": " ".join(f"{part[:1].upper()}{part[1:].rstrip('.')}." for part in rest.split("; ") if part),
        "why": why,
    }


def without_word(sentence: str, word: str) -> str:
    """The sentence after `VERDICT:`, since the verdict stands above it in large letters."""
    head, colon, rest = sentence.partition(":")
    rest = rest.strip()
    return rest[:1].upper() + rest[1:] if colon and rest and word in head and head == head.upper() else sentence


def kicker(folder: StudyFolder) -> str:
    """One line on what was studied."""
    per_class = folder.asked.get("labels_per_class")
    drawn = f"{things(per_class, 'label')} per class" if number(per_class) else "80 % of the training part per repeat"
    classes = mapping(folder.study.get("spec")).get("classes")
    parts = [
        "Zeuxis study",
        source_words(folder.study),
        counted(len(classes), "class") if isinstance(classes, list) and classes else "",
        shape_words(folder.study.get("spec")),
        drawn,
        f"generator {folder.asked['recipe']}" if folder.asked.get("recipe") and folder.generates else "",
    ]
    return " · ".join(filter(None, parts))


def missing_words(folder: StudyFolder) -> str:
    """Empty where every planned repeat has its treatment, else which are missing."""
    have = {r.index for r in folder.repeats if folder.treatment in r.results}
    gone = [str(i + 1) for i in range(folder.wanted) if i not in have]
    if not gone or not folder.verdict:
        return ""
    noun = "repeat" if len(gone) == 1 else "repeats"
    which = f"{noun} {', '.join(gone)} of {folder.wanted}"
    return f"The results of {which} are not in the folder; the page shows what is there."


def facts(folder: StudyFolder) -> list[tuple[str, str, str]]:
    """(name, figure, small print) of the tiles below the verdict."""
    v, margin = folder.verdict, folder.verdict.get("margin", folder.asked.get("margin"))
    seconds = number(mapping(mapping(folder.study.get("plan")).get("seconds")).get("whole"))
    rows = []
    if folder.unmeasured:
        rows.append(("Mean difference", "not measured", "every repeat chose share 0 on validation: 0 by choice"))
    elif v:
        rows += [
            (
                "Mean difference",
                f"{signed(v.get('mean'))}",
                f"points of balanced accuracy; margin {decimal(margin, 2)}",
            ),
            ("95 % interval", interval(v.get("interval95")), f"points, over repeats and {pictures_words(folder)}"),
            ("p value", probability(v.get("p")), p_words(folder)),
        ]
    done = (
        f"{finished_repeats(folder)} of {folder.wanted}"
        if finished_repeats(folder) < folder.wanted
        else whole(folder.wanted)
    )
    asked = folder.asked.get("budget")
    budget = value(asked) if number(asked) is None else duration(asked)
    least = "at least " if folder.lost_time else ""
    taken = "" if folder.seconds is None else f", {least}{duration(folder.seconds)} taken"
    rows.append(("Repeats", done, f"{budget} asked, {duration(seconds)} planned{taken}"))
    return rows


def pictures_words(folder: StudyFolder) -> str:
    n = number(folder.verdict.get("test_pictures"))
    return "test pictures" if n is None else things(n, "test picture")


def p_words(folder: StudyFolder) -> str:
    """How p was found, and the least that it could have been in this study."""
    v = folder.verdict
    how = "sampled" if (number(v.get("repeats")) or 0) > 20 else "exact"
    by_choice = sum(share == 0 for share in numbers(v.get("shares")))
    why = f", since {by_choice} difference{'s are' if by_choice > 1 else ' is'} 0 by choice" if by_choice else ""
    return f"{how} test over repeats; {probability(v.get('smallest_p'))} is the least possible{why}"


def settings_words(asked: Line) -> dict[str, object]:
    """The settings of the study, times as they are typed; what has no value, and why a recipe was chosen, is none."""
    seconds = number(asked.get("budget"))
    known = {**asked, **({} if seconds is None else {"budget": typed_time(seconds)})}
    return {name: what for name, what in known.items() if name != "chosen" and value(what) != DASH}


def seen_words(folder: StudyFolder) -> list[str]:
    """What this study could have called, in sentences."""
    v = folder.verdict
    measured = {} if folder.unmeasured else v
    sd, mde, more = (number(measured.get(k)) for k in ("sd", "mde80", "repeats_for_margin"))
    pictures = number(measured.get("pictures_for_margin"))
    part, repeats, margin = number(measured.get("error_pictures")), number(v.get("repeats")), number(v.get("margin"))
    sentences = []
    if sd is not None:
        sentences.append(
            f"From repeat to repeat the difference varies by {decimal(sd, 2)} points (standard deviation)."
        )
    if part:
        sentences.append(
            f"Which pictures the {pictures_words(folder)} happen to be moves the result by {decimal(part, 2)} points"
            " (standard error) in all repeats alike: more repeats do not lessen that, more test pictures do."
        )
    if mde is not None:
        sentences.append(
            f"Such a study calls a true difference of {decimal(mde, 2)} points four times in five; smaller ones are"
            " missed more often."
        )
    if pictures is not None and margin is not None:
        sentences.append(
            f"No number of repeats calls {decimal(margin, 2)} points as surely on {pictures_words(folder)} like these:"
            f" it takes at least about {whole(round_up(int(pictures)))}."
        )
    if more is not None and more > MANY and margin is not None:
        sentences.append(
            f"To call {decimal(margin, 2)} points as surely takes more test pictures; repeats alone hardly reach it."
        )
    elif more is not None and margin is not None:
        enough = f"; there were {whole(repeats)}" if repeats is not None else ""
        sentences.append(
            f"To call {decimal(margin, 2)} points as surely takes a new study of about {things(more, 'repeat')}"
            f"{enough}."
        )
    least_p = number(v.get("smallest_p"))
    if repeats is not None and repeats >= FEWEST and least_p is not None and least_p > 0.05:
        sentences.append(
            f"With the repeats that chose share 0, no p below {probability(least_p)} was possible: this study could"
            " call neither HELPED nor HURT."
        )
    if repeats is not None and repeats < FEWEST and least_p is not None:
        sentences.append(
            f"The smallest p that these {things(repeats, 'repeat')} can give is {probability(least_p)}, which is above"
            " 0.05: so few repeats can never decide."
        )
    return sentences


def plan_warnings(folder: StudyFolder) -> list[str]:
    listed = mapping(folder.study.get("plan")).get("warnings")
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
    hashes = [(k, v) for k, v in hashes if not k.startswith("dataset")]  # it stands there as the data's
    named = [(f"Split hash, {spelled(k).strip().removesuffix('digest').strip() or 'whole'}", v) for k, v in hashes]
    return ([("Split", ", ".join(sizes))] if sizes else []) + named


def made_of(folder: StudyFolder) -> list[tuple[str, str]]:
    """(name, value) of what a second person needs to get the same."""
    plan = mapping(folder.study.get("plan"))
    rows = [r for r in provenance(folder.study, {}) if r[0] not in ("Seed", "Split", "Split hash")]
    spent = [number(r.generator.get("seconds")) for r in folder.repeats]
    of_generator = f"generator {whole(plan.get('generator_steps'))}, " if folder.generates else ""
    rows += split_rows(folder.split)
    rows += [
        ("Pictures per generator", whole(plan.get("generator_images")) if folder.generates else DASH),
        ("Recipe chosen", value(folder.asked.get("chosen"))),
        ("Steps", f"{of_generator}classifier {whole(plan.get('classifier_steps'))}"),
        ("Planned time", duration(mapping(plan.get("seconds")).get("whole"))),
        ("Time per generator", duration(mean(spent))),
        ("Side by side", things(plan.get("slots"), "process")),
    ]
    return [(name, what) for name, what in rows if DASH not in what]
