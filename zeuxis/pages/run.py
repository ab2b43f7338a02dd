"""The page of a run: from its folder alone."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from zeuxis.errors import counted
from zeuxis.pages.formats import (
    DASH,
    brief,
    compact,
    decimal,
    duration,
    resume_words,
    shape_words,
    spelled,
    things,
    value,
    whole,
)
from zeuxis.pages.origins import recorded_sources, source_words, split_count
from zeuxis.pages.outcome import advice_of, judgement_of
from zeuxis.pages.page import render, write_page
from zeuxis.pages.plots import Series, line_chart
from zeuxis.pages.read import Line, Log, advice, mapping, number
from zeuxis.pages.run_folder import RunFolder, open_run
from zeuxis.runs import begun_with
from zeuxis.spelling import Advice, in_flags

UNJUDGED_RUN = "How good the result is was not measured in this run."

SCORES = {
    "diversity": "Diversity of the samples (real pictures = 1)",
    "accuracy": "Accuracy on held-out pictures",
    "balanced": "Balanced accuracy on held-out pictures",
    "critic": "What the critic says on average",
    "held": "How far the critic puts training pictures above held-out ones, in standard errors",
    "changed": "How far answers are from what was given (real pictures = 1)",
    "inverted": "How far light is where dark was (-1 to 1)",
    "pattern": "How far periods of 2 and 4 pixels stand out (real pictures = 1)",
    "saturation": "Share of pairs whose real picture the critic puts above the generated one",
}


Section = Callable[[RunFolder], Markup]
"""A part of a run's page, drawn from its folder; empty where there is nothing to show."""


def write_run_report(run_folder: Path, sections: Sequence[Section]) -> Path:
    """Draws `run_folder/report.html`, one self-contained page, from the files of the run.

    sections: what recipes can do, in their order. An unfinished run has a page too, which says how far it came.
    Raises BadInput where the folder is no run, MachineGaveOut where the disk is full.
    """
    return write_page(run_folder, run_page(open_run(run_folder), sections))


def run_page(folder: RunFolder, sections: Sequence[Section]) -> str:
    """HTML of a run."""
    outcome = judgement_of(folder.finish)
    return render(
        "run",
        title=f"{folder.run.get('recipe', 'a run')} on {source_words(folder.run)}",
        outcome=outcome,
        advice=advice_of(folder.finish),
        unjudged=UNJUDGED_RUN if folder.finish and outcome is None else "",
        sentence=sentence(folder),
        state=state_words(folder),
        finished=bool(folder.finish),
        facts=facts(folder),
        scores=score_charts(folder.log),
        figures=latest_scores(folder),
        best_step=best_of(folder).get("step"),
        game=len(_names(folder.log.steps, "terms")) > 1,
        sections=[section(folder) for section in sections],
        curves=turn_charts(folder.log),
        watched=[*watch_charts(folder.log), speed_chart(folder.log)],
        alarms=alarms_of(folder.log, folder.finish),
        no_alarm=no_alarm(folder),
        held_out=split_count(folder.run, "held_out") or 0,
        looked=looked_words(folder),
        rewinds=[str(r.get("words", "")) for r in folder.log.rewinds],
        attempts=number(folder.finish.get("attempts")) or 1,
        damaged=folder.log.damaged,
        provenance=provenance(folder.run, folder.finish, folder.gain),
        settings=sorted(mapping(folder.run.get("settings")).items()),
        preset=folder.run.get("preset"),
        versions=sorted(mapping(folder.run.get("versions")).items()),
        command=str(folder.run.get("command") or ""),
        folder=folder.path.resolve().name,
        zeuxis=value(folder.run.get("zeuxis")),
    )


# ---------------------------------------------------------------- words


def progress_of(folder: RunFolder) -> tuple[float | None, float | None, float | None]:
    """(step reached, images seen, seconds trained): from the finish where there is one, else the log."""
    last = folder.log.last
    clock = mapping(last.get("clock"))
    return (
        number(folder.finish.get("steps")) or number(last.get("step")),
        number(folder.finish.get("images")) or number(last.get("images")),
        number(folder.finish.get("seconds")) or number(clock.get("seconds")),
    )


