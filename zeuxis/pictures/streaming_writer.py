"""Pictures of any size written row by row: PNG by itself, JPEG and TIFF through pyvips (extra `big`)."""

import contextlib
import importlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from zeuxis.data.files import cut, make_folder, plain_errors
from zeuxis.errors import BadInput, MachineGaveOut, counted
from zeuxis.pictures import metadata, profiles, sixteen_bit
from zeuxis.pictures.picture_file import Metadata
from zeuxis.pictures.png import CHANGED, xmp_packet
from zeuxis.pictures.writing import SUFFIXES, form_of, png_carrier
from zeuxis.platform import sync_file, sync_folder

LAST_LINE = 120  # characters of what vips says


def opened_vips() -> Any:
    try:
        return importlib.import_module("pyvips")
    except (ImportError, OSError) as error:
        raise BadInput("pictures of so many pixels need pyvips", "", "pip install zeuxis[big]") from error


def _saver(name: str, kept: Metadata, pixels: int) -> tuple[str, dict[str, Any]]:
    """vips' function for the format, and what to tell it."""
    if name == "JPEG":
        return "jpegsave", {"Q": 95, "subsample_mode": "off"}
    big = pixels * 4 * kept.bits // 8 > 3 << 30
    return "tiffsave", {"compression": "deflate", "predictor": "horizontal", "bigtiff": big}


def _dressed(image: Any, vips: Any, kept: Metadata, note: dict[str, Any] | None) -> Any:
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
def _piped(aside: Path, name: str, kept: Metadata, note: Any, pixels: int) -> Iterator[IO[bytes]]:
    """A stream for a bare PNG, which vips turns into the file `aside` of the format `name` while it comes.

    Rows that waited in a file would be mapped into memory as a whole. Raises MachineGaveOut where vips fails.
    """
    vips, failed = opened_vips(), []
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
        reason = " ".join(str(failed[0]).split())[:LAST_LINE]
        what = f"the picture could not be written: {reason}"
        raise MachineGaveOut(what, str(aside.parent), "look for space") from failed[0]


def _held(rows: np.ndarray, holds: frozenset[str]) -> np.ndarray:
    """Rows [n, W, 1 to 4] of the kind that a format holds."""
    if rows.shape[2] in (2, 4) and "alpha" not in holds:
        rows = profiles.on_white(rows[..., :-1], rows[..., -1])
    if rows.dtype == np.uint16 and "16 bits" not in holds:
        rows = ((rows.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.ascontiguousarray(rows)


@contextlib.contextmanager
def written(
    path: str | os.PathLike[str], height: int, width: int, kept: Metadata, note: dict[str, Any] | None = None
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
    aside = path.with_name(f".{cut(path.name, 100)}.{os.getpid()}.tmp")
    is_png, writer = name == "PNG", None

    def add(rows: np.ndarray) -> None:
        nonlocal writer
        rows = _held(rows, form.holds)
        if writer is None:
            shape = (height, width, rows.shape[2])
            carrier = png_carrier((height, width), kept, note) if is_png else b""
            writer = sixteen_bit.PngWriter(stream, shape, rows.dtype, carrier, 6 if is_png else 0)
        writer.add(rows)

    try:
        target = open(aside, "wb") if is_png else _piped(aside, name, kept, note, height * width)
        with plain_errors(path), target as stream:
            yield add
            if writer is None or writer.rows != height:
                raise BadInput(f"{writer.rows if writer else 0} of {counted(height, 'row')} came", str(path))
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
