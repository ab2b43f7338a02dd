"""The jobs `restore` and `upscale`: pictures in, pictures out, each as it was but better, or left alone."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zeuxis.data.files import copy_file, sweep_aside, write_bytes
from zeuxis.data.signatures import Unreadable
from zeuxis.engine.budget import words_for
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, MemoryRanOut, SomeFailed, ZeuxisError, counted, memory_in_words
from zeuxis.jobs.restoring import large, masks, steps, triage
from zeuxis.jobs.restoring.doubt import of_run
from zeuxis.jobs.restoring.files import Pair, pairs_of
from zeuxis.jobs.restoring.finished import DONE, is_copy, request, unfinished
from zeuxis.jobs.restoring.records import Record, done_before, record_of, summary
from zeuxis.jobs.restoring.steps import Means, State
from zeuxis.jobs.restoring.triage import Measured, Plan
from zeuxis.pictures import huge
from zeuxis.pictures.picture import Picture, alpha_tensor, encode, from_tensor, read, remarks, to_tensor
from zeuxis.pictures.writing import form_of


@dataclass(frozen=True)
class Asked:
    """What a person asked for. scale 1 restores; strength: 0 leaves all as it is, None is the task's own.

    uncertainty: a run of that recipe for the page's map, in place of the package's head. mask_is: see `masks.hole_of`.
    """

    task: str = "auto"
    scale: int = 1
    strength: float | None = None
    method: str = "net"
    run: str | None = None
    memory: int | None = None
    fidelity: float = 1.0
    uncertainty: str | None = None
    mask_is: str | None = None

    def means(self) -> Means:
        return Means(self.method, self.run, self.memory, self.fidelity if self.scale > 1 else None)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one picture, by what was `used`; picture: None where it was left alone, or written in bands.

    weights: (name, sha256) of each net that had a part in it.
    """

    picture: Picture | None
    why: str
    used: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    weights: steps.Weights = ()
    measured: Measured | None = None


def check_asked(asked: Asked) -> None:
    """Raises BadInput for what no picture can be asked."""
    if asked.strength is not None and not 0 <= asked.strength <= 1:
        raise BadInput(f"--strength must be 0 to 1, not {asked.strength:g}")
    if not 0 <= asked.fidelity <= 1:
        raise BadInput(f"--fidelity must be 0 to 1, not {asked.fidelity:g}")
    if asked.fidelity < 1 and asked.method != "net":
        raise BadInput(f"the method {asked.method} has no slider", "--fidelity", "leave it at 1, or --method away")
    if asked.scale not in (1, 2, 3, 4):
        raise BadInput(f"--scale must be 2, 3 or 4, not {asked.scale}")
    triage.check_task(asked.task)
    known = steps.METHODS[asked.task] if asked.scale == 1 else ("net", "bicubic")
    if asked.method not in known:
        what = f"`--task {asked.task}`" if asked.scale == 1 else "upscale"
        raise BadInput(f"there is no method `{asked.method}` for {what}", "--method", f"known: {', '.join(known)}")
    if asked.run is not None:
        steps.net_for("", asked.means())
    if asked.uncertainty is not None:
        of_run(asked.uncertainty)


def _known(mask: Picture | None, size: tuple[int, int], asked: Asked, name: str) -> torch.Tensor | None:
    """[1, 1, H, W], 0 where the mask marks a hole. Raises BadInput as `masks.hole_of`."""
    if mask is None and asked.task == triage.FILL:
        raise BadInput("inpaint needs a mask", name, "give --mask, white where something is missing")
    if mask is None:
        return None
    hole = masks.hole_of(mask, size, asked.mask_is, name)
    return torch.from_numpy(1.0 - hole.astype(np.float32))[None, None]


def _filling(why: str, known: torch.Tensor | None) -> tuple[str, tuple[str, ...]]:
    """Why, with the share of the picture that the mask marks; and a remark where it marks none."""
    if known is None:
        return why, ()
    share = 1 - float(known.double().mean())
    return (f"{why}, {100 * share:.2g} % of the picture", ()) if share else (why, ("the mask marks no hole",))


@dataclass(frozen=True, eq=False)
class Decision:
    """What will be done to a picture, and why; no steps in the plan: it is left alone. known: see `_known`."""

    plan: Plan
    measured: Measured | None = None
    known: Tensor | None = None
    remarks: tuple[str, ...] = ()


