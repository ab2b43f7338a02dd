"""Pictures of more than fifty million pixels: rows in, rows out, a band at a time, through pyvips (extra `big`).

Memory is bounded by a band and what the net makes of it. Colours stay in the profile of the file, which is kept.
"""

import contextlib
import io
import os
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
from torch import Tensor

from zeuxis.data import decode
from zeuxis.data.signatures import Unreadable
from zeuxis.pictures import profiles, reading, sixteen_bit
from zeuxis.pictures.picture import alpha_tensor, from_tensor, to_tensor
from zeuxis.pictures.picture_file import Metadata, Picture
from zeuxis.pictures.png import note_in
from zeuxis.pictures.streaming_writer import LAST_LINE, opened_vips, written
from zeuxis.pictures.tiles import mirrored
from zeuxis.pictures.writing import form_of

LARGE = 50_000_000
"""Pixels beyond which a picture is better not held as a whole."""

_HEAD = 1 << 24
"""Bytes of a file that are read for what stands before its pixels."""

MOST = 1_000_000_000
"""Pixels beyond which a file is taken for a bomb."""

_PLUGINS: dict[bytes, type[ImageFile.ImageFile]] = {
    b"\x89PNG": PngImagePlugin.PngImageFile,
    b"\xff\xd8": JpegImagePlugin.JpegImageFile,
    b"II": TiffImagePlugin.TiffImageFile,
    b"MM": TiffImagePlugin.TiffImageFile,
    b"RIFF": WebPImagePlugin.WebPImageFile,
}
_LOADERS = {"PNG": "pngload", "JPEG": "jpegload", "MPO": "jpegload", "TIFF": "tiffload", "WEBP": "webpload"}
_DTYPES: dict[str, np.dtype[Any]] = {"uchar": np.dtype(np.uint8), "ushort": np.dtype(np.uint16)}
_KINDS = {("b-w", 8), ("srgb", 8), ("rgb", 8), ("grey16", 16), ("rgb16", 16), ("b-w", 16), ("srgb", 16), ("rgb", 16)}
_STRETCHED = 4  # rows beside a band's that alpha is held to


@dataclass(frozen=True, eq=False)
class Large:
    """A file that is not held in memory. height, width: upright; channels: 1 or 3 of colour; dtype: uint8 or uint16."""

    path: Path
    height: int
    width: int
    channels: int
    alpha: bool
    dtype: np.dtype[Any]
    kept: Metadata


# ------------------------------------------------------------------ headers


def _png_head(data: bytes) -> bytes:
    """The chunks of a PNG before its pixels, as a PNG of one pixel: Pillow reads all pixels to look behind them."""
    end = data.find(b"IDAT") - 4
    if end < 33 or data[12:16] != b"IHDR":
        raise Unreadable("is damaged: no pixels follow its head")
    pixel = sixteen_bit.chunk(b"IDAT", zlib.compress(bytes(20))) + sixteen_bit.chunk(b"IEND", b"")
    return data[:8] + sixteen_bit.chunk(b"IHDR", struct.pack(">II", 1, 1) + data[24:29]) + data[33:end] + pixel


