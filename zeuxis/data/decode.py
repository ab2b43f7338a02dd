"""One picture file to uint8 pixels of a wanted shape: any mode that Pillow opens, nothing cut off or inverted."""

import contextlib
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from zeuxis.data.origin import PLAIN, Origin, origin_of
from zeuxis.data.ranges import Deep, from_16_bit, from_numbers, in_range, sixteen
from zeuxis.data.signatures import HEAD, Unreadable, reader_of, signature

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM", "JPEG2000", "QOI", "ICO", "PCX", "DDS")
"""What a picture may be, told by its content and not by its name; nothing that runs a program (EPS) or a script."""

BOMB = 2 * (1024 * 1024 * 1024 // 4 // 3)
"""Pixels beyond which a picture is taken for a bomb: twice Pillow's limit, 179 million."""

_TRUEVISION = b"TRUEVISION-XFILE.\0"
"""How a TGA ends, which has no signature at its beginning."""


@dataclass(frozen=True)
class Decoded:
    """pixels: uint8 HWC; origin: what the file's note says; frames: how many frames or pages the file has.

    laid: whether something was transparent, and lies on white now. aspect: width over height, before it was brought to
    a shape; 0 where that is not known.
    """

    pixels: np.ndarray
    origin: Origin = PLAIN
    frames: int = 1
    deep: Deep | None = None
    laid: bool = False
    aspect: float = 0.0


@dataclass(frozen=True)
class Shape:
    """What pictures are brought to. size: (height, width) or None for their own; channels: 1 to 4 or None.

    fit: "crop" scales until the frame is covered and cuts the middle out; "pad" scales until the
    picture fits in and fills the rest with black (transparent where there is alpha); "stretch"
    (also called "fit") changes the aspect. whites: which number is white in files of more than 8 bits, of whole
    numbers and of floats; None is 65535 for 16 bits, else what holds all numbers of the file. half: of two pictures
    side by side in one file, the one that is taken. exact: colours that are names, as in label maps, are not mixed.
    """

    size: tuple[int, int] | None = None
    channels: int | None = None
    fit: str = "crop"
    whites: tuple[float, float] | None = None
    half: Literal["", "left", "right"] = ""
    exact: bool = False


# ------------------------------------------------------------------ modes


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    if converted is None:
        raise Unreadable("has Lab colours that cannot be converted")
    return converted


def _from_palette(image: Image.Image) -> Image.Image:
    return image.convert("RGBA" if "transparency" in image.info else "RGB")


def _from_rgb(image: Image.Image) -> Image.Image:
    return image.convert("RGBA") if "transparency" in image.info else image


def _to(mode: str) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.convert(mode)


MODES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "1": _to("L"),
    "L": lambda image: image.convert("LA") if "transparency" in image.info else image,
    "LA": lambda image: image,
    "La": _to("LA"),
    "P": _from_palette,
    "PA": _to("RGBA"),
    "RGB": _from_rgb,
    "RGBA": lambda image: image,
    "RGBa": _to("RGBA"),
    "RGBX": _to("RGB"),
    "CMYK": _to("RGB"),
    "YCbCr": _to("RGB"),
    "HSV": _to("RGB"),
    "LAB": _from_lab,
    "I": from_numbers,
    "F": from_numbers,
    "I;16": from_16_bit,
    "I;16L": from_16_bit,
    "I;16B": from_16_bit,
    "I;16N": from_16_bit,
}
"""Each mode to one of L, LA, RGB, RGBA."""


def is_srgb(profile: bytes) -> bool:
    """Whether an ICC profile is one of sRGB, told by its description."""
    return b"sRGB" in profile[:4096].replace(b"\0", b"")


def to_srgb(image: Image.Image) -> Image.Image:
    """Through the embedded colour profile where there is a sound one for RGB or CMYK; else as it is."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK") or is_srgb(profile):
        return image
    from PIL import ImageCms

    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    if converted is None:
        return image
    converted.info = {k: v for k, v in image.info.items() if k != "icc_profile"}
    return converted


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF 2.32, tag 0x0112."""


