"""JPEG (ITU-T T.81): differentiable, with the tables, scaling and sampling of the Independent JPEG Group's code.

Blocks are laid out frequency first, [8, 8, B, planes, rows, columns], and the cosine transform is a sum of eight
products written out, so that the rounding of a coefficient never depends on a neighbour, a device or autocast.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from zeuxis.degrade.degradation import Degraded, Kind, Range, chance
from zeuxis.degrade.noise import round_bytes
from zeuxis.draw import Draw
from zeuxis.errors import BadInput, counted

# Tables K.1 and K.2 of ITU-T T.81, quality 50.
LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
SUBSAMPLINGS = ("4:4:4", "4:2:0")


def quantization(quality: Tensor, table: tuple[tuple[int, ...], ...]) -> Tensor:
    """The table for quality [B] (1 to 100) as libjpeg scales it, whole numbers 1 to 255, [8, 8, B] (row first)."""
    q = quality.round().clamp(1, 100)
    scale = torch.where(q < 50, torch.floor(5000 / q), 200 - 2 * q)
    base = torch.tensor(table, dtype=quality.dtype, device=quality.device)
    return torch.floor((base[:, :, None] * scale + 50) / 100).clamp(1, 255)


@lru_cache(1)
def _cosines() -> tuple[tuple[float, ...], ...]:
    """Row u, column x of the orthonormal DCT-II of eight numbers."""
    scale = [math.sqrt(1 / 8)] + [0.5] * 7
    return tuple(tuple(scale[u] * math.cos((2 * x + 1) * u * math.pi / 16) for x in range(8)) for u in range(8))


def _turned(x: Tensor, dim: int, back: bool) -> Tensor:
    """The cosine transform (or `back`) of x [8, 8, ...] along its first or second dimension."""
    matrix = torch.tensor(_cosines(), dtype=x.dtype, device=x.device)
    matrix = matrix.T if back else matrix
    shape = [1] * x.ndim
    shape[dim] = 8
    total = x.narrow(dim, 0, 1) * matrix[:, 0].reshape(shape)
    for k in range(1, 8):
        total = total + x.narrow(dim, k, 1) * matrix[:, k].reshape(shape)
    return total


def to_blocks(planes: Tensor) -> Tensor:
    """[B, P, H, W], sides multiples of 8, to [8, 8, B, P, H / 8, W / 8]."""
    b, p, h, w = planes.shape
    return planes.reshape(b, p, h // 8, 8, w // 8, 8).permute(3, 5, 0, 1, 2, 4).contiguous()


def from_blocks(blocks: Tensor) -> Tensor:
    """The inverse of `to_blocks`."""
    _, _, b, p, h, w = blocks.shape
    return blocks.permute(2, 3, 4, 0, 5, 1).reshape(b, p, h * 8, w * 8)


def round_through(x: Tensor) -> Tensor:
    """Rounded, with the gradient of the identity."""
    return x + (x.round() - x).detach()


def _coded(planes: Tensor, table: Tensor) -> Tensor:
    """Planes [B, P, H, W] around 0 after their coefficients were rounded to steps of `table` [8, 8, B]."""
    step = table[..., None, None, None]
    coefficients = _turned(_turned(to_blocks(planes), 0, False), 1, False)
    kept = round_through(coefficients / step) * step
    return round_through(from_blocks(_turned(_turned(kept, 0, True), 1, True)))


def to_ycc(rgb: Tensor) -> Tensor:
    """RGB [B, 3, H, W] of any zero-centred scale to full-range YCbCr (JFIF 1.02), zero-centred."""
    r, g, b = rgb.unbind(1)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    return torch.stack([y, (b - y) / 1.772, (r - y) / 1.402], 1)


def from_ycc(ycc: Tensor) -> Tensor:
    """The inverse of `to_ycc`."""
    y, cb, cr = ycc.unbind(1)
    r, b = y + 1.402 * cr, y + 1.772 * cb
    return torch.stack([r, y - (0.114 * 1.772 * cb + 0.299 * 1.402 * cr) / 0.587, b], 1)


def _halved(x: Tensor) -> Tensor:
    """Means of 2 x 2 pixels, as libjpeg samples the colour."""
    return (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4


def _doubled_along(x: Tensor, dim: int) -> Tensor:
    n = x.shape[dim]
    before = torch.cat([x.narrow(dim, 0, 1), x.narrow(dim, 0, n - 1)], dim)
    after = torch.cat([x.narrow(dim, 1, n - 1), x.narrow(dim, n - 1, 1)], dim)
    pairs = torch.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], dim + 1)
    return pairs.flatten(dim, dim + 1)


def _doubled(x: Tensor) -> Tensor:
    """Twice the size by the triangle filter, as libjpeg's smooth enlargement of colour."""
    return _doubled_along(_doubled_along(x, 2), 3)


