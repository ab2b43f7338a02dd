import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeuxis.data import files
from zeuxis.errors import BadInput, MachineGaveOut


def test_written_bytes_are_read_back_and_nothing_lies_beside(tmp_path):
    path = tmp_path / "deep" / "er" / "x.bin"
    files.write_bytes(path, b"one")
    files.write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["x.bin"]


def test_json_is_sorted_and_ends_with_a_line_end(tmp_path):
    files.write_json(tmp_path / "x.json", {"b": [1], "a": "ä"})
    assert (tmp_path / "x.json").read_bytes() == '{\n "a": "ä",\n "b": [\n  1\n ]\n}\n'.encode()
    with pytest.raises(ValueError):
        files.write_json(tmp_path / "y.json", {"a": float("nan")})
    assert not (tmp_path / "y.json").exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path, monkeypatch, code):
    path = tmp_path / "x.bin"
    files.write_bytes(path, b"old")

    def full(descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files, "sync_file", full)
    with pytest.raises(MachineGaveOut, match="the disk is full") as caught:
        files.write_bytes(path, b"new")
    assert caught.value.exit_code == 4 and "\n" not in str(caught.value)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["x.bin"]


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_forbidden_place_is_bad_input(tmp_path, monkeypatch, code):
    def forbidden(descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files, "sync_file", forbidden)
    with pytest.raises(BadInput):
        files.write_bytes(tmp_path / "x", b"new")


def test_a_file_in_the_place_of_a_folder_is_bad_input(tmp_path):
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(BadInput, match="folder is needed"):
        files.write_bytes(tmp_path / "x" / "y", b"new")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput):
        files.write_bytes(tmp_path / "folder", b"new")


def test_other_errors_pass_as_they_are(tmp_path):
    with pytest.raises(OSError, match="jammed"), files.plain_errors(tmp_path):
        raise OSError(errno.EIO, "jammed")


def test_sha256_of_a_file(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert files.sha256_of(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("name", ["图" * 78 + ".png", "é" * 120 + ".png", "🙂" * 62, "a" * 255])
def test_a_long_name_is_counted_in_bytes(tmp_path, name):
    files.write_bytes(tmp_path / name, b"x")
    assert [p.name for p in tmp_path.iterdir()] == [name]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 40))
def test_names_are_cut_between_characters(name, most):
    short = files.cut(name, most)
    assert name.encode("utf-8", "surrogateescape").startswith(short.encode()) and len(short.encode()) <= most
    assert len(name.encode("utf-8", "replace")) > most or short == name


def test_folders_that_killed_processes_left_are_swept_too(tmp_path):
    (tmp_path / ".set.999999999.tmp" / "a").mkdir(parents=True)
    (tmp_path / f".set.{os.getpid()}.tmp").mkdir()
    files.sweep_aside(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f".set.{os.getpid()}.tmp"]
