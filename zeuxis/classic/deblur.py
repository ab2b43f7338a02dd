"""Sharpening where the blur is a Gaussian and little else is wrong: its width from the spectrum, then undone."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from zeuxis.classic.decorrelation import luma
from zeuxis.classic.detail import ROUNDING


def wiener(image: Tensor, sigma: float, noise: float = 1.0) -> Tensor:
    """[N, C, H, W] in [-1, 1], a Gaussian blur of `sigma` pixels undone as far as the noise lets it, edges ringing.

    `verified_width` tries a width with it: it brings back all that was blurred, noise too, which `sharpened` hides.

    noise: standard deviation in grey levels of 255. Wiener's filter H / (H^2 + N / S) on the cosine transform, whose
    mirrored borders a symmetric blur leaves diagonal (Martucci 1994, doi 10.1109/78.295213). The power of the
    unblurred picture is taken as c / |w|^2.5, c fitted where the blur still lets through (own; photographs fall with
    2 to 3, van der Schaaf and van Hateren 1996, doi 10.1016/0042-6989(96)00002-8).
    """
    from scipy.fft import dctn, idctn

    if sigma <= 0:
        return image.clone()
    pixels = image.detach().cpu().double().numpy() * 127.5
    height, width = pixels.shape[2:]
    down = torch.arange(height, dtype=torch.float64) * (math.pi / height)
    across = torch.arange(width, dtype=torch.float64) * (math.pi / width)
    square = (down[:, None].square() + across[None].square()).clamp_min(1e-12)
    blur = torch.exp(-0.5 * sigma**2 * square)
    spectrum = torch.from_numpy(dctn(pixels, axes=(2, 3), norm="ortho"))
    falls = square**-1.25
    heard = (blur > 0.5) & (square > 0.01)
    if not bool(heard.any()):
        return image.clone()
    power = (spectrum.square()[..., heard] / (blur[heard] ** 2 * falls[heard])).mean(-1)[..., None, None]
    ratio = (noise**2 + ROUNDING) / (power * falls).clamp_min(1e-9)
    gain = blur / (blur.square() + ratio)
    gain[..., 0, 0] = 1.0
    sharp = torch.from_numpy(idctn((spectrum * gain).numpy(), axes=(2, 3), norm="ortho")) / 127.5
    return sharp.to(image.dtype).clamp(-1, 1)


_PRIOR = 0.03  # own, as the jumps: of total variation, per grey level, beside the noise's variance
_JUMPS = tuple(0.6 * 60 ** (1 - k / 5) for k in range(6))  # grey levels by which jumps are shortened, pass by pass


def sharpened(image: Tensor, sigma: float, noise: float = 1.0) -> Tensor:
    """[N, C, H, W] in [-1, 1], a Gaussian blur of `sigma` pixels undone with edges that neither ring nor overshoot.

    noise: standard deviation in grey levels of 255. The picture x of least |blur x - image|^2 / 2 noise^2 + c TV(x),
    by half-quadratic splitting (Wang, Yang, Yin and Zhang 2008, doi 10.1137/080724265: equations 2.3 and 2.4 in turn,
    with growing weight; the jumps across and down apart, each of all channels together), on the cosine transform,
    whose mirrored borders leave blur and differences diagonal. Six steps, and not until nothing changes any more: so
    it comes nearer to the truth, and rings less where the blur is taken too wide (measured in docs/benchmarks.md).
    """
    from scipy.fft import dctn, idctn

    if sigma <= 0:
        return image.clone()
    sharp = image.detach().cpu().float().numpy() * np.float32(127.5)
    down, across = (np.arange(n) * (math.pi / n) for n in sharp.shape[2:])
    blur = np.exp(-0.5 * sigma**2 * (down[:, None] ** 2 + across**2)).astype(np.float32)
    bends = (4 - 2 * np.cos(down)[:, None] - 2 * np.cos(across)).astype(np.float32)
    heard = dctn(sharp, axes=(2, 3), norm="ortho")
    heard *= blur
    for least in _JUMPS:
        weight = np.float32(_PRIOR * (noise**2 + ROUNDING) / least)
        spectrum = dctn(_kept_jumps(sharp, least), axes=(2, 3), norm="ortho", overwrite_x=True)
        spectrum *= weight
        spectrum += heard
        spectrum /= blur * blur + weight * bends
        sharp = idctn(spectrum, axes=(2, 3), norm="ortho", overwrite_x=True)
    return (torch.from_numpy(sharp) / 127.5).to(image.dtype).clamp(-1, 1)


def _kept_jumps(x: np.ndarray, least: float) -> np.ndarray:
    """Differences of neighbours, shortened by `least` grey levels, through the transpose of the differences."""
    total = np.zeros_like(x)
    for axis in (2, 3):
        jump = np.diff(x, axis=axis)
        size = np.sqrt(np.einsum("nchw,nchw->nhw", jump, jump) / x.shape[1])[:, None]
        jump *= np.maximum(1 - np.float32(least) / np.maximum(size, np.float32(1e-6)), 0)
        ends, jump = total.swapaxes(axis, 3), jump.swapaxes(axis, 3)
        ends[..., :-1] -= jump
        ends[..., 1:] += jump
    return total


_RINGS, _LOWEST, _HIGHEST, _FLOOR = 57, 0.15, 3.0, 6.0  # rings of the spectrum in radians; times the noise's power
_LEAST = 6  # rings that a fit needs
_FALL, _TRUST = 2.8, 10.0  # own: the power of the frequency that a photograph falls with, and the weight of that belief


_NARROWEST, _WIDEST = 0.9, 4.0  # pixels that can be told and undone
_MISFIT, _BEND, _EXPONENT = 0.38, (-2.0, 3.8), (0.7, 3.7)  # own, of a fit (benchmarks/kinds.py): see `verified_width`
_APART = 1.25  # of the widths along the two axes and the diagonals, largest over smallest
_BLOCK, _CALM, _FEWEST, _CLIPPED = 8, 0.2, 4, 0.92  # of `spares_calm`: pixels, share of blocks, blocks, mean of a block
_NOTHING = 1e-13  # energy, so that a picture that sharpening leaves as it is divides by no zero
_ALIKE, _OWN = 0.14, 1.5  # colours in the change, to its luma: alike in all channels, in each its own
_MOST_OWN, _MOST_ALIKE, _MOST_DETAIL, _MOST_GREY = 0.3, 0.5, 0.6, 0.5  # own, on 40 photographs, noisy or not before
_PERIOD, _PEAK, _TWOFOLD = 0.23, 6.0, 2.8  # cycles a pixel from which enlarging shows; times the spectrum's median


@dataclass(frozen=True)
class _Fit:
    """c w^-a exp(-s^2 w^2) fitted to the power in rings."""

    square: float  # s^2, in pixels^2
    misfit: float  # root of the mean square of what is left, in logarithms
    bend: float  # what a further factor exp(-b w^4) would take away at the highest ring: 0 for a Gaussian
    exponent: float  # a, where no belief draws it


def _fitted(energy: np.ndarray, radius: np.ndarray, floor: float) -> _Fit | None:
    """From the coefficients' energies at frequencies of `radius` radians; None where too little is heard."""
    edges = np.linspace(_LOWEST, _HIGHEST, _RINGS + 1)
    ring = np.digitize(radius, edges)
    count = np.bincount(ring, minlength=_RINGS + 2)[1 : _RINGS + 1]
    mean = np.bincount(ring, energy, minlength=_RINGS + 2)[1 : _RINGS + 1] / np.maximum(count, 1)
    low = np.flatnonzero((mean < _FLOOR * floor) | (count == 0))
    heard = int(low[0]) if len(low) else _RINGS
    if heard < _LEAST:
        return None
    w = ((edges[1:] + edges[:-1]) / 2)[:heard]
    power = np.log(mean[:heard] - floor)
    terms = np.stack([np.ones(heard), -(w**2), -np.log(w), -(w**4)], 1)
    belief = np.array([[0, 0, math.sqrt(_TRUST), 0]])
    drawn, drawn_power = np.vstack([terms, belief]), np.append(power, belief[0, 2] * _FALL)
    fit = np.linalg.lstsq(drawn[:, :3], drawn_power, rcond=None)[0]
    left = power - terms[:, :3] @ fit
    bent = np.linalg.lstsq(drawn, drawn_power, rcond=None)[0]
    free = np.linalg.lstsq(terms[:, :3], power, rcond=None)[0]
    return _Fit(float(fit[1]), float(np.sqrt(np.mean(left**2))), float(bent[3] * w[-1] ** 4), float(free[2]))


