"""Sharpening where the blur is a Gaussian and little else is wrong: its width from the spectrum, then a filter."""

import math

import torch
from torch import Tensor

from zeuxis.classic.colour import luma
from zeuxis.classic.detail import ROUNDING


def wiener(image: Tensor, sigma: float, noise: float = 1.0) -> Tensor:
    """[N, C, H, W] in [-1, 1], a Gaussian blur of `sigma` pixels undone as far as the noise lets it.

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


_RINGS, _LOWEST, _HIGHEST, _FLOOR = 57, 0.15, 3.0, 6.0  # rings of the spectrum in radians; times the noise's power
_LEAST = 6  # rings that a fit needs
_FALL, _TRUST = 2.8, 10.0  # own: the power of the frequency that a photograph falls with, and the weight of that belief


def gaussian_width(image: Tensor, floor: float) -> float:
    """Standard deviation in pixels of the Gaussian blur of one picture [1, C, H, W]; 0 where none shows.

    The power in rings of the cosine transform is fitted by c w^-a exp(-s^2 w^2), by least squares of logarithms, up
    to where it sinks to six times `floor`, the power of the noise in grey levels: a photograph falls as a power of
    the frequency, a Gaussian faster. The power is drawn towards that of most photographs, a little steep: where all is
    fine detail, a slower fall is easily taken for a wider blur, and undoing too much rings. On 58 photographs held
    out, blurred by 1.5 pixels: 1.37 to 1.59 (5 % and 95 %); by Pillow's three boxes in its place: 1.46 to 1.68.
    """
    import numpy as np
    from scipy.fft import dctn

    y = luma(image)[0, 0].detach().cpu().double().numpy() * 127.5
    if min(y.shape) < 16:
        return 0.0
    energy = dctn(y, norm="ortho") ** 2
    down, across = (np.arange(n) * (math.pi / n) for n in y.shape)
    edges = np.linspace(_LOWEST, _HIGHEST, _RINGS + 1)
    ring = np.digitize(np.hypot(down[:, None], across[None]), edges).ravel()
    count = np.bincount(ring, minlength=_RINGS + 2)[1 : _RINGS + 1]
    mean = np.bincount(ring, energy.ravel(), minlength=_RINGS + 2)[1 : _RINGS + 1] / np.maximum(count, 1)
    low = np.flatnonzero((mean < _FLOOR * floor) | (count == 0))
    heard = int(low[0]) if len(low) else _RINGS
    if heard < _LEAST:
        return 0.0
    w = ((edges[1:] + edges[:-1]) / 2)[:heard]
    terms = np.stack([np.ones(heard), -(w**2), -np.log(w)], 1)
    belief = np.array([[0, 0, math.sqrt(_TRUST)]])
    power = np.append(np.log(mean[:heard] - floor), belief[0, 2] * _FALL)
    fit = np.linalg.lstsq(np.vstack([terms, belief]), power, rcond=None)[0]
    return float(math.sqrt(max(0.0, fit[1])))
