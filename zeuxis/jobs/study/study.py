"""The study: does mixing generated pictures into the training set help? Planned, run in processes, settled by rule."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import zeuxis
from zeuxis import platform
from zeuxis.data.dataset import Dataset
from zeuxis.data.files import write_json
from zeuxis.data.split import Split, split_dataset
from zeuxis.engine import levers as lever
from zeuxis.engine.budget import words_for
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.probe import seconds_per_step
from zeuxis.engine.progress import say
from zeuxis.engine.table import build_players
from zeuxis.errors import BadInput
from zeuxis.jobs import executor
from zeuxis.jobs.sampling import generate
from zeuxis.jobs.study import arms
from zeuxis.jobs.study.arms import Place
from zeuxis.jobs.study.due import Spec, ready, ready_in
from zeuxis.jobs.study.plan import Asked, Plan, Rates, arms_of, lay_out
from zeuxis.jobs.study.settle import settle
from zeuxis.runs import FORMAT, command_line, lock, read_json, versions


def begin(
    folder: Path,
    dataset: Dataset,
    asked: Asked,
    data: Mapping[str, Any],
    slots: int | None = None,
    device: str | None = None,
    dry_run: bool = False,
) -> Place | None:
    """Seals the test part, measures, lays out the time, prints the plan and writes it down.

    Raises BadInput before anything is written where the pictures cannot carry the study.
    Returns None where only the plan was wanted.
    """
    split = split_dataset(dataset, seed=asked.seed)
    _check(dataset, split, asked)
    devices = torch.cuda.device_count() if (device or lever.best_device()) == "cuda" else 0
    slots = min(slots or max(1, devices or platform.cores()), max(1, asked.repeats * 3))
    levers = lever.Levers("cuda" if devices else "cpu", 1, False, True)
    place = Place(folder, asked, Plan(slots, 0, 0, 0, 0, {}), dataset, split, levers)
    for recipe in (place.classifier_recipe(), *([place.generator_recipe()] if asked.treatment == "gan" else [])):
        recipe.check(dataset.spec)
    place = replace(place, plan=_plan(place, slots))
    for line in describe(place):
        say(line)
    if dry_run:
        return None
    write_json(folder / "split.json", split.to_json())
    write_json(
        folder / "study.json",
        {
            "format": FORMAT,
            "zeuxis": zeuxis.__version__,
            "data": dict(data),
            "asked": asked.as_dict(),
            "spec": {
                "channels": dataset.spec.channels,
                "height": dataset.spec.height,
                "width": dataset.spec.width,
                "classes": list(dataset.spec.classes),
            },
            "plan": place.plan.as_dict(),
            "levers": levers.as_dict(),
            "split": split.digest,
            "primary": f"{treatment_name(asked)} against best, balanced accuracy on the sealed test part, in points",
            "versions": versions(),
            "command": command_line(),
        },
    )
    return place


def treatment_name(asked: Asked) -> str:
    return asked.treatment


def _check(dataset: Dataset, split: Split, asked: Asked) -> None:
    if dataset.labels is None or dataset.spec.condition < 2:
        raise BadInput("a study needs labelled pictures of two classes or more", "", "give a folder per class")
    labels = np.asarray(dataset.labels)
    doubled = asked.treatment in ("more-real", "shuffled-real")
    for name, part in (("training", split.train), ("validation", split.validation), ("test", split.test)):
        counts = np.bincount(labels[part], minlength=dataset.spec.condition)
        least = int(counts.argmin())
        need = (asked.labels_per_class or 2) * (2 if doubled else 1) if name == "training" else 1
        if counts[least] < need:
            raise BadInput(
                f"class `{dataset.spec.classes[least]}` has {counts[least]} pictures in the {name} part, not {need}",
                "",
                "give more pictures or a smaller --labels-per-class",
            )


def _plan(place: Place, slots: int) -> Plan:
    """Measures a step of generator and classifier by one thread, then divides the time."""
    spec, asked = place.dataset.spec, place.asked
    if asked.steps is not None:
        return lay_out(asked, Rates(1e-3, 1e-3, 1e-5), slots, 64, 0)
    gan, streams = asked.treatment == "gan", {"images": place.dataset, "synthetic": place.dataset}
    say("zeuxis: measuring how fast this machine trains the generator and the classifier")
    classifier = place.classifier_recipe(policy=asked.policies[-1])
    per_step = seconds_per_step(classifier, spec, streams, True, place.levers, Ranks(), (0.3, 0.6))
    if not gan:
        return lay_out(asked, Rates(1.0, per_step, 0.0), slots, 64, 0)
    recipe = place.generator_recipe()
    g = seconds_per_step(recipe, spec, streams, True, place.levers, Ranks(), (0.2, 0.5, 0.8))
    players = build_players(recipe, spec, 0).to(place.levers.device).eval()
    start = time.perf_counter()
    for _ in generate(recipe, players, torch.arange(512), torch.arange(512) % spec.condition, place.levers.device):
        pass
    sampling = (time.perf_counter() - start) / 512
    n = asked.labels_per_class or round(0.8 * len(place.split.train) / spec.condition)
    pool = min(20 * n * spec.condition, 20_000)
    # two processes share caches and memory: a step beside another one takes somewhat longer
    crowd = 1.12 if slots > 1 else 1.0
    return lay_out(
        asked, Rates(g * crowd, per_step * crowd, sampling * crowd), slots, recipe.feeds()["images"].size, pool
    )


def describe(place: Place) -> list[str]:
    """The plan as lines for people."""
    a, p, s = place.asked, place.plan, place.split
    n = a.labels_per_class or "80 % of the"
    lines = [
        f"zeuxis: {len(s.train)} training, {len(s.validation)} validation and {len(s.test)} sealed test pictures, "
        f"{place.classes} classes; each repeat draws {n} training pictures per class",
        f"zeuxis: {a.repeats} repeats x ({'1 generator + ' if a.treatment == 'gan' else ''}{arms_of(a)} classifiers), "
        f"{p.slots} process{'es' if p.slots > 1 else ''} at once, about {words_for(p.seconds['whole'])}",
        (
            f"zeuxis: generator {p.generator_steps:,} steps ({p.generator_images:,} images, "
            f"{words_for(p.seconds['generator'])}), "
            if a.treatment == "gan"
            else "zeuxis: "
        )
        + f"each classifier {p.classifier_steps:,} steps ({words_for(p.seconds['classifier'])})",
    ]
    return lines + [f"zeuxis: warning: {w}" for w in p.warnings]


def run(place: Place, here: bool = False) -> Path:
    """Runs every job that is missing, settles the verdict, draws the samples. Returns the folder."""
    held, started = lock(place.folder), time.monotonic()
    try:
        watch = _Watch(place, shows=not here)

        def finished(spec: Spec) -> None:
            _forget_pool(place, spec["repeat"])
            watch.count(spec)

        if here:
            executor.run_here(lambda: ready(place), lambda spec: arms.work(place, spec), finished)
        else:
            devices = torch.cuda.device_count() if place.levers.device == "cuda" else 0
            executor.run_all(lambda: ready(place), place.plan.slots, finished, place.folder, devices)
        settle(place)
    finally:
        _clock(place.folder, time.monotonic() - started)
        held.release()
    return place.folder


def _clock(folder: Path, seconds: float) -> None:
    """Adds to the wall clock of the study: the one figure that may differ between equal studies."""
    path = folder / "clock.json"
    before = json.loads(path.read_text())["seconds"] if path.exists() else 0.0
    write_json(path, {"seconds": round(before + seconds, 1)})


class _Watch:
    """Counts finished jobs by their planned seconds and says how long is left."""

    def __init__(self, place: Place, shows: bool) -> None:
        self.costs, self.slots, self.shows = place.plan.seconds, place.plan.slots, shows
        gan = place.asked.treatment == "gan"
        self.jobs = place.asked.repeats * (arms_of(place.asked) + gan)
        self.whole = place.asked.repeats * (
            arms_of(place.asked) * self.costs["classifier"] + (self.costs["generator"] if gan else 0.0)
        )
        there = [p.stem for p in place.folder.glob("repeats/*/*.json") if p.stem != "draw"]
        self.done, self.spent = len(there), sum(self._cost(name) for name in there)
        self.first, self.start = self.spent, time.monotonic()

    def _cost(self, name: str) -> float:
        return self.costs["generator" if name == "generator" else "classifier"]

    def count(self, spec: Spec) -> None:
        self.done += 1
        self.spent += self._cost(spec["arm"] or spec["kind"])
        # slots work side by side, so early on their unfinished jobs would make us look slow
        known = (self.spent - self.first) / max(self.whole, 1e-9) > 0.25
        pace = (time.monotonic() - self.start) * self.slots / (self.spent - self.first) if known else 1.0
        left = max(self.whole - self.spent, 0.0) * max(pace, 0.5) / self.slots
        if self.shows:
            say(f"zeuxis: {self.done} of {self.jobs} jobs done ({spec['name']}), about {words_for(left)} left")


def _forget_pool(place: Place, r: int) -> None:
    """The pool of a repeat goes when its last arm is done: it can be drawn again."""
    if not ready_in(place, r):
        (place.repeat(r) / "pool.safetensors").unlink(missing_ok=True)


def go_on(folder: Path) -> Path:
    """Finishes a begun study from what lies in its folder."""
    return run(Place.open(folder))


def matches(folder: Path, asked: Asked, data: Mapping[str, Any]) -> bool:
    """Whether the study in the folder is the one that is asked for; the measured plan may differ."""
    record = read_json(folder / "study.json", "study folder")
    return Asked.from_dict(record["asked"]) == asked and record["data"]["digest"] == data["digest"]
