"""The jobs `restore` and `upscale`: each picture as it was but better, or left alone; and enlarged."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zeuxis.errors import BadInput
from zeuxis.jobs.per_image import pipeline
from zeuxis.jobs.per_image.done import request
from zeuxis.jobs.per_image.pairs import Pair
from zeuxis.jobs.per_image.records import Results
from zeuxis.jobs.per_image.work import Decision, Note, Outcome, Progress, Work
from zeuxis.jobs.restoring import diagnose, large, mask_files, steps
from zeuxis.jobs.restoring.diagnose import Plan
from zeuxis.jobs.restoring.measured import Measured
from zeuxis.jobs.restoring.steps import State, StepConfig
from zeuxis.jobs.restoring.uncertainty import of_run
from zeuxis.pictures import streaming
from zeuxis.pictures.picture import Picture, alpha_tensor, from_tensor, grey_if_equal, to_tensor


@dataclass(frozen=True)
class RestoreConfig:
    """What a person asked for. scale 1 restores; strength: 0 leaves all as it is, None is the task's own.

    uncertainty: a run of that recipe for the page's map, in place of the package's head. mask_is: see
    `mask_files.hole_of`.
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

    def means(self) -> StepConfig:
        return StepConfig(self.method, self.run, self.memory, self.fidelity if self.scale > 1 else None)


def check_asked(asked: RestoreConfig) -> None:
    """Raises BadInput for what no picture can be asked."""
    if asked.strength is not None and not 0 <= asked.strength <= 1:
        raise BadInput(f"--strength must be 0 to 1, not {asked.strength:g}")
    if asked.task == diagnose.FILL and asked.strength not in (None, 0, 1):
        raise BadInput("a hole is filled as a whole", "--strength", "leave it out, or name another task")
    if not 0 <= asked.fidelity <= 1:
        raise BadInput(f"--fidelity must be 0 to 1, not {asked.fidelity:g}")
    if asked.fidelity < 1 and asked.method != "net":
        raise BadInput(f"the method {asked.method} has no slider", "--fidelity", "leave it at 1, or --method away")
    if asked.scale not in (1, 2, 3, 4):
        raise BadInput(f"--scale must be 2, 3 or 4, not {asked.scale}")
    diagnose.check_task(asked.task)
    known = steps.METHODS[asked.task] if asked.scale == 1 else ("net", "bicubic")
    if asked.method not in known:
        what = f"`--task {asked.task}`" if asked.scale == 1 else "upscale"
        raise BadInput(f"there is no method `{asked.method}` for {what}", "--method", f"known: {', '.join(known)}")
    if asked.run is not None:
        steps.net_for("", asked.means())
    if asked.uncertainty is not None:
        of_run(asked.uncertainty)


def _known(mask: Picture | None, size: tuple[int, int], asked: RestoreConfig, name: str) -> torch.Tensor | None:
    """[1, 1, H, W], 0 where the mask marks a hole. Raises BadInput as `mask_files.hole_of`."""
    if mask is None and asked.task == diagnose.FILL:
        raise BadInput("inpaint needs a mask", name, "give --mask, white where something is missing")
    if mask is None:
        return None
    hole = mask_files.hole_of(mask, size, asked.mask_is, name)
    return torch.from_numpy(1.0 - hole.astype(np.float32))[None, None]


def _filling(why: str, known: torch.Tensor | None, mask: Picture | None) -> tuple[str, tuple[str, ...]]:
    """Why, with the share of the picture that the mask marks; and a remark where it marks none, or not exactly."""
    if known is None or mask is None:
        return why, ()
    share = 1 - float(known.double().mean())
    if not share:
        return why, ("the mask marks no hole",)
    smeared = f"the mask is a lossy {mask.kept.format}: what it smeared around the hole is filled, too; a PNG is exact"
    return f"{why}, {100 * share:.2g} % of the picture", () if mask.kept.lossless else (smeared,)


def _in_colours_of(picture: Picture, image: torch.Tensor) -> torch.Tensor:
    """As many channels as the picture's file has, where one of equal ones was worked on."""
    return image.expand(-1, picture.pixels.shape[2], -1, -1)


@dataclass(frozen=True, eq=False)
class _Plan:
    """The plan, for pictures of so many channels; and of one that is held in memory what the steps work on.

    image: [1, C, H, W] in [-1, 1]; known: see `_known`.
    """

    plan: Plan
    channels: int
    image: Tensor | None = None
    known: Tensor | None = None


@dataclass(frozen=True)
class _Work:
    """What restoring and enlarging have in common: settings, and the nets by whose hashes results are known."""

    asked: RestoreConfig
    suffix = None
    bands = True

    @property
    def scale(self) -> int:
        return self.asked.scale

    def sized(self, size: tuple[int, int]) -> tuple[int, int]:
        return size[0] * self.scale, size[1] * self.scale

    @property
    def settings(self) -> Mapping[str, Any]:
        return {k: v for k, v in asdict(self.asked).items() if k not in ("memory", "uncertainty")}

    def is_current(self, weights: Mapping[str, str]) -> bool:
        return steps.are_current(weights, self.scale, self.asked.means())

    def note(self, pair: Pair, source: bytes | Path, mask: bytes | Path | None) -> Note:
        return request(self.settings, source, mask)


