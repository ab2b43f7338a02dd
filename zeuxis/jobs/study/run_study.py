"""A whole study: planned or taken up, played to its end under one lock, its page and its set written."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zeuxis import catalog
from zeuxis.data.dataset import Dataset
from zeuxis.data.export import folder_names
from zeuxis.data.files import check_place
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, command
from zeuxis.jobs import training
from zeuxis.jobs.choosing import choice_for
from zeuxis.jobs.showing import parts_unseen
from zeuxis.jobs.sources import Source
from zeuxis.jobs.study import augmented_set, unlabelled, watch
from zeuxis.jobs.study import study as studies
from zeuxis.jobs.study.handle import Study
from zeuxis.jobs.study.job_graph import ready
from zeuxis.jobs.study.place import Place
from zeuxis.jobs.study.plan import REST, StudyConfig
from zeuxis.jobs.study.plan_words import describe
from zeuxis.pages.read import read_object
from zeuxis.pages.study import write_study_report
from zeuxis.runs import LOCK


def study(
    folder: Path,
    source: Source,
    asked: StudyConfig,
    threads: int | None,
    device: str | None,
    out: str | Path | None,
    dry_run: bool,
) -> Study | None:
    """Plans a study or takes up the one that lies there, and carries it to its end, all under one lock."""
    started = time.monotonic()
    if device not in (None, "cpu", "cuda"):
        raise BadInput(f"a study runs on cpu or cuda, not on `{device}`", "--device", "leave --device away, or use cpu")
    training.known_device(device)
    check_place(folder / "study.json")
    begun = training.is_study(folder)
    if begun:
        training.opened_study(folder)
    else:
        training.check_free(folder, "--study", studies.FIRST if (folder / LOCK).exists() else ())
    dataset = source.open()
    if asked.recipe == catalog.AUTO:
        asked = _chosen(asked, dataset, device)
    data, target = source.words(dataset), None if out is None else str(Path(out).resolve())
    if target is not None:
        folder_names(dataset.spec.classes)
    others = None
    if begun:
        place = _same(folder, dataset, asked, data)
    else:
        place = studies.prepare(folder, dataset, asked, threads, device, source.join)
        if asked.unlabelled not in ("", REST):
            others = unlabelled.taken(asked.unlabelled, source, dataset, place.split)
            place = replace(place, others=unlabelled.described(others))
    for line in parts_unseen(source, dataset):
        say(f"zeuxis: warning: {line}")
    if dry_run and begun and (summary := _finished(folder)):
        say(f"zeuxis: {summary}; nothing to do, and a new plan needs another --study")
        return None
    if dry_run:
        for line in describe(place if begun else studies.planned(place)):
            say(line)
        if begun:
            say(watch.progress_words(place))
        return None
    with studies.held(folder):
        begun = training.is_study(folder)
        if begun:  # perhaps another process began it while we read the pictures
            place = _same(folder, dataset, asked, data)
            studies.out_of(folder, target)
        else:
            place = studies.planned(place)
            if others is not None:
                unlabelled.keep(folder, others)
            place = studies.write_down(place, data, target)
        conclude(place, started, begun)
        if target is not None:
            augmented_set.write_mixed(place, Path(target))
    return Study(folder)


def _chosen(asked: StudyConfig, dataset: Dataset, device: str | None) -> StudyConfig:
    """The study with the recipe that these pictures need, where it generates at all."""
    if not asked.generates:
        return replace(asked, recipe="")
    choice = choice_for(dataset, asked.budget / asked.repeats, device)
    say(choice.said)
    return replace(asked, recipe=choice.recipe, chosen=choice.why, generator=choice.settings)


def _same(folder: Path, dataset: Dataset, asked: StudyConfig, data: Mapping[str, Any]) -> Place:
    """The study in the folder. Raises BadInput where it is not the one asked for."""
    other = studies.other(folder, asked, data)
    if not other:
        return Place.open(folder, dataset)
    way = "" if _finished(folder) else f"continue it with `{command('resume', folder)}`, or "
    raise BadInput(f"another study is there already: {other}", str(folder), f"{way}choose another --study")


def _finished(folder: Path) -> str:
    """What came of the study in a folder, and where its page is; empty where it has not ended."""
    if not (folder / "verdict.json").exists():
        return ""
    sentence = read_object(folder / "verdict.json").get("sentence", "")
    page = folder / "report.html"
    where = f"its page is {page}" if page.exists() else f"`{command('report', folder)}` draws its page"
    return f"the study {folder} is finished: {str(sentence).rstrip('.')}; {where}"


def left_as_it_is(folder: Path) -> Path:
    """Says of a finished study that nothing is to be done; returns the folder."""
    say(f"zeuxis: the study {folder} is finished; nothing to do")
    return folder


def conclude(place: Place, started: float | None = None, begun: bool = True) -> None:
    """Runs what is missing and draws the page. started: see `studies.run`; begun: the study goes on."""
    finished = bool(_finished(place.folder)) and not ready(place)
    if place.others and not finished:
        unlabelled.kept(place.folder, place.others)
        if begun:
            say(f"zeuxis: {unlabelled.going_on_words(place.others, place.asked.unlabelled)}")
    studies.run(place, started=started)
    write_study_report(place.folder)
    if finished:
        left_as_it_is(place.folder)


def deliver(place: Place) -> None:
    """Writes the augmented set that the study was begun with, unless something else stands there."""
    named = studies.out_of(place.folder)
    if not named:
        return
    try:
        augmented_set.write_mixed(place, Path(named))
    except BadInput as error:  # the verdict stands all the same
        say(f"zeuxis: the augmented set is not written: {error}")
