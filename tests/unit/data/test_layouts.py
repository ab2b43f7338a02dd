"""Trees of folders as people have them: parts are parts, and what is no folder per class is asked about."""

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeuxis.data.layouts import layout
from zeuxis.data.parts import part_name
from zeuxis.data.trees import Where
from zeuxis.errors import BadInput


def read(places, where=None, beside=()):
    """(part, class, group) by path for what is used, what is left out by path, and the remarks."""
    paths = sorted(PurePosixPath(place) for place in places)
    found = layout(paths, [PurePosixPath(p) for p in beside], where or Where())
    pairs = list(zip(map(str, paths), found.places, strict=True))
    used = {path: (p.part, p.label, p.group) for path, p in pairs if not (p.out or p.away)}
    return used, {path: p.out for path, p in pairs if p.out or p.away}, found.remarks


def tree(*folders):
    return [f"{folder}/{i}.png" if folder else f"{i}.png" for folder in folders for i in (1, 2)]


SPELLINGS = {
    part: names.split(", ")
    for part, names in {
        "train": "train, Train, TRAIN, training, training_set, train_set, trainset, TrainingData, Training Data, "
        "train-images, train2017, trn, seg_train",
        "val": "val, Valid, VALIDATION, validation_set, valset, dev, val2017, Validation Data, seg_val",
        "test": "test, Testing, TEST_SET, testset, test images, held_out, Held-Out, holdout, eval, seg_test",
        "unlabelled": "unlabelled, Unlabeled, unlabeled_data, unsup, seg_pred, no_labels, predictions",
    }.items()
}


@pytest.mark.parametrize(("part", "name"), [(part, name) for part, names in SPELLINGS.items() for name in names])
def test_spellings_of_parts(part, name):
    assert part_name(name)[0] == part


@pytest.mark.parametrize(
    "name", ["cats", "contest", "trainer", "strain", "valley", "latest", "device", "7", "日本", ""]
)
def test_what_is_no_part(name):
    assert part_name(name) is None


@given(
    st.sampled_from(SPELLINGS["train"][:-1]),
    st.sampled_from(SPELLINGS["val"][:-1] + SPELLINGS["test"][:-1]),
    st.sampled_from(["", "data/", "archive/set 1/"]),
    st.booleans(),
)
def test_parts_lie_above_or_inside_the_classes(train, other, outer, inside):
    order = "{1}/{0}" if inside else "{0}/{1}"
    folders = [outer + order.format(part, name) for part in (train, other) for name in ("cats", "dogs")]
    used, left, remarks = read(tree(*folders))
    assert not left and not remarks and len(used) == 8
    for path, (part, label, _) in used.items():
        assert label in path.split("/") and part == part_name(train if f"{train}/" in path else other)[0]


def test_a_folder_of_a_parts_own_name_inside_it_is_passed_over():
    folders = [f"{p}/{p}/{c}" for p in ("seg_train", "seg_test") for c in ("sea", "forest")]
    used, left, remarks = read(tree(*folders, "seg_pred/seg_pred"))
    assert {(part, label) for part, label, _ in used.values()} == {
        (part, label) for part in ("train", "test") for label in ("sea", "forest")
    }
    assert len(left) == 2 and remarks == ["left out: 2 pictures in `seg_pred`, unlabelled"]


def test_what_lies_beside_parts_is_told():
    used, left, remarks = read([*tree("train/a", "train/b", "test/a", "test/b", "extra", "unlabeled"), "preview.png"])
    assert {label for _, label, _ in used.values()} == {"a", "b"} and len(used) == 8
    assert left["preview.png"] == "lies beside the folders of the parts"
    assert remarks == [
        "left out: 2 pictures in `extra`, beside the parts",
        "left out: 2 pictures in `unlabeled`, unlabelled",
    ]


def test_a_flat_part_beside_classes_is_left_out_and_told():
    used, left, remarks = read(tree("train/a", "train/b", "test"))
    assert {part for part, _, _ in used.values()} == {"train"} and len(left) == 2
    assert remarks == ["left out: 2 pictures in `test`, unlabelled"]
    with pytest.raises(BadInput, match="--classes-at 0"):
        read(tree("train", "test/a", "test/b"))
    assert set(read(tree("train", "test"))[0].values()) == {("train", None, None), ("test", None, None)}


def test_one_part_alone_is_none():
    used, _, remarks = read(tree("train/a", "train/b"))
    assert set(used.values()) == {(None, "a", None), (None, "b", None)} and not remarks
    used, _, remarks = read(tree("test", "control"))
    assert {label for _, label, _ in used.values()} == {"test", "control"}
    assert remarks == ["`test` is read as a class, as no other folder makes it a part"]
    with pytest.raises(BadInput, match="none is for training"):
        read(tree("val/a", "val/b", "test/a", "test/b"))
    with pytest.raises(BadInput, match="`data`, holds `test`, `train`; give that folder"):
        read(tree("data/train/a", "data/test/a", "docs"))


