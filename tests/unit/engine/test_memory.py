from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from tests.laws.helper import small, smallest, streams_for
from tests.unit.engine import fakes
from zeuxis.engine import loop
from zeuxis.engine.batches import batch_samplers
from zeuxis.engine.budget import Budget
from zeuxis.engine.loop import LoopOptions
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.phases import play
from zeuxis.engine.state import TrainState, build_state
from zeuxis.engine.train import Start, train
from zeuxis.errors import MachineGaveOut
from zeuxis.recipes.recipe import StepContext


def starve(monkeypatch: pytest.MonkeyPatch, at: int, times: int) -> None:
    """Has the loop run out of memory `times` times from step `at` on."""
    play, left = loop.play, [times]

    def starved(state, samplers, ranks, rate=1.0):  # type: ignore[no-untyped-def]
        if state.step >= at and left[0]:
            left[0] -= 1
            raise torch.OutOfMemoryError("CUDA out of memory")
        return play(state, samplers, ranks, rate)

    monkeypatch.setattr(loop, "play", starved)


def test_batches_are_split_where_that_is_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small("classifier")
    starve(monkeypatch, at=3, times=1)
    run = train(
        recipe, streams_for(recipe, smallest(recipe)), tmp_path / "run", Budget(steps=6), start=Start(compute="plain")
    )
    assert run.finish["steps"] == 6
    (line,) = run.log("micro")
    assert line["micro"] == 2 and "memory ran out" in line["words"]


class _Breaks(torch.autograd.Function):
    """The identity whose backward runs out of memory as often as `left` says."""

    left: ClassVar[list[BaseException]] = []

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: object, grad: Tensor) -> Tensor:
        if _Breaks.left:
            raise _Breaks.left.pop()
        return grad


RAN_OUT = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
)


@pytest.mark.parametrize("error", RAN_OUT, ids=["cuda", "linux", "windows"])
def test_what_a_broken_backward_left_is_not_added_to_the_retry(
    error: RuntimeError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory runs out when half of the net has its gradient; the run then ends as one that began in two parts."""
    recipe = small("classifier")
    streams = streams_for(recipe, smallest(recipe))
    start = Start(compute="plain", micro=2)
    whole = train(recipe, streams, tmp_path / "whole", Budget(steps=2), start=start, options=LoopOptions(-1.0))

    def half_way(net: torch.nn.Module, args: object, out: Tensor) -> Tensor:
        return _Breaks.apply(out) if torch.is_grad_enabled() else out

    def laid(*given: Any, **more: Any) -> TrainState:
        state = build_state(*given, **more)
        parts = list(state.networks["classifier"].children())
        parts[len(parts) // 2].register_forward_hook(half_way)
        return state

    monkeypatch.setattr(loop, "build_state", laid)
    _Breaks.left[:] = [error]
    run = train(
        recipe, streams, tmp_path / "run", Budget(steps=2), start=Start(compute="plain"), options=LoopOptions(-1.0)
    )
    assert _Breaks.left == [] and [line["micro"] for line in run.log("micro")] == [2]
    assert run.weights_hash() == whole.weights_hash()


def test_no_gradient_outlives_an_error_on_the_way() -> None:
    def broken(m: StepContext) -> Tensor:
        weight = next(m.networks["net"].parameters())
        return _Breaks.apply(weight.sum() * 0) if m.step else weight.sum() * 0

    state, samplers = fakes.state(fakes.Plain(wrong=broken)), fakes.streams()
    batch_spec = batch_samplers(state.recipe.batch_specs(), samplers, 0, "cpu", False)
    play(state, batch_spec, Ranks())
    _Breaks.left[:] = [RAN_OUT[1]]
    with pytest.raises(RuntimeError, match="allocate memory"):
        play(state, batch_spec, Ranks())
    assert all(p.grad is None for p in state.networks.parameters())


def test_a_recipe_that_needs_its_batch_whole_stops_and_names_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = small("cgan")
    starve(monkeypatch, at=3, times=1)
    with pytest.raises(MachineGaveOut, match="--batch 4"):
        train(
            recipe,
            streams_for(recipe, smallest(recipe)),
            tmp_path / "run",
            Budget(steps=6),
            start=Start(compute="plain"),
        )


def test_other_errors_stay_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(loop, "play", broken)
    recipe = small("classifier")
    with pytest.raises(RuntimeError, match="shapes do not match"):
        train(
            recipe,
            streams_for(recipe, smallest(recipe)),
            tmp_path / "run",
            Budget(steps=6),
            start=Start(compute="plain"),
        )
