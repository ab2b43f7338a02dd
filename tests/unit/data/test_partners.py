"""Pictures of two collections that belong together: by path and name, whatever their order and endings."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zeuxis.data.memory import MemoryDataset
from zeuxis.data.partners import paired
from zeuxis.errors import BadInput

NAMES = ("A", "B")


def data(sources):
    return MemoryDataset(torch.arange(len(sources) * 16).to(torch.uint8).reshape(-1, 1, 4, 4), sources=list(sources))


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True), st.randoms())
def test_each_finds_its_partner(stems, random):
    shuffled = random.sample(stems, len(stems))
    first, second = data([f"x/{s}.png" for s in stems]), data([f"x/{s}.jpg" for s in shuffled])
    one, other = paired(first, second, NAMES)
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
