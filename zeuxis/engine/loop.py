"""The loop: plays the turns of any recipe on any datasets until the budget is spent."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from zeuxis.data.dataset import Dataset, Spec
from zeuxis.data.files import write_json
from zeuxis.engine import alarms, monitoring
from zeuxis.engine.batches import BatchSampler, batch_samplers, check
from zeuxis.engine.budget import off_words, words_for
from zeuxis.engine.compute import ComputeOptions
from zeuxis.engine.guard import Log, Stop, stop_flag
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.phases import Seen, cycle, play
from zeuxis.engine.progress import Display, say
from zeuxis.engine.representing import calibrate, pictures_of, represented
from zeuxis.engine.state import TrainState, build_state
from zeuxis.errors import BadInput, MachineGaveOut, Stopped, command, counted, is_out_of_memory
from zeuxis.runs import Run, inference_weights
from zeuxis.weights import checkpoint, store

ATTEMPTS = 3


@dataclass(frozen=True)
class LoopOptions:
    """How a run is looked after; nothing here changes a number of the result.

    checkpoint_seconds: time between checkpoints; keep: how many stay;
    on_nan: "rewind" or "stop"; light: no sample grids, for the many small runs of a study.
    """

    checkpoint_seconds: float = 30.0
    keep: int = 2
    on_nan: str = "rewind"
    light: bool = False
    quiet: bool = False


_SHORT = 0.8
"""Of a budget in time: where a run took less, why is said."""


@dataclass
class Trainer:
    """One process's view of a run that is being played."""

    run: Run
    record: dict[str, Any]
    state: TrainState
    samplers: dict[str, BatchSampler]
    monitor: monitoring.Monitor
    log: Log
    ranks: Ranks
    options: LoopOptions
    rung: set[str] = field(default_factory=set)
    best: float | None = None
    newest: float | None = None
    seen: Seen = field(default_factory=lambda: Seen({}, {}))
    before: float = 0.0
    started: float = field(default_factory=time.monotonic)

    @property
    def folder(self) -> Path:
        return self.run.path

    @property
    def seconds(self) -> float:
        """What the run has taken, with what earlier processes saved of it."""
        return self.before + time.monotonic() - self.started


def train_run(
    path: Path, streams: Mapping[str, Dataset], held_out: Mapping[str, Dataset], options: LoopOptions, group: Ranks
) -> Run:
    """Plays the run whose run.json lies in `path` to its end, from its newest good checkpoint.

    The lock must be held by the caller's process. Raises Stopped with a checkpoint saved on
    a signal, MachineGaveOut when the disk or the attempts are used up, BadInput where the
    data are not those that the run began with.
    """
    run = Run.open(path)
    record = run.record
    compute = ComputeOptions(**record["compute"])
    compute.apply()
    with stop_flag() as stop:
        trainer = _set_up(run, record, compute, streams, held_out, group, options)
        display = Display(
            trainer.state.steps,
            trainer.state.batch,
            trainer.state.step,
            group.first and not options.quiet,
            record["budget"].get("images_per_second"),
        )
        try:
            _play_on(trainer, stop, display)
        finally:
            display.close()
        _check_agreement(trainer)
        if group.first:
            _finish(trainer)
    return run


