"""Pictures that somebody has in memory, as the bytes of a PNG file."""

from io import BytesIO
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps

from zeuxis.data.signatures import Unreadable
from zeuxis.errors import BadInput, WrongType, counted
from zeuxis.pictures.picture_file import Metadata, Picture
from zeuxis.pictures.reading import read
from zeuxis.pictures.writing import encode

_WHOLE = {"PA": "RGBA", "La": "LA", "RGBa": "RGBA"}  # modes that PNG has no room for, and that lose nothing
_PLANES = {1: (1, False), 2: (1, True), 3: (3, False), 4: (3, True)}  # channels: colours, and whether alpha follows


def file_of(picture: Any) -> bytes:
    """PNG of a PIL picture, or of an array or tensor [H, W] or [H, W, C], uint8 or uint16, C 1 to 4.

    Two and four channels end with alpha. Raises WrongType, BadInput.
    """
    if isinstance(picture, Image.Image):
        return _of_pil(picture)
    if isinstance(picture, np.ma.MaskedArray):
        raise WrongType(
            "a masked array hides pixels, and `restore` asks for them", "", "give .data, and its .mask as mask"
        )
    pixels = picture.detach().cpu().numpy() if isinstance(picture, torch.Tensor) else np.asarray(picture)
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise WrongType(f"a picture is uint8 or uint16, not {pixels.dtype}", "", "scale it to 0..255 and round it")
    if not pixels.size:
        raise BadInput(f"the picture is empty: its shape is {list(np.shape(picture))}", "", "give one with pixels")
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    if pixels.ndim != 3 or pixels.shape[2] not in _PLANES:
        shape = list(np.shape(picture))
        raise BadInput(f"a picture is [H, W] or [H, W, C] with 1 to 4 channels, not {shape}", "", "channels come last")
    colours, has_alpha = _PLANES[pixels.shape[2]]
    pixels = np.ascontiguousarray(pixels)
    kept = Metadata(mode="RGB" if colours == 3 else "L", bits=8 * pixels.itemsize)
    return encode(Picture(pixels[..., :colours], pixels[..., -1] if has_alpha else None, kept), ".png", None)


def mask_file_of(mask: Any) -> bytes:
    """As `file_of`, also of an array or tensor of bool, True is white."""
    if not isinstance(mask, Image.Image):
        mask = mask.detach().cpu().numpy() if isinstance(mask, torch.Tensor) else np.asarray(mask)
        mask = mask.astype(np.uint8) * 255 if mask.dtype == np.bool_ else mask
    return file_of(mask)


def array_of(data: bytes) -> np.ndarray:
    """The other way: [H, W] or [H, W, C], uint8 or uint16, alpha last, upright. Raises BadInput."""
    try:
        picture = read(data)
    except Unreadable as error:
        raise BadInput(f"the picture {error}") from error
    alpha = [] if picture.alpha is None else [picture.alpha[..., None]]
    pixels = np.concatenate([picture.pixels, *alpha], axis=2)
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def _of_pil(picture: Image.Image) -> bytes:
    if picture.mode in ("I", "F"):
        what = f"a PIL picture of mode {picture.mode} does not say which number is white"
        raise BadInput(what, "", "give an array of uint8 or uint16")
    if getattr(picture, "is_animated", False) and picture.format != "MPO":
        frames = getattr(picture, "n_frames", 2)
        raise BadInput(
            f"this PIL picture has {counted(frames, 'frame')}", "", "give its path, or one frame: picture.copy()"
        )
    picture = ImageOps.exif_transpose(picture)
    exif, dpi = picture.getexif(), picture.info.get("dpi")
    beside = ({"exif": exif.tobytes()} if exif else {}) | ({"dpi": dpi} if dpi else {})
    picture = picture.convert(_WHOLE[picture.mode]) if picture.mode in _WHOLE else picture
    out = BytesIO()
    try:
        picture.save(out, "PNG", **beside)
    except (OSError, ValueError) as error:
        raise BadInput(f"a PIL picture of mode {picture.mode} cannot be taken", "", "convert it to RGB") from error
    return out.getvalue()
