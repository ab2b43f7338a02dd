"""Formats told by their first bytes: what cannot be read is named, with what reads it."""

import importlib
from dataclasses import dataclass

_EXTRA = 'pip install "zeuxis[formats]" and it is read'
_MOVIES = (b"qt  ", b"mp41", b"mp42", b"isom", b"iso2", b"avc1", b"M4V ", b"3gp4", b"3gp5", b"MSNV")
_HEIF = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


class Unreadable(Exception):
    """A file that is no picture, or none that can be read; the text says why in a few words."""


@dataclass(frozen=True)
class Signature:
    """name: of the format; mend: what reads it; plugin: the module of the extra `formats`, and Pillow's name for it."""

    name: str
    mend: str
    plugin: tuple[str, str] | None = None


_JXL = Signature("JPEG XL", _EXTRA, ("pillow_jxl", "JXL"))
_RAW = Signature("a camera's raw file", "develop it to TIFF or JPEG, with darktable or RawTherapee")
_VECTOR = Signature("a drawing (SVG)", "draw it as PNG, with Inkscape or rsvg-convert")
_HEADS: tuple[tuple[int, bytes, Signature], ...] = (
    (0, b"\xff\x0a", _JXL),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", _JXL),
    (128, b"DICM", Signature("DICOM", "convert it to 16-bit PNG, with dcm2img of DCMTK or with pydicom")),
    (0, b"8BPS", Signature("Photoshop (PSD)", "save it as PNG or TIFF")),
    (0, b"gimp xcf", Signature("GIMP (XCF)", "export it as PNG or TIFF")),
    (0, b"v/1\x01", Signature("OpenEXR", "convert it to 16-bit PNG or TIFF, with oiiotool")),
    (0, b"#?RADIANCE", Signature("Radiance HDR", "convert it to 16-bit PNG or TIFF, with oiiotool")),
    (0, b"SIMPLE  =", Signature("FITS", "convert it to 16-bit PNG, with astropy")),
    (344, b"n+1\0", Signature("NIfTI", "write its slices as 16-bit PNG, with nibabel")),
    (0, b"%PDF", Signature("PDF", "write its pages as PNG, with pdftoppm")),
    (0, b"%!PS", Signature("PostScript", "write its pages as PNG, with Ghostscript")),
    (0, b"II*\0\x10\0\0\0CR", _RAW),
    (0, b"FUJIFILMCCD-RAW", _RAW),
    (0, b"IIRO", _RAW),
    (0, b"\x1aE\xdf\xa3", Signature("a film (Matroska, WebM)", "write its frames as PNG, with ffmpeg")),
    (0, b"\x93NUMPY", Signature("an array of NumPy", "write its pictures as PNG")),
    (0, b"PK\x03\x04", Signature("a zip", "name it as the data itself, or unpack it")),
)
HEAD = 512
"""Bytes that `signature` looks at."""


def signature(head: bytes) -> Signature | None:
    """The format that the first bytes of a file tell, of those that are not read as they are."""
    if head[4:8] == b"ftyp":
        if head[8:12] in _HEIF:
            return Signature("HEIC", _EXTRA, ("pillow_heif", "HEIF"))
        if head[8:12] == b"crx ":
            return _RAW
        return Signature("a film", "write its frames as PNG, with ffmpeg") if head[8:12] in _MOVIES else None
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml")) and b"<svg" in text:
        return _VECTOR
    return next((known for place, magic, known in _HEADS if head[place : place + len(magic)] == magic), None)


def reader_of(known: Signature) -> str | None:
    """Pillow's name of the format where the package that reads it is installed, which is then loaded."""
    if known.plugin is None:
        return None
    module, name = known.plugin
    try:
        plugin = importlib.import_module(module)
    except ImportError:
        return None
    register = getattr(plugin, "register_heif_opener", None)
    if register is not None:
        register()
    return name
