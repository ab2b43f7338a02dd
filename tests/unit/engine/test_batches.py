import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.engine.fakes import pictures, streams
from zeuxis.data.memory import MemoryDataset
from zeuxis.engine.batches import BatchSampler, batch_samplers, check, order, to_image
from zeuxis.errors import BadInput
from zeuxis.recipes.recipe import BatchSpec


def sampler(n, size, seed=0):
    return BatchSampler(pictures(n), BatchSpec(size=size), "images", seed, "cpu", False)


@given(n=st.integers(1, 40), size=st.integers(1, 17), seed=st.integers(0, 9))
def test_every_epoch_is_a_permutation(n, size, seed):
    one = sampler(n, size, seed)
    seen = torch.cat([one.positions("", step) for step in range(2 * n)])
    for epoch in range(len(seen) // n):
        assert sorted(seen[epoch * n : (epoch + 1) * n].tolist()) == list(range(n))


@given(step=st.integers(0, 60), size=st.integers(1, 25))
def test_a_batch_is_a_function_of_its_step_alone(step, size):
    """Whatever was asked for before: forwards, backwards, or nothing."""
    used, fresh = sampler(7, size), sampler(7, size)
    for other in (step + 9, 0, step + 1):
        used.positions("", other)
    assert used.positions("", step).tolist() == fresh.positions("", step).tolist()


def test_orders_differ_by_seed_feed_turn_and_epoch():
    keys = [(0, "images", "", 0), (1, "images", "", 0), (0, "more", "", 0), (0, "images", "g", 0), (0, "images", "", 1)]
    assert len({tuple(order(*key, 50).tolist()) for key in keys}) == len(keys)


def test_shards_of_processes_make_up_the_batch():
    one = sampler(10, 6)
    whole = one.batch("", 3)
    shards = [one.batch("", 3, rank, 3) for rank in range(3)]
    for rank, shard in enumerate(shards):
        assert torch.equal(shard.image, whole.image[rank::3]) and torch.equal(shard.index, whole.index[rank::3])


def test_targets_are_those_of_the_same_positions():
    """Of whatever shape and order: the second stream has channels of its own."""
    first = pictures(9)
    second = MemoryDataset(first.pixels.repeat(1, 3, 1, 1))
    feed = {"pairs": BatchSpec("images", 4, "targets")}
    one = batch_samplers(feed, {"images": first, "targets": second}, 0, "cpu", False)["pairs"]
    for step in range(5):
        found = one.batch("", step, 1, 2)
        assert len(found) == 2 and found.target is not None
        assert torch.equal(found.target, found.image.repeat(1, 3, 1, 1))


def test_pixels_become_minus_one_to_one():
    x = to_image(torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(3, 1, 1, 1))
    assert x.dtype == torch.float32
    torch.testing.assert_close(x.flatten(), torch.tensor([-1.0, -0.6, 1.0]))


@pytest.mark.parametrize(
    ("batch_spec", "data", "world", "micro", "words"),
    [
        (BatchSpec("other"), streams(), 1, 1, "a stream of pictures named `other`"),
        (BatchSpec(size=6), streams(), 4, 1, "does not divide over 4 processes"),
        (BatchSpec(size=6), streams(), 1, 4, "does not divide over 4 parts"),
        (BatchSpec(target="other"), streams(), 1, 1, "a stream of pictures named `other`"),
        (
            BatchSpec(target="more"),
            {**streams(), "more": pictures(3)},
            1,
            1,
            "each picture needs its target: there are",
        ),
    ],
)
def test_what_does_not_fit_is_said_before_work(batch_spec, data, world, micro, words):
    with pytest.raises(BadInput, match=words):
        check({"images": batch_spec}, data, world, micro)
    check({"images": BatchSpec(size=8)}, streams(), 2, 4)
