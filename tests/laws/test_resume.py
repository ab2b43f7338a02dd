"""Laws 4 and 7: a run that was stopped ends as one that was not, and what is saved is what was there."""

import contextlib
import json
import shutil

import pytest
import torch
from torch import nn

from tests.laws.helper import (
    ALONE,
    NAMES,
    differing,
    law,
    outputs,
    pictures,
    samplers_for,
    small,
    smallest,
    state_for,
    streams_for,
)
from zeuxis import catalog
from zeuxis.data.dataset import Spec
from zeuxis.data.export import export_folder
from zeuxis.data.reader import open_dataset
from zeuxis.engine import loop
from zeuxis.engine import train as engine
from zeuxis.engine.batches import to_image
from zeuxis.engine.budget import Budget
from zeuxis.engine.guard import Stop
from zeuxis.engine.loop import LoopOptions
from zeuxis.engine.phases import play
from zeuxis.engine.train import Start
from zeuxis.errors import BadInput, Stopped
from zeuxis.recipes.recipe import make
from zeuxis.runs import Run
from zeuxis.weights import checkpoint, store

STEPS, STOP = 5, 3
ALWAYS = LoopOptions(checkpoint_seconds=-1.0, quiet=True, light=True)
PLAIN = Start(compute="plain", seed=3)


def setting(name):
    recipe = small(name)
    spec = smallest(recipe)
    return recipe, spec, streams_for(recipe, spec)


def stop_after(monkeypatch, steps):
    """From now on a signal comes in the given step."""
    stop, played = Stop(), []

    def counted(*arguments, **more):
        seen = play(*arguments, **more)
        played.append(seen)
        stop.number = 15 if len(played) == steps else 0
        return seen

    @contextlib.contextmanager
    def flag():
        yield stop

    monkeypatch.setattr(loop, "play", counted)
    monkeypatch.setattr(loop, "stop_flag", flag)


@pytest.fixture(scope="module")
def whole(request, tmp_path_factory):
    """Finished runs by recipe, made once."""
    made: dict[str, Run] = {}

    def run_of(name):
        if name not in made:
            recipe, _, streams = setting(name)
            path = tmp_path_factory.mktemp("whole") / name
            made[name] = engine.train(recipe, streams, path, Budget(steps=STEPS), None, PLAIN, ALWAYS)
        return made[name]

    return run_of


def end_of(run):
    """Every tensor at the end of a run, and its log without clocks."""
    saved, damaged = checkpoint.newest(run.path / "checkpoints")
    assert saved is not None and not damaged and saved.step == STEPS
    lines = [{k: v for k, v in line.items() if k != "clock"} for line in run.log()]
    return store.load(saved.folder / "state.safetensors")[0], lines


def same_end(a, b):
    (mine, log), (theirs, other) = end_of(a), end_of(b)
    assert differing(mine, theirs) == []
    assert log == other and any(line["kind"] == "step" for line in log)
    assert a.weights_hash() == b.weights_hash() == a.finish["weights_sha256"]


def stopped(name, path, monkeypatch):
    recipe, _, streams = setting(name)
    with monkeypatch.context() as patch:
        stop_after(patch, STOP)
        with pytest.raises(Stopped) as stop:
            engine.train(recipe, streams, path, Budget(steps=STEPS), None, PLAIN, ALWAYS)
    assert stop.value.exit_code == 143 and not Run.open(path).finished
    return streams


@pytest.mark.parametrize("name", NAMES)
@law("resume")
def test_resume(name, whole, tmp_path, monkeypatch):
    streams = stopped(name, tmp_path / "run", monkeypatch)
    assert checkpoint.newest(tmp_path / "run" / "checkpoints")[0].step == STOP
    same_end(engine.resume(tmp_path / "run", streams, None, ALWAYS), whole(name))


@pytest.mark.parametrize("name", NAMES)
@law("resume")
def test_resume_past_a_damaged_checkpoint(name, whole, tmp_path, monkeypatch, capfd):
    streams = stopped(name, tmp_path / "run", monkeypatch)
    newest = checkpoint.newest(tmp_path / "run" / "checkpoints")[0].folder
    content = bytearray((newest / "state.safetensors").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (newest / "state.safetensors").write_bytes(content)
    assert checkpoint.newest(tmp_path / "run" / "checkpoints")[0].step == STOP - 1
    same_end(engine.resume(tmp_path / "run", streams, None, ALWAYS), whole(name))
    assert f"checkpoint {newest.name} is damaged" in capfd.readouterr().err


@pytest.mark.parametrize("name", NAMES)
@law("round-trip")
def test_round_trip_of_weights(name, whole):
    recipe, spec, streams = setting(name)
    state = state_for(recipe, spec, seed=PLAIN.seed, steps=STEPS)
    samplers = samplers_for(recipe, streams, PLAIN.seed)
    for _ in range(STEPS):
        play(state, samplers, ALONE)
    played = nn.ModuleDict({n: state.ema[n] if n in state.ema else p for n, p in state.networks.items()})
    image = to_image(pictures(spec, 2).images([0, 1]))
    label = torch.tensor([0, 1]) if spec.condition else None
    mine, theirs = (
        outputs(recipe, networks, spec, image, label, torch.tensor([5, 6]))
        for networks in (played.eval(), whole(name).networks())
    )
    assert differing(mine, theirs) == []


@pytest.mark.parametrize("name", NAMES)
@law("round-trip")
def test_round_trip_of_settings(name, whole, tmp_path):
    recipe, spec, _ = setting(name)
    run = whole(name)
    assert run.recipe == recipe and run.spec == spec
    assert all(type(a) is type(b) for a, b in zip(vars(run.recipe).values(), vars(recipe).values(), strict=True))
    shutil.copy(run.path / "weights.safetensors", tmp_path / "lone.safetensors")
    tensors, words = store.load(tmp_path / "lone.safetensors")
    assert make(catalog.load(words["recipe"]), None, **json.loads(words["settings"])) == recipe
    assert Spec.from_json(json.loads(words["spec"])) == spec
    assert words["licence"] and differing(tensors, run.tensors()) == []


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_round_trip_of_pictures(channels, tmp_path):
    recipe = small(NAMES[0])
    data = pictures(smallest(recipe, channels, square=False), 7)
    export_folder(data, tmp_path / "out")
    back = open_dataset(tmp_path / "out")
    assert back.digest == data.digest and back.spec == data.spec
    assert bool((back.images(range(7)) == data.images(range(7))).all())


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_of_one_trains_or_is_refused_before_anything_is_written(name, tmp_path):
    """Normalised over the batch, five generators failed in their first step, and left runs that could never go on."""
    recipe = small(name, batch=1)
    spec = smallest(recipe)
    try:
        run = engine.train(recipe, streams_for(recipe, spec), tmp_path / "run", Budget(steps=1), None, PLAIN, ALWAYS)
    except BadInput as error:
        assert error.where == "--batch" and error.mend == "use `--batch 2` or more"
        assert recipe.coupled and not (tmp_path / "run").exists()
    else:
        assert run.finished
