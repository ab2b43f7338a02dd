"""Which pictures are cut out of another one, or are another one made brighter, darker or noisier.

All is compared on grey pictures of 64x64 pixels by their lowest cosine coefficients, each times its frequency (natural
spectra fall by as much, so the coefficients weigh alike) and brought to length one: brightness and contrast fall out.
A window of a picture, at six scales down to two thirds of its side and in a grid of places, is looked up among the
signs of the coefficients of all pictures, with the least certain signs tried both ways: near neighbours share most of
them (sign random projections: Charikar 2002, doi 10.1145/509907.509965). Candidates are aligned by two rounds of
smaller steps in place and scale. What decides is detail that took no part in this: the higher coefficients of the
window must agree with those of the other picture; then `texture` compares the pixels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

SIDE = 64
DETAIL = 0.87
"""Least agreement (cosine) of the higher coefficients."""
SURE = 9.0
"""Least certainty of it: simple shapes have few coefficients that count, which agree by chance."""
_LIKELY = 0.65  # of the lower ones, before they are aligned
_ALIGNED = 0.85
_FLAT = 3.0  # grey levels: what varies less has no detail to go by
_LOW, _HIGH, _OWN = 8, 16, 4
_SCALES = (1.0, 0.93, 0.86, 0.79, 0.73, 0.67)
_STEP = 0.08  # of a window, between places
_FLIPPED = 4  # of the least certain signs
_CAP = 24  # candidates of one window
_TRIED = 2  # best candidates of a picture that are aligned


def _cosines(count: int, start: np.ndarray, size: np.ndarray) -> np.ndarray:
    """float32 [m, count, SIDE]: rows whose products with pixels are the cosine coefficients of windows of them.

    start, size: [m], in shares of the side; pixels at the rim count by the part that lies in the window.
    """
    edges = np.arange(SIDE + 1, dtype=np.float32) / SIDE
    start, size = (np.asarray(a, np.float32)[:, None] for a in (start, size))
    low, high = np.maximum(edges[:-1], start), np.minimum(edges[1:], start + size)
    rows = np.empty((len(start), count, SIDE), np.float32)
    rows[:, 0] = np.maximum(high - low, 0) / size
    turn = np.cos(np.float32(np.pi) * np.clip(((low + high) / 2 - start) / size, 0, 1))
    rows[:, 1] = rows[:, 0] * turn
    for k in range(2, count):  # cos kx = 2 cos x cos (k - 1)x - cos (k - 2)x
        rows[:, k] = 2 * turn * rows[:, k - 1] - rows[:, k - 2]
    return rows


def _frequencies(count: int, own: int) -> np.ndarray:
    """float32 [count, count]: what a coefficient is multiplied by; 0 for those below `own` both ways."""
    k = np.arange(count)
    weights = np.hypot(k[:, None], k[None])
    weights[:own, :own] = 0
    return np.asarray(weights, np.float32)


_WEIGHTS = _frequencies(_LOW, 1)
_FINE = _frequencies(_HIGH, _OWN)
_ORDER = sorted(((y, x) for y in range(4) for x in range(4) if y + x), key=lambda p: (p[0] ** 2 + p[1] ** 2, p))
_BITS = np.array([y * _LOW + x for y, x in _ORDER])


def _unit(coefficients: np.ndarray) -> np.ndarray:
    flat = coefficients.reshape(len(coefficients), coefficients.shape[1] * coefficients.shape[2])
    unit: np.ndarray = flat / np.maximum(np.sqrt(np.square(flat).sum(1, keepdims=True)), 1e-6)
    return unit


def _described(pixels: np.ndarray, y: np.ndarray, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """float32 [m, count²] of length one; y, x: rows of `_cosines`, [m or 1, count, SIDE]."""
    return _unit((y @ pixels @ x.swapaxes(1, 2)) * weights)


@dataclass(frozen=True)
class _Table:
    """Pictures sorted by the signs of their coefficients, to be looked up."""

    described: np.ndarray
    order: np.ndarray
    first: np.ndarray  # of each code, in `order`
    bits: int

    @classmethod
    def of(cls, described: np.ndarray, kept: np.ndarray) -> "_Table":
        bits = int(np.clip(np.ceil(np.log2(max(len(described), 2))) + 3, 8, len(_BITS)))
        codes = _codes(described[kept], bits)
        order = np.argsort(codes, kind="stable")
        first = np.r_[0, np.cumsum(np.bincount(codes, minlength=1 << bits))]
        return cls(described, kept[order], first, bits)

    def candidates(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (window, picture) that share their signs but for the least certain ones, `_CAP` a window at most."""
        codes = _codes(windows, self.bits)
        least = np.argsort(np.abs(windows[:, _BITS[: self.bits]]), axis=1)[:, :_FLIPPED]
        flips = 1 << least
        singles = [flips[:, i] for i in range(_FLIPPED)]
        masks = [np.zeros_like(codes), *singles, *(a | b for a, b in combinations(singles, 2))]
        probes = np.stack([codes ^ mask for mask in masks], 1).reshape(-1)
        first, count = self.first[probes], self.first[probes + 1] - self.first[probes]
        room = np.maximum(_CAP - np.cumsum(count.reshape(len(codes), -1), 1) + count.reshape(len(codes), -1), 0)
        count = np.minimum(count, room.reshape(-1))
        window = np.repeat(np.repeat(np.arange(len(codes)), len(masks)), count)
        within = np.arange(len(window)) - np.repeat(np.cumsum(count) - count, count)
        return window, self.order[np.repeat(first, count) + within]


