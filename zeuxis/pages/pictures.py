"""Pictures of a folder as data: URIs, small enough for one page."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
ROOM = 240_000  # bytes of one embedded picture; eight of them in base64 stay near 2.5 MB, and real pages hold three
WIDEST = 1200  # pixels


@dataclass(frozen=True)
class Embedded:
    """One embedded picture: data URI, its width and height, and the size (w, h) of the file it was made from."""

    uri: str
    width: int
    height: int
    source: tuple[int, int] = (0, 0)

    def shown(self, target: int = 440, tallest: int = 620) -> int:
        """Width on the page: the largest whole multiple of the own size within both limits, so pixels stay square."""
        return self.width * max(1, min(target // self.width, tallest // self.height))

    @property
    def pixelated(self) -> bool:
        """Small grids are enlarged with hard pixels; large ones are scaled down smoothly."""
        return self.width <= 480


def uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64," + base64.b64encode(data).decode("ascii")


_COLOURS, _WITH_ALPHA = 25, (4, 6)
"""Where the header of a PNG says which channels it has, and the numbers of those with alpha."""


def png_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels from the header of a PNG; None where `data` is no PNG."""
    if len(data) < 33 or data[:8] != SIGNATURE or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", data[16:24])
    return (width, height) if 0 < width < 65536 and 0 < height < 65536 else None


def encode(image: "Image.Image", kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **({"quality": 88} if kind == "JPEG" else {"optimize": True}))
    return buffer.getvalue()


def on_white(image: "Image.Image") -> "Image.Image":
    """RGB, what is transparent laid on white."""
    from PIL import Image

    if "A" not in image.getbands():
        return image.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")


def _open(path: Path) -> "Image.Image | None":
    """RGB pixels of a PNG, None where it cannot be read: a damaged sample must not cost the page."""
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG",)) as image:
            return on_white(image)
    except Exception:
        return None


def embed(path: Path) -> Embedded | None:
    """The picture in `path`, as it lies there, or scaled down and as JPEG where it is too large for a page; on white.

    None where the file is absent or no picture.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return None
    size = png_size(data)
    image = _open(path) if size else None
    if size is None or image is None:
        return None
    data = encode(image) if data[_COLOURS] in _WITH_ALPHA else data
    if len(data) <= ROOM:
        return Embedded(uri(data), *size, size)
    image.thumbnail((WIDEST, 4 * WIDEST))
    return Embedded(uri(encode(image, "JPEG"), "jpeg"), *image.size, size)


def cell_of(size: tuple[int, int], height: int, width: int) -> tuple[int, int, int] | None:
    """(padding, columns, rows) of a grid of `height` x `width` cells that makes up a picture of `size` (w, h).

    The least padding from 0 to 8 pixels, around and between the cells or only between
    them, for which both sides come out whole; None where none does.
    """
    for pad in range(9):
        for edge in (pad, -pad):
            columns, rest_w = divmod(size[0] - edge, width + pad)
            rows, rest_h = divmod(size[1] - edge, height + pad)
            if columns > 0 and rows > 0 and not rest_w and not rest_h:
                return pad if edge >= 0 else -pad, columns, rows
    return None


def spread(items: Sequence[Path], n: int) -> list[Path]:
    """At most n items, first and last among them, denser at the start where most happens (squares)."""
    if len(items) <= n:
        return list(items)
    places = {round((i / (n - 1)) ** 2 * (len(items) - 1)) for i in range(n)}
    return [items[i] for i in sorted(places)]


def film(
    paths: Sequence[Path], height: int, width: int, rows: int, line: int | None = None
) -> tuple[Embedded, list[Path]] | None:
    """How samples developed: per grid its first column of cells, side by side in the order of `paths`.

    line: the row of cells that is taken, turned upright, in place of the first column. Returns the strip and the paths
    that are in it; None where fewer than two can be used.
    """
    from PIL import Image

    frames: list[tuple[Path, Image.Image]] = []
    for path in paths:
        image = _open(path)
        grid = cell_of(image.size, height, width) if image else None
        if image and grid:
            pad, columns, count = grid
            edge, gap, n = max(pad, 0), abs(pad), min(rows, count if line is None else columns)
            frame = Image.new("RGB", (width, n * (height + 1) - 1), "white")
            for r in range(n):
                column, row = (0, r) if line is None else (r, line)
                left, top = edge + column * (width + gap), edge + row * (height + gap)
                frame.paste(image.crop((left, top, left + width, top + height)), (0, r * (height + 1)))
            frames.append((path, frame))
    if len(frames) < 2:
        return None
    tallest = max(frame.height for _, frame in frames)
    strip = Image.new("RGB", (len(frames) * (width + 1) - 1, tallest), "white")
    for i, (_, frame) in enumerate(frames):
        strip.paste(frame, (i * (width + 1), 0))
    data = encode(strip)
    embedded = (
        Embedded(uri(data), *strip.size)
        if len(data) <= ROOM
        else Embedded(uri(encode(strip, "JPEG"), "jpeg"), *strip.size)
    )
    return embedded, [path for path, _ in frames]
