"""The jobs of a study: one generator, or one classifier arm, of one repeat. A result file that exists is finished."""

import shutil
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from zeuxis import platform
from zeuxis.data.dataset import Dataset
from zeuxis.data.files import write_first
from zeuxis.data.memory import MemoryDataset, Subset
from zeuxis.data.shared import mapped
from zeuxis.draw import Stream, key_of
from zeuxis.engine.batches import batch_samplers
from zeuxis.engine.budget import Budget
from zeuxis.engine.loop import LoopOptions
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.phases import play
from zeuxis.engine.state import build_state
from zeuxis.engine.train import Start, resume, train
from zeuxis.jobs.capabilities.recognizes import predictions
from zeuxis.jobs.executing.executor import Spec, key_of_spec
from zeuxis.jobs.nearest_neighbours import neighbours, write_nearest_pairs
from zeuxis.jobs.sampling import generate, seeds_of
from zeuxis.jobs.study import guessing
from zeuxis.jobs.study import treatment as treatments
from zeuxis.jobs.study.hits import pack
from zeuxis.jobs.study.place import Place, draw_repeat
from zeuxis.jobs.study.plan import CHECKPOINTS, PROBE_PER_CLASS
from zeuxis.metrics.classification import recalls
from zeuxis.recipes.recipe import Recipe
from zeuxis.runs import LOCK, Run
from zeuxis.stats.choice import highest
from zeuxis.weights import store

_OPTIONS = LoopOptions(checkpoint_seconds=15.0, light=True, quiet=True)
_POOL_BYTES = 64 << 20
_PAIR_SAMPLES = 2_000


@lru_cache(maxsize=1)
def _opened(study: str, pixels: str | None) -> Place:
    """A worker does many jobs of one study. pixels: the file of its decoded pictures, if there is one."""
    return Place.open(study, None if pixels is None else mapped(pixels))


def work_on(spec: Spec) -> None:
    """A job by its spec alone, in a process of its own."""
    work(_opened(spec["at"]["study"], spec["at"].get("pixels")), spec)


def work(place: Place, spec: Spec) -> None:
    """Does one job and writes its result."""
    {"generator": train_generator, "arm": train_arm, "pool": make_pool}[spec["kind"]](place, spec)


def _until_free(path: Path, patience: float = 10.0) -> None:
    """Waits while an orphan of a killed study, which saves and ends by itself, still holds the run's lock."""
    limit = time.monotonic() + patience
    while (path / LOCK).exists() and time.monotonic() < limit:
        held = platform.acquire(path / LOCK)
        if held:
            return held.release()
        time.sleep(0.1)
    return None


def _play(
    path: Path,
    recipe: Recipe,
    streams: dict[str, Dataset],
    steps: int,
    seed: int,
    place: Place,
    held_out: Mapping[str, Dataset],
    snapshots: tuple[float, ...] = (),
) -> Run:
    """Begins a run or goes on with it."""
    _until_free(path)
    if (path / "run.json").exists():
        return resume(path, streams, held_out, _OPTIONS)
    start = Start(
        seed=seed,
        compute=place.compute,
        snapshots=snapshots,
        sources={"images": {"source": "the draw of a study", "digest": streams["images"].digest}},
    )
    return train(recipe, streams, path, Budget(steps=steps), held_out, start, _OPTIONS)


