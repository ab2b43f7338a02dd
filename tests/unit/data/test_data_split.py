import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from zeuxis.data import duplicates
from zeuxis.data.duplicates import Sets, families
from zeuxis.data.memory import MemoryDataset
from zeuxis.data.reader import open_dataset
from zeuxis.data.split import PARTS, Split, split_dataset
from zeuxis.draw import Draw
from zeuxis.errors import BadInput

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


def noise(n, name="x", side=16, channels=1):
    bits = Draw(0).at(name).integers(n, channels, side, side, high=256)
    return bits.to(torch.uint8)


def data_of(pixels, labels=None, **given):
    classes = () if labels is None else tuple(str(k) for k in range(max(labels) + 1))
    return MemoryDataset(pixels, None if labels is None else np.array(labels), classes, **given)


def parts_of(split):
    return [set(getattr(split, name).tolist()) for name in PARTS]


def jpeg(pixels, quality):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def test_each_class_is_divided_in_the_same_shares():
    labels = [0] * 50 + [1] * 30 + [2] * 10
    data = data_of(noise(90), labels)
    split = split_dataset(data, seed=3, validation=0.1, test=0.3)
    counts = {name: np.bincount(data.labels[getattr(split, name)]).tolist() for name in PARTS}
    assert counts == {"train": [30, 18, 6], "validation": [5, 3, 1], "test": [15, 9, 3]}
    assert not set.intersection(*parts_of(split)) and set.union(*parts_of(split)) == set(range(90))


def test_the_seed_and_the_content_decide_not_the_order():
    pixels = noise(60)
    split = split_dataset(data_of(pixels), seed=1)
    assert split.digest == split_dataset(data_of(pixels), seed=1).digest
    assert split.digest != split_dataset(data_of(pixels), seed=2).digest
    order = Draw(5).at("p").permutation(60)
    other = split_dataset(data_of(pixels[order]), seed=1)
    assert {split.hashes[i] for i in split.test} == {other.hashes[i] for i in other.test}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_nothing_straddles(data):
    n = data.draw(st.integers(3, 40))
    which = data.draw(st.lists(st.integers(0, 29), min_size=n, max_size=n))
    groups = data.draw(st.lists(st.sampled_from("abcdefghijklmnop"), min_size=n, max_size=n))
    labels = data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    pixels = noise(30)[which]
    made = MemoryDataset(pixels, np.array(labels), ("a", "b", "c"), groups=groups)
    split = split_dataset(made, seed=data.draw(st.integers(0, 9)))
    home = {i: name for name in PARTS for i in getattr(split, name).tolist()}
    assert sorted(home) == list(range(n)) and len(split.dropped) == 0
    for i in range(n):
        for j in range(i):
            if which[i] == which[j] or groups[i] == groups[j]:
                assert home[i] == home[j]


def test_a_recompressed_copy_stays_with_its_original():
    real = open_dataset("fashion-mini").images(np.arange(0, 400))[:, 0].numpy()
    copies = np.stack([jpeg(p, 75) for p in real[:40]])
    pixels = torch.from_numpy(np.concatenate([real, copies]))[:, None]
    groups = families(data_of(pixels)).roots
    assert groups[400:].tolist() == groups[:40].tolist()
    assert len(np.unique(groups[:400])) >= 399


def test_mirrored_pictures_are_the_same_and_brighter_small_ones_are_not():
    real = open_dataset("fashion-mini").images([0])
    other = torch.stack([real[0], (real[0] * 0.5).byte(), real[0].flip(-1), 255 - real[0]])
    assert families(data_of(other)).roots.tolist() == [0, 1, 0, 3]


def test_colours_count():
    pixels = noise(1, channels=1).repeat(2, 3, 1, 1)
    pixels[1, 0] = 0
    assert len(np.unique(families(data_of(pixels)).roots)) == 2


def test_distinct_real_pictures_do_not_chain():
    data = open_dataset("fashion-mini")
    sizes = np.bincount(families(data).roots)
    assert sizes.max() <= 3 and (sizes > 1).sum() <= 5


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared pictures are not here")
def test_distinct_photographs_do_not_chain():
    data = open_dataset(SHARED / "trashnet-600", size=64)
    assert np.bincount(families(data).roots).max() <= 2


def test_a_large_family_is_found_whole():
    base = noise(1, side=32)[0].float()
    shifts = Draw(1).at("s").normal(60, 1, 32, 32) * 2
    family = (base + shifts).clamp(0, 255).byte()
    pixels = torch.cat([family, noise(20, "other", side=32)])
    sizes = np.bincount(families(data_of(pixels)).roots)
    assert sorted(sizes[sizes > 0].tolist()) == [1] * 20 + [60]


def test_blank_pictures_are_one_family_and_cost_little():
    pixels = torch.full((300, 1, 8, 8), 200, dtype=torch.uint8)
    pixels[:150, 0, 0, 0] = torch.arange(150).remainder(3).byte() + 199
    assert len(np.unique(families(data_of(pixels)).roots)) == 1


def test_near_pairs_of_none_and_one():
    empty = np.zeros((1, 1, 16, 16), np.float32)
    assert duplicates.near_pairs(empty, np.zeros(1)) == []


