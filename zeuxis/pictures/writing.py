"""Pictures to files: everything that the format can hold, a word about the rest, and the note of how it was made."""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from zeuxis.data.decode import is_srgb
from zeuxis.data.origin import KEY
from zeuxis.errors import BadInput
from zeuxis.pictures import metadata, profiles, sixteen_bit
from zeuxis.pictures.picture_file import Metadata, Picture
from zeuxis.pictures.png import CHANGED, note_text, xmp_packet

Note = dict[str, Any] | None
Write = Callable[[np.ndarray, Metadata, Note], bytes]

_MARKER = 65533 - 64
"""Bytes that one marker of a JPEG holds, less the words in front of XMP."""


@dataclass(frozen=True)
class Form:
    """A format: what it can hold beside 8 bits of colour, the longest side in pixels, and its writer.

    The writer gets pixels [H, W, 1 to 4] that the format holds (2 and 4: the last is alpha), what is kept, and a note.
    """

    name: str
    holds: frozenset[str]
    side: int
    write: Write


# ------------------------------------------------------------------ parts


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))


def _xmp(kept: Metadata, note: Note, with_note: bool = True) -> bytes | None:
    if note is None:
        return kept.xmp
    return xmp_packet(CHANGED, note if with_note else None, kept.xmp).encode("utf-8")


def _exif(pixels: np.ndarray, kept: Metadata) -> bytes | None:
    return None if kept.exif is None else metadata.sized_exif(kept.exif, *pixels.shape[:2])


def _given(**parts: Any) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part is not None}


def _save(image: Image.Image, form: str, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **settings)
    return buffer.getvalue()


# ------------------------------------------------------------------ formats


def _png_settings(size: tuple[int, int], kept: Metadata, note: Note) -> dict[str, Any]:
    chunks = PngImagePlugin.PngInfo()
    for name, body in kept.chunks:
        chunks.add(name, body)
    for key, value in kept.text:
        if note is None or key != KEY:
            chunks.add_itxt(key, value, zip=len(value) > 1000) if not value.isascii() else chunks.add_text(key, value)
    if note is not None:
        chunks.add_text(KEY, note_text(note))
    if packet := _xmp(kept, note, with_note=False):
        chunks.add_itxt("XML:com.adobe.xmp", packet.decode("utf-8", "replace"))
    exif = None if kept.exif is None else metadata.sized_exif(kept.exif, *size)
    return _given(pnginfo=chunks, icc_profile=kept.icc, exif=exif, dpi=kept.dpi)


def png_carrier(size: tuple[int, int], kept: Metadata, note: Note) -> bytes:
    """A PNG of one pixel with all that stands beside the pixels of a picture of this size (height, width)."""
    return _save(Image.new("L", (1, 1)), "PNG", **_png_settings(size, kept, note))


def _png(pixels: np.ndarray, kept: Metadata, note: Note) -> bytes:
    size = (pixels.shape[0], pixels.shape[1])
    if pixels.dtype == np.uint8:
        return _save(_image(pixels), "PNG", **_png_settings(size, kept, note))
    return sixteen_bit.png_bytes(pixels, png_carrier(size, kept, note))


def _jpeg(pixels: np.ndarray, kept: Metadata, note: Note) -> bytes:
    exif, packet = _exif(pixels, kept), _xmp(kept, note)
    if exif is not None and len(exif) > _MARKER:
        exif = None
    if packet is not None and len(packet) > _MARKER:
        packet = _xmp(replace(kept, xmp=None), note)
    settings = _given(icc_profile=kept.icc, exif=exif, xmp=packet, dpi=_whole(kept.dpi))
    return _save(_image(pixels), "JPEG", quality=95, subsampling=0, **settings)


def _whole(dpi: tuple[float, float] | None) -> tuple[int, int] | None:
    return None if dpi is None else (min(65535, max(1, round(dpi[0]))), min(65535, max(1, round(dpi[1]))))