def train_generator(place: Place, spec: Spec) -> None:
    """Trains the generator of a repeat, chooses the checkpoint, fills the pool.

    It learns from the repeat's training pictures, and from the undrawn ones by guessed labels where that was asked for.
    """
    r, started = spec["repeat"], time.monotonic()
    drawn = draw_repeat(place, r)
    train_set, others = Subset(place.dataset, drawn["train"]), None
    if place.asked.unlabelled:
        others = guessing.guessed(place, r, drawn)
    learned = train_set if others is None else guessing.joined(train_set, others)
    validation = Subset(place.dataset, place.split.validation)
    folder = place.repeat(r) / "generator"
    run = _play(
        folder,
        place.generator_recipe(),
        {"images": learned},
        place.plan.generator_steps,
        place.seed(r, "generator"),
        place,
        {"images": validation},
        CHECKPOINTS,
    )
    names = [f"{point:.2f}" for point in CHECKPOINTS]
    snapshot_recalls = [_score_snapshot(place, r, run, name, validation) for name in names]
    curve = [(name, float(np.mean(each))) for name, each in zip(names, snapshot_recalls, strict=True)]
    best = highest([score for _, score in curve])
    fakes, labels = _sample(place, run, names[best], r, "pool", _pool_size(place, train_set), train_set)
    _write_pool(place, r, fakes, labels)
    near = neighbours(fakes[:_PAIR_SAMPLES], learned, validation)
    pairs = near.closest()
    write_nearest_pairs(place.repeat(r) / "nearest_pairs.png", fakes, learned, pairs)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    write_first(
        place.repeat(r) / "generator.json",
        {
            "job": key_of_spec(spec),
            "repeat": r + 1,
            "chosen": names[best],
            "cas": curve[best][1],
            "cas_per_class": snapshot_recalls[best],
            "curve": curve,
            "weights_sha256": store.content_hash(run.tensors(names[best])),
            "images": run.finish["images"],
            "guessed": None if others is None else guessing.described(place, others, drawn),
            "alarms": run.finish["alarms"],
            "copies": near.record(),
            "nearest_pairs": [{"distance": round(s.distance, 4), "class": int(labels[s.fake])} for s in pairs],
            "seconds": round(time.monotonic() - started, 1),
        },
    )