def _header(path: Path) -> tuple[Image.Image, bytes, int, int]:
    """(a file of which only the head is read, its first bytes, width, height), of any size.

    Pillow's plugins themselves know no limit.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    plugin = next((plugin for magic, plugin in _PLUGINS.items() if head.startswith(magic)), None)
    if plugin is None:
        raise Unreadable("is not a picture that can be read in bands (PNG, JPEG, TIFF, WebP)")
    if plugin is PngImagePlugin.PngImageFile:
        width, height = struct.unpack_from(">II", head, 16)
        return plugin(io.BytesIO(_png_head(head))), head, width, height
    image = plugin(path)
    return image, head, image.width, image.height


def size_of(path: str | os.PathLike[str]) -> tuple[int, int]:
    """(height, width) of a PNG, JPEG, TIFF or WebP, upright, from its head alone. Raises Unreadable."""
    with decode.reasons(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image, _, width, height = _header(Path(path))
        with image:
            return (width, height) if decode.orientation(image) > 4 else (height, width)


def is_large(path: Path) -> bool:
    """Whether the file holds more pixels than are read at once; not of a format that is always read whole."""
    try:
        height, width = size_of(path)
    except Unreadable:
        return False
    return height * width > LARGE


def note_of(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """As `png.read_note`, from what stands before the pixels alone, of any size. Raises Unreadable."""
    with decode.reasons(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image, *_ = _header(Path(path))
        with image:
            return note_in(image)


def _kept(path: Path) -> tuple[Metadata, str, int]:
    """(what stands beside the pixels, the loader, the orientation)."""
    with decode.reasons(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image, head, width, height = _header(path)
        with image:
            if width * height > MOST:
                raise Unreadable(f"claims {width}x{height} pixels: a bomb")
            turn = decode.orientation(image)
            kept = reading.kept_of(head, image, turn)
            profile = image.info.get("icc_profile") or None
            return replace(kept, icc=profile), _LOADERS[image.format or ""], turn


# ------------------------------------------------------------------ reading


@contextlib.contextmanager
def _reasons(vips: Any) -> Iterator[None]:
    try:
        yield
    except vips.Error as error:
        reason = " ".join(str(error).split())
        raise Unreadable(f"cannot be read: {reason[:LAST_LINE]}") from error


def _opened(path: Path) -> tuple[Any, Metadata]:
    """The pipeline that gives the upright pixels, and what is kept."""
    vips = opened_vips()
    kept, loader, turn = _kept(path)
    access = "sequential" if turn == 1 else "random"
    with _reasons(vips):
        image = getattr(vips.Image, loader)(str(path), access=access, fail_on="error")
        image = image if turn == 1 else image.autorot()
        if image.interpretation == "cmyk":
            image = image.icc_transform("srgb", embedded=True, input_profile="cmyk")
            kept = replace(kept, icc=profiles.srgb_profile(), remarks=(*kept.remarks, "CMYK became RGB"))
    dtype = _DTYPES.get(image.format)
    if dtype is None or (image.interpretation, 8 * dtype.itemsize) not in _KINDS or image.bands > 4:
        raise Unreadable(f"is too large for its kind of numbers ({image.interpretation}, {image.format})")
    return image, replace(kept, bits=8 * dtype.itemsize)


def look(path: str | os.PathLike[str]) -> Large:
    """What a large file holds. Raises Unreadable, and BadInput without pyvips."""
    image, kept = _opened(Path(path))
    alpha = image.bands in (2, 4)
    return Large(Path(path), image.height, image.width, image.bands - alpha, alpha, _DTYPES[image.format], kept)


def bands(path: str | os.PathLike[str], rows: int = 256) -> Iterator[tuple[int, np.ndarray]]:
    """(top, pixels [rows or fewer, W, 1 to 4]) from top to bottom, upright, uint8 or uint16; 2, 4: the last is alpha.

    Raises Unreadable where the file is damaged, at the band where that is found, and BadInput without pyvips.
    """
    image, _ = _opened(Path(path))
    dtype, shape = _DTYPES[image.format], (image.width, image.bands)
    with _streamed(image) as stream:
        for top in range(0, image.height, rows):
            height = min(rows, image.height - top)
            data = stream.read(height * shape[0] * shape[1] * dtype.itemsize)
            if len(data) < height * shape[0] * shape[1] * dtype.itemsize:
                break
            yield top, np.frombuffer(data, dtype).reshape(height, *shape)


def _sent(sink: int, data: bytes) -> int:
    try:
        return os.write(sink, data)
    except OSError:  # nobody reads on
        return -1


@contextlib.contextmanager
def _streamed(image: Any) -> Iterator[IO[bytes]]:
    """The bytes of all pixels, row by row, through a pipe that a thread fills.

    Cutting bands out one by one would start a pipeline for each, and those may ask for rows that are gone already.
    Raises Unreadable at the end where the thread failed.
    """
    vips, failed = opened_vips(), []
    source, sink = os.pipe()

    def fill() -> None:
        target = vips.TargetCustom()
        target.on_write(lambda data: _sent(sink, data))
        try:
            image.rawsave_target(target)
        except vips.Error as error:
            failed.append(error)
        finally:
            os.close(sink)

    thread = threading.Thread(target=fill, daemon=True)
    whole = False
    try:
        with open(source, "rb", buffering=1 << 20) as stream:
            thread.start()
            yield stream
            whole = True
    finally:
        thread.join()
    if whole and failed:
        with _reasons(vips):
            raise failed[0]


def strips(path: str | os.PathLike[str], rows: int, halo: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """As `bands`, with up to `halo` further rows above and below: (top, number of rows above, pixels)."""
    height, top, start = look(path).height, 0, 0
    buffer: np.ndarray | None = None
    for _, part in bands(path, rows):
        buffer = part if buffer is None else np.concatenate([buffer, part])
        while top < height and start + len(buffer) >= min(height, top + rows + halo):
            low, high = max(0, top - halo), min(height, top + rows + halo)
            yield top, top - low, buffer[low - start : high - start]
            top += rows
            fresh = max(0, top - halo)
            buffer, start = buffer[fresh - start :], fresh


# ------------------------------------------------------------------ the whole


def _rows_of(
    restored: Tensor, given: Picture, scale: int, first: int, last: int, alpha: Tensor | None = None
) -> np.ndarray:
    """Pixels [n scale, W scale, 1 to 4] that the rows first to last of `given` became; alpha: what became of its own.

    Some neighbours are rounded with them, since alpha is held to what is near.
    """
    low, high = max(0, first - _STRETCHED), last + _STRETCHED
    like = Picture(given.pixels[low:high], None if given.alpha is None else given.alpha[low:high], given.kept)
    plane = None if alpha is None else alpha[:, :, low * scale : high * scale]
    some = from_tensor(restored[:, :, low * scale : high * scale], like, plane)
    whole = some.pixels if some.alpha is None else np.concatenate([some.pixels, some.alpha[..., None]], 2)
    return whole[(first - low) * scale : (last - low) * scale]


def restore_large(
    function: Callable[[Tensor], Tensor],
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    scale: int = 1,
    overlap: int = 0,
    multiple_of: int = 1,
    rows: int = 256,
    note: dict[str, Any] | None = None,
    progress: Callable[[int], None] = lambda pixels: None,
    mirror: bool = False,
) -> Large:
    """Runs a net over a large file in bands; the file `out` appears whole or not at all. What was read is returned.

    function: [1, C, h, W] in [-1, 1] to [1, C, h scale, W scale], at any h; for a net, `tiles.tiled` with this same
    overlap and multiple_of: then the bands are exactly what the whole picture would give. progress gets the number
    of input pixels done. mirror: the first and the last band get rows beyond the picture too, mirrored as `tiled` does
    it, so that nothing within `overlap` of a band's rim is used. Raises Unreadable, BadInput, MachineGaveOut as
    `bands` and `written`.
    """
    large = look(path)
    if large.kept.exif is not None and form_of(Path(out).suffix).name == "TIFF":
        remark = "EXIF was left out: so large a TIFF is written without"
        large = replace(large, kept=replace(large.kept, exif=None, remarks=(*large.kept.remarks, remark)))
    halo = -(-max(overlap, 4) // multiple_of) * multiple_of
    rows = -(-rows // multiple_of) * multiple_of
    with written(out, large.height * scale, large.width * scale, large.kept, note) as write:
        for top, above, part in strips(path, rows, halo):
            count = min(rows, large.height - top)
            if mirror:
                below = len(part) - above - count
                part, above = part[mirrored(len(part), halo - above, halo - below).numpy()], halo
            given = Picture(part[..., : large.channels], part[..., -1] if large.alpha else None, Metadata())
            plane = function(alpha_tensor(given)) if large.alpha and scale > 1 else None
            write(_rows_of(function(to_tensor(given)), given, scale, above, above + count, plane))
            progress((top + count) * large.width)
    return large