def _spectrum(image: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Energies, radii and angles (0 across, pi/2 down) of the luma's cosine transform, [H, W] each."""
    from scipy.fft import dctn

    y = luma(image)[0, 0].detach().cpu().double().numpy() * 127.5
    down, across = (np.arange(n) * (math.pi / n) for n in y.shape)
    radius = np.hypot(down[:, None], across[None])
    return dctn(y, norm="ortho") ** 2, radius, np.arctan2(down[:, None], across[None])


def gaussian_width(image: Tensor, floor: float) -> float:
    """Standard deviation in pixels of the Gaussian blur of one picture [1, C, H, W]; 0 where none shows.

    The power in rings of the cosine transform is fitted by c w^-a exp(-s^2 w^2), by least squares of logarithms, up
    to where it sinks to six times `floor`, the power of the noise in grey levels: a photograph falls as a power of
    the frequency, a Gaussian faster. The power is drawn towards that of most photographs, a little steep: where all is
    fine detail, a slower fall is easily taken for a wider blur, and undoing too much rings. On 58 photographs held
    out, blurred by 1.5 pixels: 1.37 to 1.59 (5 % and 95 %); by Pillow's three boxes in its place: 1.46 to 1.68.
    """
    if min(image.shape[2:]) < 16:
        return 0.0
    energy, radius, _ = _spectrum(image)
    fit = _fitted(energy.ravel(), radius.ravel(), floor)
    return 0.0 if fit is None else math.sqrt(max(0.0, fit.square))


def verified_width(image: Tensor, floor: float) -> float:
    """As `gaussian_width`, but 0 where the softness cannot be shown to be a Gaussian blur all over the picture.

    Hands off where the fit leaves much over, or bends away from a Gaussian (a disc out of focus, a part in focus, a
    band edge of an enlarging), or falls with a power that photographs do not have; where the axes and the diagonals
    tell different widths; where the picture was enlarged; where the width is none that can be undone; and where
    undoing it changes the calm parts too much: see `spares_calm`.
    """
    if min(image.shape[2:]) < 64:
        return 0.0
    energy, radius, angle = _spectrum(image)
    whole = _fitted(energy.ravel(), radius.ravel(), floor)
    if whole is None or not _NARROWEST**2 <= whole.square <= _WIDEST**2 or not _gaussian(whole):
        return 0.0
    eighth = math.pi / 8
    wedges = (angle < eighth, angle > 3 * eighth, (angle >= eighth) & (angle <= 3 * eighth))
    parts = [_fitted(energy[there], radius[there], floor) for there in wedges]
    squares = [0.0 if part is None else part.square for part in parts]
    if min(squares) <= 0 or max(squares) > _APART**2 * min(squares):
        return 0.0
    width = math.sqrt(whole.square)
    return width if not enlarged(image) and spares_calm(image, wiener(image, width)) else 0.0


def spares_calm(image: Tensor, sharp: Tensor) -> bool:
    """Whether sharpening one picture [1, C, H, W] changed its edges and not what lies between them.

    Noise or specks that were there before the blur are blurred with the picture, pass for it in the spectrum, and come
    back by sharpening, up to 2 dB farther from the truth than before. They do so everywhere. So the change in the fifth
    of blocks of 8x8 pixels whose means differ the least from those around them is held against the change in all of
    the picture. What colours are in it tells more: noise of a sensor is in each channel by itself, specks and the
    grain of a film are in all alike, and much detail lies between the two.
    """
    change, blocks = sharp - image, F.avg_pool2d(luma(image), _BLOCK)
    around = F.pad(blocks, (1,) * 4, mode="replicate")
    relief = F.max_pool2d(around, 3, 1) + F.max_pool2d(-around, 3, 1)
    inside = blocks.abs() < _CLIPPED
    if int(inside.sum()) < _FEWEST:
        return True
    calm = relief[inside].argsort()[: max(_FEWEST, int(_CALM * int(inside.sum())))]
    energy = F.avg_pool2d(luma(change).square(), _BLOCK)
    there = float(energy[inside][calm].mean())
    share = there / max(float(energy.mean()), _NOTHING)
    if image.shape[1] == 1:
        return share <= _MOST_GREY
    colours = F.avg_pool2d((change[:, ::2] - change[:, 1:2]).square().mean(1, keepdim=True), _BLOCK)
    coloured = float(colours[inside][calm].mean()) / max(there, _NOTHING)
    return share <= (_MOST_OWN if coloured > _OWN else _MOST_ALIKE if coloured < _ALIKE else _MOST_DETAIL)


def _gaussian(fit: _Fit) -> bool:
    return fit.misfit < _MISFIT and _BEND[0] < fit.bend < _BEND[1] and _EXPONENT[0] < fit.exponent < _EXPONENT[1]


def enlarged(image: Tensor) -> bool:
    """Whether one picture [1, C, H, W] was enlarged by interpolation, some 1.5 to 4 times.

    Interpolated pixels between the old ones are smoother than these, so the mean second difference of the columns, or
    rows, is periodic (Gallagher 2005, doi 10.1109/CRV.2005.33): a peak in its spectrum. Twice as large, all pixels lie
    alike between the old ones; then the first difference has a period of two.
    """
    y = luma(image)[0, 0].detach().cpu().double().numpy() * 127.5
    if min(y.shape) < 32:
        return False
    peaks = [_periods(lines, order) for order in (1, 2) for lines in (y, y.T)]
    twofold = math.sqrt(peaks[0][1] * peaks[1][1])  # of the first differences, across and down
    return max(peak for peak, _ in peaks) > _PEAK or twofold > _TWOFOLD


def _periods(y: np.ndarray, order: int) -> tuple[float, float]:
    """Of the spectrum of the columns' differences of that order: its peak at two to four pixels, and that at two."""
    apart = np.abs(np.diff(y, order, axis=1))
    column = np.log(np.minimum(apart, np.quantile(apart[:: max(1, len(y) // 512)], 0.98)).mean(0) + 1e-3)
    column = column - np.convolve(np.pad(column, 4, mode="edge"), np.full(9, 1 / 9), "valid")
    size = np.abs(np.fft.rfft(column * np.hanning(len(column)))) + 1e-9
    cycles = np.arange(len(size)) / len(column)
    peak, middle, last = size[cycles > _PERIOD].max(), np.median(size[cycles > 0.15]), np.median(size[cycles > 0.4])
    return float(peak / middle), float(size[-3:].max() / last)