def _codes(described: np.ndarray, bits: int) -> np.ndarray:
    codes: np.ndarray = ((described[:, _BITS[:bits]] > 0) << np.arange(bits)).sum(1)
    return codes


def _windows() -> Iterator[tuple[float, np.ndarray]]:
    for size in _SCALES:
        free = 1 - size
        yield size, np.linspace(0, free, max(1, int(np.ceil(free / (_STEP * size) - 1e-9)) + 1))


def _likely(pixels: np.ndarray, table: _Table, families: np.ndarray) -> np.ndarray:
    """float64 [m, 6]: picture, the one that may be a window of it, how alike, top, left, size."""
    candidates = []
    for size, places in _windows():
        rows = _cosines(_LOW, places, np.full(len(places), size))
        for top, y in zip(places, rows, strict=True):
            partly = y[None] @ pixels
            for left, x in zip(places, rows, strict=True):
                windows = _unit((partly @ x.T[None]) * _WEIGHTS)
                whole, part = table.candidates(windows)
                keep = families[whole] != families[part]
                whole, part = whole[keep], part[keep]
                alike = np.einsum("ij,ij->i", windows[whole], table.described[part])
                keep = alike >= _LIKELY
                rest = np.tile([top, left, size], (int(keep.sum()), 1))
                candidates.append(np.column_stack([whole[keep], part[keep], alike[keep], rest]))
    return np.concatenate(candidates)


def _best(likely: np.ndarray) -> np.ndarray:
    """The best window of each pair, and of these the best few of each part."""
    likely = likely[np.lexsort((-likely[:, 2], likely[:, 0], likely[:, 1]))]
    pair = likely[:, :2]
    likely = likely[np.r_[True, (pair[1:] != pair[:-1]).any(1)][: len(likely)]]
    likely = likely[np.lexsort((-likely[:, 2], likely[:, 1]))]
    part = likely[:, 1]
    first = np.flatnonzero(np.r_[True, part[1:] != part[:-1]][: len(part)])
    rank = np.arange(len(part)) - np.repeat(first, np.diff(np.r_[first, len(part)]))
    return likely[rank < _TRIED]


