import json
import os
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from zeuxis.errors import BadInput
from zeuxis.pictures.png import CHANGED, grid, read_note, to_uint8, write_png


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 2), (5, 7, 3), (5, 7, 4)])
def test_a_png_holds_the_pixels(tmp_path, shape):
    pixels = (np.arange(np.prod(shape)) * 3 % 256).astype(np.uint8).reshape(shape)
    write_png(tmp_path / "x.png", pixels)
    with Image.open(tmp_path / "x.png") as image:
        assert (np.asarray(image).reshape(shape) == pixels).all()
    assert read_note(tmp_path / "x.png") is None and os.listdir(tmp_path) == ["x.png"]


def test_the_note_can_be_read_by_zeuxis_and_by_others(tmp_path):
    note = {"recipe": "cgan", "seed": 3, "class": "tröusers 漢", "weights": None}
    write_png(tmp_path / "x.png", np.zeros((4, 4), np.uint8), note)
    assert read_note(tmp_path / "x.png") == note
    with Image.open(tmp_path / "x.png") as image:
        assert json.loads(image.text["zeuxis"]) == note
        packet = ElementTree.fromstring(image.text["XML:com.adobe.xmp"].strip("\ufeff"))
    names = {k.rpartition("}")[2]: v for element in packet.iter() for k, v in element.attrib.items()}
    assert names["DigitalSourceType"] == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    write_png(tmp_path / "y.png", np.zeros((4, 4), np.uint8), note, CHANGED)
    assert b"digitalsourcetype/algorithmicallyEnhanced" in (tmp_path / "y.png").read_bytes()


def test_notes_that_cannot_be_understood_or_read(tmp_path):
    from PIL import PngImagePlugin

    for text in ("{", "[1]"):
        info = PngImagePlugin.PngInfo()
        info.add_text("zeuxis", text)
        Image.new("L", (2, 2)).save(tmp_path / "x.png", pnginfo=info)
        assert read_note(tmp_path / "x.png") == {}
    (tmp_path / "y.png").write_bytes(b"no picture")
    for name in ("y.png", "nowhere.png"):
        with pytest.raises(BadInput):
            read_note(tmp_path / name)


@pytest.mark.parametrize("pixels", [np.zeros((4, 4)), np.zeros((4, 4, 5), np.uint8), np.zeros(4, np.uint8)])
def test_what_is_no_picture_is_refused(tmp_path, pixels):
    with pytest.raises(BadInput):
        write_png(tmp_path / "x.png", pixels)
    assert os.listdir(tmp_path) == []


def test_every_grey_level_comes_back():
    levels = torch.arange(256).reshape(1, 1, 16, 16)
    assert (to_uint8(levels / 127.5 - 1)[0, :, :, 0].reshape(-1) == np.arange(256)).all()


@given(st.floats(-3, 3, width=32))
def test_rounded_to_the_nearest_and_cut(value):
    found = int(to_uint8(torch.full((1, 1, 1, 1), value))[0, 0, 0, 0])
    exact = min(255.0, max(0.0, (value + 1) * 127.5))
    assert abs(found - exact) <= 0.5001


def test_shape_and_numbers():
    assert to_uint8(torch.zeros(2, 3, 4, 5)).shape == (2, 4, 5, 3)
    with pytest.raises(BadInput):
        to_uint8(torch.full((1, 1, 1, 1), float("nan")))


def test_a_grid_by_hand():
    images = torch.stack([torch.full((1, 2, 3), v) for v in (-1.0, 0.0, 1.0)])
    sheet = grid(images, 2, gap=1)
    assert sheet.shape == (5, 7, 1) and sheet.dtype == np.uint8
    wanted = np.full((5, 7), 255)
    wanted[:2, :3], wanted[:2, 4:] = 0, 128
    assert (sheet[..., 0] == wanted).all()
    assert grid(images, 9, gap=0).shape == (2, 9, 1)
    for wrong in ((images[:0], 2), (images, 0)):
        with pytest.raises(BadInput):
            grid(*wrong)
