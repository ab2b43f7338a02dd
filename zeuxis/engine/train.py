"""Training: begin a run from a recipe, pictures and a budget, or go on with one that was begun."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zeuxis.data.dataset import Dataset, Spec
from zeuxis.data.files import sweep_aside
from zeuxis.engine import compute as computing
from zeuxis.engine.batches import batch_samplers, check
from zeuxis.engine.budget import Budget, pace_words, words_for
from zeuxis.engine.compute import ComputeOptions
from zeuxis.engine.enough import enough
from zeuxis.engine.fixed import fixed_net
from zeuxis.engine.loop import LoopOptions, train_run
from zeuxis.engine.parallel import Ranks, ranks
from zeuxis.engine.phases import play
from zeuxis.engine.probe import PATIENCE, probe, seconds_per_step
from zeuxis.engine.progress import say
from zeuxis.engine.representing import represented
from zeuxis.engine.state import adopt, build_networks, build_state
from zeuxis.errors import BadInput, counted
from zeuxis.recipes.recipe import Generates, Recipe, Represents, recipe_name, settings_of
from zeuxis.runs import Run, begun_with, command_line, create, lock, taken
from zeuxis.weights import bundled, store


@dataclass(frozen=True)
class Start:
    """How a run begins, beside recipe, pictures and budget.

    seed: of everything drawn; conditional: use labels where there are any; compute:
    "auto" measures, "plain" takes none, or the very ones; threads, device: None leaves the choice to us;
    micro: parts of a batch; chosen: why this recipe, where `auto` chose it; snapshots: progress points whose weights
    are kept by name; sources, splits: words for run.json on where the pictures came from, by stream; weights: to begin
    from, None is by chance.
    """

    seed: int = 0
    conditional: bool = True
    compute: str | ComputeOptions = "auto"
    threads: int | None = None
    device: str | None = None
    micro: int = 1
    snapshots: tuple[float, ...] = ()
    preset: str | None = None
    chosen: str | None = None
    sources: Mapping[str, Any] | None = None
    splits: Mapping[str, Any] | None = None
    weights: "Weights | None" = None


@dataclass(frozen=True)
class Weights:
    """Weights that a new run begins from: a safetensors file, the content hash, and who said so.

    part: of a network, which they are of; empty where they are of whole networks by name.
    """

    file: str
    sha256: str
    asked: str
    part: str = ""


AS_USUAL, USUAL_OPTIONS = Start(), LoopOptions()


def train(
    recipe: Recipe,
    streams: Mapping[str, Dataset],
    path: Path,
    budget: Budget,
    held_out: Mapping[str, Dataset] | None = None,
    start: Start = AS_USUAL,
    options: LoopOptions = USUAL_OPTIONS,
) -> Run:
    """Begins a run in the folder `path` and plays it to its end.

    streams, held_out: pictures by stream, to train on and to score on.

    Raises BadInput before anything is written where recipe and pictures do not fit or a
    run is there already; Stopped and MachineGaveOut leave a run that can be resumed.
    """
    if start.micro > 1 and recipe.coupled:
        raise BadInput(
            f"{recipe_name(type(recipe))} ties the samples of a batch together and cannot split it",
            "--micro",
            "use a smaller --batch",
        )
    first = next(iter(recipe.batch_specs().values()))
    check(recipe.batch_specs(), streams, _world(), start.micro)
    conditional = start.conditional and recipe.labels != "ignored" and streams[first.stream].labels is not None
    spec = spec_of(recipe, streams)
    spec = spec if conditional else spec.unlabelled()
    recipe.check(spec)
    for weights in recipe.fixed().values():
        fixed_net(weights)
    begin = replace(_first_options(start), micro=start.micro)
    streams = _learned(recipe, spec, streams, begin, start, not options.quiet)
    _check_single(recipe, spec, streams, conditional, start)
    with ranks(begin.device) as group:
        with _held(path, group):
            if (path / "run.json").exists():
                raise taken(path)
            timing = _measure(recipe, spec, streams, conditional, begin, start, budget, group)
            record = group.broadcast(_record(recipe, spec, streams, conditional, start, budget, timing))
            if group.first:
                if not options.quiet:
                    _tell_pictures(recipe, spec, streams, held_out or {})
                    _tell_enough(recipe, spec, record)  # type: ignore[arg-type]
                create(path, record)  # type: ignore[arg-type]
            group.agree(0)
            return train_run(path, streams, held_out or {}, options, group)


def _learned(
    recipe: Recipe, spec: Spec, streams: Mapping[str, Dataset], begin: ComputeOptions, start: Start, shows: bool
) -> Mapping[str, Dataset]:
    """What a step reads; maps of all pictures, where the recipe learns on those."""
    if not isinstance(recipe, Represents):
        return streams
    begin.apply()
    networks = build_networks(recipe, spec, start.seed)
    if start.weights:
        adopt(store.load(Path(start.weights.file))[0], networks, part=start.weights.part)
    return represented(recipe, networks.to(begin.device).eval(), streams, begin.device, shows=shows)


def _check_single(recipe: Recipe, spec: Spec, streams: Mapping[str, Dataset], conditional: bool, start: Start) -> None:
    """Raises BadInput where batches of one sample are asked for, and a net has to compare samples: a step is tried."""
    parts = _world() * start.micro
    if all(one.size > parts for one in recipe.batch_specs().values()):
        return
    specs = {name: replace(one, size=one.size // parts) for name, one in recipe.batch_specs().items()}
    compute = computing.plain(_first_options(start).device)
    state = build_state(recipe, spec, seed=start.seed, steps=1, batch=1, compute=compute)
    try:
        play(state, batch_samplers(specs, streams, start.seed, compute.device, conditional), Ranks())
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        what = f"{recipe_name(type(recipe))} compares the samples of a batch, and cannot learn from one at a time"
        raise BadInput(what, "--batch", f"use `--batch {2 * parts}` or more") from error


def spec_of(recipe: Recipe, streams: Mapping[str, Dataset]) -> Spec:
    """The shape of a recipe's pictures: that of its first stream, and the channels of the second. Raises BadInput."""
    first, *others = (streams[name].spec for name in recipe.sources)
    for name, other in zip(recipe.sources[1:], others, strict=True):
        if (other.height, other.width) != (first.height, first.width):
            sizes = f"{first.height}x{first.width} and {other.height}x{other.width}"
            raise BadInput(f"the pictures of `{recipe.sources[0]}` and `{name}` are {sizes} pixels", "", "give --size")
    return replace(first, target=others[0].channels) if others else first