def _aligned(pixels: np.ndarray, described: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How alike the parts are to windows moved and scaled until they are most so; and these: top, left, size [m, 3]."""
    whole, part = pairs[:, 0].astype(int), described[pairs[:, 1].astype(int)]
    best, where = pairs[:, 2].copy(), pairs[:, 3:].copy()
    for reach in (1.0, 0.4):
        around = where.copy()
        for ds in (-0.03 * reach, 0.0, 0.03 * reach):
            size = np.clip(around[:, 2] + ds, 0.5, 1.0)
            steps = np.linspace(-0.04 * reach, 0.04 * reach, 5)
            starts = [[np.clip(around[:, i] - ds / 2 + d, 0, 1 - size) for d in steps] for i in (0, 1)]
            ys, xs = ([_cosines(_LOW, start, size) for start in axis] for axis in starts)
            for top, y in zip(starts[0], ys, strict=True):
                partly = y @ pixels[whole]
                for left, x in zip(starts[1], xs, strict=True):
                    alike = np.einsum("ij,ij->i", _unit((partly @ x.swapaxes(1, 2)) * _WEIGHTS), part)
                    better = alike > best
                    best[better] = alike[better]
                    where[better] = np.column_stack([top, left, size])[better]
    return best, where


def _agree(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """bool [m]: whether coefficients of length one agree, and by more than as few as carry them would by chance.

    Fisher's transform of their cosine times the root of how many count, by their participation ratio.
    """
    alike = np.minimum(np.einsum("ij,ij->i", one, other), 0.99999)
    counting = 1 / np.maximum((one**4).sum(1), (other**4).sum(1))
    agree: np.ndarray = (alike >= DETAIL) & (np.arctanh(np.maximum(alike, 0)) * np.sqrt(counting) >= SURE)
    return agree


@dataclass(frozen=True)
class Cut:
    """A picture, and one that may show a part of it (or all of it, brighter or darker).

    mirrored: whether the whole is to be mirrored first, left to right; window: top, left, size, in shares of the side.
    """

    whole: int
    part: int
    mirrored: bool
    window: np.ndarray


def cut_pairs(pixels: np.ndarray, families: np.ndarray) -> list[Cut]:
    """Which pictures may show a part of another one, by what is left of them at 64 pixels.

    pixels: grey, [n, 64, 64]; families: int64 [n], those of one number are known to belong together and not compared.
    """
    pixels = np.asarray(pixels, np.float32)
    pixels = pixels - pixels.mean((1, 2), keepdims=True)
    kept = np.flatnonzero(pixels.std((1, 2)) >= _FLAT)
    if len(kept) < 2:
        return []
    whole_rows = _cosines(_LOW, np.zeros(1), np.ones(1))
    described = _described(pixels, whole_rows, whole_rows, _WEIGHTS)
    table = _Table.of(described, kept)
    return [
        Cut(int(whole), int(part), mirrored, window)
        for mirrored, wholes in ((False, pixels), (True, pixels[:, :, ::-1]))
        for whole, part, window in _cut(wholes, pixels, table, families)
    ]


def _cut(
    wholes: np.ndarray, pixels: np.ndarray, table: _Table, families: np.ndarray
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Which pictures show a part of which of `wholes`: whole, part, window."""
    likely = _best(_likely(wholes, table, families))
    rows = _cosines(_HIGH, np.zeros(1), np.ones(1))
    for start in range(0, len(likely), 512):
        pairs = likely[start : start + 512]
        alike, where = _aligned(wholes, table.described, pairs)
        pairs, where = pairs[alike >= _ALIGNED], where[alike >= _ALIGNED]
        whole, part = pairs[:, 0].astype(int), pairs[:, 1].astype(int)
        y, x = (_cosines(_HIGH, where[:, i], where[:, 2]) for i in (0, 1))
        window, other = _described(wholes[whole], y, x, _FINE), _described(pixels[part], rows, rows, _FINE)
        agree = _agree(window, other)
        yield from zip(whole[agree], part[agree], where[agree], strict=True)
