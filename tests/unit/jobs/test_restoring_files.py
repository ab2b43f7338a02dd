"""Which file becomes which, settled before work starts."""

from pathlib import Path

import pytest

from zeuxis.errors import BadInput
from zeuxis.jobs.per_image.pairs import pairs_of, writable_suffix


@pytest.fixture()
def tree(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b/c.PNG", "b/d.heic", ".hidden.png", "Thumbs.db", "notes.txt"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"x")
    return tmp_path / "in"


def test_a_tree_is_mirrored(tree, tmp_path):
    pairs = pairs_of(str(tree), str(tmp_path / "out"), "restored")
    assert {p.name: p.target.relative_to(tmp_path).as_posix() for p in pairs} == {
        "a.jpg": "out/a.jpg",
        "b/c.PNG": "out/b/c.PNG",
        "b/d.heic": "out/b/d.png",
    }
    assert {p.target.parent.name for p in pairs_of(str(tree), None, "restored")} == {"in-restored", "b"}


def test_one_file(tree, tmp_path):
    one = str(tree / "a.jpg")
    assert pairs_of(one, None, "x2")[0].target == tree / "a-x2.jpg"
    assert pairs_of(one, str(tmp_path), "x2")[0].target == tmp_path / "a.jpg"
    assert pairs_of(one, f"{tmp_path}/new/", "x2")[0].target == tmp_path / "new" / "a.jpg"
    assert pairs_of(one, str(tmp_path / "z.tif"), "x2")[0].target == tmp_path / "z.tif"


def test_a_pattern(tree, tmp_path):
    found = pairs_of(f"{tree}/**/*.PNG", str(tmp_path / "out"), "restored")
    assert [p.target.name for p in found] == ["c.PNG"]


@pytest.mark.parametrize(
    ("given", "out"),
    [("nowhere", "out"), ("nowhere/*.png", "out"), ("in/a.jpg", "in/a.jpg"), ("in", "in"), ("in/a.jpg", "x.heic")],
)
def test_refused(tree, tmp_path, monkeypatch, given, out):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput):
        pairs_of(given, out, "restored")


def test_two_that_would_become_one_keep_their_whole_names(tree, tmp_path):
    before = {pair.source: pair.target for pair in pairs_of(str(tree), str(tmp_path / "out"), "restored")}
    (tree / "b" / "d.png").write_bytes(b"x")
    after = {pair.source: pair.target for pair in pairs_of(str(tree), str(tmp_path / "out"), "restored")}
    changed = {s.name: after[s].name for s in before if before[s] != after[s]}
    assert len(set(after.values())) == len(before) + 1
    assert changed == {s.name: f"{s.name}.png" for s in before if s.name.startswith("d.")}


def test_a_pattern_mirrors_the_tree_below_its_plain_part(tree, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = pairs_of("in/*/*.*", "out", "restored")
    assert found and all(pair.target.parent == Path("out") / pair.source.parent.name for pair in found)


def test_what_can_be_written():
    assert writable_suffix(Path("x.JPG")) == ".JPG" and writable_suffix(Path("x.gif")) == ".png"