def _framed(x: Tensor, shift: Tensor, multiple: int, room: int) -> Tensor:
    """x moved by shift [B, 2] (down, right; at most `room`), edges repeated to sides that are multiples."""
    b, c, h, w = x.shape
    tall, wide = (-(-(n + room) // multiple) * multiple for n in (h, w))
    rows = (torch.arange(tall, device=x.device) - shift[:, :1]).clamp(0, h - 1)
    columns = (torch.arange(wide, device=x.device) - shift[:, 1:]).clamp(0, w - 1)
    tallest = x.gather(2, rows[:, None, :, None].expand(b, c, tall, w))
    return tallest.gather(3, columns[:, None, None, :].expand(b, c, tall, wide))


def _unframed(x: Tensor, shift: Tensor, height: int, width: int) -> Tensor:
    b, c, _, wide = x.shape
    rows = torch.arange(height, device=x.device) + shift[:, :1]
    columns = torch.arange(width, device=x.device) + shift[:, 1:]
    tall = x.gather(2, rows[:, None, :, None].expand(b, c, height, wide))
    return tall.gather(3, columns[:, None, None, :].expand(b, c, height, width))


def _check(x: Tensor, subsampling: str) -> None:
    if subsampling not in SUBSAMPLINGS:
        raise BadInput(f"no such colour sampling of JPEG: {subsampling}", mend="known: " + ", ".join(SUBSAMPLINGS))
    if not 1 <= x.shape[1] <= 4:
        raise BadInput(f"JPEG of {counted(x.shape[1], 'channel')}", mend="give 1 to 4")


def jpeg(x: Tensor, quality: Tensor, subsampling: str = "4:2:0", shift: Tensor | None = None) -> Tensor:
    """x after JPEG at quality [B] (1 to 100), in [-1, 1] and on the 255 steps of 8 bits; the gradient passes through.

    x: [B, C, H, W] in [-1, 1] (cut there), any size. 1 channel: grey; 2: grey and a plane that is left alone;
    3: RGB; 4: RGB and a plane that is left alone. shift: int64 [B, 2], 0 to 7 pixels (down, right) between the
    picture's corner and the grid of blocks, as a cropped file has. BadInput for another sampling or channels.
    """
    _check(x, subsampling)
    colours = 3 if x.shape[1] >= 3 else 1
    height, width = x.shape[2:]
    half = colours == 3 and subsampling == "4:2:0"
    room = 0 if shift is None else 7
    shift = torch.zeros(len(x), 2, dtype=torch.int64, device=x.device) if shift is None else shift.to(x.device)
    levels = _framed(round_bytes(x[:, :colours]) * 127.5 - 0.5, shift, 16 if half else 8, room)
    quality = quality.to(x)
    if colours == 1:
        decoded = _coded(levels, quantization(quality, LUMINANCE))
    else:
        ycc = round_through(to_ycc(levels))
        chroma = round_through(_halved(ycc[:, 1:])) if half else ycc[:, 1:]
        chroma = _coded(chroma, quantization(quality, CHROMINANCE))
        luma = _coded(ycc[:, :1], quantization(quality, LUMINANCE))
        decoded = from_ycc(torch.cat([luma, _doubled(chroma) if half else chroma], 1))
    seen = round_bytes((_unframed(decoded, shift, height, width) + 0.5) / 127.5)
    return torch.cat([seen, x[:, colours:]], 1) if x.shape[1] > colours else seen


@dataclass(frozen=True)
class Jpeg:
    """JPEG of `quality` 1 to 100; `half`: share of the samples with colour at half size (4:2:0).

    shift: greatest distance in pixels from the picture's corner to the grid of blocks, each sample its own.
    """

    quality: Range = (30.0, 95.0)
    half: float = 0.5
    shift: int = 7

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        here = replace(draw, device=str(image.device))
        low, high = round(self.quality[0]), round(self.quality[1])
        quality = here.at("quality").integers(len(image), high=high - low + 1) + low
        shift = here.at("shift").integers(len(image), 2, high=self.shift + 1)
        halved = chance(self.half, draw, "half", image, host=True)
        seen = image
        for sampling, mine in (("4:2:0", halved), ("4:4:4", ~halved)):
            rows = mine.nonzero()[:, 0].to(image.device)
            if len(rows):
                some = (x.index_select(0, rows) for x in (image, quality, shift))
                part, its_quality, its_shift = some
                seen = seen.index_copy(0, rows, jpeg(part, its_quality, sampling, its_shift))
        return Degraded(seen)


WORDS = {
    "jpeg": Kind("JPEG, half of the samples 4:2:0, the grid shifted", "quality", Jpeg, (30, 95), (1, 100), True),
    "jpeg420": Kind("JPEG with colour at half size", "quality", lambda r: Jpeg(r, 1.0, 0), (30, 95), (1, 100), True),
    "jpeg444": Kind("JPEG with colour at full size", "quality", lambda r: Jpeg(r, 0.0, 0), (30, 95), (1, 100), True),
}
