"""`data degrade`: each picture under a name of its own, and nothing that was there is lost."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.stories.commands import tree
from zeuxis.errors import BadInput
from zeuxis.jobs.degrading import degrade_files
from zeuxis.pages.page import check_page
from zeuxis.pictures.png import read_note

DAMAGE = "noise-8bit=25"


def photo(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(60, 200, (24, 20, 3), np.uint8))


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in" / "b").mkdir(parents=True)
    for seed, name in enumerate(("a.jpg", "a.png", "b/a.webp", "b/a.tif", "c.bmp")):
        photo(seed).save(tmp_path / "in" / name)
    return tmp_path / "in"


def test_names_that_clash_keep_the_whole_one(folder, tmp_path):
    done = degrade_files(str(folder), str(tmp_path / "out"), DAMAGE, 0).files
    names = {path.relative_to(tmp_path / "out").as_posix() for path in done}
    assert names == {"a.jpg.png", "a.png", "b/a.webp.png", "b/a.tif.png", "c.png"}
    for path in done:
        source = folder / read_note(path)["source"]
        given, made = (np.asarray(Image.open(p)).astype(float) for p in (source, path))
        assert 15 < np.abs(given - made).mean() < 30, path


def test_the_same_again_changes_nothing_and_all_else_is_refused(folder, tmp_path):
    out = tmp_path / "out"
    degrade_files(str(folder), str(out), DAMAGE, 0)
    before = tree(out)
    degrade_files(str(folder), str(out), DAMAGE, 0)
    assert tree(out) == before
    for damage, seed in (("noise-8bit=30", 0), (DAMAGE, 1)):
        with pytest.raises(BadInput, match="there already"):
            degrade_files(str(folder), str(out), damage, seed)
    photo(9).save(folder / "a.png")
    with pytest.raises(BadInput, match="a.png"):
        degrade_files(str(folder), str(out), DAMAGE, 0)
    assert tree(out) == before


@pytest.mark.parametrize("content", ["picture", "text", "folder"])
def test_never_over_what_was_there(folder, tmp_path, content):
    out = tmp_path / "out"
    out.mkdir()
    if content == "folder":
        (out / "c.png").mkdir()
    elif content == "text":
        (out / "c.png").write_text("precious")
    else:
        photo(7).save(out / "c.png")
    before = tree(tmp_path)
    with pytest.raises(BadInput, match="c.png"):
        degrade_files(str(folder), str(out), DAMAGE, 0)
    if content != "folder":  # into a folder it would go
        with pytest.raises(BadInput, match="c.png"):
            degrade_files(str(folder / "c.bmp"), str(out / "c.png"), DAMAGE, 0)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("out", "target"), [("ruin", "ruin/a.png"), ("ruin/", "ruin/a.png"), ("v1.0", "v1.0/a.png"), ("x.png", "x.png")]
)
def test_one_picture_goes_into_a_folder_or_to_a_png_file(folder, tmp_path, out, target):
    """The help said "folder to write to", and a folder that was not there yet was refused."""
    made = degrade_files(str(folder / "a.jpg"), f"{tmp_path}/{out}", DAMAGE, 0).files
    assert made == [tmp_path / target] and made[0].exists()


def test_another_format_is_not_quietly_made_png(folder, tmp_path):
    with pytest.raises(BadInput, match=r"\.png, not \.jpg"):
        degrade_files(str(folder / "a.jpg"), str(tmp_path / "x.jpg"), DAMAGE, 0)
    assert {p.name for p in tmp_path.iterdir()} == {"in"}


@pytest.mark.parametrize("pattern", ["*.bmp", "*.jpg", "**/*.webp", "*", "b/*"])
def test_a_pattern_writes_nothing_among_the_pictures(folder, tmp_path, pattern):
    before = tree(tmp_path)
    with pytest.raises(BadInput):
        degrade_files(str(folder / pattern), str(folder / "b" if pattern == "b/*" else folder), DAMAGE, 0)
    assert tree(tmp_path) == before
    made = degrade_files(str(folder / pattern), str(tmp_path / "out"), DAMAGE, 0).files
    assert made and all(path.is_relative_to(tmp_path / "out") for path in made)


def test_what_is_left_out_is_said(tmp_path, capsys):
    Image.fromarray(np.full((8, 8, 4), 90, np.uint8)).save(tmp_path / "x.png")
    degrade_files(str(tmp_path / "x.png"), str(tmp_path / "y.png"), DAMAGE, 0)
    assert "transparency is left out" in capsys.readouterr().err


def test_a_page_is_drawn_again_and_nothing_else_is_written_over(tmp_path):
    page = tmp_path / "page.html"
    check_page(page)
    page.write_text('<html><head><meta name="generator" content="zeuxis 1.0"></head></html>')
    check_page(page)
    page.write_text("<html>my notes</html>")
    with pytest.raises(BadInput, match="there already"):
        check_page(page)
    with pytest.raises(BadInput, match="no page can be written"):
        check_page(tmp_path)


def test_a_picture_of_fewer_bits_in_sixteen_is_told(tmp_path, capsys):
    for name, top in (("dim", 4095), ("full", 65535)):
        ramp = np.linspace(0, top, 24 * 20).astype(np.uint16).reshape(24, 20)
        Image.fromarray(ramp).save(tmp_path / f"{name}.png")
        degrade_files(str(tmp_path / f"{name}.png"), str(tmp_path / "out"), DAMAGE, 0)
        said = "its brightest value is 4,095 of 65,535" in capsys.readouterr().err
        assert said == (name == "dim")
