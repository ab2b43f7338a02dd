import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from zeuxis.data.decode import is_srgb
from zeuxis.pictures.profiles import from_srgb, on_white, space, srgb_profile, stretched, to_srgb


def fixed(*values):
    return struct.pack(f">{len(values)}i", *(round(v * 65536) for v in values))


GAMMA = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256))
TABLE = (
    b"curv\0\0\0\0" + struct.pack(">I", 64) + struct.pack(">64H", *(round((i / 63) ** 1.8 * 65535) for i in range(64)))
)
PARA = b"para\0\0\0\0\0\3\0\0" + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
SHORT = b"para\0\0\0\0\0\0\0\0" + fixed(1.9)
OFFSET = b"para\0\0\0\0\0\4\0\0" + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.0, 0.0)
P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))


def profile(curve=GAMMA, columns=P3, name=b"wide colours"):
    """An ICC v2 profile of three curves and a matrix."""
    words = b"desc\0\0\0\0" + struct.pack(">I", len(name) + 1) + name + b"\0" + bytes(78)
    tags = [(b"desc", words), (b"cprt", b"text\0\0\0\0none\0"), (b"wtpt", b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249))]
    for letter, column in zip("rgb", columns):
        tags += [(f"{letter}XYZ".encode(), b"XYZ \0\0\0\0" + fixed(*column)), (f"{letter}TRC".encode(), curve)]
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for tag, data in tags:
        data += bytes(-len(data) % 4)
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def colours(dtype=np.uint8):
    top = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(0, top + 1, (40, 50, 3)).astype(dtype)


@pytest.mark.parametrize("curve", [GAMMA, TABLE, PARA, SHORT, OFFSET])
def test_as_the_engine_of_pillow_within_a_level(curve):
    given = profile(curve)
    inside, _ = to_srgb(colours(), given)
    source = ImageCms.ImageCmsProfile(io.BytesIO(given))
    engine = ImageCms.profileToProfile(Image.fromarray(colours()), source, ImageCms.createProfile("sRGB"))
    far = np.abs(inside.astype(int) - np.asarray(engine))
    assert far.mean() < 0.1 and np.quantile(far, 0.999) <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("curve", [GAMMA, TABLE, PARA])
def test_the_way_back_is_exact(curve, dtype):
    inside, lost = to_srgb(colours(dtype), profile(curve))
    assert inside.dtype == dtype and (lost != 0).any()
    assert (from_srgb(inside, profile(curve), lost) == colours(dtype)).all()


def test_sixteen_bits_agree_with_eight():
    small, _ = to_srgb(colours(), profile())
    large, _ = to_srgb(colours().astype(np.uint16) * 257, profile())
    assert np.abs(large / 257 - small).max() <= 0.51


def test_srgb_through_its_own_curve_is_itself():
    columns = ((0.4360747, 0.2225045, 0.0139322), (0.3850649, 0.7168786, 0.0971045), (0.1430804, 0.0606169, 0.7141733))
    inside, lost = to_srgb(colours(), profile(PARA, columns))
    assert np.abs(inside.astype(int) - colours()).max() <= 1 and np.abs(lost).max() <= 1


def test_what_was_lost_grows_with_the_picture():
    flat = np.tile(np.array([10, 250, 20], np.uint8), (6, 7, 1))
    inside, lost = to_srgb(flat, profile())
    assert np.abs(lost).max() > 5
    large = np.repeat(np.repeat(inside, 2, 0), 2, 1)
    assert (from_srgb(large, profile(), lost) == flat[0, 0]).all()
    assert stretched(lost[..., 0], 12, 14).shape == (12, 14)


def test_profiles_that_cannot_be_used():
    for bad in (b"", b"no profile", profile()[:200], profile(b"sf32" + bytes(20)), profile(columns=((0, 0, 0),) * 3)):
        assert space(bad) is None and to_srgb(colours(), bad) is None
    assert from_srgb(colours(np.uint16), b"no profile") is None


def test_the_profile_of_srgb():
    assert is_srgb(srgb_profile()) and srgb_profile() == srgb_profile()
    assert ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile())).profile.xcolor_space == "RGB "


def test_white_paper_shows_through():
    pixels, alpha = np.zeros((1, 3, 3), np.uint8), np.array([[0, 51, 255]], np.uint8)
    assert on_white(pixels, alpha)[0, :, 0].tolist() == [255, 204, 0]
