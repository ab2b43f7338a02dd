import gzip
import hashlib
import io
import os
import struct
import tarfile
import urllib.error
from pathlib import Path

import numpy as np
import pytest

from zeuxis.data import builtin, download
from zeuxis.data.files import sha256_of
from zeuxis.data.reader import open_dataset
from zeuxis.errors import BadInput

CARRIED = Path(os.environ.get("ZEUXIS_DATA", Path.home() / ".cache" / "zeuxis-data"))


def test_fashion_mini_is_what_its_card_says():
    data = open_dataset("fashion-mini")
    assert len(data) == 5000 and data.spec.classes == builtin.CLASSES
    assert (data.spec.channels, data.spec.height, data.spec.width) == (1, 28, 28)
    test = np.array([part == "test" for part in data.parts])
    assert np.bincount(data.labels[test]).tolist() == [100] * 10
    assert np.bincount(data.labels[~test]).tolist() == [400] * 10
    assert data.digest == "e296995609e9ee0125f259c9884573555dc85496404338da1b38bb4d94e3262a"
    # the first labels of the official training file are 9 0 0 3 0 2 7 2 5 5, and its first picture is a boot
    assert data.labels[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
    card = (builtin.ASSETS / "fashion-mini.md").read_text()
    for name in ("fashion-mini.webp", "fashion-mini.txt"):
        assert f"{sha256_of(builtin.ASSETS / name)}  {name}" in card
    assert all(f"{sha256}  {name}" in card for name, sha256 in builtin.KNOWN["fashion-mnist"].items())
    assert "Copyright (c) 2017 Zalando SE" in card


def test_damaged_files_of_the_package_are_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(builtin, "ASSETS", tmp_path)
    with pytest.raises(BadInput, match="missing"):
        builtin.fashion_mini()
    for name in ("fashion-mini.webp", "fashion-mini.txt"):
        (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(BadInput, match="damaged"):
        builtin.fashion_mini()


@pytest.mark.skipif(not (CARRIED / "fashion-mnist").is_dir(), reason="the whole Fashion-MNIST is not here")
def test_fashion_mini_is_the_first_of_each_class_of_the_originals():
    whole = open_dataset(f"fashion-mnist:{CARRIED / 'fashion-mnist'}")
    mini = open_dataset("fashion-mini")
    assert len(whole) == 70000 and whole.spec.classes == mini.spec.classes
    for part, count, shift in (("train", 400, 0), ("test", 100, 4000)):
        where = np.array([p == part for p in whole.parts])
        positions = np.flatnonzero(where)
        labels = whole.labels[positions]
        chosen = np.sort(np.concatenate([positions[labels == k][:count] for k in range(10)]))
        assert (whole.images(chosen) == mini.images(np.arange(shift, shift + 10 * count))).all()
        assert (whole.labels[chosen] == mini.labels[shift : shift + 10 * count]).all()


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def small_mnist(monkeypatch):
    """Files like MNIST's, and KNOWN with their hashes: name to unpacked bytes."""
    rng = np.arange(6 * 28 * 28).reshape(6, 28, 28)
    files = {
        "train-images-idx3-ubyte": idx((rng % 256)[:4].astype(np.uint8)),
        "train-labels-idx1-ubyte": idx(np.array([3, 0, 1, 2], np.uint8)),
        "t10k-images-idx3-ubyte": idx((rng % 255)[4:].astype(np.uint8)),
        "t10k-labels-idx1-ubyte": idx(np.array([1, 0], np.uint8)),
    }
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    monkeypatch.setitem(builtin.KNOWN, "mnist", hashes)
    return files


def check_small(data):
    assert data.labels.tolist() == [3, 0, 1, 2, 1, 0] and data.spec.classes == ("0", "1", "2", "3")
    assert data.parts == ["train"] * 4 + ["test"] * 2


def test_a_set_is_found_in_the_cache_packed_or_not(tmp_path, monkeypatch):
    files = small_mnist(monkeypatch)
    monkeypatch.setenv("ZEUXIS_CACHE", str(tmp_path))
    monkeypatch.setattr(download, "_get", lambda url: pytest.fail("asked the network"))
    (tmp_path / "mnist").mkdir()
    assert not builtin.is_here("mnist")
    for i, (name, data) in enumerate(files.items()):
        if i % 2:
            (tmp_path / "mnist" / name).write_bytes(data)
        else:
            (tmp_path / "mnist" / f"{name}.gz").write_bytes(gzip.compress(data))
    assert builtin.is_here("mnist")
    check_small(open_dataset("mnist"))
    check_small(open_dataset(f"mnist:{tmp_path / 'mnist'}"))
    check_small(open_dataset(tmp_path / "mnist"))


def test_a_file_that_is_not_the_official_one_is_refused(tmp_path, monkeypatch):
    files = small_mnist(monkeypatch)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data[:-1] + b"\x07")
    with pytest.raises(BadInput, match="not the official file"):
        open_dataset(f"mnist:{tmp_path}")
    with pytest.raises(BadInput, match="mnist is not in this folder"):
        open_dataset(f"mnist:{tmp_path / 'nowhere'}")


def test_a_set_is_downloaded_checked_and_kept(tmp_path, monkeypatch):
    files = small_mnist(monkeypatch)
    monkeypatch.setenv("ZEUXIS_CACHE", str(tmp_path))
    asked = []

    def get(url):
        asked.append(url)
        if "ossci" in url:
            raise download._Unusable("is down")
        return gzip.compress(files[url.split("/")[-1].removesuffix(".gz")])

    monkeypatch.setattr(download, "_get", get)
    check_small(open_dataset("mnist"))
    assert len(asked) == 8
    check_small(open_dataset("mnist"))
    assert len(asked) == 8


def test_a_wrong_download_leaves_nothing_behind(tmp_path, monkeypatch):
    small_mnist(monkeypatch)
    monkeypatch.setenv("ZEUXIS_CACHE", str(tmp_path))
    monkeypatch.setattr(download, "_get", lambda url: gzip.compress(b"other"))
    with pytest.raises(BadInput, match="sha256 is wrong"):
        open_dataset("mnist")
    monkeypatch.setattr(download, "_get", lambda url: b"<html>")
    with pytest.raises(BadInput, match="not the file"):
        open_dataset("mnist")
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10"])
def test_offline_is_one_line_that_says_what_to_put_where(tmp_path, monkeypatch, name):
    monkeypatch.setenv("ZEUXIS_CACHE", str(tmp_path))

    def offline(request, timeout):
        raise urllib.error.URLError(OSError(-2, "Name or service not known"))

    monkeypatch.setattr(download.urllib.request, "urlopen", offline)
    with pytest.raises(BadInput) as caught:
        open_dataset(name)
    line = str(caught.value)
    assert "\n" not in line and str(tmp_path / name) in line and "name or service not known" in line
    assert all(file in line for file in builtin.KNOWN[name]) and f"{name}:FOLDER" in line


def test_cifar10_is_taken_out_of_its_archive(tmp_path, monkeypatch):
    monkeypatch.setenv("ZEUXIS_CACHE", str(tmp_path))
    records = {name: bytes([i]) + bytes([i] * 3072) for i, name in enumerate(builtin.KNOWN["cifar10"])}
    monkeypatch.setitem(
        builtin.KNOWN, "cifar10", {name: hashlib.sha256(data).hexdigest() for name, data in records.items()}
    )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in {**records, "../evil.txt": b"x"}.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    monkeypatch.setattr(download, "_get", lambda url: buffer.getvalue())
    data = open_dataset("cifar10")
    assert data.labels.tolist() == list(range(6)) and data.parts == ["train"] * 5 + ["test"]
    assert data.spec.classes[:2] == ("airplane", "automobile") and data.spec.channels == 3
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == sorted(records)