def sentence(folder: RunFolder) -> str:
    """What was trained on what, in one sentence."""
    run, spec = folder.run, mapping(folder.run.get("spec"))
    classes = spec.get("classes") if isinstance(spec.get("classes"), list) else []
    used = split_count(run, "train") or next(iter(recorded_sources(run).values())).get("items")
    steps, images, seconds = progress_of(folder)
    of = f" of {counted(len(classes), 'class')}" if classes else ""
    knows = ", told the class of each," if classes and run.get("conditional") and folder.samples else ""
    shape = shape_words(spec)
    made = int(sum(number(one.get("made")) or 0 for one in recorded_sources(run).values()))
    of += f" ({made:,} of them generated; only real ones are held out)" if made else ""
    text = f"{run.get('recipe', 'A recipe')} was trained on {things(used, 'picture')}{of} from {source_words(run)}"
    text += (f" ({shape})" if shape else "") + knows
    if steps is None:
        return text.rstrip(",") + "; no step was logged yet."
    begun = begun_with(run)
    start = f"; begun with {begun}" if begun else ""
    return text + f" for {things(steps, 'step')}: {things(images, 'picture')} seen in {duration(seconds)}{start}."


def state_words(folder: RunFolder) -> str:
    """Empty for a finished run, else how far it came and how to go on."""
    if folder.finish:
        return ""
    step, of = progress_of(folder)[0], number(folder.run.get("steps"))
    share = f" ({100 * step / of:.0f} %)" if step is not None and of else ""
    place = f"step {whole(step)} of {whole(of)}{share}" if step is not None else "before its first logged step"
    return f"This run has not finished: the log ends at {place}. {resume_words(folder.path)}"


def budget_words(folder: RunFolder) -> str:
    """What was asked, and how far the time was off: `5m asked, 0.4 % more`."""
    budget = mapping(folder.run.get("budget"))
    asked = str(budget.get("asked") or things(folder.run.get("steps"), "step"))
    over = number(folder.finish.get("overrun_percent"))
    if over is None or number(budget.get("seconds")) is None:
        return f"{asked} asked"
    return f"{asked} asked, {decimal(abs(over), 1)} % {'more' if over >= 0 else 'less'}"


def facts(folder: RunFolder) -> list[tuple[str, str, str]]:
    """(name, figure, small print) of the tiles at the top."""
    steps, images, seconds = progress_of(folder)
    clock = mapping(folder.log.last.get("clock"))
    speed = number(folder.finish.get("images_per_second")) or number(clock.get("images_per_second"))
    world = number(folder.run.get("world")) or 1
    processes = things(world, "process") if world > 1 else "one process"
    return [
        ("Steps", whole(steps), f"of {whole(folder.run.get('steps'))}, batch {value(folder.run.get('batch'))}"),
        ("Pictures seen", compact_or_dash(images), f"{whole(images)} in all"),
        ("Time", duration(seconds), budget_words(folder)),
        ("Throughput", f"{brief(speed)}/s", f"pictures, {processes}"),
    ]


def compact_or_dash(number_: float | None) -> str:
    return DASH if number_ is None else compact(float(f"{number_:.3g}"))


NONE_HELD = "all to train, none held out"


