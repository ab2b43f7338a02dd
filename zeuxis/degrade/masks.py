"""Holes: boxes, strokes, marks like text, scratches. Lengths are in pixels of a picture whose short side is 256.

Shapes are drawn on the CPU, sample by sample, and only then go to the picture's device.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zeuxis.degrade.degradation import OF_256, Degraded, Kind, Range, transposed
from zeuxis.draw import Draw
from zeuxis.errors import BadInput, nearest

SIDE = 256.0
"""The short side of the picture that lengths are given for."""
MOST = 0.5
"""Strokes stop before they cover more than this share of the picture."""
Numbers = list[list[float]]
Plane = npt.NDArray[np.float32]
Fill = Callable[[Tensor], Tensor]


def _colour(u: Tensor) -> Tensor:
    return u[:, 1:] * 2 - 1


def _any(u: Tensor) -> Tensor:
    """White for four samples in ten, black for three, a colour for the others."""
    which = u[:, :1]
    return torch.where(which < 0.4, torch.ones(()), torch.where(which < 0.7, -torch.ones(()), _colour(u)))


FILLS: dict[str, Fill] = {
    "grey": lambda u: torch.zeros_like(u[:, 1:]),
    "white": lambda u: torch.ones_like(u[:, 1:]),
    "black": lambda u: -torch.ones_like(u[:, 1:]),
    "colour": _colour,
    "any": _any,
}
"""What holes are painted with, by name: colours [B, 4] in [-1, 1] from uniform numbers [B, 5]."""


def segment(mask: Plane, start: tuple[float, float], end: tuple[float, float], width: float) -> int:
    """Sets `mask` [H, W] to 1 within width / 2 of the line between two points (x, y); returns how many were 0.

    Pixel centres lie at whole numbers; only the box around the line is looked at.
    """
    (x0, y0), (x1, y1), half = start, end, width / 2
    height, wide = mask.shape
    top, bottom = max(0, math.floor(min(y0, y1) - half)), min(height, math.ceil(max(y0, y1) + half) + 1)
    left, right = max(0, math.floor(min(x0, x1) - half)), min(wide, math.ceil(max(x0, x1) + half) + 1)
    if top >= bottom or left >= right:
        return 0
    y, x = np.arange(top, bottom)[:, None] - y0, np.arange(left, right)[None] - x0
    dx, dy = x1 - x0, y1 - y0
    along = ((x * dx + y * dy) / max(dx * dx + dy * dy, 1e-9)).clip(0, 1)
    inside = (x - along * dx) ** 2 + (y - along * dy) ** 2 <= half * half
    window = mask[top:bottom, left:right]
    fresh = int(np.count_nonzero(inside & (window == 0)))
    window[inside] = 1
    return fresh


def _numbers(draw: Draw, name: str, rows: int, *shape: int) -> Tensor:
    """float32 [rows, *shape] in [0, 1), on the CPU, equal on every device."""
    return replace(draw, device="cpu").at(name).uniform(rows, *shape)


def _count(values: Range, u: Tensor) -> list[int]:
    """Whole numbers in [low, high] from uniform numbers [B]."""
    low, high = round(values[0]), round(values[1])
    return [low + int(v * (high - low + 1)) for v in u.tolist()]


def _size(values: Range, u: float, unit: float) -> float:
    return (values[0] + (values[1] - values[0]) * u) * unit


def cover(image: Tensor, alpha: Tensor, fill: str, draw: Draw) -> Degraded:
    """`image` [B, C, H, W] under paint of opacity alpha [B, 1, H, W]; a pixel is known where there is no paint."""
    if fill not in FILLS:
        raise BadInput(f"no such fill of a hole: {fill}", mend=nearest(fill, sorted(FILLS)))
    alpha = alpha.to(image)
    colour = FILLS[fill](_numbers(draw, "fill", len(image), 5))
    paint = colour[:, : image.shape[1], None, None].to(image)
    return Degraded(image * (1 - alpha) + paint * alpha, known=(alpha == 0).to(image.dtype))


def _planes(image: Tensor, paint: Callable[[int, Plane], None]) -> Tensor:
    """[B, 1, H, W]: `paint(i, plane)` draws on the empty plane [H, W] of sample i."""
    planes = np.zeros((len(image), 1, *image.shape[2:]), np.float32)
    for i, plane in enumerate(planes[:, 0]):
        paint(i, plane)
    return torch.from_numpy(planes)


@dataclass(frozen=True)
class Boxes:
    """`count` boxes with sides of `side` pixels (of 256), upright; LaMa's training boxes (arXiv 2109.07161)."""

    count: Range = (1, 4)
    side: Range = (30.0, 150.0)
    fill: str = "grey"

    @property
    def straight(self) -> bool:
        return self.fill == "grey"

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        counts = _count(self.count, _numbers(draw, "count", len(image)))
        rolls = _numbers(draw, "boxes", len(image), max(1, round(self.count[1])), 4).tolist()
        unit = min(image.shape[2:]) / SIDE

        def paint(i: int, plane: Plane) -> None:
            for u in rolls[i][: counts[i]]:
                tall, wide = (min(n, max(1, round(_size(self.side, v, unit)))) for n, v in zip(plane.shape, u[:2]))
                top, left = int(u[2] * (plane.shape[0] - tall + 1)), int(u[3] * (plane.shape[1] - wide + 1))
                plane[top : top + tall, left : left + wide] = 1

        return cover(image, _planes(image, paint), self.fill, draw)

    adjoint = transposed


