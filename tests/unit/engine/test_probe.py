"""The probe on a clock that only played steps move."""

from dataclasses import replace

import pytest
import torch

from tests.unit.engine.fakes import SPEC, Plain, streams
from zeuxis.engine import probe as probing
from zeuxis.engine.compute import ComputeOptions
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.phases import Seen
from zeuxis.engine.probe import probe, seconds_per_step
from zeuxis.errors import BadInput

FIRST = ComputeOptions("cpu", 1)


@pytest.fixture
def clock(monkeypatch):
    """Steps take what `costs(compute, progress)` says, in seconds; returns how many were played."""

    def begin(costs):
        told, played, compute = [0.0], [0], [FIRST]

        def play(state, samplers, ranks):
            told[0] += costs(compute[0], state.step / probing._HORIZON, told[0])
            played[0] += 1
            return Seen({}, {})

        monkeypatch.setattr(probing, "play", play)
        monkeypatch.setattr(probing.time, "perf_counter", lambda: told[0])
        monkeypatch.setattr(ComputeOptions, "apply", lambda self: compute.__setitem__(0, self))
        return played

    return begin


def seconds(**more):
    return seconds_per_step(Plain(), SPEC, streams(), False, FIRST, Ranks(), **more)


def test_a_step_that_grows_is_averaged_over_progress(clock):
    clock(lambda compute, progress, now: 0.01 * (1 + progress))
    assert seconds() == pytest.approx(0.015, rel=1e-3)


def test_the_slow_first_seconds_do_not_count(clock):
    clock(lambda compute, progress, now: 0.03 if now < 1.0 else 0.01)
    assert seconds() == pytest.approx(0.01)


def test_long_steps_are_looked_at_once(clock):
    played = clock(lambda compute, progress, now: 2.0)
    assert seconds() == pytest.approx(2.0)
    assert played[0] == 1 + 4


@pytest.mark.parametrize(("gain", "chosen"), [(0.97, False), (0.90, True)])
def test_an_option_is_taken_where_it_is_five_percent_faster(clock, gain, chosen):
    clock(lambda compute, progress, now: 0.01 * (gain if compute.channels_last else 1.0))
    found = probe(Plain(), SPEC, streams(), False, FIRST, Ranks(), True)
    assert found.compute == replace(FIRST, channels_last=chosen)
    assert found.seconds_per_step == pytest.approx(0.01 * (gain if chosen else 1.0))


def test_threads_that_are_fast_at_moments_are_not_believed(clock):
    """Two threads beside another program: twice as fast in one look of three, and eight times slower in the others."""
    looks = iter([0.1, 0.1, 1.0] * 1000)
    held = {}

    def costs(compute, progress, now):
        if compute.threads == 1:
            return 0.2
        return held.setdefault(round(now, 1), next(looks))

    clock(costs)
    found = probe(Plain(), SPEC, streams(), False, replace(FIRST, threads=2), Ranks(), False, 40.0)
    assert found.compute.threads == 1


def test_one_thread_is_looked_at_though_patience_ends_with_the_second(clock):
    """Two threads beside another program, at four seconds a step: one look is all that patience bears."""
    clock(lambda compute, progress, now: 4.0 if compute.threads == 2 else 0.5)
    found = probe(Plain(), SPEC, streams(), False, replace(FIRST, threads=2), Ranks(), False, 8.0)
    assert found.compute.threads == 1


@pytest.mark.parametrize(("two", "threads"), [(0.9, 1), (0.6, 2)])
def test_a_second_thread_has_to_pay(clock, two, threads):
    clock(lambda compute, progress, now: 0.01 * (two if compute.threads == 2 else 1.0))
    assert probe(Plain(), SPEC, streams(), False, replace(FIRST, threads=2), Ranks(), False).compute.threads == threads


def test_an_option_that_this_build_cannot_take_is_left_alone(clock):
    def costs(compute, progress, now):
        if compute.channels_last:
            raise RuntimeError("no such kernel")
        return 0.01

    clock(costs)
    assert probe(Plain(), SPEC, streams(), False, FIRST, Ranks(), True).compute == FIRST


def test_a_training_that_breaks_off_at_once_is_refused(monkeypatch):
    monkeypatch.setattr(probing, "PATIENCE", 0.1)
    recipe = Plain(wrong=lambda m: float("nan") if m.step % 100 == 2 else 0.0)
    with pytest.raises(BadInput, match="net/error is not finite in step 3 of a trial.*lower learning rate"):
        seconds_per_step(recipe, SPEC, streams(), False, FIRST, Ranks(), (0.3,), patience=0.1)


def test_a_step_that_only_an_untrained_net_cannot_bear_is_measured(monkeypatch):
    recipe = Plain(wrong=lambda m: float("nan") if m.progress > 0.1 else 0.0)
    assert seconds_per_step(recipe, SPEC, streams(), False, FIRST, Ranks(), (0.3,), patience=0.1) > 0


def test_it_leaves_the_generator_of_torch_alone():
    before = torch.get_rng_state()
    seconds(points=(0.5,))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(("has", "half", "chosen"), [(True, True, True), (True, False, False), (False, True, False)])
def test_bfloat16_where_recipe_and_processor_bear_it(clock, monkeypatch, has, half, chosen):
    monkeypatch.setattr("zeuxis.engine.compute.has_bf16", lambda device: has)
    monkeypatch.setattr(Plain, "half", half, raising=False)
    clock(lambda compute, progress, now: 0.005 if compute.bf16 else 0.01)
    assert probe(Plain(), SPEC, streams(), False, FIRST, Ranks(), True).compute == replace(FIRST, bf16=chosen)


def test_bfloat16_is_for_products_alone():
    a, b = torch.ones(2, 2), torch.full((2, 2), 1 + 2**-10)
    with replace(FIRST, bf16=True).products():
        assert (a @ b).dtype == torch.bfloat16 and (a * b).dtype == torch.float32
    with FIRST.products():
        assert (a @ b).dtype == torch.float32
