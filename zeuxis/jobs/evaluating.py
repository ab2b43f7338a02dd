"""The job `evaluate`: generated pictures against real ones, figure by figure."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zeuxis.data.dataset import Dataset, Spec
from zeuxis.data.loading import Taken
from zeuxis.data.memory import Subset, item_digests
from zeuxis.data.reader import Opened, SizesDiffer
from zeuxis.data.split import split_dataset
from zeuxis.draw import some_of
from zeuxis.engine.batches import to_image
from zeuxis.engine.progress import pictures_done, say
from zeuxis.errors import BadInput, counted, nearest
from zeuxis.jobs.features import Features, features_for
from zeuxis.jobs.judging import too_early
from zeuxis.jobs.nearest_neighbours import is_plain
from zeuxis.jobs.sampling import generate, seeds_of
from zeuxis.jobs.sources import Source, material, sources_of
from zeuxis.jobs.training import check_pictures_there
from zeuxis.metrics.likeness import MOST as LOOKED_AT
from zeuxis.metrics.likeness import likeness
from zeuxis.metrics.result import Result
from zeuxis.metrics.set_metric import SetMetric, Sets, catalog
from zeuxis.pages.outcome import Outcome, of_samples
from zeuxis.recipes.recipe import Generates
from zeuxis.runs import Run

LEAST, MOST = 4, 5000
_AT_ONCE = 16
"""Pictures whose features are measured together."""
_SHOWN, _CLASSES = 10, 20
"""Pictures in a row of the page, and classes on it, at most."""
TEST = 0.3
"""Share of the real pictures that nothing learns from, where the pictures were not made by a run."""


@dataclass(frozen=True)
class Figure:
    """One measure: its value, interval and floor in `result`, shares by class where it has such."""

    name: str
    result: Result
    by_class: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def metric(self) -> SetMetric:
        return catalog()[self.name]

    def to_json(self) -> dict[str, Any]:
        figures = {k: v for k, v in self.result.to_json().items() if k not in ("features", "weights_hash")}
        return figures | ({"by_class": dict(self.by_class)} if self.by_class else {})


@dataclass(frozen=True)
class Row:
    """Some pictures of one class, or of all where there are none, uint8 [n, C, H, W]: generated, and held out."""

    name: str
    generated: Tensor
    real: Tensor


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found: the figures by name, what they were taken in, and how many pictures there were.

    look: how the pixels alone are judged, as the page of a run says it; rows: what its page shows.
    """

    figures: dict[str, Figure]
    features: str
    features_sha256: str
    generated: int
    train: int
    test: int
    seen: bool
    look: Outcome
    rows: tuple[Row, ...] = field(default=(), repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        counts = {"generated": self.generated, "train": self.train, "test": self.test, "seen": self.seen}
        net = {"features": self.features, "features_sha256": self.features_sha256}
        look = {"look": {"grade": self.look.grade, "sentence": self.look.sentence}}
        return {name: figure.to_json() for name, figure in self.figures.items()} | net | counts | look


@dataclass(frozen=True)
class Pictures:
    """uint8 [n, C, H, W], and their labels int64 [n] or None."""

    pixels: Tensor
    labels: Tensor | None


def evaluate_run(
    run: Run, data: Source | None, n: int, seed: int, asked: str | None, snapshot: str | None
) -> Evaluation:
    """Samples of a run against real pictures that it did not learn from. Raises BadInput.

    data: where these are taken from; None is the run's own source, of which what was held out is taken.
    """
    if not isinstance(run.recipe, Generates):
        raise BadInput(f"{run.record['recipe']} does not generate pictures", str(run.path))
    if not run.finished:
        say(f"zeuxis: warning: the run {run.path} has not ended: these are the figures of its newest checkpoint")
    check_pictures_there(run)
    given = material(run.recipe, sources_of(run.record), run.record["seed"])
    train = given.train
    classes = run.spec.condition if run.record["conditional"] else 0
    test = _held_of(given, run) if data is None else _others(_as_learned(data, train), train, data.place, classes > 0)
    labels = torch.arange(n) % classes if classes else None
    parts = generate(run.recipe, run.networks(snapshot), seeds_of("evaluate", seed, n), labels)
    found = _evaluated(Pictures(torch.cat(list(parts)), labels), train, test, asked, seen=True)
    return replace(found, look=too_early(found.look, run)) if run.finished else found


def _as_learned(data: Source, train: Dataset) -> Dataset:
    """Read as the run's own pictures were, as far as nothing else was asked for."""
    spec = train.spec
    return replace(data, size=data.size or (spec.height, spec.width), channels=data.channels or spec.channels).open()


def _held_of(given: Any, run: Run) -> Dataset:
    """What the run held out of its pictures, and their official test part."""
    split = next(iter(given.splits.values()), None)
    held = given.held_out
    if split is None or held is None or not len(split.validation) + len(split.test):
        raise BadInput("this run held no pictures out", str(run.path), "name others with `--data`")
    return Subset(held.dataset, np.concatenate([split.validation, split.test]))


def _others(data: Dataset, train: Dataset, place: str, conditional: bool) -> Dataset:
    """The pictures of `data` that are not in `train`, of the same shape, and classes where these count.

    Raises BadInput.
    """
    theirs, ours = (_looks(d.spec) for d in (data, train))
    if theirs != ours:
        spec = train.spec
        size = f"--size {spec.height}" + ("" if spec.height == spec.width else f"x{spec.width}")
        mend = f"read them with `{size} --channels {spec.channels}`"
        raise BadInput(f"these pictures are {theirs}, and the run learned from {ours}", place, mend)
    if conditional and data.spec.classes != train.spec.classes:
        theirs, ours = (", ".join(d.spec.classes) or "none" for d in (data, train))
        raise BadInput(f"the classes of these pictures are {theirs}; the run learned {ours}", place, "give the same")
    known = set(item_digests(train))
    others = [i for i, digest in enumerate(item_digests(data)) if digest not in known]
    return Subset(data, np.array(others, np.int64))


def _looks(spec: Spec) -> str:
    return f"{spec.height}x{spec.width} px of {counted(spec.channels, 'channel')}"


def evaluate_folder(folder: str, data: Source, seed: int, asked: str | None) -> Evaluation:
    """Pictures that something made against real ones; which of these it learned from is not known. Raises BadInput."""
    real, made = _of_one_size(folder, data)
    split = split_dataset(real, seed=seed, validation=0.0, test=TEST, join=data.join)
    if not len(split.test):
        what = "nothing of the real pictures can be held out: that are all alike, or made by a model, are not"
        raise BadInput(what, data.source, "give real ones that differ")
    spec = real.spec
    known = set(item_digests(real))
    if same := sum(digest in known for digest in item_digests(made)):
        these = f"{same:,} of {counted(len(made), 'generated picture')}"
        say(f"zeuxis: warning: pixel for pixel {these} can be found in {data.source}: the figures mean little")
    _tell_drawn(len(made), "generated")
    some = some_of(len(made), MOST, "evaluated", seed)
    labels = _labels_by_name(made, spec.classes, folder)
    if labels is None and spec.classes:
        what = "the generated pictures lie in no folders of classes, nor do notes in them name every class and no other"
        say(f"zeuxis: {what}: GAN-test and CAS are not measured")
    generated = Pictures(made.images(some), None if labels is None else labels[some])
    return _evaluated(generated, Subset(real, split.train), Subset(real, split.test), asked, seen=False)


def _of_one_size(folder: str, data: Source) -> tuple[Dataset, Opened]:
    """Real and generated pictures; where no size was given at that of the generated ones, if these have one."""
    made = Source(folder, fit=data.fit, taken=Taken(True, "first", None))
    if data.size is None:
        with suppress(SizesDiffer):
            own = made.read().spec
            data = replace(data, size=(own.height, own.width))
            say(f"zeuxis: comparing at {own.height}x{own.width} pixels, the size of the generated pictures")
    real = data.open()
    spec = real.spec
    return real, replace(made, size=(spec.height, spec.width), channels=spec.channels).open()


def _labels_by_name(made: Dataset, classes: tuple[str, ...], place: str) -> Tensor | None:
    """The made pictures' classes, in the real ones' numbers: of their folders, else of the notes in the files, where
    these name every class and no other.

    None where either has none. Raises BadInput for folders of other classes.
    """
    if made.labels is None:
        names = [origin.label for origin in getattr(made, "origins", None) or []]
        return torch.tensor([classes.index(n) for n in names]) if classes and set(names) == set(classes) else None
    names = [made.spec.classes[k] for k in np.asarray(made.labels)]
    if not classes:
        return None
    if unknown := sorted(set(names) - set(classes)):
        mend = nearest(unknown[0], list(classes), "theirs are")
        raise BadInput(f"the real pictures have no class `{unknown[0]}`", place, mend)
    return torch.tensor([classes.index(name) for name in names])


def _tell_drawn(n: int, what: str) -> None:
    if n > MOST:
        say(f"zeuxis: {MOST:,} of {counted(n, f'{what} picture')} are compared, drawn by chance")


def _evaluated(made: Pictures, train: Dataset, test: Dataset, asked: str | None, seen: bool) -> Evaluation:
    for pictures, what in ((made.pixels, "generated"), (train, "real training"), (test, "held-out")):
        if len(pictures) < LEAST:
            raise BadInput(
                f"too few to compare: {counted(len(pictures), f'{what} picture')}", "", f"give {LEAST} or more"
            )
    for data, what in ((train, "training"), (test, "held-out")):
        _tell_drawn(len(data), what)
    train, test = (Subset(d, some_of(len(d), MOST, "evaluated", 0).numpy()) for d in (train, test))
    net = features_for(asked, train)
    say(f"zeuxis: comparing {counted(len(made.pixels), 'picture')} in the features of {net.name}")
    reals = [data.images(torch.arange(len(data))) for data in (train, test)]
    sets = _sets(net, made, reals, (train, test), seen)
    classes = test.spec.classes if sets.labels is not None else ()
    figures = {
        name: Figure(
            name,
            metric.measure(sets).measured_in(net.name, net.sha256),
            dict(zip(classes, metric.by_class(sets), strict=True)) if metric.by_class else {},
        )
        for name, metric in catalog().items()
        if metric.possible(sets)
    }
    rows, look = _rows(made, reals[1], sets, test.spec.classes), _look(made, reals, sets)
    return Evaluation(figures, net.name, net.sha256, len(made.pixels), len(reals[0]), len(reals[1]), seen, look, rows)


def _look(made: Pictures, reals: list[Tensor], sets: Sets) -> Outcome:
    """Features that tell classes apart may see neither blur nor fog; this does."""
    some = [some_of(len(pixels), LOOKED_AT, "look") for pixels in (made.pixels, *reals)]
    fake, train, test = (to_image(p[chosen]) for p, chosen in zip((made.pixels, *reals), some, strict=True))
    labels = None if sets.labels is None else (sets.labels[0][some[0]], sets.labels[1][some[1]])
    return of_samples(likeness(fake, train, test, labels).to_json())


def _rows(made: Pictures, held: Tensor, sets: Sets, classes: tuple[str, ...]) -> tuple[Row, ...]:
    """By class where both sides have such; else some of all, in several rows."""
    if sets.labels is None:
        many = _SHOWN * 4
        return (Row("", made.pixels[:many], held[some_of(len(held), many, "shown")]),)
    fake, _, real = sets.labels
    return tuple(
        Row(name, made.pixels[fake == c][:_SHOWN], held[real == c][:_SHOWN]) for c, name in enumerate(classes)
    )[:_CLASSES]


def _sets(net: Features, made: Pictures, reals: list[Tensor], of: tuple[Dataset, Dataset], seen: bool) -> Sets:
    labels = None
    if made.labels is not None and of[0].spec.condition > 1:
        real = [torch.as_tensor(np.asarray(data.labels, np.int64)) for data in of]
        labels = (made.labels, real[0], real[1])
    flipped = [reals[0].flip(3)] if seen else []
    fake, train, test, *mirrored = _in_features(net, [made.pixels, *reals, *flipped])
    plain = (is_plain(made.pixels), is_plain(reals[1])) if seen else None
    return Sets(fake, train, test, labels, of[0].spec.condition, seen, mirrored[0] if seen else None, plain)


def _in_features(net: Features, sets: list[Tensor]) -> list[Tensor]:
    """Each set in the net's features; shows how far it is."""
    done, found = 0, []
    with pictures_done(sum(len(pixels) for pixels in sets)) as told:
        for pixels in sets:
            parts = []
            for part in pixels.split(_AT_ONCE):
                parts.append(net.of(part))
                told(done := done + len(part))
            found.append(torch.cat(parts))
    return found
