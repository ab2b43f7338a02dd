import json

import pytest
import torch

from zeuxis.errors import BadInput
from zeuxis.runs import Run, create, inference_weights, lock, read_json, versions

RECORD = {
    "recipe": "gan",
    "settings": {"latent": 5, "first": 8, "batch": 4},
    "seed": 3,
    "spec": {"channels": 1, "height": 8, "width": 12, "classes": ["a", "b"]},
}


@pytest.fixture
def run(tmp_path):
    create(tmp_path / "run", RECORD)
    return Run.open(tmp_path / "run")


def test_record_recipe_and_spec(run):
    assert run.record["format"] == 1 and run.record["versions"] == versions()
    assert run.spec.condition == 2 and (run.spec.height, run.spec.width) == (8, 12)
    assert (run.recipe.latent, run.recipe.first, run.recipe.critic_layers) == (5, 8, 2)
    assert not run.finished and run.finish == {} and run.log() == []


def test_lists_become_tuples_again(tmp_path):
    create(tmp_path / "run", RECORD | {"recipe": "r3gan", "settings": {"widths": [8, 16]}})
    assert Run.open(tmp_path / "run").recipe.widths == (8, 16)


def test_a_run_is_not_written_over(run):
    before = (run.path / "run.json").read_bytes()
    with pytest.raises(BadInput, match="a run is there already"):
        create(run.path, RECORD)
    assert (run.path / "run.json").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b'{"format": 99}', b"\xff\xfe"])
def test_a_damaged_record_is_one_line(run, content):
    (run.path / "run.json").write_bytes(content)
    with pytest.raises(BadInput) as error:
        Run.open(run.path)
    assert "\n" not in str(error.value)


def test_no_folder_and_no_record(tmp_path):
    with pytest.raises(BadInput, match="no such run folder"):
        Run.open(tmp_path / "none")
    with pytest.raises(BadInput, match="run.json is missing"):
        Run.open(tmp_path)
    with pytest.raises(BadInput, match="this is no study"):
        read_json(tmp_path / "study.json", "study")


def test_no_weights_yet(run):
    with pytest.raises(BadInput, match="no weights yet"):
        run.tensors()


def test_averages_stand_in_for_their_networks():
    found = inference_weights({
        "networks/g.w": torch.tensor(1.0), "networks/c.w": torch.tensor(2.0), "ema/g.w": torch.tensor(3.0),
        "state/s": torch.tensor(4.0), "optimizers/g/0/step": torch.tensor(5.0),
    })  # fmt: skip
    assert {k: float(v) for k, v in found.items()} == {"g.w": 3.0, "c.w": 2.0}


def test_log_by_kind(run):
    (run.path / "log.jsonl").write_text("".join(json.dumps({"kind": k, "n": i}) + "\n" for i, k in enumerate("aba")))
    assert [line["n"] for line in run.log("a")] == [0, 2] and len(run.log()) == 3


def test_the_lock_is_given_back(tmp_path):
    with lock(tmp_path / "run"):
        pass
    with lock(tmp_path / "run"):
        assert (tmp_path / "run" / ".lock").exists()


def test_lost_weights_of_a_finished_run_are_said_to_be_lost(tmp_path):
    """`sample` said to go on with `resume`, and `resume` that nothing was to be done."""
    run = Run(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "finish.json").write_text("{}")
    with pytest.raises(BadInput, match=r"weights of this finished run are gone.*copy the run again, or train it anew"):
        run.tensors()
    (tmp_path / "weights.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(BadInput, match="cut short, damaged, or of another kind.*copy the file again"):
        run.tensors()