def _webp(pixels: np.ndarray, kept: Metadata, note: Note) -> bytes:
    wide = pixels[..., [0, 0, 0, *range(1, pixels.shape[2])]] if pixels.shape[2] < 3 else pixels
    settings = _given(icc_profile=kept.icc, exif=_exif(pixels, kept), xmp=_xmp(kept, note))
    how = {"lossless": True, "exact": True} if kept.lossless else {"quality": 95}
    return _save(_image(wide), "WEBP", **how, **settings)


def _tiff(pixels: np.ndarray, kept: Metadata, note: Note) -> bytes:
    if pixels.shape[2] == 2 and pixels.dtype == np.uint16:
        pixels = pixels[..., [0, 0, 0, 1]]  # readers that know 16-bit grey with alpha are rare
    tags: dict[int, Any] = {}
    exif = _exif(pixels, kept)
    if exif is not None:
        exif_tags = metadata.exif_tags(exif)
        tags |= {tag: exif_tags.get_ifd(tag) if tag in (0x8769, 0x8825) else exif_tags[tag] for tag in exif_tags}
    tags |= {} if kept.dpi is None else {282: kept.dpi[0], 283: kept.dpi[1], 296: 2}
    packet = _xmp(kept, note)
    tags |= {} if packet is None else {700: packet}
    tags |= {} if kept.icc is None else {34675: kept.icc}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tags that Pillow's table of types does not know
        return sixteen_bit.tiff_bytes(pixels, tags)


def _bmp(pixels: np.ndarray, kept: Metadata, note: Note) -> bytes:
    return _save(_image(pixels), "BMP", **_given(dpi=kept.dpi))


def _ppm(pixels: np.ndarray, kept: Metadata, note: Note) -> bytes:
    height, width, channels = pixels.shape
    head = f"P{5 if channels == 1 else 6}\n{width} {height}\n{np.iinfo(pixels.dtype).max}\n"
    return head.encode() + pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()


def _gif(pixels: np.ndarray, kept: Metadata, note: Note) -> bytes:
    hidden = pixels[..., -1] < 128 if pixels.shape[2] in (2, 4) else np.zeros(pixels.shape[:2], bool)
    rgb = pixels[..., [0, 0, 0]] if pixels.shape[2] < 3 else pixels[..., :3]
    packed = rgb.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    packed[hidden] = 1 << 24
    colours, numbers = np.unique(packed, return_inverse=True)
    if len(colours) > 256:
        image = Image.fromarray(np.ascontiguousarray(rgb)).quantize(255)
        used = len(image.getpalette() or []) // 3
        numbers = np.where(hidden, used, np.asarray(image))
        palette = bytes(image.getpalette() or []) + bytes(3)
    else:
        palette = (colours.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:]).tobytes()
    result = Image.fromarray(numbers.reshape(hidden.shape).astype(np.uint8), "P")
    result.putpalette(palette)
    transparent = {"transparency": len(palette) // 3 - 1} if hidden.any() else {}
    return _save(result, "GIF", optimize=False, **transparent)


_ALL = frozenset({"alpha", "profile", "EXIF", "note", "resolution", "16 bits"})
FORMS = {
    "PNG": Form("PNG", _ALL, 2**31 - 1, _png),
    "JPEG": Form("JPEG", _ALL - {"alpha", "16 bits"}, 65535, _jpeg),
    "WEBP": Form("WebP", _ALL - {"resolution", "16 bits"}, 16383, _webp),
    "TIFF": Form("TIFF", _ALL, 2**31 - 1, _tiff),
    "BMP": Form("BMP", frozenset({"resolution"}), 2**31 - 1, _bmp),
    "GIF": Form("GIF", frozenset({"alpha"}), 65535, _gif),
    "PPM": Form("PPM", frozenset({"16 bits"}), 2**31 - 1, _ppm),
}
SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".ppm": "PPM",
    ".pgm": "PPM",
    ".pnm": "PPM",
}
"""What can be written, by the end of the name in lower case."""


