"""Names that are equal as numbers are one class or one group wherever they stand, and that is told."""

import json
import zipfile
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from zeuxis.data.numbers import equal, number_of, one_name
from zeuxis.data.patches import open_pictures
from zeuxis.data.reader import open_dataset
from zeuxis.data.trees import Where
from zeuxis.errors import BadInput


def picture(path, i):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 4, 3), 30 * i, np.uint8)).save(path)


def table(folder, header, *values, name="t.csv"):
    for i in range(len(values)):
        picture(folder / f"{i}.png", i)
    (folder / name).write_text(header + "\n" + "".join(f"{i}.png,{v}\n" for i, v in enumerate(values)))
    return folder / name


spelled = st.from_regex(r"[+-]?([0-9]{1,4}\.?[0-9]{0,3}|\.[0-9]{1,3})([eE][+-]?[0-9]{1,2})?", fullmatch=True)


@given(spelled, spelled)
def test_equal_as_fractions_are(one, other):
    assert (number_of(one) == number_of(other)) == (Fraction(Decimal(one)) == Fraction(Decimal(other)))


@pytest.mark.parametrize(
    "name", ["", "cat", "1,000", "0x10", "1_0", "nan", "inf", "1e", ".", "١", "1 2", "1e" + "9" * 30]
)
def test_what_is_no_number(name):
    assert number_of(name) is None and not equal(name, name + "0") and equal(name, name)


def test_long_numbers_are_not_rounded():
    one, other = "1" * 40 + "1", "1" * 40 + "2"
    assert not equal(one, other) and equal(one, "0" + one) and equal("-0", "0.0") and equal("1e999999", "10e999998")
    assert one_name(["0.5", "0.50", "1e0", "1", "-0", "0", "1e3", "2.50", "1200", "12e2", "-0.025", "-25e-3"])[0] == {
        "0.5": "0.5",
        "0.50": "0.5",
        "1e0": "1",
        "1": "1",
        "-0": "0",
        "0": "0",
        "1200": "1200",
        "12e2": "1200",
        "-0.025": "-0.025",
        "-25e-3": "-0.025",
    }
    assert one_name(["007", "8", "1.5", "a1"]) == ({}, [])
    assert one_name(["1e30", "10e29"])[0] == {"1e30": "1e30", "10e29": "1e30"}


@pytest.mark.parametrize(
    ("values", "name", "told"),
    [
        (("0.5", "0.50"), "0.5", "`0.5`, `0.50`"),
        (("1", "1e0"), "1", "`1`, `1e0`"),
        (("1", "01"), "1", "`01`, `1`"),
        (("-3", "-3.0"), "-3", "`-3`, `-3.0`"),
        ((".5", "0.5"), "0.5", "`.5`, `0.5`"),
    ],
)
def test_labels_and_groups_of_a_table(tmp_path, values, name, told):
    one, other = values
    found = open_dataset(table(tmp_path, "file,label", one, other, "7", one))
    assert set(found.spec.classes) == {name, "7"} and found.labels[0] == found.labels[1]
    assert found.remarks == [f"the labels {told} are one number, and one class"]
    found = open_dataset(table(tmp_path, "file,group", one, other, "7", one))
    assert found.groups == [name, name, "7", name]
    assert found.remarks == [f"the groups {told} are one number, and one group"]
    found = open_dataset(table(tmp_path, "file,patient", one, other, "7", one), where=Where(groups="patient"))
    assert found.groups == [name, name, "7", name]


def test_a_picture_named_twice_with_one_number(tmp_path):
    path = table(tmp_path, "file,label,group", "1,02", "3,4")
    path.write_text(path.read_text() + "0.png,1.0,2\n")
    found = open_dataset(path)
    assert len(found) == 2 and "1 row for a picture that was named before: it counts once" in found.remarks


def test_the_fold_that_is_the_test_part(tmp_path):
    path = table(tmp_path, "file,fold", "1.0", "2.0", "03", "3.0")
    assert open_dataset(path, where=Where(parts="fold=3")).parts == ["train", "train", "test", "test"]
    with pytest.raises(BadInput, match="no row has `4`"):
        open_dataset(path, where=Where(parts="fold=4"))


def test_json_lines(tmp_path):
    for i in range(4):
        picture(tmp_path / f"{i}.png", i)
    rows = [{"file": f"{i}.png", "label": v, "group": g} for i, (v, g) in enumerate([(0.5, 1), ("0.50", "01")] * 2)]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = open_dataset(tmp_path / "t.jsonl")
    assert found.spec.classes == ("0.5",) and found.groups == ["1"] * 4 and len(found.remarks) == 2


@pytest.mark.parametrize("packed", [False, True])
def test_folders_and_zips(tmp_path, packed):
    for i, name in enumerate(("01/a/p1/x", "1/b/p1/x", "2/a/p2/x", "2/b/p2/x")):
        picture(tmp_path / "set" / f"{name}.png", i)
    source = tmp_path / "set"
    if packed:
        source = tmp_path / "set.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for path in sorted((tmp_path / "set").rglob("*.png")):
                archive.write(path, path.relative_to(tmp_path / "set"))
    found = open_dataset(source, where=Where(classes=2, groups=1))
    assert found.groups == ["1", "1", "2", "2"]
    assert "the groups `01`, `1` are one number, and one group" in found.remarks
    found = open_dataset(source, where=Where(classes=1))
    assert found.spec.classes == ("1", "2") and "the labels `01`, `1` are one number, and one class" in found.remarks
    assert open_pictures(source, where=Where(groups=1)).groups == ["1", "1", "2", "2"]


def test_classes_that_a_manifest_states_stay_and_are_told(tmp_path):
    files = []
    for i, label in enumerate((0, 1, 2)):
        picture(tmp_path / f"{i}.png", i)
        files.append({"file": f"{i}.png", "label": label, "group": ("1", "01", "2")[i]})
    written = {"format": 1, "channels": 3, "classes": ["01", "1", "2"], "files": files}
    (tmp_path / "zeuxis.json").write_text(json.dumps(written))
    found = open_dataset(tmp_path)
    assert found.spec.classes == ("01", "1", "2") and found.groups == ["1", "1", "2"]
    assert found.remarks == [
        "the classes `01`, `1` are one number, and stay apart",
        "the groups `01`, `1` are one number, and one group",
    ]


def test_tables_of_parts_agree_on_a_number(tmp_path):
    for part, label in (("train", "0.5"), ("test", "0.50")):
        picture(tmp_path / part / "0.png", len(part))
        (tmp_path / part / "metadata.csv").write_text(f"file_name,label\n0.png,{label}\n")
    found = open_dataset(tmp_path)
    assert found.spec.classes == ("0.5",) and found.parts == ["test", "train"]
