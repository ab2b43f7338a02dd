"""16 bits per channel, which Pillow cuts to 8 in colour pictures: read by two passes, written as PNG and TIFF."""

import io
import struct
import sys
import zlib
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from PIL import Image, ImageFile

from zeuxis.data.decode import open_file
from zeuxis.data.signatures import Unreadable

_ROWS = 64  # at a time
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ENDS = "LB" if sys.byteorder == "little" else "BL"


# ------------------------------------------------------------------ reading


def _rawmode(image: Image.Image) -> str:
    """How the numbers lie in the file, as Pillow's unpackers are called; "" where it is not one thing."""
    names = {_name(tile.args) for tile in getattr(image, "tile", ())}
    return names.pop() if len(names) == 1 else ""


def _name(args: Any) -> str:
    first = args if isinstance(args, str) else next(iter(args or ()), "")
    return first if isinstance(first, str) else ""


def _named(args: Any, rawmode: str) -> Any:
    return rawmode if isinstance(args, str) else (rawmode, *args[1:])


def _in_planes(image: Image.Image) -> bool:
    """Whether a TIFF stores one colour after the other, of which Pillow sees the upper bytes alone, and only deflated.

    Raises Unreadable where Pillow would take the bytes for something else.
    """
    tags: dict[int, Any] = getattr(image, "tag_v2", {})
    apart = tags.get(284) == 2 and max(tags.get(258, (8,))) > 8 and len(tags.get(258, (8,))) > 1
    if apart and tags.get(259, 1) == 1:
        raise Unreadable("stores 16-bit colours in planes, one after the other: this kind cannot be read")
    return apart


def _pass(data: bytes, rawmode: str) -> np.ndarray:
    """Pixels as Pillow reads them, with an unpacker of our choice."""
    with open_file(io.BytesIO(data)) as image:
        assert isinstance(image, ImageFile.ImageFile)
        if rawmode.startswith("RGBA"):
            image._mode = "RGBA"
        image.tile = [t._replace(args=_named(t.args, rawmode)) for t in image.tile]
        image.load()
        return np.asarray(image)


def read_sixteen(data: bytes, image: Image.Image) -> np.ndarray | None:
    """uint16 [H, W, C], C 2 to 4, of a 16-bit RGB, RGBA or (PNG only) LA file; None for other files. Raises Unreadable.

    `image` is the same file opened and not loaded. Pillow's unpackers for one byte order take the upper
    bytes of numbers in that order, and the lower ones of numbers in the other: so two passes give all.
    """
    if image.format == "TIFF" and _in_planes(image):
        return None
    name, _, ends = _rawmode(image).partition(";16")
    if name == "LA" and ends == "B":
        return _pass(data, "RGBA").view(">u2").astype(np.uint16)
    if name not in ("RGB", "RGBA", "RGBa", "RGBX") or ends not in ("B", "L", "N"):
        return None
    upper = ends.replace("N", _ENDS[0])
    lower = "LB"["BL".index(upper)]
    plain = "RGBA" if name == "RGBa" else name
    high, low = _pass(data, f"{plain};16{upper}"), _pass(data, f"{plain};16{lower}")
    pixels = high.astype(np.uint16) << 8 | low
    return _unmultiplied(pixels) if name == "RGBa" else pixels


def _unmultiplied(pixels: np.ndarray) -> np.ndarray:
    alpha = np.maximum(pixels[..., 3:], 1).astype(np.float64)
    pixels[..., :3] = np.clip(np.rint(pixels[..., :3] * (65535 / alpha)), 0, 65535)
    return pixels


# ------------------------------------------------------------------ PNG


