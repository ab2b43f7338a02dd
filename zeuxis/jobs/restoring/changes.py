"""What became of a picture, told without its original: did colours shift, was the input kept, was structure lost."""

from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from zeuxis.degrade.resize import bicubic
from zeuxis.jobs.restoring.scoring import alike
from zeuxis.metrics.bands import psnr
from zeuxis.pages.restored import Map

GREY = 127.5
"""Grey levels of 0..255 per unit of [-1, 1]."""
WIDEST = 600
"""Pixels of a map along its longer side, at most."""
_WINDOW = 16  # pixels over which the energy of what was taken away is a mean: white noise then varies by a few per cent
_COARSE = 8  # pixels whose mean has so little noise left that its chroma is the picture's own
_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
_D65 = (0.95047, 1.0, 1.08883)


def _pooled(x: Tensor, side: int) -> Tensor:
    """Means over squares of `side` pixels; those at the right and lower edge may be smaller."""
    return avg_pool2d(x, side, ceil_mode=True, count_include_pad=False) if side > 1 else x


# ------------------------------------------------------------------ colours


def chroma(image: Tensor) -> float:
    """Mean of sqrt(a^2 + b^2) in CIELAB (D65) of [1, 3, H, W], sRGB in [-1, 1]."""
    v = ((image.double() + 1) / 2).clamp(0, 1)
    linear = torch.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("ij,njhw->nihw", torch.tensor(_XYZ, dtype=v.dtype), linear)
    t = xyz / torch.tensor(_D65, dtype=v.dtype).reshape(1, 3, 1, 1)
    f = torch.where(t > (6 / 29) ** 3, t.clamp_min(1e-9) ** (1 / 3), t * (29 / 6) ** 2 / 3 + 4 / 29)
    a, b = 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])
    return float((a.square() + b.square()).sqrt().mean())


@dataclass(frozen=True)
class Drift:
    """channels: difference of the means, result - input, in grey levels; chroma: (input, result), None for grey."""

    channels: tuple[float, ...]
    chroma: tuple[float, float] | None

    @property
    def shift(self) -> float:
        """The largest of the differences, without its sign."""
        return max(abs(c) for c in self.channels)

    def words(self) -> str:
        """Such as "brightness shifted by 0.3 grey levels"."""
        what = "brightness" if len(self.channels) == 1 else "colours"
        said = f"{what} shifted by {self.shift:.1f} grey levels"
        if not self.chroma:
            return said
        return f"{said}, colourfulness (mean chroma in CIELAB) {self.chroma[0]:.1f} to {self.chroma[1]:.1f}"


def drift(before: Tensor, after: Tensor, scale: int = 1) -> Drift:
    """Of pictures [1, C, H, W] and [1, C, H * scale, W * scale].

    Chroma is that of means over 8x8 pixels of the input: noise has chroma too, and taking it away is no drift.
    """
    before, after = alike(before, after)
    apart = (after.mean((0, 2, 3), dtype=torch.float64) - before.mean((0, 2, 3), dtype=torch.float64)) * GREY
    shown = None
    if before.shape[1] == 3:
        shown = (chroma(_pooled(before, _COARSE)), chroma(_pooled(after, _COARSE * scale)))
    return Drift(tuple(float(v) for v in apart), shown)


# ------------------------------------------------------------------ maps