def orientation(image: Image.Image) -> int:
    """1 to 8, as EXIF counts; 1 where it does not say."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # a damaged EXIF block must not cost the picture
        return 1


# ------------------------------------------------------------------ shapes


def _stretch(image: Image.Image, height: int, width: int, how: Image.Resampling) -> Image.Image:
    return image.resize((width, height), how, reducing_gap=None)


def _crop(image: Image.Image, height: int, width: int, how: Image.Resampling) -> Image.Image:
    return ImageOps.fit(image, (width, height), how)


def _pad(image: Image.Image, height: int, width: int, how: Image.Resampling) -> Image.Image:
    scale = min(width / image.width, height / image.height)
    small = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    frame = Image.new(image.mode, (width, height))
    inner = image.resize(small, how)
    frame.paste(inner, ((width - small[0]) // 2, (height - small[1]) // 2))
    return frame


FITS = {"crop": _crop, "pad": _pad, "stretch": _stretch, "fit": _stretch}


def shaped(image: Image.Image, shape: Shape) -> Image.Image:
    """An image of mode L, LA, RGB or RGBA at the wanted size and channels (alpha laid on white unless kept)."""
    if shape.half:
        image = _half(image, shape.half)
    if shape.channels not in (2, 4):
        image = _on_white(image)
    if shape.size is not None and (image.height, image.width) != shape.size:
        how = Image.Resampling.NEAREST if shape.exact else Image.Resampling.LANCZOS
        image = FITS[shape.fit](image, *shape.size, how)
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}.get(shape.channels or 0)
    return image if mode in (None, image.mode) else image.convert(mode)


def _half(image: Image.Image, which: str) -> Image.Image:
    """Raises Unreadable where the sides would differ."""
    if image.width % 2:
        raise Unreadable(f"is {image.width} pixels wide, which two pictures side by side cannot share")
    middle = image.width // 2
    return image.crop((0, 0, middle, image.height) if which == "left" else (middle, 0, image.width, image.height))


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image
    white = Image.new(image.mode, image.size, (255,) * len(image.mode))
    return Image.alpha_composite(white.convert("RGBA"), image.convert("RGBA")).convert(image.mode[:-1])


def is_grey(pixels: np.ndarray) -> bool:
    """Whether all colours of uint8 HWC pixels are grey."""
    if pixels.shape[2] < 3:
        return True
    red = pixels[..., 0]
    return bool((red == pixels[..., 1]).all() and (red == pixels[..., 2]).all())


def with_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """uint8 HWC pixels with 1 or 3 channels brought to `channels`: grey repeated, or one of three equal ones."""
    if pixels.shape[2] == channels:
        return pixels
    if channels == 1:
        return np.ascontiguousarray(pixels[..., :1])
    return np.repeat(pixels[..., :1], channels, axis=2)


# ------------------------------------------------------------------ files


def check_png(file: IO[bytes]) -> None:
    """Raises Unreadable where a checksum of pixel data is wrong, or the file ends within it.

    Pillow leaves these checksums unread; a flipped byte there would pass for a picture.
    """
    place = file.tell()
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        body, checksum = file.read(min(length, 1 << 30)), file.read(4)
        if name == b"IDAT" and len(checksum) < 4:
            raise Unreadable("ends too early")
        if name == b"IDAT" and zlib.crc32(body, zlib.crc32(name)) != int.from_bytes(checksum, "big"):
            raise Unreadable("is damaged: a checksum is wrong")
        if name == b"IEND":
            break
    file.seek(place)


def _told(image: Image.Image) -> Origin:
    info: dict[Any, Any] = {**image.info, **(getattr(image, "text", None) or {})}
    return origin_of(info)


def _draft(image: Image.Image, shape: Shape) -> None:
    """Lets a JPEG decoder skip detail that a much smaller size cannot hold; at least twice the size is kept."""
    if shape.size is not None and not shape.half and image.format in ("JPEG", "MPO"):
        side = 2 * max(shape.size)
        image.draft(None, (side, side))


def open_file(file: IO[bytes] | Path) -> Image.Image:
    """A picture file whose header is read, told by its content. Raises Unreadable for none and for bombs."""
    if isinstance(file, Path) and not file.stat().st_size:
        raise Unreadable("is empty")
    try:
        image: Image.Image = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise Unreadable("claims more pixels than a picture has: a bomb") from error
    except UnidentifiedImageError as error:
        image = _otherwise(file, error)
    if image.width * image.height > BOMB:
        raise Unreadable(f"claims {image.width}x{image.height} pixels: a bomb")
    return image


_STARTS = {b"\x89PNG": "a PNG", b"\xff\xd8\xff": "a JPEG", b"GIF8": "a GIF", b"II*\0": "a TIFF", b"MM\0*": "a TIFF"}
"""How files begin that are read as they are, where they are whole."""


def _otherwise(file: IO[bytes] | Path, error: Exception) -> Image.Image:
    """A picture of a format without a signature, or by the extra `formats`. Raises Unreadable, with its name."""
    if isinstance(file, Path):
        with open(file, "rb") as opened:
            head, end = _ends(opened)
    else:
        head, end = _ends(file)
        file.seek(0)
    known = signature(head)
    name = "TGA" if end.endswith(_TRUEVISION) else reader_of(known) if known else None
    if known is not None and name is None:
        raise Unreadable(f"is {known.name}: {known.mend}") from error
    try:
        if name is not None:
            return Image.open(file, formats=(name,))
    except UnidentifiedImageError:
        pass
    format_name = (
        known.name if known else next((name for start, name in _STARTS.items() if head.startswith(start)), None)
    )
    raise Unreadable(
        f"is {format_name}, and damaged" if format_name else "is not a picture that can be read"
    ) from error


def _ends(file: IO[bytes]) -> tuple[bytes, bytes]:
    file.seek(0)
    head = file.read(HEAD)
    file.seek(max(0, file.seek(0, io.SEEK_END) - len(_TRUEVISION)))
    return head, file.read(len(_TRUEVISION))


@contextlib.contextmanager
def reasons() -> Iterator[None]:
    """Turns whatever a decoder raises on a damaged file into Unreadable, in one line."""
    try:
        yield
    except Unreadable:
        raise
    except MemoryError as error:
        raise Unreadable("needs more memory than there is") from error
    except Exception as error:  # decoders raise all kinds of errors on damaged files
        raise Unreadable(f"cannot be read: {_words(error)}") from error


def is_animated(image: Image.Image) -> bool:
    """Whether there are further frames or pages; the second picture of a stereo or gain-map JPEG (MPO) is none."""
    return image.format != "MPO" and bool(getattr(image, "is_animated", False))


def frames_of(file: IO[bytes] | Path) -> int:
    """How many frames or pages a picture file has. Raises Unreadable as `decode` does."""
    with reasons(), open_file(file) as image:
        return _count(image)


def _count(image: Image.Image) -> int:
    return int(getattr(image, "n_frames", 1)) if is_animated(image) else 1


def decode(file: IO[bytes] | Path, shape: Shape, frame: int = 0) -> Decoded:
    """A frame of a picture file, the first by default, upright, in sRGB, at the wanted shape.

    16 bits are scaled by 1/257 or as `shape.whites` says. Raises Unreadable, with a reason, for all that is not a
    whole picture.
    """
    with reasons(), open_file(file) as image:
        if image.format == "PNG" and isinstance(image, ImageFile.ImageFile) and image.fp is not None:
            check_png(image.fp)
        frames = _count(image)
        if frame:
            image.seek(frame)
        _draft(image, shape)
        wide = None if frame else sixteen(file, image)
        image.load()
        return _upright(image, shape, frames, wide)


def _upright(image: Image.Image, shape: Shape, frames: int, wide: np.ndarray | None) -> Decoded:
    origin, turn = _told(image), _TURNS.get(orientation(image))
    if image.mode not in MODES:
        raise Unreadable(f"has the colour mode {image.mode}, which is not known here")
    image, deep = in_range(image, wide, shape.whites)
    image = MODES[(converted := to_srgb(image)).mode](converted)
    if turn is not None:
        image = image.transpose(turn)
    laid = shape.channels not in (2, 4) and _is_clear(image)
    aspect = image.width / image.height / (2 if shape.half else 1)
    pixels = np.asarray(shaped(image, shape))
    return Decoded(pixels[:, :, None] if pixels.ndim == 2 else pixels, origin, frames, deep, laid, aspect)


def _is_clear(image: Image.Image) -> bool:
    """Whether something of an image of mode L, LA, RGB or RGBA is transparent."""
    return image.mode in ("LA", "RGBA") and bool((np.asarray(image.getchannel("A")) < 255).any())


def _words(error: Exception) -> str:
    line = " ".join(str(getattr(error, "strerror", None) or error).split())
    return line[:120] if line else type(error).__name__
