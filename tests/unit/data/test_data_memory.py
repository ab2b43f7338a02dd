import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zeuxis.data.memory import MemoryDataset, Subset, item_digests
from zeuxis.errors import BadInput


def made(n=6, **given):
    pixels = torch.arange(n * 3 * 4 * 5, dtype=torch.int64).remainder(251).to(torch.uint8).reshape(n, 3, 4, 5)
    return MemoryDataset(pixels, np.arange(n) % 2, ("a", "b"), **given)


def test_items_and_batches_hold_the_same_pixels():
    data = made(groups=list("xxyyzz"), sources=[f"{i}.png" for i in range(6)])
    item = data.item(3)
    assert item.image.shape == (4, 5, 3) and item.image.dtype == np.uint8
    assert (item.label, item.group, item.source) == (1, "y", "3.png")
    assert torch.equal(torch.from_numpy(item.image).permute(2, 0, 1), data.images([3])[0])
    assert (data.spec.channels, data.spec.height, data.spec.width, data.spec.classes) == (3, 4, 5, ("a", "b"))


def test_digest_depends_on_pixels_labels_and_class_names_only():
    data = made()
    assert data.digest == made(sources=list("abcdef"), groups=list("abcdef")).digest
    other = data.pixels.clone()
    other[0, 0, 0, 0] += 1
    digests = {
        data.digest,
        MemoryDataset(other, data.labels, data.classes).digest,
        MemoryDataset(data.pixels, 1 - data.labels, data.classes).digest,
        MemoryDataset(data.pixels, data.labels, ("a", "c")).digest,
        MemoryDataset(data.pixels).digest,
        MemoryDataset(data.pixels.reshape(6, 3, 5, 4), data.labels, data.classes).digest,
    }
    assert len(digests) == 6


@pytest.mark.parametrize(
    "pieces",
    [
        {"pixels": torch.zeros(2, 1, 4, 4)},
        {"pixels": torch.zeros(2, 4, 4, dtype=torch.uint8)},
        {"pixels": torch.zeros(2, 1, 4, 4, dtype=torch.uint8), "labels": np.array([0]), "classes": ("a",)},
        {"pixels": torch.zeros(2, 1, 4, 4, dtype=torch.uint8), "labels": np.array([0, 1]), "classes": ("a",)},
        {"pixels": torch.zeros(2, 1, 4, 4, dtype=torch.uint8), "groups": ["a"]},
    ],
)
def test_pieces_that_do_not_fit_are_refused(pieces):
    with pytest.raises(BadInput):
        MemoryDataset(**pieces)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9), st.data())
def test_a_subset_of_a_subset_is_the_pictures_in_that_order(positions, data):
    whole = made(groups=list("xxyyzz"), parts=["train"] * 3 + ["test"] * 3, generated=[False] * 5 + [True])
    inner = data.draw(st.lists(st.integers(0, len(positions) - 1), max_size=6))
    part = Subset(Subset(whole, positions), inner)
    wanted = [positions[i] for i in inner]
    assert torch.equal(part.images(np.arange(len(part))), whole.images(wanted))
    assert part.labels.tolist() == whole.labels[wanted].tolist() if wanted else len(part) == 0
    assert part.groups == [whole.groups[i] for i in wanted] and part.parts == [whole.parts[i] for i in wanted]
    assert part.generated == [whole.generated[i] for i in wanted]
    assert item_digests(part) == [whole.hashes[i] for i in wanted]
    assert part.spec == whole.spec


def test_digest_of_a_subset_comes_from_parent_and_positions():
    data = made()
    assert Subset(data, [0, 1]).digest == Subset(data, torch.tensor([0, 1])).digest
    assert len({Subset(data, [0, 1]).digest, Subset(data, [1, 0]).digest, data.digest}) == 3
    with pytest.raises(BadInput):
        Subset(data, [6])


def test_digests_of_a_dataset_that_keeps_none_are_computed():
    class Bare:
        def __init__(self, inner):
            self.inner = inner

        def __len__(self):
            return len(self.inner)

        def images(self, index):
            return self.inner.images(index)

    data = made()
    assert item_digests(Bare(data)) == data.hashes
