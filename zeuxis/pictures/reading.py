"""Picture files to pixels, with all that must survive: any mode that Pillow opens, 16 bits where the file has them."""

import io
import os
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from zeuxis.data import decode
from zeuxis.data.decode import MODES
from zeuxis.data.ranges import white_of
from zeuxis.data.signatures import Unreadable
from zeuxis.pictures import metadata, profiles, sixteen_bit
from zeuxis.pictures.picture_file import Metadata, Picture

TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}
"""What brings pixels [H, W, ...] upright, by orientation (EXIF 2.32, tag 0x0112)."""

OTHERS = "other pictures follow in the same file, and are left out"
"""A remark on a file that is several files, one behind the other."""
_TAIL = "what follows the picture in its file, such as a film of a telephone, is left out"
_PNG, _JPEG, _EOI = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", 0xD9
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # one that begins a segment, or ends the picture
_LOSSY = ("JPEG", "MPO", "AVIF", "JPEG2000")


@dataclass(frozen=True, eq=False)
class _Raw:
    """Pixels [H, W, 1 to 4] of uint8 or uint16 as they lie in the file, what was said of them, and whether in sRGB."""

    pixels: np.ndarray
    remarks: tuple[str, ...] = ()
    in_srgb: bool = False


# ------------------------------------------------------------------ modes


def _plain(image: Image.Image) -> _Raw:
    pixels = np.asarray(MODES[image.mode](image))
    return _Raw(pixels[..., None] if pixels.ndim == 2 else pixels)


def _palette(image: Image.Image) -> _Raw:
    raw = _plain(image)
    rgb = raw.pixels[..., :3]
    if (rgb == rgb[..., :1]).all() and not image.info.get("icc_profile"):
        return replace(raw, pixels=raw.pixels[..., [0, 3]] if raw.pixels.shape[2] == 4 else rgb[..., :1])
    return raw


