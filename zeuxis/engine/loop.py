"""The loop: plays the turns of any recipe on any datasets until the budget is spent."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from zeuxis.data.dataset import Dataset, Spec
from zeuxis.data.files import write_json
from zeuxis.engine import alarms, watching
from zeuxis.engine.batches import Feeder, check, feeders
from zeuxis.engine.budget import words_for
from zeuxis.engine.guard import Log, Stop, stop_flag
from zeuxis.engine.levers import Levers
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.progress import Display, say
from zeuxis.engine.table import Table, lay
from zeuxis.engine.turns import Seen, cycle, play
from zeuxis.errors import BadInput, MachineGaveOut, Stopped, command, counted, is_out_of_memory
from zeuxis.runs import Run, inference_weights
from zeuxis.weights import checkpoint, store

ATTEMPTS = 3


@dataclass(frozen=True)
class Habits:
    """How a run is looked after; nothing here changes a number of the result.

    checkpoint_seconds: time between checkpoints; keep: how many stay;
    on_nan: "rewind" or "stop"; light: no sample grids, for the many small runs of a study.
    """

    checkpoint_seconds: float = 30.0
    keep: int = 2
    on_nan: str = "rewind"
    light: bool = False
    quiet: bool = False


@dataclass
class Game:
    """One process's view of a run that is being played."""

    run: Run
    record: dict[str, Any]
    table: Table
    feeds: dict[str, Feeder]
    watcher: watching.Watcher
    log: Log
    ranks: Ranks
    habits: Habits
    rung: set[str] = field(default_factory=set)
    best: float | None = None
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


def play_run(path: Path, streams: Mapping[str, Dataset], held_out: Dataset | None, habits: Habits, group: Ranks) -> Run:
    """Plays the run whose run.json lies in `path` to its end, from its newest good checkpoint.

    The lock must be held by the caller's process. Raises Stopped with a checkpoint saved on
    a signal, MachineGaveOut when the disk or the attempts are used up, BadInput where the
    data are not those that the run began with.
    """
    run = Run.open(path)
    record = run.record
    levers = Levers(**record["levers"])
    levers.pull()
    with stop_flag() as stop:
        game = _set_up(run, record, levers, streams, held_out, group, habits)
        display = Display(
            game.table.steps, game.table.batch, game.table.step, False if habits.quiet or not group.first else None
        )
        try:
            _play_on(game, stop, display)
        finally:
            display.close()
        _check_agreement(game)
        if group.first:
            _finish(game)
    return run


def _set_up(
    run: Run,
    record: dict[str, Any],
    levers: Levers,
    streams: Mapping[str, Dataset],
    held_out: Dataset | None,
    group: Ranks,
    habits: Habits,
) -> Game:
    recipe = run.recipe
    s = record["spec"]
    spec = Spec(s["channels"], s["height"], s["width"], tuple(s["classes"]))
    conditional = record["conditional"]
    check(recipe.feeds(), streams, group.world, levers.micro)
    _check_digests(record, streams)
    shown = spec if conditional else spec.unlabelled()
    table = lay(recipe, shown, seed=record["seed"], steps=record["steps"], batch=record["batch"], levers=levers)
    feeds = feeders(recipe.feeds(), streams, record["seed"], levers.device, conditional)
    first = next(iter(recipe.feeds().values()))
    watcher = watching.Watcher(streams[first.stream], held_out, first, conditional, table)
    if group.first:
        checkpoint.sweep(run.path / "checkpoints")
    group.agree(0)
    saved, damaged = checkpoint.newest(run.path / "checkpoints")
    group.agree(0)  # all have looked before the first process writes
    for name in damaged if group.first else []:
        say(f"zeuxis: checkpoint {name} is damaged; going back to the one before")
    log = Log(run.path / "log.jsonl", saved.log_length if saved else 0, group.first)
    game = Game(run, record, table, feeds, watcher, log, group, habits)
    if saved:
        _back_to(saved, table)
        game.before = saved.seconds
        _remember(game)
    else:
        _begin_from(record, table)
        _save(game)
    return game


def _begin_from(record: dict[str, Any], table: Table) -> None:
    """The weights that run.json names, where it names any."""
    named = record.get("start_from")
    if not named:
        return
    weights, _ = store.load(Path(named["file"]))
    if store.content_hash(weights) != named["sha256"]:
        raise BadInput("the weights that this run begins from have changed", named["file"], "start a new run")
    table.adopt(weights)


