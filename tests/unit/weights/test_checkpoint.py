import errno
import os

import pytest
import torch

from tests.unit.engine.fakes import Plain, state, streams
from zeuxis.engine.batches import batch_samplers
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.phases import play
from zeuxis.errors import MachineGaveOut
from zeuxis.weights import checkpoint


def played(steps=2):
    recipe = Plain()
    one = state(recipe)
    samplers = batch_samplers(recipe.batch_specs(), streams(), 0, "cpu", False)
    for _ in range(steps):
        play(one, samplers, Ranks())
    return one


def save(folder, state, log_length=0):
    return checkpoint.save(folder, state.tensors(), state.step, state.attempt, log_length, 2, 0.0)


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_round_trip(tmp_path):
    one, other = played(), state(Plain())
    saved = save(tmp_path / "checkpoints", one, log_length=17)
    assert checkpoint.newest(tmp_path / "checkpoints") == (saved, []) and saved.log_length == 17
    other.load(checkpoint.tensors_of(saved), saved.step, saved.attempt)
    assert other.step == 2 and other.tensors().keys() == one.tensors().keys()
    assert all(torch.equal(v, other.tensors()[k]) for k, v in one.tensors().items())


def test_only_the_newest_stay_also_past_a_million(tmp_path):
    one = played(0)
    for step in (5, 999_998, 999_999, 1_000_000):
        one.step = step
        save(tmp_path, one)
    assert names(tmp_path) == ["1000000", "999999"]
    assert checkpoint.newest(tmp_path)[0].step == 1_000_000


@pytest.mark.parametrize("harm", ["flip", "cut", "no manifest", "odd manifest", "no state"])
def test_a_damaged_newest_falls_back(tmp_path, harm):
    one = played(0)
    for one.step in (1, 2):
        save(tmp_path, one)
    state, manifest = tmp_path / "000002" / "state.safetensors", tmp_path / "000002" / "manifest.json"
    content = bytearray(state.read_bytes())
    content[-3] ^= 1
    actions = {
        "flip": lambda: state.write_bytes(content), "cut": lambda: state.write_bytes(content[:-9]),
        "no manifest": manifest.unlink, "odd manifest": lambda: manifest.write_text("[1]"), "no state": state.unlink,
    }  # fmt: skip
    actions[harm]()
    saved, damaged = checkpoint.newest(tmp_path)
    assert saved is not None and saved.step == 1 and damaged == ["000002"]


def test_nothing_there(tmp_path):
    assert checkpoint.newest(tmp_path / "none") == (None, [])


def test_sweep_removes_the_half_written_and_nothing_else(tmp_path):
    save(tmp_path, played(0))
    (tmp_path / ".000001.99").mkdir()
    (tmp_path / ".000001.99" / "state.safetensors").write_bytes(b"half")
    checkpoint.sweep(tmp_path)
    assert names(tmp_path) == ["000000"]


@pytest.mark.parametrize("call", ["write", "rename"])
def test_a_full_disk_leaves_the_older_ones(tmp_path, monkeypatch, call):
    one = played()
    save(tmp_path, one)
    one.step = 3

    def full(*arguments, **more):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(*{"write": ("zeuxis.data.files.sync_file", full), "rename": (os, "rename", full)}[call])
        with pytest.raises(MachineGaveOut) as error:
            save(tmp_path, one)
    assert error.value.exit_code == 4 and "disk is full" in str(error.value)
    assert names(tmp_path) == ["000002"] and checkpoint.newest(tmp_path)[0].step == 2
