"""The study: does mixing generated pictures into the training set help? Planned, run in processes, settled by rule."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import zeuxis
from zeuxis import platform
from zeuxis.data.dataset import Dataset
from zeuxis.data.duplicates import families as families_of
from zeuxis.data.files import meant, write_json
from zeuxis.data.memory import Subset
from zeuxis.data.shared import shared
from zeuxis.data.split import Split, split_dataset
from zeuxis.draw import some_of
from zeuxis.engine import compute as computing
from zeuxis.engine.budget import time_value
from zeuxis.engine.enough import enough
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.probe import seconds_per_step
from zeuxis.engine.progress import say
from zeuxis.engine.representing import calibrate, represented
from zeuxis.engine.state import build_networks
from zeuxis.errors import BadInput, counted
from zeuxis.jobs.executing.executor import Executor, Spec, run_all
from zeuxis.jobs.executing.here import Here
from zeuxis.jobs.executing.local import Local
from zeuxis.jobs.held_out import check_classes, tell_look
from zeuxis.jobs.sampling import generate
from zeuxis.jobs.study import repeat_jobs
from zeuxis.jobs.study.analyse import analyse
from zeuxis.jobs.study.clock import Clock
from zeuxis.jobs.study.hits import write_examined
from zeuxis.jobs.study.job_graph import ready, ready_in
from zeuxis.jobs.study.place import Place
from zeuxis.jobs.study.plan import (
    MOST_POOL,
    PROBE_PER_CLASS,
    REST,
    Plan,
    Rates,
    StudyConfig,
    budget_for,
    lay_out,
)
from zeuxis.jobs.study.plan_words import describe
from zeuxis.jobs.study.treatment import named, noun_of
from zeuxis.jobs.study.unlabelled import FILE
from zeuxis.jobs.study.watch import Watch, begin_words, estimate_words
from zeuxis.jobs.training import check_settings
from zeuxis.runs import FORMAT, LOCK, command_line, lock, read_json, versions
from zeuxis.spelling import flag, plain, typed_time
from zeuxis.stats.twoway import Examined

_TRIED = 512
"""Pictures that the steps of a trial read, at most: a recipe that learns on maps has to make them first."""

FIRST = (FILE, "split.json", "test.csv", "study.json")
"""What is written before a study is one, the last of them makes it that."""


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """The study's folder to ourselves, free of what killed processes left half written.

    Where no study comes to be, the folder is as it was. Raises BadInput while another process has it.
    """
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    with lock(folder):
        try:
            if (folder / "study.json").exists():
                _sweep(folder)
            else:
                _undo(folder)
            yield
        finally:
            if not (folder / "study.json").exists():
                with contextlib.suppress(OSError):
                    _undo(folder)
                    (folder / LOCK).unlink(missing_ok=True)
                    for path in missing:
                        path.rmdir()


def _undo(folder: Path) -> None:
    """Removes what a study wrote that was stopped or killed before it was one."""
    for path in folder.iterdir():
        if meant(path.name) in FIRST:
            path.unlink()


def _sweep(folder: Path) -> None:
    """Removes what killed processes were writing aside; only where a study writes, for the folder may hold more."""
    below = [p for name in ("repeats", "samples") for p in (folder / name).rglob(".*.tmp")]
    for path in [*folder.glob(".*.tmp"), *below]:
        if path.is_file():
            path.unlink(missing_ok=True)


def begin(
    folder: Path,
    dataset: Dataset,
    asked: StudyConfig,
    data: Mapping[str, Any],
    slots: int | None = None,
    device: str | None = None,
) -> Place:
    """Prepares and plans a study, prints the plan, writes it down. Raises BadInput before anything is written."""
    return write_down(planned(prepare(folder, dataset, asked, slots, device)), data)


def prepare(
    folder: Path,
    dataset: Dataset,
    asked: StudyConfig,
    slots: int | None = None,
    device: str | None = None,
    join: str | None = None,
) -> Place:
    """A study with its test part sealed and no plan yet. Raises BadInput where the pictures cannot carry it."""
    _check_fields(asked)
    tell_look(dataset, join)
    together = families_of(dataset, join or "near")
    families = together.roots
    split = split_dataset(dataset, seed=asked.seed, join=join, found=together)
    _check(dataset, split, asked, families)
    examined = Examined.of(np.asarray(dataset.labels)[split.test], families[split.test])
    devices = torch.cuda.device_count() if (device or computing.best_device()) == "cuda" else 0
    slots = min(slots or max(1, devices or platform.cores()), max(1, asked.repeats * 3))
    compute = computing.ComputeOptions("cuda" if devices else "cpu", 1, False, True)
    place = Place(folder, asked, Plan(slots, 0, 0, 0, 0, {}), dataset, split, compute, examined)
    recipes = {"--classifier {}": place.classifier_recipe()}
    if asked.generates:
        recipes["--generator {}"] = place.generator_recipe()
    for style, recipe in recipes.items():
        check_settings(recipe, style)
        recipe.check(dataset.spec)
    return place


def planned(place: Place) -> Place:
    """The study with its time measured and laid out."""
    return replace(place, plan=_plan(place, place.plan.slots))


def write_down(place: Place, data: Mapping[str, Any], out: str | None = None) -> Place:
    """Prints the plan, writes split.json and study.json: from here on the study can be gone on with.

    out: where the augmented set is to be written, for study.json.
    """
    asked, dataset = place.asked, place.dataset
    for line in describe(place):
        say(line)
    write_json(place.folder / "split.json", place.split.to_json())
    write_examined(place.folder, place.split.test, place.examined)
    write_json(
        place.folder / "study.json",
        {
            "format": FORMAT,
            "zeuxis": zeuxis.__version__,
            "data": dict(data),
            "others": place.others,
            "asked": asked.as_dict(),
            "generates": asked.generates,
            "spec": dataset.spec.to_json(),
            "plan": place.plan.as_dict(),
            "compute": place.compute.as_dict(),
            "split": place.split.digest,
            "primary": (
                f"balanced accuracy with {noun_of(asked.treatment)} (arm {asked.treatment}) against the best of the "
                "rules without (arm best), on the sealed test part, in points"
            ),
            "versions": versions(),
            "command": command_line(),
            "out": out,
        },
    )
    return place


def _check_fields(asked: StudyConfig) -> None:
    """Raises BadInput for a field of the classifier in which the arms of the study differ."""
    for name in ("policy", "share"):
        if name in asked.classifier:
            raise BadInput(f"`--classifier {name}` is set by the study itself", "", "leave it away")


def _check(dataset: Dataset, split: Split, asked: StudyConfig, families: np.ndarray) -> None:
    if dataset.labels is None or dataset.spec.condition < 2:
        raise BadInput("a study needs labelled pictures of two classes or more", "", "give a folder per class")
    check_classes(dataset, {"training": split.train, "validation": split.validation, "test": split.test})
    counts = np.bincount(np.asarray(dataset.labels)[split.train], minlength=dataset.spec.condition)
    least, times = int(counts.argmin()), named(asked.treatment).needs
    need = (asked.labels_per_class or 2) * times
    if counts[least] < need:
        raise BadInput(
            f"class `{dataset.spec.classes[least]}` has {counted(int(counts[least]), 'picture')} in the training part, "
            f"not {need}",
            "",
            "give more pictures" + (" or a smaller --labels-per-class" if need > 2 * times else ""),
        )
    rest = asked.unlabelled == REST or (named(asked.treatment).undrawn and not asked.unlabelled)
    if rest and (counts == asked.labels_per_class).all():
        raise BadInput(
            "each repeat draws the whole training part, so that no picture is left whose label could be guessed",
            "--labels-per-class",
            "give a smaller one",
        )
    labels = np.asarray(dataset.labels)
    for c, name in enumerate(dataset.spec.classes):
        mine = split.test[labels[split.test] == c]
        if len(np.unique(families[mine])) < 2:
            groups = len(np.unique(families[labels == c]))
            there = f"{counted(int((labels == c).sum()), 'picture')} in {counted(groups, 'group')}"
            raise BadInput(
                f"class `{name}` has {there}, of which a single one fell to the test part, and that needs two",
                "",
                "give pictures of it that are independent of each other",
            )


def _plan(place: Place, slots: int) -> Plan:
    """Measures a step of generator and classifier by one thread, then divides the time."""
    spec, asked = place.dataset.spec, place.asked
    if asked.steps is not None:
        return lay_out(asked, Rates(1e-3, 1e-3, 1e-5), slots, 64, 0)
    streams = {"images": place.dataset, "synthetic": place.dataset}
    say(f"zeuxis: measuring how fast this machine trains the {'generator and the ' * asked.generates}classifier")
    classifier = place.classifier_recipe(policy=asked.policies[-1])
    per_step = seconds_per_step(classifier, spec, streams, True, place.compute, Ranks(), (0.3, 0.6))
    if not asked.generates:
        return lay_out(asked, Rates(1.0, per_step, 0.0), slots, 64, 0)
    recipe = place.generator_recipe()
    networks = build_networks(recipe, spec, 0).to(place.compute.device).eval()
    some = Subset(place.dataset, some_of(len(place.dataset), _TRIED, "a trial of steps").numpy())
    learned = represented(recipe, networks, {"images": some}, place.compute.device)
    calibrate(recipe, networks, learned)
    g = seconds_per_step(recipe, spec, learned, True, place.compute, Ranks(), (0.2, 0.5, 0.8))
    start = time.perf_counter()
    for _ in generate(recipe, networks, torch.arange(512), torch.arange(512) % spec.condition, place.compute.device):
        pass
    sampling = (time.perf_counter() - start) / 512
    n = asked.labels_per_class or round(0.8 * len(place.split.train) / spec.condition)
    pool = min(20 * n * spec.condition, MOST_POOL)
    # two processes share caches and memory: a step beside another one takes somewhat longer
    crowd = 1.12 if slots > 1 else 1.0
    batch = recipe.batch_specs()["images"].size
    rates, probe = Rates(g * crowd, per_step * crowd, sampling * crowd), PROBE_PER_CLASS * spec.condition
    plan = lay_out(asked, rates, slots, batch, pool, probe)
    suffices = enough(recipe, spec, plan.generator_images, batch / rates.generator)
    if suffices.verdict == "enough":
        return plan
    more = "more --budget, fewer --repeats or a smaller --size give it more"
    if need := recipe.need(spec):
        budget = budget_for(need.enough / batch, asked, rates, plan)
        more = f"about `--budget {time_value(budget)}` would be enough; so would fewer --repeats or a smaller --size"
    return replace(plan, warnings=(f"{suffices.words}; {more}", *plan.warnings))


def run(place: Place, here: bool = False, started: float | None = None) -> Path:
    """Runs every job that is missing, settles the verdict, draws the samples. Returns the folder.

    started: since when its time counts, by the monotonic clock, where pictures were read and the machine was measured
    before. Nobody else may work in the folder meanwhile: see `held`.
    """
    watch = Watch(place, shows=not here)
    started = time.monotonic() if started is None else started
    idle = (place.folder / "verdict.json").exists() and not ready(place)
    clock = Clock(place.folder, started, bool(watch.first))
    if not idle:
        clock.save()
    if not here and not idle:
        say(begin_words(place))
    try:

        def finished(spec: Spec) -> None:
            _forget_pool(place, spec["repeat"])
            clock.end(spec["name"])
            watch.count(spec, clock.working())

        with shared(place.dataset, place.folder) if not here else contextlib.nullcontext() as pixels:

            def offered() -> list[Spec]:
                return [{**spec, "at": {**spec["at"], "pixels": pixels}} for spec in ready(place)]

            run_all(offered, _executor(place, here), finished, place.folder, lambda spec: clock.begin(spec["name"]))
        analyse(place)
    finally:
        seconds = 0.0 if idle else clock.save(running=False)
    if not clock.at_least and watch.spent > watch.first:
        say(estimate_words(seconds, place.plan.seconds["whole"]))
    return place.folder


def _executor(place: Place, here: bool) -> Executor:
    if here:
        return Here(lambda spec: repeat_jobs.work(place, spec))
    return Local(place.plan.slots, torch.cuda.device_count() if place.compute.device == "cuda" else 0)


def _forget_pool(place: Place, r: int) -> None:
    """The pool of a repeat goes when its last arm is done: it can be drawn again."""
    if not ready_in(place, r):
        (place.repeat(r) / "pool.safetensors").unlink(missing_ok=True)


def out_of(folder: Path, given: str | None = None) -> str | None:
    """The folder of the augmented set as study.json has it; one that is `given` takes its place."""
    record = read_json(folder / "study.json", "study folder")
    if given is None or given == record.get("out"):
        return record.get("out")
    write_json(folder / "study.json", {**record, "out": given})
    return given


def other(folder: Path, asked: StudyConfig, data: Mapping[str, Any]) -> str:
    """What of the study in the folder is not what is asked for; empty where it is the same.

    The measured plan may differ.
    """
    record = read_json(folder / "study.json", "study folder")
    there, wanted = StudyConfig.from_dict(record["asked"]).as_dict(), asked.as_dict()
    differences = [
        f"its `{flag(name)}` is {_plain(name, there[name])}, not {_plain(name, value)}"
        for name, value in wanted.items()
        if there[name] != value
    ]
    if record["data"]["digest"] != data["digest"]:
        differences.append("it is of other pictures, or reads them otherwise")
    return ", and ".join(differences)


def _plain(name: str, value: Any) -> str:
    """A setting of a study as it is typed; those of a recipe by their names."""
    if name == "budget":
        return typed_time(value)
    if isinstance(value, Mapping):
        return " ".join(f"{k}={plain(v)}" for k, v in value.items()) or "empty"
    return "not given" if value in (None, "") else plain(value)