def _check_digests(record: dict[str, Any], streams: Mapping[str, Dataset]) -> None:
    for name, digest in record.get("digests", {}).items():
        if name in streams and streams[name].digest != digest:
            raise BadInput(
                "the pictures are not those that this run began with",
                record["data"]["source"],
                "put them back, or start a new run",
            )


def _remember(game: Game) -> None:
    """Alarms and the best score come back from the log, which is the truth."""
    game.rung = {line["name"] for line in game.run.log("alarm")}
    scores = [line["score"]["score"] for line in game.run.log("score") if "score" in line["score"]]
    game.best = max((s for s in scores if s is not None), default=None)
    for line in game.run.log("micro"):
        game.table.levers = replace(game.table.levers, micro=line["micro"])


def _play_on(game: Game, stop: Stop, display: Display) -> None:
    table, habits = game.table, game.habits
    whole = cycle(table.recipe)  # what plays now and then is to be seen in the log
    log_every, look_every = (-(-max(1, n) // whole) * whole for n in (table.steps // 200, max(10, table.steps // 12)))
    saved_at = time.monotonic()
    while table.step < table.steps:
        ran_out = False
        try:
            seen = game.seen = play(table, game.feeds, game.ranks)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            ran_out = True
        if ran_out:  # not while the error is held: its frames hold the memory of the step
            _shrink(game)
            continue
        now = time.monotonic()
        wants_save = now - saved_at > habits.checkpoint_seconds or table.step == table.steps
        number, bad, save_due = game.ranks.agree(stop.number, int(bool(seen.bad)), int(wants_save))
        if bad:
            _rewind(game, seen.bad or "a term of another process")
            continue
        display.show(table.step, seen.terms)
        if table.step % log_every == 0 or table.step == table.steps:
            clock = {"seconds": round(game.seconds, 3), "images_per_second": round(display.rate(table.step), 1)}
            game.log.add(
                "step",
                step=table.step,
                images=table.images,
                progress=table.progress,
                attempt=table.attempt,
                terms=seen.terms,
                watch=seen.watch,
                clock=clock,
            )
        if table.step % look_every == 0 or table.step == table.steps:
            _look(game)
        _snapshot_if_due(game)
        if number or save_due:
            if not _save(game):
                continue
            saved_at = time.monotonic()
        if number:
            raise Stopped(number, str(game.folder), f"continue with `{command('resume', game.folder)}`")


def _shrink(game: Game) -> None:
    """After memory ran out: back to the last checkpoint with batches in twice as many parts, where that is equal.

    Raises MachineGaveOut where the recipe needs its batch whole.
    """
    table, levers = game.table, game.table.levers
    saved, _ = checkpoint.newest(game.folder / "checkpoints")
    words = f"memory ran out with a batch of {table.batch} in {levers.micro} part(s)"
    sizes = [feed.size for feed in table.recipe.feeds().values()]
    divides = all(size % (2 * levers.micro) == 0 for size in sizes)
    if table.recipe.coupled or game.ranks.world > 1 or saved is None or not divides:
        raise MachineGaveOut(
            words, str(game.folder), f"start a new run with `--batch {max(1, table.batch // 2)}`, or a smaller --size"
        )
    if levers.device.startswith("cuda"):
        torch.cuda.empty_cache()
    _back_to(saved, table)
    table.levers = replace(levers, micro=2 * levers.micro)
    game.log = Log(game.log.path, saved.log_length)
    game.log.add("micro", step=table.step, images=table.images, micro=table.levers.micro, words=words)
    _remember(game)
    say(f"zeuxis: {words}; going on in {table.levers.micro} parts, with the same gradients up to rounding")


def _look(game: Game) -> None:
    """Scores, alarms, the best weights so far, and a sample grid."""
    table = game.table
    score = game.watcher.score(table)
    game.log.add("score", step=table.step, images=table.images, progress=table.progress, score=score)
    signs = alarms.Signs(score, game.seen.watch, table.progress, table.images, len(game.watcher.real))
    for alarm in alarms.ring(signs, table.recipe, table.recipe.need(table.spec)):
        if alarm.name in game.rung:
            continue
        game.rung.add(alarm.name)
        told = {"name": alarm.name, "words": alarm.words, "advice": alarm.advice.to_json()}
        game.log.add("alarm", step=table.step, images=table.images, **told)
        if game.ranks.first and not game.habits.quiet:
            say(f"zeuxis: {alarm.name}: {alarm.words}; {alarm.advice.words()}")
    if "score" in score and (game.best is None or score["score"] > game.best):
        game.best = score["score"]
        _snapshot(game, "best")
    if game.ranks.first and not game.habits.light:
        watching.sample_grid(table, game.folder / "samples" / f"{table.step:06d}.png")


def _snapshot_if_due(game: Game) -> None:
    table = game.table
    for point in game.record.get("snapshots", []):
        if table.step == max(1, round(point * table.steps)):
            _snapshot(game, f"{point:.2f}")


def _metadata(game: Game) -> dict[str, Any]:
    r = game.record
    return {
        "format": "zeuxis weights 1",
        "recipe": r["recipe"],
        "settings": r["settings"],
        "spec": r["spec"],
        "conditional": r["conditional"],
        "data": r["data"]["source"],
        "data_digest": r["data"]["digest"],
        "range": "[-1, 1]",
        "licence": "as the pictures that it was trained on",
    }


def _snapshot(game: Game, name: str) -> None:
    if game.ranks.first:
        store.save(
            game.folder / "snapshots" / f"{name}.safetensors", inference_weights(game.table.tensors()), _metadata(game)
        )


def _save(game: Game) -> bool:
    """A checkpoint, unless the weights are not finite: then the run goes back instead."""
    if not game.table.finite():
        _rewind(game, "a weight")
        return False
    if game.ranks.first:
        game.log.sync()
        table, place = game.table, game.folder / "checkpoints"
        checkpoint.save(
            place, table.tensors(), table.step, table.attempt, game.log.length, game.habits.keep, game.seconds
        )
    game.ranks.agree(0)  # nobody goes on before the checkpoint stands
    return True


def _back_to(saved: checkpoint.Saved, table: Table) -> None:
    table.load(checkpoint.tensors_of(saved), saved.step, saved.attempt)


def _rewind(game: Game, what: str) -> None:
    """Back to the last good checkpoint with half the rate and other draws, three times at most."""
    table, step, attempt = game.table, game.table.step, game.table.attempt + 1
    line = f"{what} was not finite in step {step}"
    saved, _ = checkpoint.newest(game.folder / "checkpoints")
    if game.habits.on_nan == "stop" or attempt > ATTEMPTS or saved is None:
        tries = f", after {attempt - 1} attempts at lower rates" if attempt > 1 else ""
        raise MachineGaveOut(
            line + tries, str(game.folder), "start again with a lower lr; the last good checkpoint is kept"
        )
    _back_to(saved, table)
    table.attempt = attempt
    earlier = game.run.log("rewind")
    game.log = Log(game.log.path, saved.log_length, game.ranks.first)
    _remember(game)
    for told in earlier[len(game.run.log("rewind")) :]:
        game.log.add(**told)  # what was undone is told all the same
    game.log.add("rewind", step=saved.step, images=table.images, attempt=attempt, words=line)
    if game.ranks.first:
        say(f"zeuxis: {line}; back to step {saved.step} at half the rate (attempt {attempt} of {ATTEMPTS})")
    _save(game)  # a killed process must not try the same rate again


def _check_agreement(game: Game) -> None:
    """Raises RuntimeError where the processes do not end with the same bits: then something is not reduced."""
    if game.ranks.world > 1:
        number = int(store.content_hash(game.table.tensors())[:15], 16)
        high, low = game.ranks.agree(number, -number)
        if high != -low:
            raise RuntimeError(
                f"the {counted(game.ranks.world, 'process')} of {game.folder} ended with different weights"
            )


def _finish(game: Game) -> None:
    """The last files of a run, whose last checkpoint stands: weights, then finish.json."""
    table, folder = game.table, game.folder
    weights = inference_weights(table.tensors())
    store.save(folder / "weights.safetensors", weights, _metadata(game))
    seconds, asked = game.seconds, game.record["budget"].get("seconds")
    finish = {
        "steps": table.steps,
        "images": table.images,
        "seconds": round(seconds, 2),
        "images_per_second": round(table.images / max(seconds, 1e-9), 1),
        "overrun_percent": round(100 * (seconds / asked - 1), 1) if asked else None,
        "weights_sha256": store.content_hash(weights),
        "alarms": sorted(game.rung),
        "attempts": table.attempt + 1,
        "best": game.best,
    }
    write_json(folder / "finish.json", finish)
    over = finish["overrun_percent"]
    if over is not None and not game.habits.quiet:
        say(f"zeuxis: took {words_for(seconds)} where {words_for(asked)} were asked for, {over:+.1f} %")
