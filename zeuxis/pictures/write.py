"""Pictures to files: PNG with a note of how it was made, and grids to look at."""

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from zeuxis.data.files import write_bytes
from zeuxis.errors import BadInput

KEY = "zeuxis"
"""Keyword of the PNG text chunk that holds the note as JSON."""

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""IPTC NewsCodes of the digital source type; the terms are read by search engines and archives."""

MADE, CHANGED = "trainedAlgorithmicMedia", "algorithmicallyEnhanced"
"""Terms for a picture that a model made, and for one that an algorithm changed."""

_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="{}"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def _image(array: np.ndarray) -> Image.Image:
    pixels = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if array.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (2, 3, 4)):
        raise BadInput(f"a picture must be uint8 HW or HWC with 1 to 4 channels, not {array.dtype} {list(array.shape)}")
    return Image.fromarray(np.ascontiguousarray(pixels))


def png_bytes(array: np.ndarray, note: dict[str, Any] | None = None, source_type: str = MADE) -> bytes:
    """A PNG of a uint8 picture, HW or HWC with 1 to 4 channels.

    note: what made it, as plain values; written as JSON into a text chunk `zeuxis`, together with the
    IPTC digital source type in XMP. Raises BadInput for another dtype or shape.
    """
    image, chunks = _image(array), None
    if note is not None:
        chunks = PngImagePlugin.PngInfo()
        chunks.add_text(KEY, json.dumps(note, sort_keys=True, allow_nan=False))
        chunks.add_itxt("XML:com.adobe.xmp", _XMP.format(SOURCE_TYPES + source_type))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=chunks)
    return buffer.getvalue()


def write_png(
    path: str | os.PathLike[str], array: np.ndarray, note: dict[str, Any] | None = None, source_type: str = MADE
) -> None:
    """Writes `png_bytes` atomically. Raises BadInput where that is forbidden, MachineGaveOut when the disk is full."""
    write_bytes(path, png_bytes(array, note, source_type))


def read_note(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The note in a PNG; None where there is none, {} where it cannot be understood. Raises BadInput for no picture."""
    try:
        with Image.open(Path(path), formats=["PNG"]) as image:
            image.load()
            text = {**image.info, **getattr(image, "text", {})}.get(KEY)
    except Exception as error:  # decoders raise all kinds of errors on damaged files
        raise BadInput("this is not a PNG that can be read", str(path)) from error
    if text is None:
        return None
    try:
        note = json.loads(text)
    except (ValueError, TypeError):
        return {}
    return note if isinstance(note, dict) else {}


def to_uint8(images: Tensor) -> np.ndarray:
    """uint8 [N, H, W, C] of pictures [N, C, H, W] in [-1, 1]: rounded to the nearest, cut at the ends.

    Raises BadInput for values that are not numbers.
    """
    if not torch.isfinite(images).all():
        raise BadInput("the pictures hold values that are not numbers")
    pixels = ((images.detach().to("cpu", torch.float32) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).contiguous().numpy()


def grid(images: Tensor, columns: int, gap: int = 2) -> np.ndarray:
    """uint8 HWC: pictures [N, C, H, W] in [-1, 1] row by row, `gap` white pixels between them, empty places white.

    Raises BadInput for no pictures or no columns.
    """
    if not len(images) or columns < 1 or gap < 0:
        raise BadInput(f"no grid of {len(images)} pictures in {columns} columns")
    pixels = to_uint8(images)
    n, height, width, channels = pixels.shape
    rows, columns = -(-n // columns), min(columns, n)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), 255, np.uint8)
    for i in range(n):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = pixels[i]
    return sheet