def decided(picture: Picture, image: Tensor, asked: Asked, mask: Picture | None, name: str) -> Decision:
    """What a run does and a dry run tells, before any net is loaded; image: `picture` as a tensor. Raises BadInput."""
    known = _known(mask, picture.size, asked, name)
    if asked.strength == 0:
        return Decision(Plan((), "strength 0"))
    measured = triage.measure(picture, image, asked.task)
    plan = triage.plan(asked.task, measured, masked=known is not None)
    why, remarks = _filling(plan.why, known)
    empty = known is not None and bool((known > 0.5).all()) and plan.steps == (triage.FILL,)
    return Decision(replace(plan, steps=() if empty else plan.steps, why=why), measured, known, remarks)


def restore_picture(picture: Picture, asked: Asked, mask: Picture | None = None, name: str = "") -> Outcome:
    """One picture measured, and mended where that is needed."""
    image = to_tensor(picture)
    decision = decided(picture, image, asked, mask, name)
    plan, measured = decision.plan, decision.measured
    if not plan.steps or measured is None:
        return Outcome(None, plan.why, (), decision.remarks, measured=measured)
    strength = plan.strength if asked.strength is None else asked.strength
    state, means = State(image, measured, decision.known, remarks=decision.remarks), asked.means()
    for step in plan.steps:
        state = steps.STEPS[step](state, means)
    mended = image + strength * (state.image - image)
    if state.known is not None:
        mended = torch.where(state.known > 0.5, mended, state.image)
    made = from_tensor(mended, picture)
    if np.array_equal(made.pixels, picture.pixels):
        return Outcome(None, f"{plan.why}; nothing changed", (), state.remarks, measured=measured)
    return Outcome(made, plan.why, state.used, state.remarks, state.weights, measured)


def upscale_picture(picture: Picture, asked: Asked) -> Outcome:
    """One picture enlarged, its alpha as a picture of its own."""
    means = asked.means()
    net, plane = steps.upscaler(asked.scale, means), None
    large = steps.enlarged(to_tensor(picture), asked.scale, net, means.memory)
    if picture.alpha is not None:
        plane = steps.enlarged(alpha_tensor(picture), asked.scale, net, means.memory)
    used, why = steps.enlarged_by(net, asked.scale), _enlarging(picture.size, asked.scale)
    return Outcome(from_tensor(large, picture, plane), why, (used,), (), steps.weights_of(net))


def _settings(asked: Asked) -> dict[str, Any]:
    """What decides of the result."""
    return {k: v for k, v in asdict(asked).items() if k not in ("memory", "uncertainty")}


def _done(outcome: Outcome) -> dict[str, Any]:
    return dict(zip(DONE, (list(outcome.used), outcome.why, dict(outcome.weights)), strict=True))


def work_on(data: bytes, name: str, asked: Asked, suffix: str, mask: bytes | None = None) -> tuple[bytes, Outcome]:
    """A file's bytes to the bytes of the result. Raises Unreadable, BadInput."""
    return _worked(read(data), data, name, asked, suffix, mask)


def _worked(
    picture: Picture, data: bytes, name: str, asked: Asked, suffix: str, mask: bytes | None = None
) -> tuple[bytes, Outcome]:
    """As `work_on`, of a file that was read."""
    if asked.scale > 1:
        outcome = upscale_picture(picture, asked)
    else:
        outcome = restore_picture(picture, asked, read(mask) if mask is not None else None, name)
    if outcome.picture is None:
        if Path(name).suffix.lower() == suffix.lower():
            return data, outcome
        lost = _rewritten(picture, suffix)
        return encode(picture, suffix, None), replace(outcome, remarks=(*outcome.remarks, *lost))
    return encode(outcome.picture, suffix, request(_settings(asked), data, mask) | _done(outcome)), outcome


def _rewritten(picture: Picture, suffix: str) -> tuple[str, ...]:
    """What becomes of a picture that is left alone and written in another format."""
    became = f"it is written as {form_of(suffix).name}, with the same pixels"
    return (became, *remarks(picture, suffix, noted=False))


