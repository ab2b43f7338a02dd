"""Pictures of two collections that belong together: by path and name, whatever their order and endings."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zeuxis.data.memory import MemoryDataset
from zeuxis.data.partners import check_shapes, paired
from zeuxis.errors import BadInput

NAMES = ("A", "B")


def data(sources):
    return MemoryDataset(torch.arange(len(sources) * 16).to(torch.uint8).reshape(-1, 1, 4, 4), sources=list(sources))


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True), st.randoms())
def test_each_finds_its_partner(stems, random):
    shuffled = random.sample(stems, len(stems))
    first, second = data([f"x/{s}.png" for s in stems]), data([f"x/{s}.jpg" for s in shuffled])
    one, other, left = paired(first, second, NAMES)
    assert left == []
    assert one.tolist() == list(range(len(stems)))
    assert [shuffled[i] for i in other] == stems


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (["a.png", "b.png"], ["a.png"], "1 picture without a partner in B: b"),
        (["a.png"], ["a.png", "b/a.png"], "1 picture without a partner in A: b/a"),
        ([f"{i}.png" for i in range(9)], ["0.png"], "8 pictures without a partner in B: 1, 2, 3, 4, 5, ..."),
        (["a.png", "a.jpg"], ["a.png"], "`a.png` and `a.jpg` of A differ in the ending alone"),
    ],
)
def test_what_has_no_partner_is_named(first, second, words):
    with pytest.raises(BadInput, match=words.replace(".", r"\.")):
        paired(data(first), data(second), NAMES)


@pytest.mark.parametrize(("first", "second"), [("a/", "b/"), ("", "b/"), ("a/", ""), ("a/x/", "b/x/")])
def test_a_folder_that_holds_all_of_one_does_not_count(first, second):
    """A zip of a folder has the folder's name before each picture's."""
    names = ["one", "deep/two", "three"]
    one, other = (data([f"{top}{name}.png" for name in names]) for top in (first, second))
    found = paired(one, other, NAMES)
    assert found[0].tolist() == found[1].tolist() == [0, 1, 2]


def test_the_partner_of_what_cannot_be_read_is_left_out_and_named():
    first, second = data(["a.png", "b.png", "c.png"]), data(["a.jpg", "c.jpg"])
    second.skipped = [("b.jpg", "is cut short")]
    one, other, left = paired(first, second, NAMES)
    assert (one.tolist(), other.tolist(), left) == ([0, 2], [0, 1], ["b"])
    second = data(["z.jpg"])
    second.skipped = [("a.jpg", "is cut short")]
    first = data(["a.png"])
    first.skipped = [("z.png", "is cut short")]
    with pytest.raises(BadInput, match="no picture has a partner that can be read"):
        paired(first, second, NAMES)


def test_pairs_of_different_shape_are_named():
    first, second = data(["a.png", "b.png"]), data(["a.jpg", "b.jpg"])
    order = (np.arange(2), np.arange(2))
    check_shapes(first, second, order)  # nothing is known of their files
    first.aspects, second.aspects = [1.0, 1.5], [1.01, 1.5]
    check_shapes(first, second, order)
    second.aspects = [1.0, 1.0]
    with pytest.raises(BadInput, match="1 pair of pictures of different shape: b.png"):
        check_shapes(first, second, order)
