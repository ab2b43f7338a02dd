"""What a picture file is in memory: its pixels, and beside them all that must survive a change of the pixels."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Metadata:
    """What a file says beside its pixels.

    format, mode: as Pillow names them, of the file that was read; bits: 8 or 16 per channel that were kept;
    lossless: no earlier compression has cost pixels. icc: colour profile to write the pixels in (None: sRGB, not said);
    exif: whole block, orientation 1, no thumbnail; xmp: packet; dpi: (x, y); text: PNG text chunks; chunks: PNG chunks
    on how to show the numbers (gAMA, cHRM). tables: JPEG quantisation tables, 64 numbers each (luma first);
    subsampling: of a JPEG, such as "4:2:0". lost: what the way to sRGB and back costs, HxWx3, added when written.
    remarks: what could not be kept when reading, one line each, for people.
    """

    format: str = "PNG"
    mode: str = "RGB"
    bits: int = 8
    lossless: bool = True
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    text: tuple[tuple[str, str], ...] = ()
    chunks: tuple[tuple[bytes, bytes], ...] = ()
    tables: tuple[tuple[int, ...], ...] = ()
    subsampling: str | None = None
    lost: np.ndarray | None = None
    remarks: tuple[str, ...] = ()

    @property
    def palette(self) -> bool:
        """Whether the file held numbers of palette entries."""
        return self.mode in ("P", "PA")


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture, upright. pixels: uint8 or uint16 [H, W, C], C 1 (grey) or 3 (colour); alpha: [H, W] alike, or None.

    Grey is on its own curve; colours are in sRGB, unless the file's profile cannot be computed with (a remark says so).
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    kept: Metadata

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def white(self) -> int:
        """The largest value: 255 or 65535."""
        return int(np.iinfo(self.pixels.dtype).max)