def provenance(header: Line, finish: Line, gain: Line | None = None) -> list[tuple[str, str]]:
    """(name, value) of what a second person needs to get the same: hashes whole.

    gain: what the autoencoder gained on these pictures, where it was adapted first.
    """
    sources, splits = recorded_sources(header), mapping(header.get("splits"))
    rows: list[tuple[str, Any]] = []
    for name, data in sources.items():
        of = f" of {name}" if len(sources) > 1 else ""
        split = mapping(splits.get(name))
        sizes = _sizes(split) if split else NONE_HELD
        rows += [
            (f"Data{of}", data.get("source")),
            (f"Pictures{of}", f"{whole(data.get('items'))} read, {whole(data.get('skipped'))} skipped"),
            (f"Fit{of}", data.get("fit")),
            (f"Data hash{of}", data.get("digest")),
            (f"Split{of}", sizes),
            (f"Split hash{of}", split.get("digest")),
        ]
    rows += [
        ("Recipe chosen", header.get("chosen")),
        ("Begins with", begun_with(header)),
        ("Adapted first", _adapted(header, gain or {})),
        ("Seed", header.get("seed")),
        ("Weights hash", finish.get("weights_sha256")),
        ("Compute options", header.get("compute")),
        ("Same bits again", again_words(header.get("exact"))),
    ]
    return [(name, value(what)) for name, what in rows if what not in (None, "")]


def _adapted(header: Line, gain: Line) -> str:
    before, after = number(gain.get("before")), number(gain.get("after"))
    if before is None or after is None:
        return ""
    pictures = "held-out pictures" if gain.get("held_out") else "the pictures"
    kept = "kept" if header.get("start_from") else "not kept"
    before_sharp, sharp = (decimal(number(gain.get(f"sharp_{when}")), 2) for when in ("before", "after"))
    return (
        f"{pictures} come back at {decimal(before, 1)} dB with a sharpness of {before_sharp} by the autoencoder of the "
        f"package, at {decimal(after, 1)} dB with one of {sharp} by the adapted one: {kept}"
    )


def _sizes(split: Line) -> str:
    """How many pictures are in which part of a split."""
    text = f"{whole(split.get('train'))} to train, {whole(split.get('held_out'))} held out"
    aside, dropped = (number(split.get(name)) for name in ("aside", "dropped"))
    text += f", {whole(aside)} of the official test part left aside" if aside else ""
    return text + (f", {whole(dropped)} left out, as they belong to pictures held out" if dropped else "")


def again_words(exact: object) -> str | None:
    """What the same command would give on the same machine; None where the run does not say."""
    if not isinstance(exact, bool):
        return None
    return "promised, with these compute options" if exact else "not promised: this device adds gradients in any order"


# ---------------------------------------------------------------- samples


# ---------------------------------------------------------------- curves


def xs_of(events: Sequence[Line]) -> list[float | None]:
    """Pictures seen at each event."""
    return [number(e.get("images")) for e in events]


def _names(events: Sequence[Line], key: str) -> list[str]:
    names: dict[str, None] = {}
    for event in events:
        names.update(dict.fromkeys(map(str, mapping(event.get(key)))))
    return list(names)


def turn_charts(log: Log) -> list[Markup]:
    """One chart per phase: the terms that it minimises, over pictures seen; rewinds and alarms upright."""
    xs, charts = xs_of(log.steps), []
    for phase in _names(log.steps, "terms"):
        terms = [mapping(mapping(e.get("terms")).get(phase)) for e in log.steps]
        names = list(dict.fromkeys(str(n) for t in terms for n in t))
        series = [Series(spelled(n), xs, [number(t.get(n)) for t in terms]) for n in names]
        charts.append(line_chart(f"{spelled(phase)}: what it minimises", series, "pictures seen", event_places(log)))
    return [c for c in charts if c]


def event_places(log: Log) -> list[float]:
    return [at for event in (*log.alarms, *log.rewinds) if (at := number(event.get("images"))) is not None]