def run_batch(
    given: str, out: str | None, asked: Asked, mask: str | None = None, dry_run: bool = False
) -> list[Record]:
    """Every picture of `given`; those whose result is there are passed over. dry_run: measured, and nothing written.

    A picture that cannot be read or mended is listed, and the others go on. Raises BadInput before anything is
    written, also where a target is there that is another result; for a single named file that cannot be read;
    SomeFailed at the end where some could not be done.
    """
    check_asked(asked)
    word = "restored" if asked.scale == 1 else f"x{asked.scale}"
    pairs = pairs_of(given, out, word, mask)
    if len(pairs) == 1 and pairs[0].mask is not None:
        _mask_bytes(str(pairs[0].mask))
    todo, by_size = unfinished(pairs, _settings(asked), asked.means())
    if len(todo) < len(pairs):
        say(f"zeuxis: {len(pairs) - len(todo)} of {counted(len(pairs), 'picture')} done already")
    if by_size:
        say(f"zeuxis: {by_size} of these can hold no note (BMP, GIF, PPM): of them the size alone was checked")
    worked = {r.result: r for r in _all(todo, asked, _planned if dry_run else _done_now, single=len(pairs) == 1)}
    records = [worked.get(pair.target) or done_before(pair) for pair in pairs]
    failed = sum(record.state == "failed" for record in records)
    if failed:
        what = f"{failed} of {counted(len(pairs), 'picture')} could not be done"
        raise SomeFailed(what, given, "they are listed above", summary(records))
    return records


def _planned(pair: Pair, asked: Asked) -> Record:
    """What would be done to a picture, and why; it is read and measured, and nothing is written."""
    means = asked.means()
    picture = None if large.is_large(pair.source) else read(pair.source.read_bytes())
    if asked.scale > 1:
        by = steps.enlarged_by(steps.upscaler(asked.scale, means), asked.scale)
        size = huge.size_of(pair.source) if picture is None else picture.size
        lost = () if picture is None else remarks(picture, pair.target.suffix)
        return record_of(pair, "would be done", used=(by,), why=_enlarging(size, asked.scale), remarks=lost)
    if picture is None:
        decision, channels, lost = _decided_large(pair, asked), huge.look(pair.source).channels, ()
    else:
        mask = None if pair.mask is None else read(pair.mask.read_bytes())
        decision, channels = decided(picture, to_tensor(picture), asked, mask, pair.name), picture.pixels.shape[2]
        lost = _lost(picture, pair, bool(decision.plan.steps))
    plan = decision.plan
    used = tuple(filter(None, (steps.by_what(step, channels, means) for step in plan.steps)))
    state, told = "would be done" if plan.steps else "would be left alone", (*decision.remarks, *lost)
    return record_of(pair, state, used=used, why=plan.why, measured=decision.measured, remarks=told)


def _lost(picture: Picture, pair: Pair, changes: bool) -> tuple[str, ...]:
    """What of a picture cannot be kept in the file that it goes to."""
    suffix = pair.target.suffix
    if changes:
        return remarks(picture, suffix)
    return () if pair.source.suffix.lower() == suffix.lower() else _rewritten(picture, suffix)


def _enlarging(size: tuple[int, int], scale: int) -> str:
    """What is done to a picture of this height and width."""
    height, width = size
    return f"from {width}x{height} to {scale * width}x{scale * height}"


def _done_now(pair: Pair, asked: Asked) -> Record:
    sweep_aside(pair.target.parent)
    return _recorded(pair, _one(pair, asked))


def _recorded(pair: Pair, outcome: Outcome) -> Record:
    lost = remarks(outcome.picture, pair.target.suffix) if outcome.picture else ()
    state, told = "done" if outcome.used else "left alone", (*outcome.remarks, *lost)
    return record_of(pair, state, measured=outcome.measured, used=outcome.used, why=outcome.why, remarks=told)


def _one(pair: Pair, asked: Asked) -> Outcome:
    """One file to its target, whole or not at all. Raises Unreadable, BadInput, OSError."""
    if large.is_large(pair.source):
        return _one_large(pair, asked)
    data = pair.source.read_bytes()
    mask = pair.mask.read_bytes() if pair.mask else None
    made, outcome = work_on(data, pair.name, asked, pair.target.suffix, mask)
    if not (pair.target.exists() and pair.target.read_bytes() == made):
        write_bytes(pair.target, made)
    return outcome


def _decided_large(pair: Pair, asked: Asked) -> Decision:
    """As `decided`, of a file that is too large for memory. Raises BadInput."""
    if pair.mask is not None:
        raise BadInput("so large a picture cannot be filled", pair.name, "cut the part with the hole out first")
    if asked.strength == 0:
        decision = Decision(Plan((), "strength 0"))
    else:
        decision = Decision(*large.plan_for(pair.source, asked.task))
    if decision.plan.steps:
        large.check_method(pair.source, asked.means())
    elif pair.source.suffix.lower() != pair.target.suffix.lower():
        raise BadInput("so large a picture that is left alone keeps its format", pair.name, "name an OUT like IN")
    return decision


