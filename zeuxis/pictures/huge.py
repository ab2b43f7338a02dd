"""Pictures of more than fifty million pixels: rows in, rows out, a band at a time, through pyvips (extra `big`).

Memory is bounded by a band and what the net makes of it. Colours stay in the profile of the file, which is kept.
"""

import contextlib
import importlib
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
from zeuxis.data.decode import Unreadable
from zeuxis.data.files import make_folder, plain_errors
from zeuxis.errors import BadInput, MachineGaveOut
from zeuxis.pictures import colour, deep, metadata, reading
from zeuxis.pictures.kept import Kept, Picture
from zeuxis.pictures.picture import from_tensor, to_tensor
from zeuxis.pictures.tiles import mirrored
from zeuxis.pictures.write import CHANGED, xmp_packet
from zeuxis.pictures.writing import SUFFIXES, form_of, png_carrier
from zeuxis.platform import sync_file, sync_folder

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
_LAST_LINE = 120
_ROUNDED, _STRETCHED = 32, 4  # rows that become pixels at a time, and those beside them that alpha is stretched with


@dataclass(frozen=True, eq=False)
class Large:
    """A file that is not held in memory. height, width: upright; channels: 1 or 3 of colour; dtype: uint8 or uint16."""

    path: Path
    height: int
    width: int
    channels: int
    alpha: bool
    dtype: np.dtype[Any]
    kept: Kept


# ------------------------------------------------------------------ headers


def _png_head(data: bytes) -> bytes:
    """The chunks of a PNG before its pixels, as a PNG of one pixel: Pillow reads all pixels to look behind them."""
    end = data.find(b"IDAT") - 4
    if end < 33 or data[12:16] != b"IHDR":
        raise Unreadable("is damaged: no pixels follow its head")
    pixel = deep.chunk(b"IDAT", zlib.compress(bytes(20))) + deep.chunk(b"IEND", b"")
    return data[:8] + deep.chunk(b"IHDR", struct.pack(">II", 1, 1) + data[24:29]) + data[33:end] + pixel


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


def _kept(path: Path) -> tuple[Kept, str, int]:
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


def _vips() -> Any:
    try:
        return importlib.import_module("pyvips")
    except (ImportError, OSError) as error:
        what = f"pictures of more than {LARGE // 1_000_000} million pixels need pyvips"
        raise BadInput(what, "", "pip install zeuxis[big]") from error


@contextlib.contextmanager
def _reasons(vips: Any) -> Iterator[None]:
    try:
        yield
    except vips.Error as error:
        words = " ".join(str(error).split())
        raise Unreadable(f"cannot be read: {words[:_LAST_LINE]}") from error


def _opened(path: Path) -> tuple[Any, Kept]:
    """The pipeline that gives the upright pixels, and what is kept."""
    vips = _vips()
    kept, loader, turn = _kept(path)
    access = "sequential" if turn == 1 else "random"
    with _reasons(vips):
        image = getattr(vips.Image, loader)(str(path), access=access, fail_on="error")
        image = image if turn == 1 else image.autorot()
        if image.interpretation == "cmyk":
            image = image.icc_transform("srgb", embedded=True, input_profile="cmyk")
            kept = replace(kept, icc=colour.srgb_profile(), remarks=(*kept.remarks, "CMYK became RGB"))
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
    vips, failed = _vips(), []
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


# ------------------------------------------------------------------ writing


def _saver(name: str, kept: Kept, pixels: int) -> tuple[str, dict[str, Any]]:
    """vips' function for the format, and what to tell it."""
    if name == "JPEG":
        return "jpegsave", {"Q": 95, "subsample_mode": "off"}
    big = pixels * 4 * kept.bits // 8 > 3 << 30
    return "tiffsave", {"compression": "deflate", "predictor": "horizontal", "bigtiff": big}


def _dressed(image: Any, vips: Any, kept: Kept, note: dict[str, Any] | None) -> Any:
    """The image with its metadata, as vips calls them."""
    packet = kept.xmp if note is None else xmp_packet(CHANGED, note, kept.xmp).encode("utf-8")
    exif = None if kept.exif is None else metadata.sized_exif(kept.exif, image.height, image.width)
    dpi = kept.dpi or (0.0, 0.0)
    image = image.copy(xres=dpi[0] / 25.4, yres=dpi[1] / 25.4)
    for field, blob in {"icc-profile-data": kept.icc, "exif-data": exif, "xmp-data": packet}.items():
        if blob is not None:
            image.set_type(vips.GValue.blob_type, field, blob)
    return image


