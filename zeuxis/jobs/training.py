"""From words to a run: pictures opened and split, recipe made, engine played, page drawn."""

import math
import os
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import torch

from zeuxis import catalog
from zeuxis.arguments import taken_fields
from zeuxis.augmentation.domains import guess_domain
from zeuxis.data import checks
from zeuxis.data.dataset import Spec
from zeuxis.data.files import meant, write_json
from zeuxis.data.split import Split
from zeuxis.engine import train as engine
from zeuxis.engine.budget import Budget, words_for
from zeuxis.engine.loop import LoopOptions
from zeuxis.engine.progress import say
from zeuxis.engine.train import Start
from zeuxis.errors import (
    BadInput,
    MachineGaveOut,
    ZeuxisError,
    command,
    counted,
    nearest,
    system_in_words,
)
from zeuxis.jobs.adapting import adapted, check_adapts
from zeuxis.jobs.capability import capabilities_of, write_report
from zeuxis.jobs.initial_weights import check_fits, settings_of_file, weights_from
from zeuxis.jobs.judging import judge
from zeuxis.jobs.sample_files import generating
from zeuxis.jobs.sources import Material, Source, material, sources_of
from zeuxis.pages.card import write_card
from zeuxis.pages.outcome import advice_of
from zeuxis.recipes.recipe import Range, Recipe, make, recipe_name, settings_of
from zeuxis.runs import LOCK, Run, read_json, taken


@dataclass(frozen=True)
class First:
    """What comes before the first step: weights that are taken over, or seconds of adapting the recipe's own."""

    start_from: str | None = None
    adapt: float | None = None

    def __post_init__(self) -> None:
        if self.start_from is not None and self.adapt is not None:
            raise BadInput("`--adapt` and `--start-from` cannot both begin a run", "", "leave out either")


NOTHING = First()


def begin(
    recipe: str,
    sources: Sequence[Source],
    run: Path,
    budget: Budget,
    start: Start,
    options: LoopOptions,
    settings: Mapping[str, Any],
    first: First = NOTHING,
) -> Run:
    """Trains a recipe on pictures, from chance or from weights. Raises BadInput before anything is written."""
    started = time.monotonic()
    instance = make(catalog.load(recipe), start.preset, **settings)
    if first.adapt is not None:
        check_adapts(instance)
    weights = weights_from(first.start_from, instance) if first.start_from else None
    if weights:
        preset = instance.presets.get(start.preset or "", {})
        instance = replace(instance, **{**settings_of_file(weights.file, instance), **preset, **settings})
    instance = with_domain(instance, sources[0].source, {**instance.presets.get(start.preset or "", {}), **settings})
    check_settings(instance)
    known_device(start.device)
    check_free(run, "--run", ("run.json",) if first.adapt is None else ("run.json", checks.ADAPTED))
    given = material(instance, sources, start.seed)
    spec = engine.spec_of(instance, given.streams)
    spec = spec if start.conditional else spec.unlabelled()
    _check_builds(instance, spec)
    if weights:
        check_fits(instance, spec, weights)
    if first.adapt is not None:
        weights = adapted(instance, spec, given.streams, given.held, run / checks.ADAPTED, first.adapt, start, options)
    whole = replace(start, sources=given.words, splits=given.said, weights=weights)
    with resumable(run, given.splits):
        return finish(engine.train(instance, given.streams, run, budget, given.held, whole, options), given, started)