@dataclass(frozen=True)
class Strokes:
    """`count` brush strokes: walks of one to five pieces of `length` pixels, `width` thick (of 256).

    After LaMa (arXiv 2109.07161): its medium test masks by default; at most half of the picture is covered.
    """

    count: Range = (4, 5)
    width: Range = (5.0, 50.0)
    length: Range = (10.0, 100.0)
    fill: str = "grey"

    @property
    def straight(self) -> bool:
        return self.fill == "grey"

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        counts = _count(self.count, _numbers(draw, "count", len(image)))
        most = max(1, round(self.count[1]))
        starts = _numbers(draw, "starts", len(image), most, 4).tolist()
        pieces = _numbers(draw, "pieces", len(image), most, 5, 2).tolist()

        def paint(i: int, plane: Plane) -> None:
            left = MOST * plane.size
            for k in range(counts[i]):
                left = self._stroke(plane, starts[i][k], pieces[i][k], k % 2 == 1, left)

        return cover(image, _planes(image, paint), self.fill, draw)

    def _stroke(self, plane: Plane, start: list[float], pieces: Numbers, mirrored: bool, left: float) -> float:
        """Paints one stroke, piece by piece while room is `left` (pixels); returns the room that remains."""
        height, wide = plane.shape
        unit = min(height, wide) / SIDE
        x, y = start[0] * wide, start[1] * height
        width = max(1.0, _size(self.width, start[2], unit))
        for u, v in pieces[: 1 + int(start[3] * 5)]:
            length, angle = _size(self.length, v, unit), 4 * u * (-1 if mirrored else 1)
            if (length + width) * width > left:
                break
            to = (
                min(max(x + length * math.sin(angle), 0), wide - 1),
                min(max(y + length * math.cos(angle), 0), height - 1),
            )
            left -= segment(plane, (x, y), to, width)
            x, y = to
        return left

    adjoint = transposed


THIN = Strokes((4, 50), (5.0, 10.0), (10.0, 40.0))
MEDIUM = Strokes()
THICK = Strokes((1, 5), (5.0, 100.0), (10.0, 200.0))

CORNERS = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 2.0), (1.0, 2.0))
BARS = ((0, 1), (2, 3), (4, 5), (0, 2), (1, 3), (2, 4), (3, 5), (0, 3), (2, 5), (1, 2))
"""A letter-like mark is some of these lines between the corners of two squares, one above the other."""


