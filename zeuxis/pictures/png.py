"""Pictures to files: PNG with a note of how it was made, and grids to look at."""

import html
import io
import json
import os
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from zeuxis.data.decode import FORMATS
from zeuxis.data.files import write_bytes
from zeuxis.data.origin import KEY, note_in_xmp, parsed
from zeuxis.errors import BadInput, counted

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""IPTC NewsCodes of the digital source type; the terms are read by search engines and archives."""

MADE, CHANGED = "trainedAlgorithmicMedia", "algorithmicallyEnhanced"
"""Terms for a picture that a model made, and for one that an algorithm changed."""

_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
{}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""

_SOURCE = """<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="{}"/>"""

_NOTE = """<rdf:Description rdf:about="" xmlns:zeuxis="urn:x-zeuxis:note" zeuxis:note="{}"/>"""


# No part of these may run past the `<` of the next tag: then each character is looked at a few times at most, however
# many tags begin and never end.
_TYPE_WITHIN = re.compile(r"\s[\w.-]+:DigitalSourceType\s*=\s*(\"[^\"<]*\"|'[^'<]*')")
_TYPE = re.compile(r"<([\w.-]+:DigitalSourceType)\b[^<>]*>[^<]*</\1\s*>")
_NOTED = re.compile(r'<rdf:Description\s[^<>]*?\bzeuxis:note="[^"<]*"\s*/>')


def note_text(note: dict[str, Any]) -> str:
    """The note as one line of JSON; equal notes give equal text. ValueError for NaN."""
    return json.dumps(note, sort_keys=True, allow_nan=False)


def xmp_packet(source_type: str, note: dict[str, Any] | None = None, packet: bytes | None = None) -> str:
    """An XMP packet with the IPTC digital source type and, for formats without text chunks, the note.

    packet: one that the picture has already; it is kept and added to. A type in it that says that a
    model made the picture stays, any other one is replaced.
    """
    given = (packet or b"").decode("utf-8", "replace")
    if "</rdf:RDF>" not in given:
        given = _XMP.format("")
    if MADE.lower() not in given.lower():
        given = _TYPE_WITHIN.sub("", given)
        given = _TYPE.sub("", given)
        given = _with(given, _SOURCE.format(SOURCE_TYPES + source_type))
    if note is not None:
        given = _NOTED.sub("", given)
        given = _with(given, _NOTE.format(html.escape(note_text(note))))
    return given


def _with(packet: str, description: str) -> str:
    head, end, tail = packet.rpartition("</rdf:RDF>")
    return head + description + end + tail


def _image(array: np.ndarray) -> Image.Image:
    pixels = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if array.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (2, 3, 4)):
        raise BadInput(f"a picture must be uint8 HW or HWC with 1 to 4 channels, not {array.dtype} {list(array.shape)}")
    return Image.fromarray(np.ascontiguousarray(pixels))


def png_bytes(array: np.ndarray, note: dict[str, Any] | None = None, source_type: str | None = MADE) -> bytes:
    """A PNG of a uint8 picture, HW or HWC with 1 to 4 channels.

    note: what made it, as plain values; written as JSON into a text chunk `zeuxis`, together with the
    IPTC digital source type in XMP (None for a picture that no program made or changed).
    Raises BadInput for another dtype or shape.
    """
    image, chunks = _image(array), None
    if note is not None:
        chunks = PngImagePlugin.PngInfo()
        chunks.add_text(KEY, note_text(note))
        if source_type is not None:
            chunks.add_itxt("XML:com.adobe.xmp", xmp_packet(source_type))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=chunks)
    return buffer.getvalue()


def write_png(
    path: str | os.PathLike[str], array: np.ndarray, note: dict[str, Any] | None = None, source_type: str | None = MADE
) -> None:
    """Writes `png_bytes` atomically. Raises BadInput where that is forbidden, MachineGaveOut when the disk is full."""
    write_bytes(path, png_bytes(array, note, source_type))


def read_note(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The note in a picture; None where there is none, {} where it cannot be understood.

    It is a text chunk of a PNG, and in the XMP of other formats. Raises BadInput for no picture.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(Path(path), formats=FORMATS) as image:
            if image.format == "PNG" and KEY not in image.info:
                image.load()  # it may stand behind the pixels
            return note_in(image)
    except Exception as error:  # decoders raise all kinds of errors on damaged files
        raise BadInput("this is not a picture that can be read", str(path)) from error


def note_in(image: Image.Image) -> dict[str, Any] | None:
    """The note of an opened picture, as far as it is read; see `read_note`."""
    text = {**image.info, **getattr(image, "text", {})}.get(KEY) or note_in_xmp(image.info.get("xmp"))
    if text is None:
        return None
    return parsed(text)


def to_uint8(images: Tensor) -> np.ndarray:
    """uint8 [N, H, W, C] of pictures [N, C, H, W] in [-1, 1]: rounded to the nearest, cut at the ends.

    Raises BadInput for values that are not numbers.
    """
    if not torch.isfinite(images).all():
        raise BadInput("the pictures hold values that are not numbers")
    pixels = ((images.detach().to("cpu", torch.float32) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).contiguous().numpy()


GAP = 2
"""White pixels between pictures of a sheet."""


def grid(images: Tensor, columns: int, gap: int = GAP) -> np.ndarray:
    """uint8 HWC: pictures [N, C, H, W] in [-1, 1] row by row, `gap` white pixels between them, empty places white.

    Raises BadInput for no pictures or no columns.
    """
    if not len(images) or columns < 1 or gap < 0:
        raise BadInput(f"no grid of {counted(len(images), 'picture')} in {counted(columns, 'column')}")
    pixels = to_uint8(images)
    n, height, width, channels = pixels.shape
    rows, columns = -(-n // columns), min(columns, n)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), 255, np.uint8)
    for i in range(n):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = pixels[i]
    return sheet


def write_sheet(
    path: str | os.PathLike[str], images: Tensor, columns: int, note: dict[str, Any] | None = None, gap: int = GAP
) -> None:
    """Writes `grid` of pictures with a note that it is a sheet, so that no folder of pictures is read with it.

    note: what made the pictures; None where a model did not make all of them. Raises BadInput as `grid` does.
    """
    marked = {**(note or {}), "sheet": len(images)}
    write_png(path, grid(images, columns, gap), marked, None if note is None else MADE)