class Restore(_Work):
    """Measured first, and mended where that is needed."""

    word = "restored"
    spares = True

    @property
    def measures(self) -> bool:
        return self.asked.strength != 0

    def decide(self, picture: Picture, mask: Picture | None, name: str) -> Decision:
        asked, image = self.asked, grey_if_equal(to_tensor(picture))
        known = _known(mask, picture.size, asked, name)
        if asked.strength == 0:
            return Decision(False, "strength 0")
        measured = diagnose.measure(picture, image, asked.task)
        plan = diagnose.plan(asked.task, measured, masked=known is not None)
        why, remarks = _filling(plan.why, known, mask)
        if known is not None and bool((known > 0.5).all()) and plan.steps == (diagnose.FILL,):
            plan = replace(plan, steps=())
        return Decision(bool(plan.steps), why, remarks, measured, _Plan(plan, image.shape[1], image, known))

    def by_what(self, decision: Decision) -> tuple[str, ...]:
        todo, means = decision.detail, self.asked.means()
        assert isinstance(todo, _Plan)
        return tuple(filter(None, (steps.by_what(step, todo.channels, means) for step in todo.plan.steps)))

    def _strength(self, plan: Plan) -> float:
        return plan.strength if self.asked.strength is None else self.asked.strength

    def apply(self, picture: Picture, decision: Decision) -> Outcome:
        todo, measured, means = decision.detail, decision.measured, self.asked.means()
        assert isinstance(todo, _Plan) and isinstance(measured, Measured) and todo.image is not None
        state = State(todo.image, measured, todo.known, remarks=decision.remarks)
        for step in todo.plan.steps:
            state = steps.STEPS[step](state, means)
        mended = todo.image + self._strength(todo.plan) * (state.image - todo.image)
        if state.known is not None:
            mended = torch.where(state.known > 0.5, mended, state.image)
        result = from_tensor(_in_colours_of(picture, mended), picture)
        if np.array_equal(result.pixels, picture.pixels):
            return Outcome(None, f"{decision.why}; nothing changed", (), state.remarks, measured=measured)
        return Outcome(result, decision.why, state.used, state.remarks, state.weights, measured)

    def decide_large(self, pair: Pair) -> Decision:
        if pair.mask is not None:
            raise BadInput("so large a picture cannot be filled", pair.name, "cut the part with the hole out first")
        if self.asked.strength == 0:
            decision = Decision(False, "strength 0")
        else:
            plan, middle = large.plan_for(pair.source, self.asked.task)
            decision = Decision(bool(plan.steps), plan.why, (), middle, _Plan(plan, middle.channels))
        if decision.changes:
            large.check_method(pair.source, self.asked.means())
        elif pair.source.suffix.lower() != pair.spared.target.suffix.lower():
            raise BadInput("so large a picture that is left alone keeps its format", pair.name, "name an OUT like IN")
        return decision

    def apply_large(self, pair: Pair, decision: Decision, note: Note, progress: Progress) -> Outcome:
        todo, measured, means = decision.detail, decision.measured, self.asked.means()
        assert isinstance(todo, _Plan) and isinstance(measured, large.Middle)
        strength = self._strength(todo.plan)
        done = large.repair_large(pair.source, pair.target, means, strength, measured, note, progress)
        return Outcome(None, decision.why, done.used, done.remarks, measured=measured)


class Upscale(_Work):
    """Enlarged, alpha as a picture of its own."""

    spares = measures = False

    @property
    def word(self) -> str:
        return f"x{self.scale}"

    def _decided(self, size: tuple[int, int]) -> Decision:
        (height, width), scale = size, self.scale
        return Decision(True, f"from {width}x{height} to {scale * width}x{scale * height}")

    def by_what(self, decision: Decision) -> tuple[str, ...]:
        return (steps.enlarged_by(steps.upscaler(self.scale, self.asked.means()), self.scale),)

    def decide(self, picture: Picture, mask: Picture | None, name: str) -> Decision:
        return self._decided(picture.size)

    def apply(self, picture: Picture, decision: Decision) -> Outcome:
        means, plane = self.asked.means(), None
        net = steps.upscaler(self.scale, means)
        enlarged = steps.enlarged(grey_if_equal(to_tensor(picture)), self.scale, net, means.memory)
        if picture.alpha is not None:
            plane = steps.enlarged(alpha_tensor(picture), self.scale, net, means.memory)
        result = from_tensor(_in_colours_of(picture, enlarged), picture, plane)
        return Outcome(result, decision.why, (steps.enlarged_by(net, self.scale),), (), steps.weights_of(net))

    def decide_large(self, pair: Pair) -> Decision:
        return self._decided(streaming.size_of(pair.source))

    def apply_large(self, pair: Pair, decision: Decision, note: Note, progress: Progress) -> Outcome:
        done = large.upscale_large(pair.source, pair.target, self.scale, self.asked.means(), note, progress)
        return Outcome(None, decision.why, done.used, done.remarks)


def work_of(asked: RestoreConfig) -> Work:
    """What was asked for, as the pipeline does it. Raises BadInput for what no picture can be asked."""
    check_asked(asked)
    return Restore(asked) if asked.scale == 1 else Upscale(asked)


def picture_of(picture: Picture, asked: RestoreConfig, mask: Picture | None = None) -> Outcome:
    """What becomes of one picture that was read. Raises BadInput."""
    return pipeline.on_picture(work_of(asked), picture, mask)


def work_on(
    data: bytes, name: str, asked: RestoreConfig, suffix: str, mask: bytes | None = None
) -> tuple[bytes, Outcome]:
    """A file's bytes to the bytes of the result. Raises Unreadable, BadInput."""
    return pipeline.from_bytes(work_of(asked), data, name, suffix, mask)


def run_batch(
    given: str, out: str | None, asked: RestoreConfig, mask: str | None = None, dry_run: bool = False
) -> Results:
    """As `pipeline.run`, of what was asked for."""
    return pipeline.run(given, out, work_of(asked), mask, dry_run)