def find_pictures(folder: Path, now: str | None) -> bool:
    """Whether the pictures of a begun run or study can be read; where they were moved to `now`, its folder says so
    from here on. Of one that is finished they may be gone.

    Of several sources it is the one whose pictures lie in `now`; a place where they were before counts again once they
    are back. Raises BadInput where they are no longer where they were and `now` is None, and where those there are
    others.
    """
    run = None if is_study(folder) else opened(folder)
    path = opened_study(folder) / "study.json" if run is None else folder / "run.json"
    record = read_json(path, "study folder") if run is None else run.record
    begun: dict[str, Any] = {"": record["data"]} if run is None else record["sources"]
    if now is None:
        gone = [entry for entry in begun.values() if not _is_there(entry["source"])]
        if back := [place for entry in gone for place in entry.get("were", []) if _is_there(place)]:
            return find_pictures(folder, back[-1])
        return not gone or _need_none(folder, run, gone[0]["source"], record.get("out"))
    found = {}
    for name, before in begun.items():
        source = replace(Source.from_words(before), source=now)
        entry = source.words(source.pictures() if run is not None and run.recipe.patches else source.open())
        if entry["digest"] == before["digest"]:
            places = [*before.get("were", []), before["source"]]
            were = [place for place in dict.fromkeys(places) if place != entry["source"]]
            found[name] = {**before, "source": entry["source"], "were": were}
    if found:  # of pairs that lie in one place both sides
        change = {"data": found[""]} if run is None else {"sources": {**begun, **found}}
        write_json(path, {**record, **change})
        return True
    raise BadInput("these are not the pictures that it began with", now, "give the same pictures, unchanged")


def _is_there(source: str) -> bool:
    try:
        checks.check_source(source)
    except BadInput:
        return False
    return True


def _need_none(folder: Path, run: Run | None, source: str, out: str | None) -> bool:
    """False of what is finished and needs no pictures; raises BadInput of others, whose pictures in `source` are gone.

    out: the place of a set that a study writes.
    """
    ended = "judgement" in run.finish if run is not None else (folder / "verdict.json").exists()
    if ended and (folder / "report.html").exists() and (out is None or Path(out).exists()):
        return False
    raise _gone(folder, source)


def _gone(folder: Path, source: str) -> BadInput:
    mend = f"`{command('resume', folder, '--data', 'NEW')}` reads them where they are now"
    return BadInput("the pictures are no longer here", source, mend)


def check_pictures_there(run: Run) -> None:
    """Raises BadInput where the pictures that a run learned from are no longer where they were."""
    if not find_pictures(run.path, None):
        gone = (entry["source"] for entry in run.record["sources"].values() if not _is_there(entry["source"]))
        raise _gone(run.path, next(gone, ""))


def go_on(run: Path, options: LoopOptions) -> Run:
    """Finishes a begun run. Raises BadInput where its pictures have changed."""
    begun = opened(run)
    if "judgement" in begun.finish and (run / "report.html").exists():
        begun.tensors()
        say(f"zeuxis: this run is finished: {counted(begun.finish['steps'], 'step')}; nothing to do")
        return begun
    given = material(begun.recipe, sources_of(begun.record), begun.record["seed"])
    with resumable(run, given.splits):
        return finish(engine.resume(run, given.streams, given.held, options), given)


_MENDS = {"the disk": "free some space", "the memory": "close other programs"}


@contextmanager
def resumable(run: Path, splits: Mapping[str, Split]) -> Iterator[None]:
    """Where a begun run ends before its time, its splits are there, and the words say how to go on."""
    with suppress(ZeuxisError):
        _write_splits(run, splits)
    try:
        with system_in_words():
            yield
    except MachineGaveOut as error:
        if not (run / "run.json").exists() or "zeuxis resume" in error.mend:
            raise
        first = next((mend for what, mend in _MENDS.items() if what in error.what), None)
        if first is None:
            raise
        mend = f"{first}, then continue with `{command('resume', run)}`"
        raise MachineGaveOut(error.what, error.where, mend) from error
    finally:
        with suppress(ZeuxisError):  # what ended the run is what is to be told
            _write_splits(run, splits)


def _write_splits(run: Path, splits: Mapping[str, Split]) -> None:
    """The splits of a run that began with them, where they are missing."""
    if not (run / "run.json").exists() or int(os.environ.get("RANK", "0")) > 0:
        return
    begun = Run.open(run).record["splits"]
    for i, (name, split) in enumerate(splits.items()):
        path = _split_file(run, i, name)
        if not path.exists() and (begun.get(name) or {}).get("digest") == split.digest:
            write_json(path, split.to_json())