def _pool_size(place: Place, train_set: Dataset) -> int:
    spec = place.dataset.spec
    return max(
        256, min(20 * len(train_set), place.plan.pool, _POOL_BYTES // (spec.channels * spec.height * spec.width))
    )


def _sample(
    place: Place, run: Run, snapshot: str, r: int, purpose: str, n: int, train_set: Dataset
) -> tuple[Tensor, Tensor]:
    """n pictures, uint8 NCHW, whose labels follow the training pictures' law, and those labels."""
    law = torch.from_numpy(np.asarray(train_set.labels, dtype=np.int64))
    order = Stream(key_of("law", r)).permutation(len(law))
    labels = law[order].repeat(-(-n // len(law)))[:n]
    networks = run.networks(snapshot).to(place.compute.device)
    seeds = seeds_of(purpose, place.seed(r, purpose), n)
    return torch.cat(list(generate(run.recipe, networks, seeds, labels, place.compute.device))), labels


def _score_snapshot(place: Place, r: int, run: Run, name: str, validation: Dataset) -> list[float]:
    """Recalls on real validation pictures of a classifier trained on the snapshot's samples alone."""
    labels = torch.arange(place.classes).repeat(PROBE_PER_CLASS)
    networks = run.networks(name).to(place.compute.device)
    seeds = seeds_of("probe", place.seed(r, "probe"), len(labels))
    fakes = torch.cat(list(generate(run.recipe, networks, seeds, labels, place.compute.device)))
    samples = MemoryDataset(fakes, labels.numpy(), place.dataset.spec.classes)
    recipe = place.classifier_recipe(policy="none")
    state = build_state(
        recipe,
        place.dataset.spec,
        seed=place.seed(r, "probe"),
        steps=place.plan.probe_steps,
        batch=recipe.batch_specs()["images"].size,
        compute=place.compute,
    )
    samplers = batch_samplers(recipe.batch_specs(), {"images": samples}, state.seed, place.compute.device, True)
    while state.step < state.steps:
        play(state, samplers, Ranks())
    networks = nn.ModuleDict({**state.networks, **state.ema}).eval()
    return _recalls(place, recipe, networks, validation)


def _recalls(place: Place, recipe: Recipe, networks: nn.ModuleDict, data: Dataset) -> list[float]:
    return _found(place, predictions(recipe, networks, data, place.compute.device), data)


def _found(place: Place, guesses: Tensor, data: Dataset) -> list[float]:
    return [0.0 if x is None else x for x in recalls(guesses, data.labels, place.classes)]


def _balanced(place: Place, class_recalls: list[float], data: Dataset) -> float:
    there = sorted(set(np.asarray(data.labels).tolist()))
    return float(np.mean([class_recalls[c] for c in there]))


def _pool_path(place: Place, r: int) -> Path:
    return place.repeat(r) / "pool.safetensors"


def _write_pool(place: Place, r: int, fakes: Tensor, labels: Tensor) -> None:
    store.save(_pool_path(place, r), {"images": fakes, "labels": labels}, {"format": "zeuxis pool 1"})


def make_pool(place: Place, spec: Spec) -> None:
    """Draws the pool of a repeat again from its chosen weights: the same pictures, bit for bit."""
    r = spec["repeat"]
    result = place.result(r, "generator")
    assert result is not None
    train_set = Subset(place.dataset, draw_repeat(place, r)["train"])
    run = Run.open(place.repeat(r) / "generator")
    _write_pool(place, r, *_sample(place, run, result["chosen"], r, "pool", _pool_size(place, train_set), train_set))


def read_pool(place: Place, r: int) -> tuple[Tensor, Tensor]:
    """The generated pictures of a repeat, uint8 NCHW, and their labels."""
    if not _pool_path(place, r).exists():
        make_pool(place, {"repeat": r})
    tensors, _ = store.load(_pool_path(place, r))
    return tensors["images"], tensors["labels"]


def shuffled(place: Place, r: int, data: Dataset) -> MemoryDataset:
    """The same pictures, in memory, with their labels permuted."""
    order = Stream(key_of("shuffle", place.seed(r, "shuffle"))).permutation(len(data)).numpy()
    return MemoryDataset(
        data.images(torch.arange(len(data))), np.asarray(data.labels)[order], place.dataset.spec.classes
    )


def _synthetic(place: Place, r: int, fill: str, drawn: dict[str, list[int]]) -> Dataset:
    """What stands in the synthetic slots of an arm: what the treatment puts there, or what a control puts there."""
    if fill == "duplicated":
        return Subset(place.dataset, drawn["train"])
    treated = treatments.named(fill).fill if fill in treatments.names() else place.treatment.fill
    assert treated is not None, f"nothing fills the slots of {fill}"
    synthetic = treated(place, r, drawn)
    return shuffled(place, r, synthetic) if fill == "shuffled" else synthetic


def train_arm(place: Place, spec: Spec) -> None:
    """Trains one classifier and reads what it recognises of validation and of the sealed test part."""
    r, name, started = spec["repeat"], spec["arm"], time.monotonic()
    drawn = draw_repeat(place, r)
    streams: dict[str, Dataset] = {"images": Subset(place.dataset, drawn["train"])}
    if spec["fill"]:
        streams["synthetic"] = _synthetic(place, r, spec["fill"], drawn)
    validation = Subset(place.dataset, place.split.validation)
    test = Subset(place.dataset, place.split.test)
    recipe = place.classifier_recipe(policy=spec["policy"], share=spec["share"])
    folder = place.repeat(r) / "arms" / name
    seed, held = place.seed(r, spec["seed"]), {"images": validation}
    run = _play(folder, recipe, streams, place.plan.classifier_steps, seed, place, held)
    networks = run.networks().to(place.compute.device)
    on_validation = _recalls(place, recipe, networks, validation)
    guesses = predictions(recipe, networks, test, place.compute.device)
    on_test = _found(place, guesses, test)
    for heavy in ("checkpoints", "snapshots"):
        shutil.rmtree(folder / heavy, ignore_errors=True)
    write_first(
        place.repeat(r) / f"{name}.json",
        {
            "job": key_of_spec(spec),
            "arm": name,
            "repeat": r + 1,
            "policy": spec["policy"],
            "share": spec["share"],
            "fill": spec["fill"],
            "validation": _balanced(place, on_validation, validation),
            "test": _balanced(place, on_test, test),
            "recalls": on_test,
            "hits": pack(guesses.numpy() == np.asarray(test.labels)),
            "steps": place.plan.classifier_steps,
            "seconds": round(time.monotonic() - started, 1),
        },
    )
