"""Tables as programs write them: every column is read or told of, and no row is taken twice or in two ways."""

import json
import unicodedata
import zipfile

import numpy as np
import pytest
from PIL import Image

from zeuxis.data.reader import open_dataset
from zeuxis.data.trees import Where
from zeuxis.errors import BadInput


@pytest.fixture
def folder(tmp_path):
    """img/0.png to img/5.png, all different."""
    (tmp_path / "img").mkdir()
    for i in range(6):
        Image.fromarray(np.full((4, 4, 3), 30 * i, np.uint8)).save(tmp_path / "img" / f"{i}.png")
    return tmp_path


def table(folder, text, name="t.csv", encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def rows(header, *values):
    return header + "\n" + "".join(f"img/{i}.png,{v}\n" for i, v in enumerate(values))


def labels(data):
    return [data.spec.classes[k] for k in data.labels]


SIX = ["a,x", "b,y", "a,x", "b,y", "a,x", "b,y"]


@pytest.mark.parametrize(
    ("column", "flag"),
    [("patient", "--group-at"), ("Subject", "--group-at"), ("patient_id", "--group-at"), ("site", "--group-at")]
    + [("split", "--part-at"), ("fold", "--part-at"), ("subset", "--part-at"), ("weather", "")],
)
def test_a_column_that_is_not_read_is_told_once_with_its_flag(folder, column, flag):
    data = open_dataset(table(folder, rows(f"file,label,{column}", *SIX)))
    assert labels(data) == ["a", "b"] * 3 and data.groups is None and data.parts is None
    (remark,) = data.remarks
    assert f"the column `{column.lower()}` is not read" in remark and flag in remark


def test_columns_under_a_flag(folder):
    path = table(folder, rows("file,label,patient,split", *[f"a,{i // 2},{s}" for i, s in enumerate("abcdef")]))
    data = open_dataset(path, where=Where(groups="Patient"))
    assert data.groups == ["0", "0", "1", "1", "2", "2"]
    path = table(folder, rows("file,label,split", *["a,train", "b,Training", "a,dev", "b,val", "a,test", "b,held-out"]))
    assert open_dataset(path, where=Where(parts="split")).parts == ["train", "train", "val", "val", "test", "test"]
    path = table(folder, rows("file,label,fold", *["a,0", "b,0", "a,1", "b,1", "a,2", "b,2"]))
    assert open_dataset(path, where=Where(parts="fold=2")).parts == ["train"] * 4 + ["test"] * 2
    with pytest.raises(BadInput, match=r"`0` in the column `fold` is no part.*--part-at fold=0"):
        open_dataset(path, where=Where(parts="fold"))
    with pytest.raises(BadInput, match="did you mean `fold`"):
        open_dataset(path, where=Where(parts="folds"))
    assert open_dataset(path, where=Where("fold")).spec.classes == ("0", "1", "2")
    assert open_dataset(path, where=Where(0)).labels is None


def test_rows_of_an_unlabelled_part_and_a_part_that_lacks(folder):
    path = table(folder, rows("file,label,part", "a,train", "b,train", "a,test", "b,test", "a,unlabelled", "b,train"))
    data = open_dataset(path)
    assert len(data) == 5 and data.remarks == ["left out: 1 row of an unlabelled part"]
    path = table(folder, rows("file,label,part", "a,train", "b,", "a,test", "b,test", "a,val", "b,train"))
    with pytest.raises(BadInput, match=r"1 row without a part in the column `part`.*`--part-at 0`"):
        open_dataset(path)
    assert open_dataset(path, where=Where(parts=0)).parts is None
    data = open_dataset(table(folder, rows("file,label,part", *["a,", "b,"] * 3)))
    assert data.parts is None and data.remarks == ["no row names a part in the column `part`"]


def test_pictures_without_a_group_among_others_that_have_one_are_told(folder):
    data = open_dataset(table(folder, rows("file,label,group", "a,1", "b,", "a,1", "b,2", "a,", "b,2")))
    assert data.groups == ["1", "img/1.png", "1", "2", "img/4.png", "2"]
    assert data.remarks == ["2 pictures without a `group`: nothing but copies is kept together there"]


def test_pictures_that_the_table_of_a_folder_does_not_name_are_told(folder):
    named = "file_name,label\n./0.png,a\n1.png,b\n2.png,\ngone.png,a\n"
    table(folder / "img", named, "metadata.csv")
    data = open_dataset(folder / "img")
    there = len(list((folder / "img").glob("*.png")))
    told = [line for line in data.remarks if line.startswith("left out")]
    assert told == [f"left out: {there - 3} pictures that metadata.csv does not name, such as 3.png"]
    assert len(data) == 2 and len(data.skipped) == 2


def test_one_hot_columns_and_columns_without_a_name(folder):
    data = open_dataset(table(folder, rows("file,cat,dog,", *["1,0,9", "0,1,8"] * 3)))
    assert data.labels is None
    assert data.remarks[0].startswith("the columns `cat`, `dog` hold a 1 for the class") and len(data.remarks) == 2


def test_a_row_that_names_a_picture_again(folder):
    twice = rows("file,label", *"ababab") + "img/0.png,a\n./img/1.png,b\n"
    data = open_dataset(table(folder, twice))
    assert len(data) == 6 and data.remarks == ["2 rows for a picture that was named before: it counts once"]
    for header, last in (("file,label", "b"), ("file,label,group", "a,other"), ("file,label,part", "a,test")):
        whole = rows(header, *([last.replace("b", "a").replace("other", "one").replace("test", "train")] * 6))
        with pytest.raises(BadInput, match="img/0.png has the .* keep one row"):
            open_dataset(table(folder, whole + f"img/0.png,{last}\n"))


def test_labels_that_are_one_number_are_one_class(folder):
    data = open_dataset(table(folder, rows("file,label", "1", "01", " 1", "1.0", "2", "2")))
    assert data.spec.classes == ("1", "2") and data.labels.tolist() == [0, 0, 0, 0, 1, 1]
    assert data.remarks == ["the labels `01`, `1`, `1.0` are one number, and one class"]
    data = open_dataset(table(folder, rows("file,label", *["0.0", "10.0", "9.0"] * 2)))
    assert data.spec.classes == ("0", "9", "10") and data.remarks == []


def test_groups_that_are_one_number_are_one_group(folder):
    """A spreadsheet takes the zeros of some: one patient would stand on both sides of a split."""
    data = open_dataset(table(folder, rows("file,label,group", "a,01", "b,1", "a,1.0", "b,2", "a,p1", "b,p01")))
    assert data.groups == ["1", "1", "1", "2", "p1", "p01"]
    assert data.remarks == ["the groups `01`, `1`, `1.0` are one number, and one group"]


def test_json_values(folder):
    def lines(*values):
        return "".join(
            json.dumps({"file": f"img/{i}.png", "label": v}, ensure_ascii=False) + "\n" for i, v in enumerate(values)
        )

    data = open_dataset(table(folder, lines(True, False, True, False, True, True), "b.jsonl"))
    assert labels(data) == ["true", "false", "true", "false", "true", "true"]
    text = lines(*["cat\u2028x\u0085y\u000b", "dog"] * 3)
    data = open_dataset(table(folder, text, "s.jsonl"), strict=True)
    assert len(data) == 6 and all(len(name.splitlines()) == 1 for name in data.spec.classes)
    data = open_dataset(table(folder, lines(1, 1.0, "1", None, " ", 2), "m.jsonl"))
    assert labels(data) == ["1", "1", "1", "2"] and [reason for _, reason in data.skipped] == ["has no label"] * 2


def test_what_spreadsheets_write(folder):
    plain = rows("file,label", *"ababab")
    for text, encoding in (
        ("sep=;\r\n" + plain.replace(",", ";"), "utf-8"),
        (plain.replace(",", "\t"), "utf-16"),
        (plain.replace("\n", "\r"), "utf-8-sig"),
        (plain.replace("/", "\\"), "utf-8"),
    ):
        assert labels(open_dataset(table(folder, text, encoding=encoding))) == list("ababab")


def test_spaces_that_are_cut_and_backslashes_are_told(folder):
    """`glass ` and `glass` became one class, and `img\\0.png` a path, without a word."""
    plain = rows("file,label", *"ababab")
    assert not open_dataset(table(folder, plain)).remarks
    spaced = open_dataset(table(folder, plain.replace(",a", ",a ")))
    assert labels(spaced) == list("ababab")
    assert spaced.remarks == ["spaces around the value are cut in 3 rows of the column `label`"]
    turned = open_dataset(table(folder, plain.replace("/", "\\")))
    assert turned.remarks == ["`\\` in the names of 6 files is read as `/`"]


def test_a_name_without_its_ending_is_told(folder):
    with pytest.raises(BadInput, match=r"img/0 does not exist, but 0\.png does: write whole names"):
        open_dataset(table(folder, "file,label\nimg/0,a\nimg/1,b\n"))


def test_tables_of_hugging_face(folder):
    lines = [json.dumps({"file_name": f"{i}.png", "label": "ab"[i % 2], "text": f"number {i}"}) for i in range(6)]
    path = table(folder / "img", "\n".join(lines), "metadata.jsonl")
    data = open_dataset(path)
    assert labels(data) == list("ababab")
    assert data.remarks == ["the column `file_name` is read as the file", "the column `text` is not read"]
    whole = open_dataset(folder / "img")
    assert whole.digest == data.digest and whole.remarks[0] == "read by metadata.jsonl"


def test_parts_of_hugging_face(folder):
    for part in ("train", "test"):
        (folder / "set" / part).mkdir(parents=True)
        text = "file_name,label\n"
        for i in range(3 * (part == "test"), 3 * (part == "test") + 3):
            (folder / "img" / f"{i}.png").rename(folder / "set" / part / f"{i}.png")
            text += f"{i}.png,{'ab'[i % 2]}\n"
        table(folder / "set" / part, text, "metadata.csv")
    data = open_dataset(folder / "set")
    assert data.parts == ["test"] * 3 + ["train"] * 3 and labels(data) == list("bababa")
    assert data.sources[0] == "test/3.png"


def test_captions_without_labels_leave_the_folders_to_tell_classes(folder):
    for name in ("a", "b"):
        (folder / "set" / name).mkdir(parents=True)
        (folder / "img" / f"{int(name == 'b')}.png").rename(folder / "set" / name / "1.png")
    table(folder / "set", "file_name,text\na/1.png,one\nb/1.png,two\n", "metadata.csv")
    data = open_dataset(folder / "set")
    assert labels(data) == ["a", "b"] and data.remarks == [
        "the table metadata.csv is not read; give it in place of the folder"
    ]


def test_a_table_beside_a_folder_is_told(folder):
    table(folder, rows("file,label", *"ababab"))
    assert open_dataset(folder).remarks == ["the table t.csv is not read; give it in place of the folder"]


def test_a_table_that_names_no_files_is_not_advised(folder):
    table(folder, "name,licence\na.jpg,CC0\n", "LICENCES.csv")
    (folder / "lines.jsonl").write_text('{"file_name": "a.png", "label": 3}\n')
    (folder / "wide.csv").write_bytes("File Path;label\na.png;1\n".encode("utf-16"))
    assert open_dataset(folder).remarks == [
        "the table LICENCES.csv is not read; it has no column `file`",
        "the table lines.jsonl is not read; give it in place of the folder",
        "the table wide.csv is not read; give it in place of the folder",
    ]


@pytest.mark.parametrize(
    ("values", "way"),
    [("01234012", "; `--part-at fold=0` makes the rows with `0` the test part"), ("rrrrrrrr", None)],
)
def test_how_a_column_of_folds_is_read(folder, values, way):
    """As folds have no names of parts, the advice was refused when it was taken."""
    values = values.replace("r", "train ").split() if "r" in values else list(values)
    lines = "".join(f"img/{i % 6}.png,a,{value}\n" for i, value in enumerate(values[:6]))
    remarks = open_dataset(table(folder, "file,label,fold\n" + lines, "f.csv")).remarks
    assert f"the column `fold` is not read{way or '; `--part-at fold` makes it the parts'}" in remarks


def test_names_in_either_unicode_form(tmp_path):
    (tmp_path / "img").mkdir()
    wide, narrow = (unicodedata.normalize(form, "café") for form in ("NFD", "NFC"))
    for i, name in enumerate((wide, narrow, wide)):
        Image.fromarray(np.full((4, 4, 3), 30 * i, np.uint8)).save(tmp_path / "img" / f"{name}{i}.png")
    text = f"file,label\nimg/{narrow}0.png,{wide}\nimg/{wide}1.png,{narrow}\nimg/{wide}2.png,tea\n"
    data = open_dataset(table(tmp_path, text), strict=True)
    assert labels(data) == [narrow, narrow, "tea"]


@pytest.mark.parametrize("value", [["cat"], {"name": "cat"}, []])
@pytest.mark.parametrize("column", ["file", "label", "group", "part"])
def test_a_list_or_an_object_in_a_column_that_is_read_is_an_error(folder, column, value):
    row = {"file": "img/0.png", "label": "a", "group": "x", "part": "train"}
    text = json.dumps(row | {"file": "img/1.png"}) + "\n" + json.dumps(row | {column: value})
    with pytest.raises(BadInput, match=f"`{column}`") as error:
        open_dataset(table(folder, text, "t.jsonl"))
    assert "line 2" in str(error.value)


def test_a_list_in_a_column_that_is_not_read_is_no_error(folder):
    text = "".join(json.dumps({"file": f"img/{i}.png", "label": ["a"], "boxes": [[1, 2]]}) + "\n" for i in range(3))
    data = open_dataset(table(folder, text, "t.jsonl"), where=Where(classes=0))
    assert len(data) == 3 and data.labels is None


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_two_columns_of_one_name_are_an_error(folder, name):
    text = "file,label,Label \nimg/0.png,a,b\n" if name == "t.csv" else '{"file": "img/0.png", "label": 1, "label": 2}'
    with pytest.raises(BadInput, match="two columns are called `label`"):
        open_dataset(table(folder, text, name))


def test_labels_in_two_unicode_forms_are_told_of(folder):
    forms = [unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD")]
    data = open_dataset(table(folder, rows("file,label", *forms, "b")))
    assert data.spec.classes == ("b", forms[0])
    assert f"`{forms[0]}` is written in 2 Unicode forms, and is one name" in data.remarks


def test_labels_that_differ_in_case_or_stand_for_nothing_are_said(folder):
    found = open_dataset(table(folder, rows("file,label", "Cat", "cat", "nan", "x", "None", "x")))
    assert set(found.spec.classes) == {"Cat", "cat", "nan", "None", "x"}
    told = "\n".join(found.remarks)
    assert "the classes `Cat`, `cat` differ in case alone" in told
    assert "`None` is read as a class" in told and "`nan` is read as a class" in told
    plain = open_dataset(table(folder, rows("file,label", "a", "b", "a", "b", "a", "b"), "u.csv"))
    assert plain.remarks == []


@pytest.mark.parametrize("inside", ["", "set/"])
def test_a_table_in_a_zip_or_one_folder_down_is_not_passed_over_in_silence(folder, inside):
    table(folder / "img", "file_name,label\n0.png,a\n1.png,b\n", "metadata.csv")
    with zipfile.ZipFile(folder / "z.zip", "w") as archive:
        for path in sorted((folder / "img").iterdir()):
            archive.write(path, f"{inside}{path.name}")
    told = f"the table {inside}metadata.csv is not read; unpack the zip and give it, or the folder that it lies in"
    assert open_dataset(folder / "z.zip").remarks == [told]
    assert "the table img/metadata.csv is not read; give it in place of the folder" in open_dataset(folder).remarks
