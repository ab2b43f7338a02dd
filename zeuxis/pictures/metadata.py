"""What stands beside the pixels in a file: EXIF made upright, resolution, XMP, PNG chunks, JPEG tables."""

import re
import struct
import warnings
from collections.abc import Iterator
from typing import Any

from PIL import Image

_HEAD = b"Exif\0\0"
_ORIENTATION, _EXIF_FOLDER, _WIDTH, _HEIGHT = 0x0112, 0x8769, 0xA002, 0xA003
_NUMBERS = {1: ("B", 0xFF), 3: ("H", 0xFFFF), 4: ("I", 0xFFFFFFFF)}
"""EXIF 2.32, table 2: types that hold a whole number; their struct letter and largest value."""

_OF_PEOPLE = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298, _EXIF_FOLDER, 0x8825)
"""Tags of a TIFF that tell of the photograph and not of its storage: words, maker, dates, EXIF, GPS."""

_SHOWN = (b"gAMA", b"cHRM")
_SAMPLINGS = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}


# ------------------------------------------------------------------ EXIF


def _entries(block: bytearray, order: str, start: int) -> Iterator[tuple[int, int, int]]:
    """(tag, type, place of the value) of the entries of one folder of tags. struct.error where it is damaged."""
    (count,) = struct.unpack_from(order + "H", block, start)
    for i in range(count):
        tag, kind, _ = struct.unpack_from(order + "HHI", block, start + 2 + 12 * i)
        yield tag, kind, start + 10 + 12 * i
    struct.unpack_from(order + "I", block, start + 2 + 12 * count)


def with_exif(exif: bytes, values: dict[int, int]) -> bytes | None:
    """The EXIF block with these whole numbers overwritten where it has them, and its thumbnail cut off.

    All else, notes of the maker included, stays where it is. None where the block is damaged.
    """
    head = _HEAD if exif.startswith(_HEAD) else b""
    block = bytearray(exif[len(head) :])
    order = {b"II": "<", b"MM": ">"}.get(bytes(block[:2]))
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        folders = {start}
        for tag, _, place in _entries(block, order, start):
            if tag == _EXIF_FOLDER and len(folders) < 2:  # there is one; as many as entries would be read as often
                folders |= set(struct.unpack_from(order + "I", block, place))
        for folder in folders:
            for tag, kind, place in _entries(block, order, folder):
                if tag in values and kind in _NUMBERS:
                    letter, most = _NUMBERS[kind]
                    struct.pack_into(order + letter, block, place, min(values[tag], most))
        (count,) = struct.unpack_from(order + "H", block, start)
        struct.pack_into(order + "I", block, start + 2 + 12 * count, 0)
    except struct.error:
        return None
    return _HEAD + bytes(block)


def read_exif(image: Image.Image) -> tuple[bytes | None, bool]:
    """(the EXIF block of an opened picture with orientation 1, whether it had one that had to be left out)."""
    given = image.info.get("exif")
    if image.format == "TIFF":
        given = _of_people(image)
    elif not given and (exif := _or_none(image.getexif)):
        given = exif.tobytes()
    if not given:
        return None, False
    upright = with_exif(given, {_ORIENTATION: 1})
    return upright, upright is None


def _of_people(image: Image.Image) -> bytes | None:
    """A TIFF has no block: its own tags are one, less those that say how it is stored."""
    exif = _or_none(image.getexif)
    if not exif:
        return None
    chosen = Image.Exif()
    for tag in _OF_PEOPLE:
        if tag in exif:
            chosen[tag] = exif.get_ifd(tag) if tag in (_EXIF_FOLDER, 0x8825) else exif[tag]
    return _or_none(chosen.tobytes) if len(chosen) else None


def _or_none(call: Any) -> Any:
    try:
        return call()
    except Exception:  # a damaged EXIF block must not cost the picture
        return None


def sized_exif(exif: bytes, height: int, width: int) -> bytes:
    """The block with the size of the picture in pixels brought up to date where it says one."""
    return with_exif(exif, {_WIDTH: width, _HEIGHT: height}) or exif


def exif_tags(exif: bytes) -> Image.Exif:
    """The block as Pillow reads it, to be written into the tags of a TIFF; without the orientation."""
    tags = Image.Exif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tags.load(exif)
        tags.pop(_ORIENTATION, None)
    return tags


# ------------------------------------------------------------------ XMP


def upright_xmp(packet: bytes | str | None) -> bytes | None:
    """The XMP packet with orientation 1."""
    if not packet:
        return None
    data = packet.encode("utf-8", "replace") if isinstance(packet, str) else bytes(packet)
    data = re.sub(rb'(tiff:Orientation\s*=\s*["\'])\d', rb"\g<1>1", data)
    return re.sub(rb"(<tiff:Orientation>\s*)\d", rb"\g<1>1", data)


# ------------------------------------------------------------------ the rest


def read_dpi(image: Image.Image) -> tuple[float, float] | None:
    """Pixels per inch (x, y) where the file says them itself; Pillow fills in guesses of its own."""
    dpi: Any = image.info.get("dpi")
    if image.format == "TIFF" and 282 not in getattr(image, "tag_v2", {}):
        return None
    if (
        image.format == "JPEG"
        and image.info.get("jfif_unit") not in (1, 2)
        and 0x011A not in (_or_none(image.getexif) or ())
    ):
        return None
    try:
        x, y = (float(v) for v in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 0 < x < 1e6 and 0 < y < 1e6 else None


def read_text(image: Image.Image) -> tuple[tuple[str, str], ...]:
    """Text chunks of a PNG, less those that hold EXIF or XMP."""
    text = getattr(image, "text", None) if image.format == "PNG" else None
    held = ("XML:com.adobe.xmp", "Raw profile type")
    return tuple((str(key), str(value)) for key, value in (text or {}).items() if not key.startswith(held))


def read_chunks(data: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """The chunks of a PNG before its pixels that say how its numbers are to be shown."""
    place, chunks = 8, []
    while place + 12 <= len(data) and data[place + 4 : place + 8] != b"IDAT":
        length = int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] in _SHOWN:
            chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    return tuple(chunks)


def webp_is_lossless(data: bytes) -> bool:
    """Whether the first frame of a WebP is stored without loss (RIFF chunks VP8L, VP8 and ANMF)."""
    place = 12
    while place + 8 <= len(data):
        name, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        if name in (b"VP8L", b"VP8 "):
            return name == b"VP8L"
        place += 8 + (16 if name == b"ANMF" else length + length % 2)
    return False


def jpeg_tables(image: Image.Image) -> tuple[tuple[int, ...], ...]:
    """The quantisation tables of a JPEG by number; none for other formats."""
    tables = getattr(image, "quantization", None) or {}
    return tuple(tuple(int(v) for v in tables[i]) for i in sorted(tables))


def jpeg_subsampling(image: Image.Image) -> str | None:
    """How a colour JPEG stores its colours; None for other formats and unusual ones."""
    from PIL.JpegImagePlugin import get_sampling

    return _SAMPLINGS.get(get_sampling(image)) if hasattr(image, "layer") else None
