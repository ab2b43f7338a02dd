"""Draws new pictures: real ones beside them, those nearest to a training picture, and how alike both kinds are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Dataset
from zeuxis.data.files import write_json
from zeuxis.draw import Stream, key_of
from zeuxis.engine.batches import to_image
from zeuxis.engine.enough import given_by
from zeuxis.engine.progress import say
from zeuxis.errors import command, counted
from zeuxis.jobs.capability import Capability
from zeuxis.jobs.features import no_larger, trained_on
from zeuxis.jobs.nearest_neighbours import PAIRS, neighbours, write_nearest_pairs
from zeuxis.jobs.sampling import generate, seeds_of
from zeuxis.jobs.sources import Material
from zeuxis.metrics.classification import balanced_accuracy
from zeuxis.metrics.likeness import MOST, likeness
from zeuxis.pages import samples
from zeuxis.pages.outcome import Outcome, of_samples, unjudged
from zeuxis.pictures.png import write_sheet
from zeuxis.recipes.classifier import Classifier
from zeuxis.recipes.recipe import Generates
from zeuxis.runs import Run

_PER_CLASS, _MOST_ROWS, _SQUARE = 10, 20, 8  # the layout of the engine's sample grids
_LOOKED_AT = 1_000  # generated pictures among which copies are looked for, fewer where they are large
_EARLIER = 250  # the same, of weights that were kept on the way
_LOOKED_AT_BYTES = 64 << 20
_BYTES = 256 << 20  # of floating-point numbers on one side; larger pictures are compared in smaller numbers
_WORTH = 240.0  # seconds of training from which a classifier, of half a minute or so, is worth its time
_SHOWN = 600  # samples that it looks at
_LEAST = 4  # pictures, two on either side


def finish(run: Run, given: Material) -> None:
    _write_real(run, given.train)
    _write_copies(run, given)


def _write_real(run: Run, train: Dataset) -> None:
    """real/grid.png: training pictures, laid out as the samples are; places that lack a picture stay white."""
    record, spec = run.record, run.spec
    order = Stream(key_of("real grid", record["seed"])).permutation(len(train))
    parts, places, columns = [order[: _SQUARE**2]], _SQUARE**2, _SQUARE
    if record["conditional"]:
        labels = torch.from_numpy(np.asarray(train.labels, dtype=np.int64))[order]
        parts = [order[labels == c][:_PER_CLASS] for c in range(min(spec.condition, _MOST_ROWS))]
        places = columns = _PER_CLASS
    sheet = torch.ones(len(parts), places, spec.channels, spec.height, spec.width)
    for part, chosen in zip(sheet, parts, strict=True):
        part[: len(chosen)] = to_image(train.images(chosen))
    write_sheet(run.path / "real" / "grid.png", sheet.flatten(0, 1), columns)


def _write_copies(run: Run, given: Material) -> None:
    """real/nearest_pairs.png: of pictures from fixed seeds, classes in turn, those that lie nearest to a training one.

    And real/nearest_pairs.json: how many stand out as copies; where they are too many, also the latest snapshot, of
    those that the run kept, at which they were not.
    """
    drawn = _looked_at(run, None)
    near = neighbours(drawn, given.train, given.held_out, shows=True)
    write_nearest_pairs(run.path / "real" / "nearest_pairs.png", drawn, given.train, near.closest())
    record, before = near.record(), None
    if record["alarm"]:
        kept = [f"{point:.2f}" for point in sorted(run.record["snapshots"], reverse=True)]
        looks = ((name, neighbours(_looked_at(run, name), given.train, given.held_out, shows=True)) for name in kept)
        before = next((name for name, look in looks if _is_clear(look.record())), None)
        record |= {"before": before}
    write_json(run.path / "real" / "nearest_pairs.json", record)
    if before is not None:
        line = command("sample", run.path, "--snapshot", before, "--out", "OUT")
        say(f"zeuxis: the samples repeat training pictures; weights kept on the way do not: `{line}` draws by these")


def _is_clear(record: Mapping[str, Any]) -> bool:
    """No more copies than new pictures would be: of fewer samples, that none can be proven says little."""
    return record["copies"] is not None and record["copies"] <= record["expected"]


def _looked_at(run: Run, snapshot: str | None) -> Tensor:
    """Pictures among which copies are looked for, uint8 [n, C, H, W]."""
    record, spec = run.record, run.spec
    device = record["compute"]["device"]
    most = _EARLIER if snapshot else _LOOKED_AT
    n = max(PAIRS, min(most, _LOOKED_AT_BYTES // (spec.channels * spec.height * spec.width)))
    recipe, networks, seeds = run.recipe, run.networks(snapshot).to(device), seeds_of("suspects", record["seed"], n)
    fakes = []
    kept = f" by the weights kept at {float(snapshot):.0%} of the training" if snapshot else ""
    say(f"zeuxis: looking for training pictures among {counted(n, 'sample')}{kept}")
    for part in torch.arange(n).split(record["batch"]):  # what fitted into memory in training fits here
        labels = part % spec.condition if record["conditional"] else None
        fakes += list(generate(recipe, networks, seeds[part], labels, device))
    return torch.cat(fakes)


def judged_samples(run: Run, given: Material) -> Outcome:
    """The judgement of a run's last samples; nothing is written."""
    spec, device = run.spec, run.record["compute"]["device"]
    most = max(_LEAST, min(MOST, _BYTES // (4 * spec.channels * spec.height * spec.width)))
    train, labels = some(given.train, most, "judged training", run.record["seed"])
    if given.held_out is not None and len(given.held_out) >= _LEAST // 2:
        held, _ = some(given.held_out, most, "judged held out", run.record["seed"])
        apart = True
    elif len(train) >= _LEAST:
        train, held, apart = train[::2], train[1::2], False
        labels = None if labels is None else labels[::2]
    else:
        return unjudged("there are too few pictures to hold the samples against")
    wanted = labels if run.record["conditional"] else None
    seeds = seeds_of("judged", run.record["seed"], len(train))
    parts = generate(run.recipe, run.networks().to(device), seeds, wanted, device)
    both = None if wanted is None else (wanted, wanted)
    comparison = likeness(to_image(torch.cat(list(parts))), train, held, both)
    expected = given_by(run.recipe, spec, run.finish["images"])
    return of_samples({**comparison.to_json(), "apart": apart, "expected": expected, **_recognised(run, given)})


@torch.no_grad()
def _recognised(run: Run, given: Material) -> dict[str, float]:
    """Of samples and of held-out pictures: what share a classifier of the real ones takes for the class that it is.

    Empty without classes or held-out pictures of all of them, and after a training so short that this would take as
    long.
    """
    classes, held = run.spec.condition, given.held_out
    if not run.record["conditional"] or held is None or run.finish["seconds"] < _WORTH:
        return {}
    real = torch.from_numpy(np.asarray(held.labels, dtype=np.int64))
    if classes < 2 or len(real.unique()) < classes:
        return {}
    say("zeuxis: training a classifier on the real pictures, to tell whether samples show their class")
    with torch.enable_grad():
        recipe, networks = trained_on(given.train)
    device, wanted = run.record["compute"]["device"], torch.arange(_SHOWN) % classes
    seeds = seeds_of("recognised", run.record["seed"], _SHOWN)
    drawn = torch.cat(list(generate(run.recipe, run.networks().to(device), seeds, wanted, device)))
    sides = {"recognised": (drawn, wanted), "recognised_real": (held.images(torch.arange(len(held))), real)}
    shares = {
        name: balanced_accuracy(_guessed(recipe, networks, pixels), labels, classes).value
        for name, (pixels, labels) in sides.items()
    }
    return {**shares, "recognised_n": _SHOWN, "recognised_chance": 1 / classes}


def _guessed(recipe: Classifier, networks: nn.ModuleDict, pixels: Tensor) -> Tensor:
    """Classes, int64 [n], of uint8 [n, C, H, W]."""
    return torch.cat([recipe.logits(networks, no_larger(to_image(x))).argmax(1) for x in pixels.split(64)])


def some(data: Dataset, most: int, name: str, seed: int) -> tuple[Tensor, Tensor | None]:
    """Pictures [n, C, H, W] in [-1, 1] by chance, at most `most`, and their labels where there are any."""
    chosen = Stream(key_of(name, seed)).permutation(len(data))[:most]
    labels = None if data.labels is None else torch.from_numpy(np.asarray(data.labels, dtype=np.int64))[chosen]
    return to_image(data.images(chosen)), labels


CAPABILITY = Capability(Generates, 1, finish, judged_samples, samples.section)