PAIRS = [
    ("LR", "HR"),
    ("X2", "HR"),
    ("lowres", "highres"),
    ("low_resolution", "high_resolution"),
    ("input", "target"),
    ("Noisy", "Clean"),
    ("blur", "sharp"),
    ("hazy", "GT"),
    ("DIV2K_train_LR_bicubic/X2", "DIV2K_train_HR"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
@pytest.mark.parametrize("place", ["{}/{}.png", "set/{}/{}.png", "train/{}/{}.png", "{}/cat/{}.png"])
def test_two_sides_of_pairs_are_no_classes(one, other, place):
    places = [
        place.format(side, name) for side, end in ((one, "x2"), (other, "")) for name in (f"{i}{end}" for i in "123")
    ]
    level = place.split("/").index("{}") + 1
    with pytest.raises(BadInput, match=f"two sides of pairs, not classes.*--classes-at {level}` ") as told:
        read(places)
    assert f"`{one.split('/')[0]}` and `{other}`" in str(told.value) and f"the folder `{other}`" in str(told.value)
    labels = {label for _, label, _ in read(places, Where(classes=level))[0].values()}
    assert labels == {one.split("/")[0], other}


@pytest.mark.parametrize(
    "places",
    [
        ["noisy/1.png", "noisy/2.png", "clean/3.png", "clean/4.png"],  # other files: two kinds of pictures
        ["small/1.png", "large/1.png"],
        ["low/1.png", "medium/1.png"],
        ["a/1.png", "b/1.png"],
        ["sharp cat/1.png", "blurred dog/1.png"],
    ],
)
def test_classes_that_are_called_almost_so_stay_classes(places):
    assert len({label for _, label, _ in read(places)[0].values()}) == 2


@pytest.mark.parametrize(
    ("folders", "beside", "words", "level"),
    [
        (["images", "masks"], [], "masks in `masks`", 0),
        (["Images", "Labels"], [], "masks in `Labels`", 0),
        (["img", "gt"], [], "masks in `gt`", 0),
        (["set/train/images", "set/train/masks", "set/val/images", "set/val/masks"], [], "masks in `masks`", 0),
        (["images/train", "images/val", "masks/train", "masks/val"], [], "masks in `masks`", 0),
        (["", "masks"], [], "masks in `masks`", 0),
        (["JPEGImages", "SegmentationClass", "SegmentationObject"], [], "masks in `SegmentationClass`", 0),
        (["VOC2012/JPEGImages"], ["VOC2012/Annotations/1.xml"], "boxes in `Annotations`", 0),
        ([""], ["1.xml", "2.xml"], "boxes, as VOC has them", 0),
        (["images/train", "images/val"], [], "boxes, as YOLO has them", 0),
        (["train/images", "valid/images"], ["train/labels/1.txt"], "boxes in `labels`", 0),
        (["train_images", "train_masks", "test_images", "test_masks"], [], "masks in `test_masks`, `train_masks`", 0),
        (["train", "trainannot", "val", "valannot"], [], "masks in `trainannot`, `valannot`", 0),
        (["leftImg8bit/train/rome", "gtFine/train/rome"], [], "masks in `gtFine`", 0),
        (["VOC2007/JPEGImages", "VOC2012/JPEGImages"], [], "boxes, as VOC has them", 0),
        (["images/train", "images/val"], ["labels/train/1.txt", "labels/val/1.txt"], "boxes in `labels`", 0),
        (["train2017", "val2017"], ["annotations/instances_val2017.json"], "boxes in `annotations`", 0),
        (["bottle/train/good", "bottle/test/good", "bottle/test/bad", "bottle/ground_truth/bad"], [], "masks", 3),
    ],
)
def test_masks_and_boxes_are_asked_about_and_left_out_where_the_flag_says(folders, beside, words, level):
    with pytest.raises(BadInput, match="no folder per class") as caught:
        read(tree(*folders), beside=beside)
    message = str(caught.value)
    assert (
        words in message and f"--classes-at {level}" in message and "\n" not in message and caught.value.exit_code == 2
    )
    used, left, remarks = read(tree(*folders), Where(level), beside)
    masks = [path for path in tree(*folders) if re.search("mask|gt|annot|Labels|Segm|ground", path)]
    assert sorted(left) == sorted(masks) and bool(remarks) == bool(masks)
    assert {label for _, label, _ in used.values()} == ({"good", "bad"} if level else {None})


@pytest.mark.parametrize(
    ("folders", "classes", "groups"),
    [
        (["p1/benign", "p1/malignant", "p2/benign", "p2/malignant", "p3/benign"], 2, 1),
        (["10253/0", "10253/1", "10254/0", "10254/1"], 2, 1),
        (["benign/p1", "benign/p2", "malignant/p3", "malignant/p4"], 1, 2),
        (["benign/p1", "benign/p2", "malignant/p1", "malignant/p3"], 1, 2),
        (["train/p1/a", "train/p1/b", "train/p3/a", "test/p2/a", "test/p2/b"], 3, 2),
        (["data/anna/left", "data/anna/right", "data/bert/left", "data/bert/right"], 3, 2),
        (["patient_01", "patient_02", "patient_03"], 0, 1),
        (["2026-01-30", "2026-02-01 evening"], 0, 1),
        (["Video 1", "Video 2"], 0, 1),
    ],
)
def test_patients_are_asked_about_and_become_groups_where_the_flag_says(folders, classes, groups):
    with pytest.raises(BadInput, match="patients or scenes") as caught:
        read(tree(*folders))
    assert f"--classes-at {classes} --group-at {groups}" in str(caught.value)
    used, left, _ = read(tree(*folders), Where(classes, groups))
    assert not left and len(used) == 2 * len(folders)
    for path, (_, label, group) in used.items():
        assert group == path.split("/")[groups - 1] and label == (path.split("/")[classes - 1] if classes else None)


def test_folders_inside_classes_are_told_where_they_are_no_patients():
    used, _, remarks = read(tree("cats/persian", "cats/siamese", "dogs/poodle"))
    assert {label for _, label, _ in used.values()} == {"cats", "dogs"}
    assert "not told apart" in remarks[0] and "--classes-at 2" in remarks[0] and "--group-at 2" in remarks[0]
    assert read(tree("cats/images", "dogs/images"))[2] == []


def test_an_unlabelled_folder_beside_classes_is_no_class():
    used, left, remarks = read(tree("train/cats", "train/dogs", "train/unsup", "test/cats", "test/dogs"))
    assert {label for _, label, _ in used.values()} == {"cats", "dogs"} and len(left) == 2
    assert remarks == ["left out: 2 pictures in `unsup`, unlabelled"]
    used, left, _ = read(tree("cats", "dogs", "Unlabelled"))
    assert set(used.values()) == {(None, "cats", None), (None, "dogs", None)} and len(left) == 2


def test_parts_of_two_sets_are_asked_about():
    with pytest.raises(BadInput, match="`trainA` look like parts of one set, and .*`trainB` of"):
        read(tree("trainA", "trainB", "testA", "testB"))
    used, _, _ = read(tree("trainA", "trainB", "testA", "testB"), Where(1))
    assert {label for _, label, _ in used.values()} == {"trainA", "trainB", "testA", "testB"}


def test_names_that_hold_a_part_are_classes_where_they_are_no_division():
    for classes in (("test positive", "test negative"), ("steam train", "goods train"), ("train", "bus")):
        assert {label for _, label, _ in read(tree(*classes))[0].values()} == set(classes)
    used, _, _ = read(tree("DIV2K_train_HR", "DIV2K_valid_HR"))
    assert {part for part, _, _ in used.values()} == {"train", "val"}


def test_notes_beside_unlabelled_pictures_are_told():
    used, _, remarks = read(tree(""), beside=["1.txt", "2.txt", "readme.txt"])
    assert len(used) == 2 and remarks == ["2 files beside the pictures are not read, such as 1.txt"]


def test_classes_that_differ_in_case_are_told():
    assert read(tree("Cat", "cat", "dog"))[2] == ["the classes `Cat`, `cat` differ in case alone"]


def test_levels_are_what_a_person_says():
    used, _, _ = read(tree("train/a", "train/b", "test/a"), Where(1))
    assert set(used.values()) == {(None, "train", None), (None, "test", None)}
    used, _, _ = read(tree("train/a", "train/b", "test/a"), Where(0, parts=0))
    assert set(used.values()) == {(None, None, None)}
    for where, words in (
        (Where(4), "--classes-at 4"),
        (Where(groups=4), "--group-at 4"),
        (Where("label"), "no column `label`"),
        (Where(parts=2), "are no parts: `a`, `b`"),
    ):
        with pytest.raises(BadInput, match=words):
            read(tree("train/a", "train/b", "test/a"), where)


NAMES = st.sampled_from(
    ["a", "b", "train", "test", "val", "images", "masks", "p1", "p2", "labels", "x.y", "ground_truth"]
)


@given(st.lists(st.lists(NAMES, max_size=4).map("/".join), min_size=1, max_size=6, unique=True))
def test_every_tree_is_read_or_asked_about_and_nothing_is_lost(folders):
    places = tree(*folders)
    try:
        used, left, remarks = read(places)
    except BadInput as error:
        assert "\n" not in str(error) and error.exit_code == 2
        return
    assert sorted([*used, *left]) == sorted(places)
    assert all(reason or remarks for reason in left.values())
    assert not used or len({label is None for _, label, _ in used.values()}) == 1
    assert not used or len({part is None for part, _, _ in used.values()}) == 1
