"""What a reading leaves out is said, and what cannot be read is called by its name."""

import gzip
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.stories.commands import inside, pictures, typed
from zeuxis.data.patches import open_pictures
from zeuxis.data.reader import open_dataset
from zeuxis.errors import BadInput
from zeuxis.jobs.sample_files import parse_seeds
from zeuxis.pictures.png import write_sheet


def idx(path: Path, array: np.ndarray) -> None:
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes()) if path.suffix == ".gz" else head + array.tobytes())


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_labels_of_one_idx_part_are_kept_where_the_other_has_none(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(0, 256, (28, 6, 6), dtype=np.uint8)
    idx(tmp_path / f"train-images-idx3-ubyte{suffix}", pixels[:20])
    idx(tmp_path / f"train-labels-idx1-ubyte{suffix}", np.arange(20, dtype=np.uint8) % 4)
    idx(tmp_path / f"t10k-images-idx3-ubyte{suffix}", pixels[20:])
    found = open_dataset(tmp_path)
    assert len(found) == 20 and found.spec.classes == ("0", "1", "2", "3")
    assert found.remarks == [f"left out: 8 pictures of `t10k-images-idx3-ubyte{suffix}`, unlabelled"]


def test_a_cell_beyond_the_header_is_refused_with_its_line(tmp_path):
    pictures(tmp_path / "img", ("a",), 2)
    names = [str(p.relative_to(tmp_path)) for p in sorted((tmp_path / "img").rglob("*.png"))]
    table = tmp_path / "t.csv"
    table.write_text("file,label\n" + f"{names[0]},cats\n{names[1]},cats, wild\n")
    with pytest.raises(BadInput, match=r"line 3 has 3 cells, the header 2: `wild` too many.*holds `,`"):
        open_dataset(table)
    table.write_text(f"file;label\n{names[0]};cats;1;2;3;4;\n")
    with pytest.raises(BadInput, match=r"line 2 has 7 cells, the header 2: `1`, `2`, `3`, \.\.\. too many.*holds `;`"):
        open_dataset(table)
    table.write_text(f"file,label,note\n{names[0]},cats,x\n{names[1]}\n")
    assert open_dataset(table).skipped == [(names[1], "has no label: line 3 ends after 1 of 3 cells")]
    table.write_text("file,label\n" + f'{names[0]},"cats, wild",\n{names[1]},dogs,,\n')
    assert open_dataset(table).spec.classes == ("cats, wild", "dogs")


def test_a_link_to_a_folder_that_is_read_already_is_said(tmp_path):
    pictures(tmp_path / "set", ("a", "b"), 3)
    (tmp_path / "set" / "c").symlink_to("a")
    found = open_dataset(tmp_path / "set")
    assert found.spec.classes == ("a", "b")
    assert ("c", "is a link to a folder that is read already") in found.skipped


@pytest.mark.parametrize("made", [{"recipe": "dcgan"}, None])
def test_a_sheet_that_was_written_beside_the_pictures_is_none_of_them(tmp_path, made):
    pictures(tmp_path / "set", ("a", "b"), 3)
    write_sheet(tmp_path / "set" / "a" / "grid.png", torch.zeros(4, 3, 8, 8), 2, made)
    says = "left out: 1 sheet of several pictures that Zeuxis wrote, such as grid.png"
    for found in (open_dataset(tmp_path / "set", strict=True), open_pictures(tmp_path / "set")):
        assert len(found.sources) == 6 and not found.skipped and says in found.remarks


def test_a_zip_that_is_cut_short_is_called_one(tmp_path):
    pictures(tmp_path / "set", ("a", "b"), 3)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as file:
        for path in (tmp_path / "set").rglob("*.png"):
            file.write(path, path.relative_to(tmp_path))
    whole = (tmp_path / "set.zip").read_bytes()
    (tmp_path / "half.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="this zip is cut short or damaged"):
        open_dataset(tmp_path / "half.zip")


def test_the_page_of_families_replaces_no_file_of_others_and_stays_out_of_the_set(tmp_path):
    pictures(tmp_path / "set", ("a", "b"), 3)
    (tmp_path / "thesis.txt").write_text("mine")
    one = next((tmp_path / "set").rglob("*.png"))
    before = one.read_bytes()
    with inside(tmp_path):
        for page in (str(one), "set/p.html", "thesis.txt"):
            done = typed("data", "show", "set", "--page", page)
            assert done.code == 2 and len(done.errors) == 1, done
        assert typed("data", "show", "set", "--page", "p.html").code == 0
        assert typed("data", "show", "set", "--page", "p.html").code == 0, "a page of ours is drawn again"
    assert one.read_bytes() == before and (tmp_path / "thesis.txt").read_text() == "mine"
    assert not (tmp_path / "set" / "p.html").exists()


@pytest.mark.parametrize(
    ("seeds", "says"),
    [("99999999999999999999", "is too large"), ("1,1,2", "names a seed twice"), ("3-5,4", "names a seed twice")],
)
def test_seeds_are_refused_for_what_they_are(seeds, says):
    with pytest.raises(BadInput, match=says):
        parse_seeds(seeds)
    assert parse_seeds("1,5-8") == [1, 5, 6, 7, 8]