def _tell_pictures(recipe: Recipe, spec: Spec, streams: Mapping[str, Dataset], held_out: Mapping[str, Dataset]) -> None:
    """What it learns from: a wrong folder shows here."""
    of = f" of {counted(spec.condition, 'class')}" if spec.condition else ""
    sources = recipe.sources[:1] if recipe.paired else recipe.sources
    wheres = [""] if len(sources) == 1 else [" of the first collection", " of the second collection"]
    for name, where in zip(sources, wheres, strict=True):
        noun = "square" if recipe.patches else "pair" if recipe.paired else "picture"
        apart = len(held_out.get(name, ()))
        held = f", {apart:,} more held out" if apart else ""
        say(f"zeuxis: training on {counted(len(streams[name]), noun)}{where}{of}{held}")
    if isinstance(recipe, Generates) and not held_out:
        say("zeuxis: warning: so few pictures that none is held out: figures are rough, and copies are not counted")


def _tell_enough(recipe: Recipe, spec: Spec, record: Mapping[str, Any]) -> None:
    """Before the first step: what the recipe needs on pictures like these, and whether the budget is enough."""
    assessment = enough(recipe, spec, record["steps"] * record["batch"], record["budget"].get("images_per_second"))
    say(f"zeuxis: {'warning: ' if assessment.warns else ''}{assessment.words}")
    if begun := begun_with(record):
        say(f"zeuxis: begins with {begun}")


def _first_options(start: Start) -> ComputeOptions:
    if isinstance(start.compute, ComputeOptions):
        return start.compute
    return computing.starting(start.device, start.threads) if start.compute == "auto" else computing.plain(start.device)