def form_of(suffix: str) -> Form:
    """The format of a suffix such as ".png", in any case. Raises BadInput, naming what can be written."""
    name = SUFFIXES.get(suffix.lower())
    if name is None:
        raise BadInput(f"no picture can be written as `{suffix}`", "", "write " + ", ".join(sorted(SUFFIXES)))
    return FORMS[name]


# ------------------------------------------------------------------ the whole


def _colours(picture: Picture, form: Form) -> tuple[np.ndarray, Metadata]:
    """Pixels [H, W, 1 to 4] in the colours and the depth that the format holds, and what is kept of the rest."""
    pixels, alpha, kept = picture.pixels, picture.alpha, picture.kept
    if "profile" not in form.holds:
        kept = replace(kept, icc=None)
    elif kept.lost is not None and kept.icc is not None:
        back = profiles.from_srgb(pixels, kept.icc, kept.lost)
        pixels, kept = (pixels, replace(kept, icc=profiles.srgb_profile())) if back is None else (back, kept)
    if alpha is not None and "alpha" in form.holds:
        pixels = np.concatenate([pixels, alpha[..., None]], 2)
    elif alpha is not None:
        pixels = profiles.on_white(pixels, alpha)
    if pixels.dtype == np.uint16 and "16 bits" not in form.holds:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return pixels, kept


def encode(picture: Picture, suffix: str, note: Note) -> bytes:
    """The bytes of a whole file in the format of the suffix (".png", in any case).

    Kept where the format can: alpha, 16 bits, colour profile, EXIF, XMP, resolution; `remarks` says what it cannot.
    JPEG: quality 95, 4:4:4; WebP: without loss where the source had none, else quality 95; TIFF: deflated; GIF: 256
    colours. note: what made it, as plain values, written as `zeuxis` text (PNG) or into XMP, with the IPTC digital
    source type `algorithmicallyEnhanced`; None: no note. Raises BadInput for another suffix, and for a picture
    too large for the format.
    """
    form = form_of(suffix)
    if max(picture.size) > form.side:
        raise BadInput(
            f"a side of {max(picture.size)} pixels is too long: {form.name} holds {form.side}", "", "write a PNG"
        )
    pixels, kept = _colours(picture, form)
    return form.write(pixels, kept, note)


def remarks(picture: Picture, suffix: str, noted: bool = True) -> tuple[str, ...]:
    """What is lost from the source file to a file of this suffix, a line each, for people; raises as `encode`.

    noted: the file is changed, so that it should carry a note.
    """
    form, kept = form_of(suffix), picture.kept
    name, holds = form.name, form.holds
    grey, alpha = picture.pixels.shape[2] == 1, picture.alpha is not None
    back = kept.lost is not None and kept.icc is not None and not is_srgb(kept.icc)
    said = {
        f"transparency was laid on white: {name} holds none": alpha and "alpha" not in holds,
        f"soft transparency became hard: {name} holds no other": alpha and name == "GIF",
        f"16 bits became 8: {name} holds no more": picture.white > 255 and "16 bits" not in holds,
        f"colours became sRGB: {name} holds no profile": back and "profile" not in holds,
        f"EXIF was left out: {name} holds none": kept.exif is not None and "EXIF" not in holds,
        f"EXIF was left out: it is too long for {name}": name == "JPEG" and len(kept.exif or b"") > _MARKER,
        f"the resolution was left out: {name} holds none": kept.dpi is not None and "resolution" not in holds,
        f"grey became three equal colours: {name} holds none": grey and name == "WebP",
        "16-bit grey with alpha became RGB with alpha": grey and alpha and picture.white > 255 and name == "TIFF",
        f"that it was changed, and by what, is not said in it: {name} holds no note": noted and "note" not in holds,
        f"{name} changes all pixels a little": name == "JPEG" and kept.lossless,
        "two levels became grey": kept.mode == "1",
        "palette became full colours": kept.palette and name != "GIF" and not grey,
        "colours were reduced to 256": name == "GIF" and not kept.palette and not grey,
    }
    return (*kept.remarks, *(remark for remark, so in said.items() if so))