def _split_file(run: Path, place: int, stream: str) -> Path:
    """split.json of the first source, split-STREAM.json of another."""
    return run / (f"split-{stream}.json" if place else "split.json")


def finish(run: Run, given: Material, started: float | None = None) -> Run:
    """The last papers of a run: split, what shows its recipe's capabilities, judgement, card and page.

    started: by the clock of `time.monotonic`, when all of it began, where that was in this process.
    """
    if int(os.environ.get("RANK", "0")) == 0:
        for i, (name, split) in enumerate(given.splits.items()):
            write_json(_split_file(run.path, i, name), split.to_json())
        say("zeuxis: trained; looking at what came of it")
        for capability in capabilities_of(run.recipe):
            capability.finish(run, given)
        outcome = judge(run, given)
        write_card(run.path)
        write_report(run.path)
        if started is not None:
            whole, training = words_for(time.monotonic() - started), words_for(run.finish["seconds"])
            say(f"zeuxis: {whole} in all, {training} of them training")
        say(f"zeuxis: {outcome.sentence}")
        if mend := advice_of(run.finish):
            say(f"zeuxis: what to do: {mend}")
    return run


def is_study(folder: Path) -> bool:
    return (folder / "study.json").exists()


_IN_A_RUN = ("recipe", "settings", "spec", "conditional", "sources", "seed", "steps", "batch", "compute", "versions")
_IN_A_STUDY = ("asked", "plan", "data", "spec", "compute")


def _whole(record: Mapping[str, Any], wanted: tuple[str, ...], name: str, folder: Path) -> None:
    lacking = [key for key in wanted if key not in record]
    if lacking:
        raise BadInput(
            f"{name} lacks {', '.join(lacking)}: another version of zeuxis wrote it, or it is damaged",
            str(folder),
            "its pages and figures stay as they are; use that version, or start anew in another folder",
        )


def opened(run: str | Path) -> Run:
    """The run in a folder. Raises BadInput where there is none, or its run.json is damaged, old or incomplete."""
    begun = Run.open(run)
    _whole(begun.record, _IN_A_RUN, "run.json", begun.path)
    return begun


def opened_study(folder: Path) -> Path:
    """The folder, where it holds a study. Raises BadInput as `opened` does."""
    _whole(read_json(folder / "study.json", "study folder"), _IN_A_STUDY, "study.json", folder)
    return folder


_MOVES = {"policy": ("light", "strong"), "augment": ("ada", "adaptive")}
"""Settings whose effect the domain decides."""
_UNMIRRORED = ("digits", "text")


def domain_of(recipe: type[Recipe], domain: str) -> dict[str, str]:
    """The setting `domain` of a recipe for this kind of picture; empty where it has none for it."""
    allowed = get_args(get_type_hints(recipe).get("domain"))
    known = domain if domain in allowed else {"garments": "photo"}.get(domain, "")
    return {"domain": known} if known in allowed else {}


def with_domain(recipe: Recipe, source: str, given: Mapping[str, Any]) -> Recipe:
    """The recipe with its `domain`, where it has one and none is given, guessed from the source's name, and said."""
    guessed = {} if "domain" in given else domain_of(type(recipe), guess_domain(source))
    moved = any(getattr(recipe, name, None) in moves for name, moves in _MOVES.items())
    unmirrored = getattr(recipe, "flip", False) and guessed.get("domain") in _UNMIRRORED
    if guessed and (moved or unmirrored):
        say(f"zeuxis: augmenting as {guessed['domain']}, guessed from the name; --domain sets another kind")
    return replace(recipe, **guessed) if guessed else recipe


# ------------------------------------------------------------------ what can be refused before anything is written