def test_official_parts_are_kept_and_copies_of_test_pictures_dropped():
    pixels = noise(50)
    pixels[3], pixels[4] = pixels[45], pixels[5]
    parts = ["train"] * 40 + ["test"] * 10
    groups = [f"g{i}" for i in range(50)]
    groups[7] = groups[49]
    data = data_of(pixels, parts=parts, groups=groups)
    split = split_dataset(data, seed=0, validation=0.25)
    assert split.test.tolist() == list(range(40, 50)) and split.dropped.tolist() == [3, 7]
    train, validation, _ = parts_of(split)
    assert len(validation) == 10 and len(train) == 28
    assert {4, 5} <= train or {4, 5} <= validation


def test_a_validation_part_of_the_set_is_the_validation_part():
    pixels = noise(60)
    pixels[3], pixels[45], pixels[46] = pixels[55], pixels[56], pixels[5]  # train-test, val-test, val-train
    parts = ["train"] * 40 + ["val"] * 10 + ["test"] * 10
    split = split_dataset(data_of(pixels, parts=parts), seed=0, validation=0.25)
    assert split.test.tolist() == list(range(50, 60))
    assert split.validation.tolist() == [i for i in range(40, 50) if i != 45]
    assert split.dropped.tolist() == [3, 5, 45] and len(split.train) == 38
    split = split_dataset(data_of(noise(50), parts=parts[:50]), seed=0)  # a test part is drawn where there is none
    assert split.validation.tolist() == list(range(40, 50)) and len(split.test) == 8 and len(split.train) == 32
    split = split_dataset(data_of(noise(50), parts=parts[:50]), seed=0, validation=0.1, test=0.0)
    assert split.validation.tolist() == list(range(40, 50)) and len(split.train) == 40
    with pytest.raises(BadInput, match="the validation part holds a picture that a program made"):
        split_dataset(data_of(noise(50), parts=parts[:50], generated=[False] * 49 + [True]), seed=0)


def test_parts_that_are_all_alike_do_not_count():
    split = split_dataset(data_of(noise(50), parts=["test"] * 50), seed=0)
    assert [len(p) for p in parts_of(split)] == [30, 10, 10]


def test_generated_pictures_only_train():
    generated = [i % 3 == 0 for i in range(60)]
    pixels = noise(60)
    pixels[1] = pixels[0]
    split = split_dataset(data_of(pixels, generated=generated), seed=0)
    train = parts_of(split)[0]
    assert {i for i in range(60) if generated[i]} | {1} <= train
    with pytest.raises(BadInput, match="a program made"):
        split_dataset(data_of(pixels, generated=generated, parts=["train"] * 30 + ["test"] * 30), seed=0)


def test_whole_groups_fill_the_parts():
    labels = [k for k in range(6) for _ in range(100)]
    groups = [f"{k}-{i // 20}" for k in range(6) for i in range(100)]
    split = split_dataset(data_of(noise(600), labels, groups=groups), seed=0)
    for name, count in zip(PARTS, (60, 20, 20), strict=True):
        assert np.bincount(np.array(labels)[getattr(split, name)]).tolist() == [count] * 6


@pytest.mark.parametrize(("validation", "test"), [(0.0, 0.0), (0.0, 0.5), (0.3, 0.0)])
def test_a_share_of_zero_is_an_empty_part(validation, test):
    split = split_dataset(data_of(noise(20)), seed=0, validation=validation, test=test)
    assert [len(p) for p in parts_of(split)] == [20 - round(20 * (validation + test)), 20 * validation, 20 * test]


@pytest.mark.parametrize(("validation", "test"), [(-0.1, 0.2), (0.5, 0.5), (0.2, 1.0), (float("nan"), 0.1)])
def test_impossible_shares(validation, test):
    with pytest.raises(BadInput):
        split_dataset(data_of(noise(20)), seed=0, validation=validation, test=test)
    with pytest.raises(BadInput):
        split_dataset(data_of(noise(20)[:0]), seed=0)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_few_pictures_still_train(n):
    split = split_dataset(data_of(noise(n)), seed=0)
    assert len(split.train) >= 1 and sum(map(len, parts_of(split))) == n


def test_written_down_and_read_back():
    data = data_of(noise(30), [i % 2 for i in range(30)], sources=[f"a b/{i}.png" for i in range(30)])
    split = split_dataset(data, seed=7)
    value = json.loads(json.dumps(split.to_json()))
    again = Split.from_json(value, data)
    assert again.digest == split.digest and again.seed == 7 and again.to_json() == value
    assert all(np.array_equal(getattr(again, name), getattr(split, name)) for name in PARTS)
    assert value["test"][0] == f"{split.test[0]} {data.hashes[split.test[0]].hex()} a b/{split.test[0]}.png"
    with pytest.raises(BadInput, match="not those that were split"):
        Split.from_json(value, data_of(noise(30, "other")))


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.pop("test"),
        lambda v: v["train"].pop(),
        lambda v: v["train"].append(v["train"][0]),
        lambda v: v["train"].__setitem__(0, "x"),
        lambda v: v["train"].__setitem__(0, v["train"][0].replace(" ", " 0", 1)),
        lambda v: v.update(format=2),
        lambda v: v["train"].append(v["test"].pop()),
    ],
)
def test_a_damaged_split_is_refused(change):
    value = split_dataset(data_of(noise(10)), seed=0).to_json()
    change(value)
    with pytest.raises(BadInput, match="damaged"):
        Split.from_json(value)


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19))))
def test_disjoint_sets(pairs):
    sets, naive = Sets(20), [{i} for i in range(20)]
    for i, j in pairs:
        joined = naive[i] | naive[j]
        assert sets.join(i, j) == (naive[i] is not naive[j])
        for k in joined:
            naive[k] = joined
    assert sets.roots().tolist() == [min(s) for s in naive]