def pooled_map(energy: Tensor, meaning: str, floor: float = 0.0, window: int = 1) -> Map:
    """Root of the local mean of an energy [1, 1, H, W], less `floor`, none below zero, at no more than 600 pixels."""
    side = max(1, -(-max(energy.shape[2:]) // WIDEST))
    small, width = _pooled(energy, side), window // side // 2 * 2 + 1
    small = avg_pool2d(small, width, 1, width // 2, count_include_pad=False) if width > 1 else small
    values = (small.sqrt() - floor).clamp_min(0)[0, 0].float()
    top = float(values.flatten().kthvalue(max(1, int(0.995 * values.numel()))).values)
    return Map(values.numpy(), max(top, 4.0), meaning)


def _energy(first: Tensor, second: Tensor) -> Tensor:
    """Mean over the channels of the squared difference in grey levels, [1, 1, H, W]."""
    first, second = alike(first, second)
    return ((first - second) * GREY).square().mean(1, keepdim=True)


def shrunk_again(before: Tensor, after: Tensor, scale: int) -> Tensor:
    """The enlarged picture [1, C, H * scale, W * scale] made small again by MATLAB's bicubic: [1, C, H, W]."""
    small = bicubic(after, 1 / scale).clamp(-1, 1)
    return small[..., : before.shape[2], : before.shape[3]]


def consistency(before: Tensor, after: Tensor, scale: int) -> float:
    """PSNR in dB, all channels, 8 bits, of the enlarged picture made small again against the one that was given."""
    db = psnr(*alike(shrunk_again(before, after, scale), before))
    return inf if db is None else db


def inconsistent(before: Tensor, after: Tensor, scale: int) -> Map:
    """Where the enlarged picture, made small again, is not the one that was given, in grey levels."""
    meaning = (
        "Where the result, made small again, is not the input. Invented detail that vanishes when it is made small "
        "does not show here"
    )
    return pooled_map(_energy(shrunk_again(before, after, scale), before), meaning)


def residual(before: Tensor, after: Tensor) -> float:
    """Standard deviation in grey levels, over pixels and channels, of what was taken away, input - result."""
    before, after = alike(before, after)
    return float(((before - after) * GREY).double().std(correction=0))


def taken(before: Tensor, after: Tensor, noise: float, specks: bool = False) -> Map:
    """Where more was taken away than the noise: root of the local mean square of input - result, less `noise`.

    noise: 0 where the step takes none away, such as sharpening: then all that it changed is shown. In grey levels, over
    windows of 16 pixels. Of white noise nothing is left; edges and texture that went with it are (the method noise of
    Buades, Coll and Morel 2005, section 2.3, with the noise subtracted). specks: there were some, of which `before` is
    free.
    """
    beyond = "the noise and the specks" if specks else "the noise"
    meaning = f"Removed beyond {beyond}: where structure was changed" if noise else "Where it was changed, and how much"
    return pooled_map(_energy(before, after), meaning, noise, _WINDOW)


def place(values: Tensor, height: int, width: int, side: int) -> tuple[int, int]:
    """(top, left) of the square of `side` pixels, in a picture of height x width, where a map [h, w] is brightest.

    By the fourth power, as by the mean alone a wide change that the map hardly shows outweighs the spots that it does.
    """
    h, w = values.shape
    squares = (max(1, round(side * h / height)), max(1, round(side * w / width)))
    squares = (min(squares[0], h), min(squares[1], w))
    sums = avg_pool2d((values / values.max().clamp_min(1e-6))[None, None] ** 4, squares, 1)[0, 0]
    top, left = divmod(int(sums.argmax()), sums.shape[1])
    return min(round(top * height / h), max(0, height - side)), min(round(left * width / w), max(0, width - side))


@dataclass(frozen=True)
class Change:
    """All of it in figures. consistency: dB, of enlarged pictures; residual: grey levels, of restored ones.

    filled: share of the pixels that differ, where holes were filled and nothing else was to be touched.
    """

    drift: Drift
    consistency: float | None
    residual: float | None
    filled: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values; a consistency without any difference is None."""
        db = None if self.consistency is None or self.consistency == inf else self.consistency
        figures = {"shift": self.drift.shift, "channels": list(self.drift.channels), "consistency": db}
        chroma = None if self.drift.chroma is None else list(self.drift.chroma)
        return {**figures, "chroma": chroma, "residual": self.residual, "filled": self.filled}

    def words(self, noise: float, specks: bool = False) -> str:
        """One line for people; specks: there were some, and beside noise they are not counted in it."""
        if self.filled is not None:
            return f"{100 * self.filled:.2g} % of the pixels changed, all others are what they were"
        if self.residual is not None:
            against = f"{' beside the specks' if specks else ''}, the noise is {noise:.1f}" if noise else ""
            return f"{self.drift.words()}; pixels changed by {self.residual:.1f} grey levels{against}"
        assert self.consistency is not None
        db = "exactly" if self.consistency == inf else f"to {self.consistency:.1f} dB"
        return f"{self.drift.words()}; made small again it gives the input {db}"


def change(before: Tensor, after: Tensor, scale: int, only_filled: bool = False) -> Change:
    """What became of [1, C, H, W], now [1, C, H * scale, W * scale]; only_filled: its holes, and nothing else."""
    if scale > 1:
        return Change(drift(before, after, scale), consistency(before, after, scale), None)
    share = float((before != after).any(1).double().mean()) if only_filled and before.shape == after.shape else None
    return Change(drift(before, after), None, residual(before, after), share)
