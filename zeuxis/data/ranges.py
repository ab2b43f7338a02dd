"""Numbers of more than 8 bits to 8: which of them is white, per file or over a set."""

from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from zeuxis.data.signatures import Unreadable


@dataclass(frozen=True)
class Deep:
    """Numbers of more than 8 bits: their kind ("int" or "float"), the largest, which one became white, the least."""

    kind: str
    top: float
    white: float
    low: float = 0.0


OVER, DARK = 1.5, 32.0
"""The largest of floats whose white is 1, and the least of those whose white is 255: what is between may be either."""


BELOW = 0.01
"""What part of white numbers may lie below zero, as noise and filters leave them; they become black."""


def below_zero(low: float) -> Unreadable:
    return Unreadable(f"has numbers below zero, down to {low:g}: add to all of them, so that black is 0")


def _grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def from_16_bit(image: Image.Image, white: float = 65535.0) -> Image.Image:
    return _grey(np.asarray(image).astype(np.float64) * (255 / white))


def white_of(image: Image.Image, values: np.ndarray) -> float:
    """White in an image of mode I or F with these values: 1 (floats only), 255 or 65535, the first that holds them all.

    Floats may go beyond 1 by half, as noise and sharpening make them; between that and 32 nothing says what is white.
    Raises Unreadable where none is.
    """
    if not np.isfinite(values).all():
        raise Unreadable("has values that are not numbers")
    low, high = float(values.min()), float(values.max())
    if low < -BELOW * max(high, 1.0):
        raise below_zero(low)
    whites = {"F": (1.0, 255.0, 65535.0), "I": (255.0, 65535.0)}[image.mode]
    if image.mode == "I" and image.format == "PPM":
        whites = (65535.0,)
    for white in whites if image.mode == "I" or not OVER < high < DARK else ():
        if high <= (OVER if white == 1 else 1.01 * white) and low >= -BELOW * white:
            return white
    raise Unreadable(f"has values from {low:g} to {high:g}, and does not say which of them is white")


def from_numbers(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.float64)
    return _grey(values * (255 / white_of(image, values)))


def white_for(kind: str, top: float) -> float:
    """White of numbers that reach up to `top`: 2^b - 1 of the bits in use, 8 at least; 1, 255 or 65535 of floats."""
    if kind == "int":
        return float(2 ** max(8, int(top).bit_length()) - 1)
    if top <= OVER:
        return 1.0
    return next((white for white in (255.0, 65535.0) if DARK <= top <= 1.01 * white), top)


def sixteen(file: IO[bytes] | Path, image: Image.Image) -> np.ndarray | None:
    """uint16 [H, W, C] of a file of 16-bit colours, of which Pillow gives the upper 8 bits; None for others."""
    if image.format not in ("PNG", "TIFF") or not any(";16" in str(tile[3]) for tile in getattr(image, "tile", ())):
        return None
    if image.mode not in ("RGB", "RGBA", "LA"):
        return None
    from zeuxis.pictures.sixteen_bit import read_sixteen

    if isinstance(file, Path):
        data = file.read_bytes()
    else:
        file.seek(0)
        data = file.read()
    return read_sixteen(data, image)


def in_range(
    image: Image.Image, wide: np.ndarray | None, whites: tuple[float, float] | None
) -> tuple[Image.Image, Deep | None]:
    """A loaded image of 8 bits, and of which numbers it was made where the file has more.

    wide: what `sixteen` gave; whites: of whole numbers and of floats, None for each file's own.
    """
    whole, floats = whites or (None, None)
    if wide is not None:
        top = float(wide[..., :3].max())
        if whole is not None:
            colours = np.clip(np.rint(wide.astype(np.float64) * (255 / whole)), 0, 255)
            if wide.shape[2] in (2, 4):
                colours[..., -1] = wide[..., -1] >> 8
            info, image = image.info, Image.fromarray(colours.astype(np.uint8))
            image.info = info
        return image, Deep("int", top, whole or 65535.0)
    if image.mode.startswith("I;16"):
        white = whole or 65535.0
        return from_16_bit(image, white), Deep("int", float(np.asarray(image).max()), white)
    if image.mode in ("I", "F") and image.format != "PPM":
        values = np.asarray(image).astype(np.float64)
        kind = "int" if image.mode == "I" else "float"
        given = whole if kind == "int" else floats
        if given is None or not np.isfinite(values).all():
            given = white_of(image, values)
        if (low := float(values.min())) < -BELOW * given:
            raise below_zero(low)
        return _grey(values * (255 / given)), Deep(kind, float(values.max()), given, low)
    return image, None