@dataclass(frozen=True)
class Text:
    """`count` lines of marks like letters, `height` pixels tall (of 256), as a date or a watermark; painted over."""

    count: Range = (1, 3)
    height: Range = (10.0, 30.0)
    fill: str = "any"

    @property
    def straight(self) -> bool:
        return self.fill == "grey"

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        counts = _count(self.count, _numbers(draw, "count", len(image)))
        most = max(1, round(self.count[1]))
        lines = _numbers(draw, "lines", len(image), most, 5).tolist()
        letters = _numbers(draw, "letters", len(image), most, 24, 1 + len(BARS)).tolist()
        unit = min(image.shape[2:]) / SIDE

        def paint(i: int, plane: Plane) -> None:
            for k in range(counts[i]):
                self._line(plane, lines[i][k], letters[i][k], unit)

        return cover(image, _planes(image, paint), self.fill, draw)

    def _line(self, plane: Plane, line: list[float], letters: Numbers, unit: float) -> None:
        """One line of 4 to 24 marks, tilted by up to a tenth."""
        step = _size(self.height, line[0], unit) / 2
        x, y = line[1] * 0.6 * plane.shape[1], line[2] * max(plane.shape[0] - 2 * step, 1)
        tilt = (line[3] - 0.5) * 0.2
        for u in letters[: 4 + int(line[4] * 21)]:
            shown = sorted(range(len(BARS)), key=lambda bar: u[1 + bar])[: 3 + int(u[0] * 3)]
            for a, b in (BARS[bar] for bar in shown if u[0] < 0.85):
                ends = [(x + cx * step * 0.8, y + cy * step + tilt * cx * step) for cx, cy in (CORNERS[a], CORNERS[b])]
                segment(plane, ends[0], ends[1], max(1.0, step / 4))
            x, y = x + step * 1.3, y + tilt * step * 1.3

    adjoint = transposed


@dataclass(frozen=True)
class Scratches:
    """`count` thin lines, nearly upright, with a wobble and soft edges, `width` pixels (of 256, one at least)."""

    count: Range = (1, 6)
    width: Range = (0.7, 2.0)
    fill: str = "any"

    @property
    def straight(self) -> bool:
        return self.fill == "grey"

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        counts = _count(self.count, _numbers(draw, "count", len(image)))
        rolls = _numbers(draw, "scratches", len(image), max(1, round(self.count[1])), 9).tolist()
        unit = min(image.shape[2:]) / SIDE

        def paint(i: int, plane: Plane) -> None:
            for u in rolls[i][: counts[i]]:
                width = max(1.0, _size(self.width, u[0], unit))
                np.maximum(plane, scratch(plane.shape[0], plane.shape[1], u[1:], width), out=plane)

        return cover(image, _planes(image, paint), self.fill, draw)

    adjoint = transposed


def scratch(height: int, width: int, u: list[float], thick: float) -> Plane:
    """The opacity [H, W] of one scratch from eight uniform numbers: place, slope, reach and two waves of wobble."""
    y = np.linspace(0, 1, height)
    waves = 0.01 * u[4] * np.sin(6.28 * (3 * u[5] * y + u[6])) + 0.004 * np.sin(6.28 * (11 * y + u[7]))
    middle = (u[0] + (u[1] - 0.5) * 0.2 * (y - 0.5) + waves) * width
    top, length = u[2] * 0.7, 0.15 + 0.85 * u[3]
    shown = (y >= top) & (y <= top + length)
    distance = np.abs(np.arange(width)[None] - middle[:, None])
    return ((thick / 2 + 0.5 - distance).clip(0, 1) * shown[:, None]).astype(np.float32)


WORDS = {
    "boxes": Kind("upright boxes cut out", OF_256, Boxes, (1, 4), (0, 100), True),
    "strokes": Kind("medium brush strokes cut out", OF_256, lambda r: replace(MEDIUM, count=r), (4, 5), (0, 200), True),
    "strokes-thin": Kind(
        "thin brush strokes cut out", OF_256, lambda r: replace(THIN, count=r), (4, 50), (0, 200), True
    ),
    "strokes-thick": Kind(
        "thick brush strokes cut out", OF_256, lambda r: replace(THICK, count=r), (1, 5), (0, 200), True
    ),
    "text": Kind("lines of marks like letters, painted over", "number of lines", Text, (1, 3), (0, 100), True),
    "scratches": Kind("thin upright scratches, painted over", "number", Scratches, (1, 6), (0, 100), True),
}
