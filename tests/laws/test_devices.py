"""Law 17: a phase runs where its networks are, never asks the device for a value, and adds gradients in a fixed order.

torch's meta device knows shapes only: it refuses to meet tensors of the host and to tell a value, as a GPU would
only do slowly. What it cannot see is numbers of no dimension from the host, which torch lets pass everywhere.
"""

from contextlib import nullcontext

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.laws.helper import (
    ALONE,
    NAMES,
    dues,
    learned,
    small,
    smallest,
    streams_for,
    variants,
)
from zeuxis import catalog
from zeuxis.degrade.parsing import KINDS, parse
from zeuxis.degrade.presets import PRESETS
from zeuxis.draw import Draw, Stream, key_of
from zeuxis.engine.batches import batch_samplers, moved
from zeuxis.engine.compute import ComputeOptions
from zeuxis.engine.phases import gradient, phase_names
from zeuxis.engine.state import build_state

CHOICES = variants()
CHOICES += [(name, "preset", preset) for name in NAMES for preset in catalog.load(name).presets]

DAMAGES = [*KINDS, *PRESETS]

UNORDERED = {"index_put", "index_put_", "_index_put_impl_"}
"""Operations that add what meets in one place in any order where they accumulate, on a CPU of several threads."""


class Watching(TorchDispatchMode):
    """The operations that are done, those of backward passes too."""

    def __init__(self):
        super().__init__()
        self.unordered = set()

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        adds = kwargs.get("accumulate", args[3] if len(args) > 3 else False)
        if op.overloadpacket.__name__ in UNORDERED and adds:
            self.unordered.add(str(op))
        return op(*args, **kwargs)


def played_on(device, recipe, count=2):
    """The operations whose order is open, over phases of the whole of a run."""
    spec = smallest(recipe, 3, least=16)
    batch = next(iter(recipe.batch_specs().values())).size
    state = build_state(recipe, spec, seed=0, steps=1200, batch=batch, compute=ComputeOptions(device))
    streams = learned(recipe, streams_for(recipe, spec))
    samplers = batch_samplers(recipe.batch_specs(), streams, 0, device, recipe.labels != "ignored")
    with Watching() as monitoring:
        for phase, name in zip(recipe.phases(), phase_names(recipe.phases()), strict=True):
            for state.step in dues(phase, count=count):
                gradient(state, phase, name, lambda r, w: {k: f.batch("", 0, r, w) for k, f in samplers.items()}, ALONE)
                for parameter in state.networks.parameters():
                    assert parameter.grad is None or parameter.grad.device.type == device
                    parameter.grad = None
    return monitoring.unordered


@pytest.mark.parametrize("name", NAMES)
def test_every_turn_stays_on_its_device(name):
    assert played_on("meta", small(name)) == set()


@pytest.mark.long
@pytest.mark.parametrize(("name", "field", "value"), CHOICES, ids=lambda v: str(v))
def test_every_turn_of_every_choice_and_preset_stays_on_its_device(name, field, value):
    recipe = small(name, value) if field == "preset" else small(name, **{field: value})
    assert played_on("meta", recipe) == set()


@pytest.mark.parametrize("name", [*DAMAGES, "noise@0.5", "boxes@0.5"])
def test_every_damage_stays_on_its_device(name, monkeypatch):
    monkeypatch.setattr(torch, "autocast", lambda *given, **more: nullcontext())  # torch has none for meta
    whole = Stream(key_of("damage")).uniform(4, 3, 32, 32)
    there, here = parse(name)(whole.to("meta"), Draw(1)), parse(name)(whole, Draw(1))
    for one, other in zip(vars(there).values(), vars(here).values(), strict=True):
        assert (one is None) == (other is None)
        assert one is None or (one.device.type == "meta" and one.shape == other.shape)


def test_pictures_go_to_cuda_from_pinned_memory(monkeypatch):
    """Without a GPU at hand: what the copy is asked for."""
    asked = []

    class Pixels(torch.Tensor):
        def pin_memory(self):
            asked.append("pinned")
            return self

        def to(self, *given, **more):
            asked.append((given, more))
            return torch.zeros(1)

    moved(torch.zeros(2).as_subclass(Pixels), "cuda:1")
    assert asked == ["pinned", (("cuda:1",), {"non_blocking": True})]
    asked.clear()
    moved(torch.zeros(2).as_subclass(Pixels), "cpu")
    assert asked == [(("cpu",), {})]
