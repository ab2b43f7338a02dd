"""Whether a window of one picture and another picture are the same thing: by their finest detail, laid upon each other.

Shapes alone agree by chance: the rim of a dark bottle seen from above is that of an orange lid. So the window is first
moved and stretched until it fits best (Lucas and Kanade 1981, with gain and offset of the grey levels among the
unknowns), and then the detail of a few pixels is compared, strong edges clipped so that they count no more than grain.
"""

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

SIDE = 96
"""Pixels of the longest side that is compared: finer detail does not outlive saving as JPEG."""
_ROUNDS = (1.5, 1.5, 1.5, 0.7, 0.7, 0.7)  # blur, in pixels, while the window is fitted
_FINE = 1.5  # pixels: what is coarser is taken off
_CLIP = 3.0  # times the median size of the detail
_STEP = 0.02  # of the side, that a window moves in one round
_RIM = 3  # pixels that are left out, as the blur has seen nothing beyond them


def needed(side: int) -> float:
    """Least agreement for pictures of this side: small ones have little but outlines, and these agree by chance.

    Measured on `trashnet-600`, `cards-224` and `smear-256` at 48 pixels and more: of different things none reached it.
    """
    return 0.55 + 0.0045 * (SIDE - min(side, SIDE))


def agreement(whole: np.ndarray, part: np.ndarray, window: np.ndarray) -> float:
    """Correlation, -1 to 1, of the fine detail of `part` and of a window of `whole` that is fitted to it.

    whole, part: grey [H, W] of one size, in grey levels; window: top, left and size, in shares of the sides.
    """
    height, width = part.shape
    y, x = np.meshgrid((np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width, indexing="ij")
    place = np.array([window[0], window[1], window[2], window[2]], np.float64)

    def at(pixels: np.ndarray, order: int) -> np.ndarray:
        where = (place[0] + place[2] * y) * height - 0.5, (place[1] + place[3] * x) * width - 0.5
        return np.asarray(map_coordinates(pixels, where, order=order, mode="nearest"))

    for blur in _ROUNDS:
        smooth, other = gaussian_filter(whole, blur * place[2]), gaussian_filter(part, blur)
        down, right = (at(slope, 1) * side for slope, side in zip(np.gradient(smooth), part.shape, strict=True))
        known = np.stack([down, right, down * y, right * x, -other, -np.ones_like(other)], -1).reshape(-1, 6)
        normal = known.T @ known
        normal += np.eye(6) * 1e-10 * np.trace(normal)  # a flat picture fits everywhere
        place += np.clip(np.linalg.solve(normal, -known.T @ at(smooth, 1).reshape(-1))[:4], -_STEP, _STEP)
    one, other = (_detail(gaussian_filter(pixels, 0.5)) for pixels in (at(whole, 3), part))
    return float((one * other).sum() / max(np.sqrt(np.square(one).sum() * np.square(other).sum()), 1e-9))


def _detail(pixels: np.ndarray) -> np.ndarray:
    """What is finer than a few pixels, its strong edges clipped, without the rim."""
    fine = (pixels - gaussian_filter(pixels, _FINE))[_RIM:-_RIM, _RIM:-_RIM]
    most = _CLIP * np.median(np.abs(fine)) + 1e-6
    return np.asarray(np.clip(fine, -most, most))