def _set_up(
    run: Run,
    record: dict[str, Any],
    compute: ComputeOptions,
    streams: Mapping[str, Dataset],
    held_out: Mapping[str, Dataset],
    group: Ranks,
    options: LoopOptions,
) -> Trainer:
    recipe = run.recipe
    spec = Spec.from_json(record["spec"])
    conditional = record["conditional"]
    check(recipe.batch_specs(), streams, group.world, compute.micro)
    _check_digests(run, record, streams)
    shown = spec if conditional else spec.unlabelled()
    state = build_state(
        recipe, shown, seed=record["seed"], steps=record["steps"], batch=record["batch"], compute=compute
    )
    monitor = monitoring.Monitor(pictures_of(streams), held_out, conditional, state)
    if group.first:
        checkpoint.sweep(run.path / "checkpoints")
    group.agree(0)
    saved, damaged = checkpoint.newest(run.path / "checkpoints")
    group.agree(0)  # all have looked before the first process writes
    for name in damaged if group.first else []:
        last = saved is None and name == damaged[-1]
        way = ", and there is none before it: beginning anew" if last else "; going back to the one before"
        say(f"zeuxis: checkpoint {name} is damaged{way}")
    log = Log(run.path / "log.jsonl", saved.log_length if saved else 0, group.first)
    if saved:
        _back_to(saved, state)
    else:
        _begin_from(record, state)
    folder, shows = run.path if group.first else None, group.first and not options.quiet
    learned = represented(recipe, state.networks, streams, compute.device, folder, shows)
    named = record.get("start_from")
    if not saved:
        calibrate(recipe, state.networks, learned, named is not None and not named.get("part"), group)
    samplers = batch_samplers(recipe.batch_specs(), learned, record["seed"], compute.device, conditional)
    trainer = Trainer(run, record, state, samplers, monitor, log, group, options)
    if saved:
        trainer.before = saved.seconds
        _remember(trainer)
    else:
        _save(trainer)
    return trainer


def _begin_from(record: dict[str, Any], state: TrainState) -> None:
    """The weights that run.json names, where it names any."""
    named = record.get("start_from")
    if not named:
        return
    weights, _ = store.load(Path(named["file"]))
    if store.content_hash(weights) != named["sha256"]:
        raise BadInput("the weights that this run begins from have changed", named["file"], "start a new run")
    state.adopt(weights, named.get("part", ""))


def _check_digests(run: Run, record: dict[str, Any], streams: Mapping[str, Dataset]) -> None:
    for name, digest in record.get("digests", {}).items():
        if name in streams and streams[name].digest != digest:
            raise BadInput(
                "the pictures are not those that this run began with",
                str(record["sources"].get(name, {}).get("source") or run.path),
                "put them back, or start a new run",
            )


def _remember(trainer: Trainer) -> None:
    """Alarms and the best score come back from the log, which is the truth."""
    trainer.rung = {line["name"] for line in trainer.run.log("alarm")}
    scores = [line["score"]["score"] for line in trainer.run.log("score") if "score" in line["score"]]
    trainer.best = max((s for s in scores if s is not None), default=None)
    for line in trainer.run.log("micro"):
        trainer.state.compute = replace(trainer.state.compute, micro=line["micro"])