def chunk(name: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, whole chunk) of the chunks of a sound PNG."""
    place = 8
    while place < len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        yield data[place + 4 : place + 8], data[place:end]
        place = end


def _filtered(rows: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    """Bytes [n, W], each row behind the number of its filter: its left or its upper neighbour taken off.

    The one that leaves less, as PNG 1.2 proposes in section 9.6; its filter of Paeth takes ten times as long in numpy.
    """
    left = rows - np.pad(rows, ((0, 0), (step, 0)))[:, : rows.shape[1]]
    up = rows - above
    sizes = [np.abs(change.view(np.int8)).sum(1, dtype=np.int64) for change in (left, up)]
    by_left = (sizes[0] < sizes[1])[:, None]
    return np.concatenate([np.where(by_left, 1, 2).astype(np.uint8), np.where(by_left, left, up)], 1)


class PngWriter:
    """A PNG written row by row; `close` ends it.

    out: where the bytes go; shape: (H, W, 1 to 4); dtype: uint8 or uint16; carrier: a PNG whose chunks beside its size
    and its pixels are taken over; level: of the compression, 0 to 9.
    """

    def __init__(
        self, out: IO[bytes], shape: tuple[int, int, int], dtype: np.dtype[Any], carrier: bytes = b"", level: int = 6
    ) -> None:
        height, width, self._channels = shape
        self._out, self._bytes, self._packer = out, dtype.itemsize, zlib.compressobj(level)
        self._level, self._above = level, np.zeros((1, width * self._channels * self._bytes), np.uint8)
        self.rows = 0
        kind = {1: 0, 2: 4, 3: 2, 4: 6}[self._channels]
        out.write(SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8 * self._bytes, kind, 0, 0, 0)))
        for name, whole in chunks(carrier):
            if name not in (b"IHDR", b"IDAT", b"IEND"):
                out.write(whole)

    def add(self, pixels: np.ndarray) -> None:
        """The next rows [n, W, C], any number of them."""
        for top in range(0, len(pixels), _ROWS):
            some = np.ascontiguousarray(pixels[top : top + _ROWS])
            rows = some.astype(f">u{self._bytes}").reshape(len(some), -1).view(np.uint8)
            if self._level:
                above = np.concatenate([self._above, rows[:-1]])
                self._pack(self._packer.compress(_filtered(rows, above, self._channels * self._bytes).tobytes()))
            else:
                self._pack(self._packer.compress(np.pad(rows, ((0, 0), (1, 0))).tobytes()))
            self._above, self.rows = rows[-1:], self.rows + len(rows)

    def _pack(self, packed: bytes) -> None:
        if packed:
            self._out.write(chunk(b"IDAT", packed))

    def close(self) -> None:
        self._pack(self._packer.flush())
        self._out.write(chunk(b"IEND", b""))


def png_bytes(pixels: np.ndarray, carrier: bytes) -> bytes:
    """A PNG of uint8 or uint16 pixels [H, W, 1 to 4], with what the PNG `carrier` holds beside its pixels."""
    buffer = io.BytesIO()
    writer = PngWriter(buffer, pixels.shape, pixels.dtype, carrier)
    writer.add(pixels)
    writer.close()
    return buffer.getvalue()


# ------------------------------------------------------------------ TIFF


def _strip(rows: np.ndarray) -> bytes:
    """Rows [n, W, C] as differences to the pixel on the left (TIFF 6.0, section 14), deflated."""
    change = rows.copy()
    change[:, 1:] -= rows[:, :-1]
    return zlib.compress(change.astype(change.dtype.newbyteorder("<")).tobytes(), 6)


def tiff_bytes(pixels: np.ndarray, tags: dict[int, Any]) -> bytes:
    """A TIFF, deflated, of uint8 or uint16 pixels [H, W, 1 to 4] (2 and 4: the last is alpha), and further tags.

    Pillow writes no colour of 16 bits.
    """
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    height, width, channels = pixels.shape
    rows = max(1, min(height, (1 << 20) // (width * channels * pixels.itemsize)))
    strips = [_strip(pixels[top : top + rows]) for top in range(0, height, rows)]
    folder = ImageFileDirectory_v2(prefix=b"II")
    for tag, value in tags.items():
        folder[tag] = value
    sizes = [len(strip) for strip in strips]
    shape = {256: width, 257: height, 258: (8 * pixels.itemsize,) * channels, 259: 8, 262: 1 if channels < 3 else 2}
    shape |= {277: channels, 278: rows, 284: 1, 317: 2, 279: tuple(sizes)}
    shape |= {338: 2} if channels in (2, 4) else {}
    for tag, value in shape.items():
        folder[tag] = value
    starts = np.cumsum([0, *sizes[:-1]])
    folder.tagtype[279] = folder.tagtype[273] = 4
    folder[273] = tuple(int(start) for start in starts)
    buffer = io.BytesIO()
    folder.save(buffer)
    return buffer.getvalue() + b"".join(strips)
