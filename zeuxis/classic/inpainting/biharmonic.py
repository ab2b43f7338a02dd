"""Biharmonic inpainting (Damelin and Hoang 2018) through scikit-image, of large holes from half the size."""

import numpy as np
import torch
from torch import Tensor

from zeuxis.classic.masked import known_of
from zeuxis.draw import Draw

RIM = 16
"""Own: pixels from the rim of a hole inwards that are always solved at full size."""
DEEP = 30_000
"""Own: pixels of one hole farther in than that, from which on they come from half the size. Time and memory of
scikit-image's solve grow faster than the hole: squares of 128, 256 and 400 pixels a side took 0.2, 1 and 7 seconds,
the last 0.8 GB."""
MARGIN = 64
"""Own: known pixels around a very wide hole that its halves still see; they are halved with it."""
RING = 6
"""Own: pixels around a hole whose range bounds what is filled in."""


def fill(image: Tensor, known: Tensor, draw: Draw | None = None) -> Tensor:
    """Biharmonic inpainting (Damelin and Hoang 2018) through scikit-image, each hole solved by itself.

    Own: what is filled in stays in the range of the known pixels around, since broad holes overshoot it in each colour
    apart; the inner part of very wide holes is filled at half the size.
    """
    done = []
    for x, mask in zip(image, known_of(image, known)):
        hole = ~mask[0]
        if not hole.any():
            done.append(x)
            continue
        array, holes = x.permute(1, 2, 0).double().numpy(), hole.numpy()
        filled = _within(_solved(array, holes), array, holes)
        new = torch.from_numpy(filled).to(x.dtype).permute(2, 0, 1).clamp(-1, 1)
        done.append(torch.where(hole, new, x))
    return torch.stack(done)


def _solved(array: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """[H, W, C] of float64, since at single precision wide holes lose tens of grey levels; hole: bool [H, W]."""
    from skimage.restoration import inpaint_biharmonic

    array, hole = array.copy(), hole.copy()
    for rows, columns, deep in _deep_parts(hole):
        small, small_hole = _halved(array[rows, columns], hole[rows, columns])
        guess = _doubled(_solved(small, small_hole), deep.shape)
        array[rows, columns][deep] = guess[deep]
        hole[rows, columns] &= ~deep
    solved: np.ndarray = inpaint_biharmonic(array, hole, split_into_regions=True, channel_axis=-1)
    return solved


def _around(some: np.ndarray, margin: int) -> tuple[slice, slice]:
    """The rows and columns of all that is true, and `margin` more on every side."""
    rows, columns = (np.flatnonzero(some.any(axis)) for axis in (1, 0))
    return _stretch(rows, margin), _stretch(columns, margin)


def _stretch(places: np.ndarray, margin: int) -> slice:
    return slice(max(0, int(places[0]) - margin), int(places[-1]) + 1 + margin)


def _deep_parts(hole: np.ndarray) -> list[tuple[slice, slice, np.ndarray]]:
    """For each very wide hole where it lies with a margin, and which pixels there are far inside of it."""
    from scipy import ndimage

    deep = ndimage.distance_transform_edt(hole) > RIM
    if deep.sum() <= DEEP:
        return []
    labels = ndimage.label(hole, np.ones((3, 3)))[0]
    counts = np.bincount(labels[deep], minlength=labels.max() + 1)
    parts = []
    for k in np.flatnonzero(counts > DEEP):
        rows, columns = _around(labels == k, MARGIN)
        parts.append((rows, columns, deep[rows, columns] & (labels[rows, columns] == k)))
    return parts


def _halved(array: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At half the size: means of what is known of four pixels, and a hole where not all of them are known."""
    more = [(0, n % 2) for n in hole.shape]
    array, known = np.pad(array, [*more, (0, 0)], "edge"), np.pad(~hole, more, "edge")[..., None]

    def fours(x: np.ndarray) -> np.ndarray:
        total: np.ndarray = x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2, -1).sum((1, 3))
        return total

    count = fours(known)
    least = 4 if (count == 4).any() else 1
    return fours(np.where(known, array, 0.0)) / count.clip(1), (count < least)[..., 0]


def _doubled(array: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """At twice the size by cubic splines, cut to `size`."""
    from scipy import ndimage

    planes = [ndimage.zoom(array[..., c], 2, mode="nearest", grid_mode=True) for c in range(array.shape[2])]
    return np.stack(planes, -1)[: size[0], : size[1]]


def _within(filled: np.ndarray, array: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """`filled` with each hole in the range, for each channel, of the known pixels up to `RING` around it.

    Only those near a place count, so that a crack across the picture is not bounded by all of its colours: as near as
    the hole is deep and `RING` more, so that its middle sees both sides.
    """
    from scipy import ndimage

    labels, count = ndimage.label(hole, np.ones((3, 3)))
    depth = ndimage.maximum(ndimage.distance_transform_edt(hole), labels, np.arange(1, count + 1))
    power = np.concatenate([[-1], np.ceil(np.log2(depth))])[labels]  # holes of like width at once: there may be many
    held = filled.copy()
    for p in np.unique(power[hole]):
        reach, some = 2 ** int(p) + RING, power == p
        soft = reach // 2  # bounds are means over so many pixels, so that they end nowhere abruptly
        rows, columns = _around(some, reach + 2 * soft)
        part = some[rows, columns]
        ring = ndimage.maximum_filter(part, 2 * RING + 1) & ~hole[rows, columns]
        for c in range(array.shape[2]):
            values, now = array[rows, columns, c], held[rows, columns, c]
            low = ndimage.minimum_filter(np.where(ring, values, np.inf), 2 * (reach + soft) + 1)
            high = ndimage.maximum_filter(np.where(ring, values, -np.inf), 2 * (reach + soft) + 1)
            now[part] = now[part].clip(_means(low, soft)[part], _means(high, soft)[part])
    return held


def _means(values: np.ndarray, reach: int) -> np.ndarray:
    """Means over squares of 2 `reach` + 1 pixels of what is finite there."""
    from scipy import ndimage

    finite = np.isfinite(values)
    sums = ndimage.uniform_filter(np.where(finite, values, 0.0), 2 * reach + 1, mode="nearest")
    means: np.ndarray = sums / ndimage.uniform_filter(finite.astype(float), 2 * reach + 1, mode="nearest").clip(1e-9)
    return means