def _play_on(trainer: Trainer, stop: Stop, display: Display) -> None:
    state, options = trainer.state, trainer.options
    whole = cycle(state.recipe)  # what plays now and then is to be seen in the log
    log_every, look_every = (-(-max(1, n) // whole) * whole for n in (state.steps // 200, max(10, state.steps // 12)))
    saved_at = time.monotonic()
    while state.step < state.steps:
        ran_out = False
        try:
            seen = trainer.seen = play(state, trainer.samplers, trainer.ranks)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            ran_out = True
        if ran_out:  # not while the error is held: its frames hold the memory of the step
            _shrink(trainer)
            continue
        now = time.monotonic()
        wants_save = now - saved_at > options.checkpoint_seconds or state.step == state.steps
        number, bad, save_due = trainer.ranks.agree(stop.number, int(bool(seen.bad)), int(wants_save))
        if bad:
            _rewind(trainer, seen.bad or "a term of another process")
            continue
        display.show(state.step, seen.terms, trainer.newest)
        if state.step % log_every == 0 or state.step == state.steps:
            clock = {"seconds": round(trainer.seconds, 3), "images_per_second": round(display.rate(state.step), 3)}
            trainer.log.add(
                "step",
                step=state.step,
                images=state.images,
                progress=state.progress,
                attempt=state.attempt,
                terms=seen.terms,
                watch=seen.watch,
                clock=clock,
            )
        if state.step % look_every == 0 or state.step == state.steps:
            _look(trainer)
        _snapshot_if_due(trainer)
        if number or save_due:
            if not _save(trainer):
                continue
            saved_at = time.monotonic()
        if number:
            raise Stopped(number, str(trainer.folder), f"continue with `{command('resume', trainer.folder)}`")


def _shrink(trainer: Trainer) -> None:
    """After memory ran out: back to the last checkpoint with batches in twice as many parts, where that is equal.

    Raises MachineGaveOut where the recipe needs its batch whole.
    """
    state, compute = trainer.state, trainer.state.compute
    saved, _ = checkpoint.newest(trainer.folder / "checkpoints")
    line = f"memory ran out with a batch of {state.batch} in {compute.micro} part(s)"
    sizes = [batch_spec.size for batch_spec in state.recipe.batch_specs().values()]
    divides = all(size % (2 * compute.micro) == 0 for size in sizes)
    if state.recipe.coupled or trainer.ranks.world > 1 or saved is None or not divides:
        raise MachineGaveOut(
            line,
            str(trainer.folder),
            f"start a new run with `--batch {max(1, state.batch // 2)}`, or a smaller --size",
        )
    if compute.device.startswith("cuda"):
        torch.cuda.empty_cache()
    _back_to(saved, state)
    state.compute = replace(compute, micro=2 * compute.micro)
    trainer.log = Log(trainer.log.path, saved.log_length)
    trainer.log.add("micro", step=state.step, images=state.images, micro=state.compute.micro, words=line)
    _remember(trainer)
    say(f"zeuxis: {line}; going on in {state.compute.micro} parts, with the same gradients up to rounding")


def _look(trainer: Trainer) -> None:
    """Scores, alarms, the best weights so far, and a sample grid."""
    state = trainer.state
    score = trainer.monitor.score(state)
    pictures = len(trainer.monitor.real), trainer.monitor.trained_on
    signals = alarms.Signals(score, trainer.seen.watch, state.progress, state.images, *pictures)
    raised = alarms.check_alarms(signals, state.recipe, state.recipe.need(state.spec))
    at = {"step": state.step, "images": state.images}
    trainer.log.add("score", **at, progress=state.progress, score=score, alarms=[alarm.name for alarm in raised])
    for alarm in raised:
        if alarm.name in trainer.rung:
            continue
        trainer.rung.add(alarm.name)
        entry = {"name": alarm.name, "words": alarm.words, "advice": alarm.advice.to_json()}
        trainer.log.add("alarm", **at, **entry)
        if trainer.ranks.first and not trainer.options.quiet:
            say(f"zeuxis: {alarm.name}: {alarm.words}; {alarm.advice.words()}")
    trainer.newest = score.get("score")
    if "score" in score and (trainer.best is None or score["score"] > trainer.best):
        trainer.best = score["score"]
        _snapshot(trainer, "best")
    if trainer.ranks.first and not trainer.options.light:
        trainer.monitor.show(state, trainer.folder / "samples" / f"{state.step:06d}.png")


def _snapshot_if_due(trainer: Trainer) -> None:
    state = trainer.state
    for point in trainer.record.get("snapshots", []):
        if state.step == max(1, round(point * state.steps)):
            _snapshot(trainer, f"{point:.2f}")


def _metadata(trainer: Trainer) -> dict[str, Any]:
    r = trainer.record
    return {
        "format": "zeuxis weights 1",
        "recipe": r["recipe"],
        "settings": r["settings"],
        "spec": r["spec"],
        "conditional": r["conditional"],
        "sources": {name: {k: one[k] for k in ("source", "digest")} for name, one in r["sources"].items()},
        "range": "[-1, 1]",
        "licence": "as the pictures that it was trained on",
    }


def _snapshot(trainer: Trainer, name: str) -> None:
    if trainer.ranks.first:
        store.save(
            trainer.folder / "snapshots" / f"{name}.safetensors",
            inference_weights(trainer.state.tensors()),
            _metadata(trainer),
        )


def _save(trainer: Trainer) -> bool:
    """A checkpoint, unless the weights are not finite: then the run goes back instead."""
    if not trainer.state.finite():
        _rewind(trainer, "a weight")
        return False
    if trainer.ranks.first:
        trainer.log.sync()
        state, place = trainer.state, trainer.folder / "checkpoints"
        checkpoint.save(
            place, state.tensors(), state.step, state.attempt, trainer.log.length, trainer.options.keep, trainer.seconds
        )
    trainer.ranks.agree(0)  # nobody goes on before the checkpoint stands
    return True


def _back_to(saved: checkpoint.Saved, state: TrainState) -> None:
    tensors = checkpoint.tensors_of(saved)
    ours = {f"networks/{k}": v for k, v in state.networks.state_dict().items()}
    store.check_same(ours, {k: v for k, v in tensors.items() if k.startswith("networks/")}, str(saved.folder))
    state.load(tensors, saved.step, saved.attempt)


def _rewind(trainer: Trainer, what: str) -> None:
    """Back to the last good checkpoint with half the rate and other draws, three times at most."""
    state, step, attempt = trainer.state, trainer.state.step, trainer.state.attempt + 1
    line = f"{what} was not finite in step {step}"
    saved, _ = checkpoint.newest(trainer.folder / "checkpoints")
    if trainer.options.on_nan == "stop" or attempt > ATTEMPTS or saved is None:
        tries = f", after {attempt - 1} attempts at lower rates" if attempt > 1 else ""
        raise MachineGaveOut(
            line + tries, str(trainer.folder), "start again with a lower lr; the last good checkpoint is kept"
        )
    _back_to(saved, state)
    state.attempt = attempt
    earlier = trainer.run.log("rewind")
    trainer.log = Log(trainer.log.path, saved.log_length, trainer.ranks.first)
    _remember(trainer)
    for entry in earlier[len(trainer.run.log("rewind")) :]:
        trainer.log.add(**entry)  # what was undone is told all the same
    trainer.log.add("rewind", step=saved.step, images=state.images, attempt=attempt, words=line)
    if trainer.ranks.first:
        say(f"zeuxis: {line}; back to step {saved.step} at half the rate (attempt {attempt} of {ATTEMPTS})")
    _save(trainer)  # a killed process must not try the same rate again


def _check_agreement(trainer: Trainer) -> None:
    """Raises RuntimeError where the processes do not end with the same bits: then something is not reduced."""
    if trainer.ranks.world > 1:
        number = int(store.content_hash(trainer.state.tensors())[:15], 16)
        high, low = trainer.ranks.agree(number, -number)
        if high != -low:
            raise RuntimeError(
                f"the {counted(trainer.ranks.world, 'process')} of {trainer.folder} ended with different weights"
            )


def _finish(trainer: Trainer) -> None:
    """The last files of a run, whose last checkpoint stands: weights, then finish.json."""
    state, folder = trainer.state, trainer.folder
    weights = inference_weights(state.tensors())
    store.save(folder / "weights.safetensors", weights, _metadata(trainer))
    seconds, asked = trainer.seconds, trainer.record["budget"].get("seconds")
    finish = {
        "steps": state.steps,
        "images": state.images,
        "seconds": round(seconds, 2),
        "images_per_second": round(state.images / max(seconds, 1e-9), 3),
        "overrun_percent": round(100 * (seconds / asked - 1), 1) if asked else None,
        "weights_sha256": store.content_hash(weights),
        "alarms": sorted(trainer.rung),
        "attempts": state.attempt + 1,
        "best": trainer.best,
    }
    write_json(folder / "finish.json", finish)
    checkpoint.thin(folder / "checkpoints", 1)  # earlier ones were for the case that the last is damaged
    over = finish["overrun_percent"]
    if over is not None and not trainer.options.quiet:
        off = f"{off_words(seconds, asked)} the {words_for(asked)} that were asked for"
        busy = ": the machine was busier while its speed was measured; the same command trains longer now"
        say(f"zeuxis: training took {words_for(seconds)}, {off}{busy if seconds < _SHORT * asked else ''}")