@contextlib.contextmanager
def _piped(aside: Path, name: str, kept: Kept, note: Any, pixels: int) -> Iterator[IO[bytes]]:
    """A stream for a bare PNG, which vips turns into the file `aside` of the format `name` while it comes.

    Rows that waited in a file would be mapped into memory as a whole. Raises MachineGaveOut where vips fails.
    """
    vips, failed = _vips(), []
    saver, settings = _saver(name, kept, pixels)
    source, sink = os.pipe()

    def save() -> None:
        given = vips.SourceCustom()
        given.on_read(lambda count: os.read(source, count))
        try:
            image = vips.Image.pngload_source(given, access="sequential", fail_on="error")
            getattr(_dressed(image, vips, kept, note), saver)(str(aside), **settings)
        except vips.Error as error:
            failed.append(error)
        finally:
            os.close(source)

    thread = threading.Thread(target=save, daemon=True)
    try:
        with open(sink, "wb", buffering=1 << 20) as stream:
            thread.start()
            yield stream
    except BrokenPipeError:  # vips gave up, and says why
        pass
    finally:
        thread.join()
    if failed:
        words = " ".join(str(failed[0]).split())[:_LAST_LINE]
        what = f"the picture could not be written: {words}"
        raise MachineGaveOut(what, str(aside.parent), "look for space") from failed[0]


def _held(rows: np.ndarray, holds: frozenset[str]) -> np.ndarray:
    """Rows [n, W, 1 to 4] of the kind that a format holds."""
    if rows.shape[2] in (2, 4) and "alpha" not in holds:
        rows = colour.on_white(rows[..., :-1], rows[..., -1])
    if rows.dtype == np.uint16 and "16 bits" not in holds:
        rows = ((rows.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.ascontiguousarray(rows)


@contextlib.contextmanager
def written(
    path: str | os.PathLike[str], height: int, width: int, kept: Kept, note: dict[str, Any] | None = None
) -> Iterator[Callable[[np.ndarray], None]]:
    """A function that takes rows [n, W, 1 to 4] from top to bottom (2 and 4: the last is alpha), for a file that
    appears whole when the block ends well, and not at all otherwise.

    PNG, JPEG and TIFF. Raises BadInput for another suffix, a side too long for the format, or missing rows;
    MachineGaveOut when the disk is full.
    """
    path = Path(path)
    form, name = form_of(path.suffix), SUFFIXES[path.suffix.lower()]
    if name not in ("PNG", "JPEG", "TIFF"):
        raise BadInput("so large a picture cannot be written in this format", str(path), "write PNG, JPEG or TIFF")
    if max(height, width) > form.side:
        raise BadInput(f"a side of {max(height, width)} pixels is too long for {form.name}", str(path), "write a PNG")
    make_folder(path.parent)
    aside = path.with_name(f".{path.name[:100]}.{os.getpid()}.tmp")
    is_png, writer = name == "PNG", None

    def add(rows: np.ndarray) -> None:
        nonlocal writer
        rows = _held(rows, form.holds)
        if writer is None:
            shape = (height, width, rows.shape[2])
            carrier = png_carrier((height, width), kept, note) if is_png else b""
            writer = deep.PngWriter(stream, shape, rows.dtype, carrier, 6 if is_png else 0)
        writer.add(rows)

    try:
        target = open(aside, "wb") if is_png else _piped(aside, name, kept, note, height * width)
        with plain_errors(path), target as stream:
            yield add
            if writer is None or writer.rows != height:
                raise BadInput(f"{writer.rows if writer else 0} of {height} rows came", str(path))
            writer.close()
        _renamed(aside, path)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def _renamed(aside: Path, path: Path) -> None:
    with plain_errors(path):
        with open(aside, "rb+") as file:
            sync_file(file.fileno())
        os.replace(aside, path)
        sync_folder(path.parent)


# ------------------------------------------------------------------ the whole


def _pixels_of(made: Tensor, given: Picture, scale: int, first: int, last: int) -> Iterator[np.ndarray]:
    """Pixels [n scale, W scale, 1 to 4] of the rows first to last of `given`: some at a time, as rounding copies them.

    Their neighbours go with them, since alpha is stretched by interpolation.
    """
    for top in range(first, last, _ROUNDED):
        end = min(top + _ROUNDED, last)
        low, high = max(0, top - _STRETCHED), end + _STRETCHED
        like = Picture(given.pixels[low:high], None if given.alpha is None else given.alpha[low:high], given.kept)
        some = from_tensor(made[:, :, low * scale : high * scale], like)
        whole = some.pixels if some.alpha is None else np.concatenate([some.pixels, some.alpha[..., None]], 2)
        yield whole[(top - low) * scale : (end - low) * scale]


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
        words = "EXIF was left out: so large a TIFF is written without"
        large = replace(large, kept=replace(large.kept, exif=None, remarks=(*large.kept.remarks, words)))
    halo = -(-max(overlap, 4) // multiple_of) * multiple_of
    rows = -(-rows // multiple_of) * multiple_of
    with written(out, large.height * scale, large.width * scale, large.kept, note) as write:
        for top, above, part in strips(path, rows, halo):
            count = min(rows, large.height - top)
            if mirror:
                below = len(part) - above - count
                part, above = part[mirrored(len(part), halo - above, halo - below).numpy()], halo
            given = Picture(part[..., : large.channels], part[..., -1] if large.alpha else None, Kept())
            for made in _pixels_of(function(to_tensor(given)), given, scale, above, above + count):
                write(made)
            progress((top + count) * large.width)
    return large
