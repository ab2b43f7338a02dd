"""Files of weights: equal bytes for equal content; in eight bits, how far they may be from what was packed."""

import zlib
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import zeuxis
from zeuxis.errors import BadInput
from zeuxis.weights import bundled, store

SHAPES = st.sampled_from([(3, 2), (4, 3, 3, 3), (1, 5), (2, 1, 1)])


@settings(max_examples=30, deadline=None)
@given(shape=SHAPES, size=st.floats(1e-3, 50.0), seed=st.integers(0, 99))
def test_a_packed_kernel_is_within_half_a_step_of_its_largest(tmp_path_factory, shape, size, seed):
    kernel = size * torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    path = tmp_path_factory.mktemp("packed") / "one.safetensors"
    store.save(path, store.packed({"net.kernel": kernel}), {})
    back = store.load(path)[0]
    largest = kernel.abs().flatten(1).amax(1).reshape(-1, *[1] * (kernel.ndim - 1))
    assert back.keys() == {"net.kernel"} and back["net.kernel"].dtype == torch.float32
    assert ((back["net.kernel"] - kernel).abs() <= largest * (1 / 254 + 1e-3)).all()  # 1e-3: steps in float16


def test_biases_counts_and_rows_of_nothing_stay_what_they_are(tmp_path):
    given = {
        "bias": torch.tensor([0.5, -2.0]),
        "count": torch.tensor(7),
        "kernel": torch.tensor([[0.0, 0.0], [1.0, 0.5]]),
    }
    store.save(tmp_path / "one.safetensors", store.packed(given), {"of": "one"})
    back, words = store.load(tmp_path / "one.safetensors")
    assert words == {"of": "one"} and back["count"] == 7 and back["bias"].tolist() == [0.5, -2.0]
    assert torch.allclose(back["kernel"], given["kernel"], atol=1 / 254)


def test_steps_without_their_numbers_are_a_damaged_file(tmp_path):
    store.save(tmp_path / "one.safetensors", {"kernel" + store.STEPS: torch.ones(2)}, {})
    with pytest.raises(BadInput, match="cannot be read"):
        store.load(tmp_path / "one.safetensors")


def test_what_a_wheel_holds_leaves_room_below_twenty_megabytes():
    """Each file as a wheel packs it: the weights hardly shrink, and all else has about 1.2 MB."""
    files = [p for p in Path(zeuxis.__file__).parent.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert {bundled.path_of(name) for name in bundled.names()} <= set(files)
    assert sum(len(zlib.compress(path.read_bytes())) for path in files) <= 18_700_000


def test_equal_weights_are_files_of_equal_bytes(tmp_path):
    """safetensors orders the entries of the metadata by chance, each time anew."""
    words, tensors = {k: k * 3 for k in "recipe of many words".split()}, {"b": torch.ones(3), "a": torch.zeros(2, 2)}
    paths = [tmp_path / f"{i}.safetensors" for i in range(8)]
    for path in paths:
        store.save(path, tensors, words)
    assert len({path.read_bytes() for path in paths}) == 1
    assert store.words(paths[0]) == words


@pytest.mark.parametrize("name", bundled.names())
def test_bundled_weights_have_the_bytes_that_writing_them_again_gives(name, tmp_path):
    path = bundled.path_of(name)
    store.save(tmp_path / "again.safetensors", safetensors.torch.load_file(path), store.words(path))
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_metadata_of_another_tool_are_given_as_they_are_and_odd_ones_of_ours_are_damage(tmp_path):
    path = tmp_path / "one.safetensors"
    path.write_bytes(safetensors.torch.save({"a": torch.ones(1)}, metadata={"format": "pt", "of": "another"}))
    assert store.words(path) == {"format": "pt", "of": "another"}
    for odd in ("[1]", "{", '{"recipe": 1}'):
        path.write_bytes(safetensors.torch.save({"a": torch.ones(1)}, metadata={"zeuxis": odd}))
        for read in (store.words, store.load):
            with pytest.raises(BadInput, match="cannot be read"):
                read(path)