def apart(data: str | Path, folder: str | Path, flag: str) -> None:
    """Raises BadInput where `folder` lies in the folder of pictures `data`, which must stay as it is."""
    pictures, mine = Path(data), Path(folder).absolute()
    if pictures.is_dir() and mine.resolve().is_relative_to(pictures.resolve()):
        raise BadInput(
            f"{flag} lies in the folder of the pictures, which stays as it is", str(folder), f"choose another {flag}"
        )


def check_free(folder: Path, flag: str, begun: Collection[str] = ()) -> None:
    """Raises BadInput where `folder` holds anything: a run or a study, or files of somebody else's.

    begun: names that may be there, whole or written aside, as one that was killed before it began leaves them.
    """
    if (folder / "run.json").exists():
        opened(folder)
        raise taken(folder, flag)
    if is_study(folder):
        raise taken(folder, flag)
    if checks.is_adapting(folder) and checks.ADAPTED not in begun:
        Run.open(folder)
    if folder.is_dir() and (
        other := next((p.name for p in sorted(folder.iterdir()) if meant(p.name) not in (LOCK, *begun)), None)
    ):
        raise BadInput(f"this folder is not empty: it holds {other}", str(folder), f"choose another {flag}")


def known_device(device: str | None) -> str | None:
    """The device as given. Raises BadInput where it is no device of this machine."""
    if device is None:
        return None
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", device):
        raise BadInput(f"no device `{device}`", "--device", nearest(device, ["cpu", "cuda", "mps"]))
    counts = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    name, _, number = device.partition(":")
    if int(number or 0) >= counts[name]:
        raise BadInput(f"this machine has no device `{device}` that torch can use", "--device", "use `--device cpu`")
    return device


def generator_fields(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a study's generator. Raises BadInput for a recipe that cannot draw pictures of a wanted class."""
    if name == catalog.AUTO:
        if given:
            raise BadInput(catalog.NO_FIELDS, "--generator", "name the recipe with --recipe")
        return {}
    recipe = catalog.load(name)
    if catalog.canonical(name) not in (able := generating(labelled=True)):
        raise BadInput(
            f"{name} cannot generate pictures of a wanted class", "--recipe", f"these can: {', '.join(able)}"
        )
    return taken_fields(recipe, given)


def _wrong(hint: Any, number: float) -> str:
    """What a number of a setting of this type must be, in words; empty where it is right."""
    marks = (mark for part in (hint, *get_args(hint)) for mark in getattr(part, "__metadata__", ()))
    own = next((mark for mark in marks if isinstance(mark, Range)), Range())
    if not math.isfinite(number):
        return "a finite number" if own == Range() else own.words
    return "" if number in own else own.words


def check_settings(recipe: Recipe, style: str = "--{}") -> None:
    """Raises BadInput for a setting out of its range: a choice that is none, a number too small, large or not finite.

    style: how a setting is written where it was given, `{}` being its name.
    """
    hints, where = get_type_hints(type(recipe), include_extras=True), recipe_name(type(recipe))
    for name, value in settings_of(recipe).items():
        flag, hint = style.format(name.replace("_", "-")), hints[name]
        if get_origin(hint) is Literal and value not in get_args(hint):
            raise BadInput(f"{flag} cannot be `{value}`", where, nearest(str(value), list(get_args(hint))))
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int | float) and (requirement := _wrong(hint, number)):
                raise BadInput(f"{flag} must be {requirement}, not {number:g}", where)


def _check_builds(recipe: Recipe, spec: Spec) -> None:
    """Raises BadInput where recipe and pictures do not fit, or these settings make no net."""
    recipe.check(spec)
    try:
        with torch.device("meta"), torch.random.fork_rng(devices=[]):
            recipe.networks(spec)
    except BadInput:
        raise
    except (RuntimeError, ValueError, ZeroDivisionError, IndexError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadInput(
            f"these settings make no {recipe_name(type(recipe))}: {reason}", "", "use other values"
        ) from error