def grouped(names: Sequence[str], separator: str) -> dict[str, list[str]]:
    """Names by what stands before `separator`; a name without one is a group of its own."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.partition(separator)[0], []).append(name)
    return groups


def watch_charts(log: Log) -> list[Markup]:
    """One chart per phase of what is watched but not minimised."""
    xs, charts = xs_of(log.steps), []
    for phase, names in grouped(_names(log.steps, "watch"), "/").items():
        watched = [mapping(e.get("watch")) for e in log.steps]
        series = [Series(spelled(n.partition("/")[2] or n), xs, [number(w.get(n)) for w in watched]) for n in names]
        charts.append(line_chart(f"{spelled(phase)}: watched", series, "pictures seen", event_places(log)))
    return [c for c in charts if c]


def score_charts(log: Log) -> list[Markup]:
    """Held-out figures over pictures seen; names that share their first word share a chart."""
    xs, charts = xs_of(log.scores), []
    for group, names in grouped(_names(log.scores, "score"), "_").items():
        scores = [mapping(e.get("score")) for e in log.scores]
        series = [Series(spelled(n), xs, [number(s.get(n)) for s in scores]) for n in names]
        charts.append(line_chart(SCORES.get(group, spelled(group).capitalize()), series, "pictures seen"))
    return [c for c in charts if c]


def speed_chart(log: Log) -> Markup:
    ys = [number(mapping(e.get("clock")).get("images_per_second")) for e in log.steps]
    return line_chart(
        "Throughput, pictures per second", [Series("pictures/s", xs_of(log.steps), ys)], "pictures seen", from_zero=True
    )


def latest_scores(folder: RunFolder) -> list[tuple[str, str, str]]:
    """(name, last, best step's) of the held-out figures."""
    scores = folder.log.scores
    last = mapping(scores[-1].get("score")) if scores else {}
    at = mapping(best_of(folder).get("score"))
    return [(spelled(n), brief(v), brief(at.get(n))) for n, v in last.items() if number(v) is not None]


def best_of(folder: RunFolder) -> Line:
    """The score event of the best checkpoint, empty where the run kept none; `best` is its step, or its score alone."""
    best = folder.finish.get("best")
    step, score = mapping(best).get("step"), number(mapping(best).get("score", best))
    if score is None and step is None:
        return {}
    by_step = [s for s in folder.log.scores if step is not None and s.get("step") == step]
    by_score = [s for s in folder.log.scores if number(mapping(s.get("score")).get("score")) == score]
    return next(iter(by_step or by_score), {})


# ---------------------------------------------------------------- alarms


def looked_words(folder: RunFolder) -> str:
    """How often the scores were measured, and whether on pictures that were not trained on."""
    looks = len(folder.log.scores)
    times = "Measured once" if looks == 1 else f"Measured {counted(looks, 'time')}"
    if split_count(folder.run, "held_out"):
        return f"{times}, on pictures that were not trained on."
    return f"{times}. There was no held-out picture, so the real pictures here are those that were trained on."


def no_alarm(folder: RunFolder) -> str:
    """What it means that there was none: alarms look at the training, now and then, and not at what came of it."""
    looks = len(folder.log.scores)
    if not looks:
        return "Nothing was looked at, so no alarm could be raised."
    so_far = "" if folder.finish else " so far"
    times = "once" if looks == 1 else counted(looks, "time")
    return f"No alarm was raised{so_far}; the training was looked at {times}. Alarms do not say how good the result is."


def alarms_of(log: Log, finish: Line) -> list[dict[str, Any]]:
    """Each alarm once, in the order of its first call: name, words, advice, mend (in flags), first step, how often,
    and whether it is over by the last look."""
    alarms: dict[str, dict[str, Any]] = {}
    last = log.scores[-1].get("alarms") if log.scores else None
    for event in log.alarms:
        name = str(event.get("name") or "alarm")
        times = alarms.get(name, {}).get("times", 0) + 1
        first = alarms.get(name, {}).get("step", whole(event.get("step")))
        message, given = str(event.get("words") or ""), advice(event.get("advice"))
        explanation = {"words": message, "advice": given, "mend": given.words(in_flags)}
        over = isinstance(last, list) and name not in last
        alarms[name] = {"name": spelled(name), **explanation, "step": first, "times": times, "over": over}
    listed = finish.get("alarms")
    for name in listed if isinstance(listed, list) else []:
        message = str(mapping(name).get("words") or "raised in this run")
        key = str(mapping(name).get("name") or name)
        explanation = {"words": message, "advice": Advice(), "mend": ""}
        alarms.setdefault(key, {"name": spelled(key), **explanation, "step": DASH, "times": 1, "over": False})
    return list(alarms.values())