def _sixteen(image: Image.Image) -> _Raw:
    pixels = np.asarray(image).astype(np.uint16)[..., None]
    if getattr(image, "tag_v2", {}).get(258) == (12,):
        return _Raw((pixels.astype(np.uint32) * 65535 // 4095).astype(np.uint16), ("12 bits became 16 bits",))
    key = image.info.get("transparency")
    if isinstance(key, int):
        pixels = np.concatenate([pixels, np.where(pixels == key, 0, 65535).astype(np.uint16)], 2)
    return _Raw(pixels)


def _numbers(image: Image.Image) -> _Raw:
    values = np.asarray(image).astype(np.float64)[..., None]
    white = white_of(image, values)
    if image.mode == "I" and white == 255:
        return _Raw(np.clip(values, 0, 255).astype(np.uint8), ("numbers of 32 bits became 8 bits",))
    pixels = np.clip(np.rint(values * (65535 / white)), 0, 65535).astype(np.uint16)
    same = image.mode == "I" and image.format == "PPM"
    over, under = float((values > white).mean()), float((values < 0).mean())
    cut = f", and {100 * over:.2g} % of the numbers, above it, were cut" if over else ""
    cut += f", and {100 * under:.2g} %, below zero, became black" if under else ""
    return _Raw(pixels, () if same else (f"numbers of 32 bits became 16 bits, white is {white:g}{cut}",))


def _cmyk(image: Image.Image) -> _Raw:
    converted = decode.to_srgb(image)
    through = "with" if converted.mode == "RGB" else "without"
    return _Raw(np.asarray(converted.convert("RGB")), (f"CMYK became RGB, {through} a colour profile",), True)


def _told(remark: str) -> Callable[[Image.Image], _Raw]:
    return lambda image: replace(_plain(image), remarks=(remark,), in_srgb=True)


_READ: dict[str, Callable[[Image.Image], _Raw]] = {
    "P": _palette,
    "I": _numbers,
    "F": _numbers,
    "CMYK": _cmyk,
    "LAB": _told("L*a*b* colours became RGB"),
    "YCbCr": _told("YCbCr colours became RGB"),
    "HSV": _told("HSV colours became RGB"),
} | dict.fromkeys(("I;16", "I;16L", "I;16B", "I;16N"), _sixteen)
"""How a mode is read where it is not `_plain`."""


def _keyed(pixels: np.ndarray, key: object) -> np.ndarray:
    """16-bit colours with alpha where the file names one colour as transparent (tRNS)."""
    if pixels.shape[2] != 3 or not isinstance(key, tuple) or len(key) != 3:
        return pixels
    shown = (pixels != np.array(key, np.uint16)).any(2, keepdims=True)
    return np.concatenate([pixels, np.where(shown, 65535, 0).astype(np.uint16)], 2)


def _cut_to_8(image: Image.Image) -> tuple[str, ...]:
    """A word where Pillow is known to have made 8 bits of more."""
    tile = next(iter(getattr(image, "tile", ())), None)
    args = getattr(tile, "args", None)
    deep_ppm = image.format == "PPM" and image.mode != "I" and isinstance(args, tuple) and args[-1:] > (255,)
    deep_tiff = image.format == "TIFF" and max(getattr(image, "tag_v2", {}).get(258, (8,))) > 8
    return ("more than 8 bits became 8 bits",) if deep_ppm or deep_tiff and image.mode not in ("F", "I") else ()


def _pixels(data: bytes, image: Image.Image) -> _Raw:
    """The pixels of an opened, not yet loaded picture."""
    wide = sixteen_bit.read_sixteen(data, image)
    cut = () if wide is not None or image.mode.startswith("I;16") else _cut_to_8(image)
    image.load()
    if wide is not None:
        return _Raw(_keyed(wide, image.info.get("transparency")))
    if image.mode not in MODES:
        raise Unreadable(f"has the colour mode {image.mode}, which is not known here")
    raw = _READ.get(image.mode, _plain)(image)
    return replace(raw, remarks=raw.remarks + cut)


# ------------------------------------------------------------------ colours


def _in_srgb(raw: _Raw, profile: bytes | None, kept: Metadata) -> tuple[np.ndarray, Metadata]:
    """Colours [H, W, 1 or 3], and `kept` with the profile and what was lost."""
    pixels = raw.pixels[..., :1] if raw.pixels.shape[2] < 3 else raw.pixels[..., :3]
    if raw.in_srgb:
        return pixels, replace(kept, icc=profiles.srgb_profile() if profile else None)
    if not profile or pixels.shape[2] == 1 or decode.is_srgb(profile):
        return pixels, replace(kept, icc=profile or None)
    converted = profiles.to_srgb(pixels, profile)
    if converted is None:
        remark = "the colour profile cannot be computed with: colours stay as they are"
        return pixels, replace(kept, icc=profile, remarks=(*kept.remarks, remark))
    return converted[0], replace(kept, icc=profile, lost=converted[1])


def _upright(array: np.ndarray, turn: int) -> np.ndarray:
    return np.ascontiguousarray(TURNS[turn](array)) if turn in TURNS else array


# ------------------------------------------------------------------ files


def _others(data: bytes, form: str | None) -> tuple[str, ...]:
    """A word where something follows the end of a PNG or JPEG: another picture, as where files were joined, or what a
    telephone puts there, such as a film."""
    end = {"PNG": _end_of_png, "JPEG": _end_of_jpeg}.get(form or "", len)(data)
    if data[end : end + 8].startswith((_PNG, _JPEG)):
        return (OTHERS,)
    return (_TAIL,) if data[end:].strip(b"\0\r\n ") else ()


def _end_of_png(data: bytes) -> int:
    at, kind = len(_PNG), b""
    while kind != b"IEND" and at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        at += 12 + length
    return at


def _end_of_jpeg(data: bytes) -> int:
    """Behind the marker EOI, past the thumbnails that lie within segments (ITU-T T.81, B.1)."""
    at = 2
    while (marker := _MARKER.search(data, at)) is not None:
        at = marker.end()
        if marker[0][-1] == _EOI:
            return at
        at += int.from_bytes(data[at : at + 2], "big")
    return len(data)


def _frames(image: Image.Image) -> tuple[str, ...]:
    count = int(getattr(image, "n_frames", 1))
    phrase = f"of {count} frames or pages" if decode.is_animated(image) else "picture in the file"
    return (f"only the first {phrase} is taken",) if count > 1 else ()


def kept_of(data: bytes, image: Image.Image, turn: int) -> Metadata:
    """What the file says beside its pixels; colours and remarks are still missing."""
    exif, damaged = metadata.read_exif(image)
    dpi = metadata.read_dpi(image)
    form = "JPEG" if image.format == "MPO" else image.format or ""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    return Metadata(
        format=form,
        mode=image.mode,
        lossless=metadata.webp_is_lossless(data) if form == "WEBP" else form not in _LOSSY,
        exif=exif,
        xmp=metadata.upright_xmp(packet),
        dpi=(dpi[1], dpi[0]) if dpi and turn > 4 else dpi,
        text=metadata.read_text(image),
        chunks=metadata.read_chunks(data) if form == "PNG" else (),
        tables=metadata.jpeg_tables(image),
        subsampling=metadata.jpeg_subsampling(image) if form == "JPEG" else None,
        remarks=("a damaged EXIF block was left out",) if damaged else (),
    )


def _read(data: bytes) -> Picture:
    if not data:
        raise Unreadable("is empty")
    with decode.open_file(io.BytesIO(data)) as image:
        if image.format == "PNG":
            decode.check_png(io.BytesIO(data))
        frames, before = (
            _others(data, image.format) + _frames(image),
            decode.orientation(image) if image.format == "TIFF" else 1,
        )
        raw = _pixels(data, image)
        turn = decode.orientation(image)  # 1 of a TIFF, which Pillow turns by itself when it reads the pixels
        kept = kept_of(data, image, max(turn, before))
        kept = replace(kept, bits=8 * raw.pixels.itemsize, remarks=raw.remarks + frames + kept.remarks)
        colours, kept = _in_srgb(raw, image.info.get("icc_profile"), kept)
    alpha = raw.pixels[..., -1] if raw.pixels.shape[2] in (2, 4) else None
    if kept.lost is not None:
        kept = replace(kept, lost=_upright(kept.lost, turn))
    return Picture(_upright(colours, turn), None if alpha is None else _upright(alpha, turn), kept)


def read(source: str | os.PathLike[str] | bytes) -> Picture:
    """The first picture of a file (a path, or its bytes), upright, with all that must survive in `kept`.

    Raises zeuxis.data.decode.Unreadable, with a reason, for all that is not a whole picture of 179 Mpx at most.
    """
    with decode.reasons(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's words on odd files: what matters becomes a remark or an error
        return _read(source if isinstance(source, bytes) else Path(source).read_bytes())