def _one_large(pair: Pair, asked: Asked) -> Outcome:
    """In bands, since it is too large for memory."""
    size = huge.size_of(pair.source)
    shown = Bar(math.prod(size), pair.name)
    if asked.scale > 1:
        why = _enlarging(size, asked.scale)
        note = request(_settings(asked), pair.source, None) | {"why": why}
        done = large.upscale_large(pair.source, pair.target, asked.scale, asked.means(), note, shown)
        return Outcome(None, why, done.used, done.remarks)
    decision = _decided_large(pair, asked)
    plan, measured = decision.plan, decision.measured
    if not isinstance(measured, large.Middle) or not plan.steps:
        if not is_copy(pair):
            copy_file(pair.source, pair.target)
        return Outcome(None, plan.why, measured=measured)
    strength = plan.strength if asked.strength is None else asked.strength
    note = request(_settings(asked), pair.source, None) | {"why": plan.why}
    done = large.repair_large(pair.source, pair.target, asked.means(), strength, measured, note, shown)
    return Outcome(None, plan.why, done.used, done.remarks, measured=measured)


class Bar:
    """Progress of one large picture: a line now and then, with pixels a second and the time left."""

    def __init__(self, pixels: int, name: str) -> None:
        self.pixels, self.name, self.started, self.told = pixels, name, time.monotonic(), time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self.told < 10 or done >= self.pixels:
            return
        self.told, rate = now, done / (now - self.started)
        left = words_for((self.pixels - done) / rate)
        say(f"zeuxis: {self.name}: {100 * done / self.pixels:.0f} %, {rate / 1e6:.2f} Mpx/s, about {left} left")


def _all(todo: list[Pair], asked: Asked, work: Callable[[Pair, Asked], Record], single: bool) -> Iterator[Record]:
    started = time.monotonic()
    for i, pair in enumerate(todo):
        try:
            with memory_in_words(str(pair.source)):
                record = work(pair, asked)
        except (Unreadable, BadInput, MemoryRanOut, OSError) as error:
            words = f"it {error}" if isinstance(error, Unreadable) else str(error)
            if single:
                raise error if isinstance(error, ZeuxisError) else BadInput(words, str(pair.source)) from error
            say(f"zeuxis: {pair.name}: {words}")
            yield record_of(pair, "failed", why=words)
            continue
        left = (time.monotonic() - started) / (i + 1) * (len(todo) - i - 1)
        later = f"; {i + 1} of {len(todo)}, about {words_for(left)} left" if len(todo) > 1 else ""
        _tell(record, later)
        yield record


def _tell(record: Record, later: str = "") -> None:
    """What became of a picture, or would, and what of it could not be kept, a line each."""
    done = ", ".join(record.used) or "left alone"
    planned = f" -> {record.result}: would be {done}" if record.state.startswith("would") else f": {done}"
    say(f"zeuxis: {record.name}{planned} ({record.why}){later}")
    for remark in record.remarks:
        say(f"zeuxis: {record.name}: {remark}")


_SUFFIX_OF = {"JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp"}


def through_pipe(
    asked: Asked, read_all: Callable[[], bytes] | None = None, mask: str | None = None, suffix: str | None = None
) -> bytes:
    """A picture from stdin to the bytes of the result: of the format `suffix`, else its own where it can be written.

    mask: a picture file. Raises BadInput where either cannot be read, or the format not be written.
    """
    check_asked(asked)
    if suffix is not None:
        form_of(suffix)
    hole = None if mask is None else _mask_bytes(mask)
    data = (read_all or sys.stdin.buffer.read)()
    if not data:
        raise BadInput("nothing came in on stdin", "-", "pipe a picture in")
    try:
        picture = read(data)
        own = _SUFFIX_OF.get(picture.kept.format, ".png")
        suffix = suffix or own
        made, outcome = _worked(picture, data, f"stdin{own}", asked, suffix, hole)
    except Unreadable as error:
        raise BadInput(f"what came in on stdin {error}", "-") from error
    _tell(_recorded(Pair(Path("-"), Path(f"-{suffix}"), "stdin"), outcome))
    return made


def _mask_bytes(path: str) -> bytes:
    """A mask that can be read. Raises BadInput, since the picture is not to blame."""
    try:
        data = Path(path).read_bytes()
        read(data)
    except Unreadable as error:
        raise BadInput(f"the mask {error}", path, "give a picture, white where something is missing") from error
    except OSError as error:
        raise BadInput(f"the mask cannot be read: {error.strerror}", path, "give one picture for one") from error
    return data
