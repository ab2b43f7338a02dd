import os
import struct
import subprocess
import sys
import zlib
from functools import partial

import numpy as np
import pytest
import torch.nn.functional as F
from PIL import Image

from tests.unit.pictures.test_pictures_colour import profile
from zeuxis.data.signatures import Unreadable
from zeuxis.errors import BadInput, MachineGaveOut
from zeuxis.pictures.picture import Metadata, Picture, encode, from_tensor, read, to_tensor
from zeuxis.pictures.png import read_note
from zeuxis.pictures.sixteen_bit import chunk
from zeuxis.pictures.streaming import bands, look, restore_large, size_of, strips
from zeuxis.pictures.streaming_writer import written
from zeuxis.pictures.tiles import tiled

needs_vips = pytest.mark.skipif(
    subprocess.run([sys.executable, "-c", "import pyvips"], capture_output=True).returncode != 0, reason="needs pyvips"
)


def smooth(height, width, channels, dtype=np.uint8):
    small = np.random.default_rng(0).integers(0, 256, (height // 8 + 2, width // 8 + 2, channels)).astype(np.float32)
    planes = [
        np.asarray(Image.fromarray(small[..., i]).resize((width, height), Image.Resampling.BILINEAR))
        for i in range(channels)
    ]
    return np.rint(np.stack(planes, -1) * (np.iinfo(dtype).max / 255)).astype(dtype)


def exif_block(orientation=1):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Maker"
    return exif.tobytes()


def file(folder, suffix, height=150, width=90, channels=3, dtype=np.uint8, alpha=False, **kept):
    pixels = smooth(height, width, channels, dtype)
    picture = Picture(pixels, smooth(height, width, 1, dtype)[..., 0] if alpha else None, Metadata(**kept))
    (folder / f"x{suffix}").write_bytes(encode(picture, suffix, None))
    return folder / f"x{suffix}"


def blur(x):
    """Radius 3."""
    for _ in range(3):
        x = F.avg_pool2d(x, 3, 1, 1)
    return x


def bigger(x):
    return F.interpolate(blur(x), scale_factor=2, mode="nearest")


# ------------------------------------------------------------------ with pyvips


@needs_vips
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
@pytest.mark.parametrize("function, scale", [(blur, 1), (bigger, 2)])
def test_bands_equal_the_whole(tmp_path, suffix, function, scale):
    path = file(tmp_path, suffix)
    whole = tiled(function, to_tensor(read(path)), scale, 4, 2, tile=64)
    done = []
    net = partial(tiled, function, scale=scale, overlap=4, multiple_of=2, tile=64)
    out = tmp_path / "out.png"
    large = restore_large(net, path, out, scale, overlap=4, multiple_of=2, rows=32, note={"n": 1}, progress=done.append)
    assert (large.height, large.width, large.channels, large.alpha) == (150, 90, 3, False)
    made = read(out)
    far = np.abs(made.pixels.astype(int) - from_tensor(whole, made).pixels)
    assert far.max() <= (3 if suffix == ".jpg" else 0)  # two decoders of JPEG differ by a little
    assert done == [32 * 90, 64 * 90, 96 * 90, 128 * 90, 150 * 90] and read_note(out) == {"n": 1}
    assert sorted(os.listdir(tmp_path)) == ["out.png", f"x{suffix}"]


@needs_vips
@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels, alpha", [(1, False), (3, False), (3, True)])
def test_depth_and_alpha_pass_through(tmp_path, suffix, dtype, channels, alpha):
    path = file(tmp_path, suffix, 70, 50, channels, dtype, alpha)
    restore_large(lambda x: x, path, tmp_path / f"y{suffix}", rows=16)
    before, after = read(path), read(tmp_path / f"y{suffix}")
    assert after.pixels.dtype == dtype and (before.pixels == after.pixels).all()
    assert (after.alpha is not None) == alpha and (not alpha or (before.alpha == after.alpha).all())
    restore_large(lambda x: x, path, tmp_path / "y.jpg", rows=16)
    assert read(tmp_path / "y.jpg").pixels.dtype == np.uint8


@needs_vips
@pytest.mark.parametrize("out", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_what_stands_beside_the_pixels(tmp_path, suffix, out):
    path = file(tmp_path, suffix, 40, 30, icc=profile(), dpi=(300.0, 300.0), exif=exif_block())
    restore_large(lambda x: x, path, tmp_path / f"y{out}", note={"n": 1})
    kept = read(tmp_path / f"y{out}").kept
    assert kept.icc == profile() and np.allclose(kept.dpi, (300, 300), atol=0.02)
    assert read_note(tmp_path / f"y{out}") == {"n": 1}
    assert b"algorithmicallyEnhanced" in (tmp_path / f"y{out}").read_bytes()
    with Image.open(tmp_path / f"y{out}") as image:
        assert image.getexif().get(0x0112, 1) == 1
        assert out == ".tif" or image.getexif()[0x010F] == "Maker"  # pyvips writes no EXIF into a TIFF
    said = restore_large(lambda x: x, path, tmp_path / f"z{out}").kept.remarks
    assert any("EXIF" in words for words in said) == (out == ".tif")


@needs_vips
@pytest.mark.parametrize("turn", [3, 6, 8])
def test_turned_pictures_are_upright(tmp_path, turn):
    Image.fromarray(smooth(40, 60, 3)).save(tmp_path / "x.png", exif=exif_block(turn))
    wanted = read(tmp_path / "x.png")
    assert (
        size_of(tmp_path / "x.png") == wanted.size == (look(tmp_path / "x.png").height, look(tmp_path / "x.png").width)
    )
    found = np.concatenate([part for _, part in bands(tmp_path / "x.png", 16)])
    assert (found == wanted.pixels).all()
    restore_large(lambda x: x, tmp_path / "x.png", tmp_path / "y.png")
    assert read(tmp_path / "y.png").size == wanted.size and (read(tmp_path / "y.png").pixels == wanted.pixels).all()


@needs_vips
def test_cmyk_becomes_rgb(tmp_path):
    Image.fromarray(smooth(40, 60, 3)).convert("CMYK").save(tmp_path / "x.jpg", quality=95)
    large = look(tmp_path / "x.jpg")
    assert large.channels == 3 and "CMYK became RGB" in large.kept.remarks[0] and large.kept.icc is not None


@needs_vips
def test_strips_have_their_neighbours(tmp_path):
    path = file(tmp_path, ".png", 50, 9)
    pixels = read(path).pixels
    tops = []
    for top, above, part in strips(path, 16, 20):
        low = max(0, top - 20)
        assert above == top - low and (part == pixels[low : min(50, top + 36)]).all()
        tops.append(top)
    assert tops == [0, 16, 32, 48]


@needs_vips
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_damaged_files_are_named_and_nothing_is_left_behind(tmp_path, capfd, suffix):
    path = file(tmp_path, suffix, 400, 300)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(Unreadable) as caught:
        restore_large(lambda x: x, path, tmp_path / "out.png", rows=16)
    assert "\n" not in str(caught.value) and os.listdir(tmp_path) == [f"x{suffix}"]
    assert capfd.readouterr() == ("", "")


@needs_vips
def test_a_reader_may_stop_early(tmp_path):
    rows = bands(file(tmp_path, ".png", 600, 800), 8)
    assert next(rows)[0] == 0
    rows.close()


@needs_vips
def test_a_failing_net_leaves_nothing(tmp_path):
    path = file(tmp_path, ".png")

    def fails(x):
        raise MemoryError("no room")

    with pytest.raises(MemoryError):
        restore_large(fails, path, tmp_path / "out.png")
    with pytest.raises(BadInput, match="1 of 5 rows"), written(tmp_path / "out.png", 5, 4, Metadata()) as write:
        write(np.zeros((1, 4, 3), np.uint8))
    (tmp_path / "out.tif").mkdir()
    with pytest.raises(BadInput), written(tmp_path / "out.tif", 1, 4, Metadata()) as write:
        write(np.zeros((1, 4, 3), np.uint8))
    assert sorted(os.listdir(tmp_path)) == ["out.tif", "x.png"]


@needs_vips
@pytest.mark.parametrize("suffix", [".tif", ".jpg"])
def test_a_writer_that_fails_says_so(tmp_path, suffix):
    folder = tmp_path / "sub"
    with pytest.raises(MachineGaveOut, match="could not be written"):
        with written(folder / f"y{suffix}", 4000, 300, Metadata()) as write:
            folder.rmdir()
            for _ in range(40):
                write(np.full((100, 300, 3), 7, np.uint8))
    assert os.listdir(tmp_path) == []


@needs_vips
def test_a_full_disk(tmp_path, monkeypatch):
    import errno

    def full(*_):
        raise OSError(errno.ENOSPC, "no space")

    path = file(tmp_path, ".png")
    monkeypatch.setattr("zeuxis.pictures.streaming_writer.os.replace", full)
    with pytest.raises(MachineGaveOut, match="disk is full"):
        restore_large(lambda x: x, path, tmp_path / "out.png")
    assert os.listdir(tmp_path) == ["x.png"]


CHILD = """
import resource, sys, torch
from zeuxis.pictures.streaming import restore_large
torch.set_num_threads(1)
restore_large(lambda x: x * 0.9, sys.argv[1], sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@needs_vips
@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_twenty_thousand_pixels_a_side(tmp_path, suffix):
    row = smooth(1, 20000, 3)
    with written(tmp_path / f"x.{suffix}", 20000, 20000, Metadata()) as write:
        for i in range(200):
            write(np.repeat(np.roll(row, 17 * i, 1), 100, 0))
    arguments = [str(tmp_path / name) for name in (f"x.{suffix}", "y.png")]
    told = subprocess.run([sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, check=True)
    assert size_of(tmp_path / "y.png") == (20000, 20000) and int(told.stdout) < 1500


# ------------------------------------------------------------------ without


def test_heads_of_files_of_any_size(tmp_path):
    for suffix in (".png", ".jpg", ".tif", ".webp"):
        assert size_of(file(tmp_path, suffix, 21, 13)) == (21, 13)
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 20000, 8, 2, 0, 0, 0))
    (tmp_path / "large.png").write_bytes(head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))
    assert size_of(tmp_path / "large.png") == (20000, 30000)
    for content in (b"", b"text", head, b"\xff\xd8\xff", b"II*\0"):
        (tmp_path / "bad.png").write_bytes(content)
        with pytest.raises(Unreadable):
            size_of(tmp_path / "bad.png")


@needs_vips
def test_a_bomb_is_refused(tmp_path):
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 40000, 40000, 1, 0, 0, 0, 0))
    (tmp_path / "bomb.png").write_bytes(head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))
    with pytest.raises(Unreadable, match="bomb"):
        look(tmp_path / "bomb.png")


def test_without_pyvips_the_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvips", None)
    with pytest.raises(BadInput, match=r"pip install zeuxis\[big\]") as caught:
        look(file(tmp_path, ".png"))
    assert caught.value.exit_code == 2


def test_formats_that_cannot_be_streamed(tmp_path):
    for name, side in (("x.gif", 5), ("x.webp", 5), ("x.jpg", 70000)):
        with pytest.raises(BadInput), written(tmp_path / name, 5, side, Metadata()):
            pass
    assert os.listdir(tmp_path) == []