def resume(
    path: Path,
    streams: Mapping[str, Dataset],
    held_out: Mapping[str, Dataset] | None = None,
    options: LoopOptions = USUAL_OPTIONS,
) -> Run:
    """Goes on with a begun run, with its recorded compute options, to the end of its written budget."""
    run = Run.open(path)
    with ranks(run.record["compute"]["device"]) as group:
        if run.record["world"] != group.world:
            raise BadInput(
                f"this run began with {counted(run.record['world'], 'process')}, not {group.world}",
                str(path),
                f"torchrun --nproc-per-node {run.record['world']} -m -- zeuxis.cli resume {path}",
            )
        with _held(path, group):
            return run if run.finished else train_run(path, streams, held_out or {}, options, group)


class _held:
    """The folder's lock in the first process, free of what killed processes left half written."""

    def __init__(self, path: Path, group: Ranks) -> None:
        self.lock = lock(path) if group.first else None
        if group.first:
            sweep_aside(path)

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None:
        if self.lock:
            self.lock.release()


def _measure(
    recipe: Recipe,
    spec: Any,
    streams: Mapping[str, Dataset],
    conditional: bool,
    begin: ComputeOptions,
    start: Start,
    budget: Budget,
    group: Ranks,
) -> tuple[ComputeOptions, float | None]:
    """The compute options to use and, where the budget is a time, the seconds of a step."""
    patience = max(PATIENCE, 0.05 * (budget.seconds or 0.0))
    if start.compute == "auto":
        say(f"zeuxis: measuring how fast this machine trains it, for about {words_for(2 * patience)}")
        measured = probe(recipe, spec, streams, conditional, begin, group, start.threads is not None, patience)
        return measured.compute, measured.seconds_per_step
    if budget.seconds is not None:
        return begin, seconds_per_step(recipe, spec, streams, conditional, begin, group, patience=patience)
    return begin, None


def _record(
    recipe: Recipe,
    spec: Any,
    streams: Mapping[str, Dataset],
    conditional: bool,
    start: Start,
    budget: Budget,
    timing: tuple[ComputeOptions, float | None],
) -> dict[str, Any]:
    compute, seconds = timing
    first = next(iter(recipe.batch_specs().values()))
    steps = budget.in_steps(first.size, seconds)
    asked: dict[str, Any] = {"asked": budget.asked}
    if budget.seconds is not None:
        asked |= {"seconds": budget.seconds}
    if seconds is not None:
        asked |= {"images_per_second": round(first.size / seconds, 3)}
        say(
            f"zeuxis: {pace_words(first.size / seconds)} with {words_of(compute)}; "
            f"{counted(steps * first.size, 'image')} in {words_for(steps * seconds)}"
        )
    return {
        "recipe": recipe_name(type(recipe)),
        "preset": start.preset,
        "chosen": start.chosen,
        "initial": {name: bundled.sha256_of(name) for name in _of_package(recipe, spec, start.weights)},
        "settings": {k: list(v) if isinstance(v, tuple) else v for k, v in settings_of(recipe).items()},
        "spec": spec.to_json(),
        "conditional": conditional,
        "sources": dict(start.sources or {name: {"source": "", "digest": x.digest} for name, x in streams.items()}),
        "digests": {name: data.digest for name, data in streams.items()},
        "splits": dict(start.splits or {}),
        "start_from": vars(start.weights) if start.weights else None,
        "seed": start.seed,
        "steps": steps,
        "batch": first.size,
        "budget": asked,
        "snapshots": list(start.snapshots or recipe.snapshots()),
        "compute": compute.as_dict(),
        "exact": compute.exact,
        "world": _world(),
        "command": command_line(),
    }


def _of_package(recipe: Recipe, spec: Spec, weights: Weights | None) -> list[str]:
    """Names of the package's weights that parts of the networks begin with, where `weights` do not replace them."""
    replaced = {weights.part} if weights and weights.part else set()
    if weights and not weights.part:
        replaced = {key.partition(".")[0] for key in store.names(Path(weights.file))}
    kept = (name for part, name in recipe.initial(spec).items() if not {part, part.partition(".")[0]} & replaced)
    return list(dict.fromkeys(kept))


def _world() -> int:
    import os

    return int(os.environ.get("WORLD_SIZE", "1"))


def words_of(compute: ComputeOptions) -> str:
    """The compute options as a person reads them."""
    threads = f"{compute.threads} thread" + ("s" if compute.threads > 1 else "")
    all_of = (("channels_last", compute.channels_last), ("fused steps", compute.fused), ("bfloat16", compute.bf16))
    used = [name for name, on in all_of if on]
    return ", ".join([compute.device, threads, *used])
