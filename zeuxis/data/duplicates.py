"""Which pictures are the same one: equal pixels, nearly equal pixels, or one group.

Nearly equal is judged on descriptors: the picture averaged down to 16x16, less its mean, over its
standard deviation (at least FLOOR grey levels, so that blank pictures stay apart by their noise).
Two pictures are near duplicates when the root mean square difference of their descriptors is at
most NEAR and their means differ by at most MEAN grey levels. Candidates come from a k-d tree over
the 16 lowest coefficients of an orthonormal cosine transform: leaving coefficients out never makes
a distance longer, so no pair within NEAR is lost.
"""

from collections.abc import Iterable

import numpy as np
import torch
from torch.nn import functional

from zeuxis.data.dataset import Dataset
from zeuxis.data.memory import item_digests

SIDE = 16
FLOOR = 8.0
NEAR = 0.08  # of 70,000 Fashion-MNIST pictures it joins 297, five at most; JPEG of quality 75 stays below it
MEAN = 4.0
_NEIGHBOURS = 8
_LOW = 4


class Sets:
    """Disjoint sets of 0 to n - 1 (union-find with path halving); the root of a set is its smallest member."""

    def __init__(self, n: int) -> None:
        self.parent = list(range(n))

    def root(self, i: int) -> int:
        while self.parent[i] != i:
            self.parent[i] = self.parent[self.parent[i]]
            i = self.parent[i]
        return i

    def join(self, i: int, j: int) -> bool:
        """Joins the sets of i and j; false where they were one already."""
        i, j = self.root(i), self.root(j)
        self.parent[max(i, j)] = min(i, j)
        return i != j

    def roots(self) -> np.ndarray:
        """int64 [n]: the smallest member of each one's set."""
        return np.array([self.root(i) for i in range(len(self.parent))], np.int64)


def _join_equal(sets: Sets, keys: Iterable[object]) -> None:
    first: dict[object, int] = {}
    for i, key in enumerate(keys):
        sets.join(first.setdefault(key, i), i)


def descriptors(dataset: Dataset, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32 [n, channels, 16, 16] descriptors, and the means [n] in grey levels that were taken off."""
    found, means = [], []
    for start in range(0, len(positions), 1024):
        batch = dataset.images(positions[start : start + 1024])
        small = functional.adaptive_avg_pool2d(batch.float(), SIDE)
        mean = small.mean((1, 2, 3), keepdim=True)
        spread = (small - mean).square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(FLOOR)
        found.append((small - mean) / spread)
        means.append(mean.flatten())
    return torch.cat(found).numpy(), torch.cat(means).numpy()


def _cosines() -> np.ndarray:
    """float32 [4, 16]: the first rows of the orthonormal DCT-II."""
    k, n = np.arange(_LOW)[:, None], np.arange(SIDE)[None]
    rows = np.sqrt(2 / SIDE) * np.cos(np.pi * (2 * n + 1) * k / (2 * SIDE))
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)


def near_pairs(described: np.ndarray, means: np.ndarray) -> np.ndarray:
    """int64 [m, 2]: near duplicates among the nearest neighbours of each picture (at most eight of each)."""
    from scipy.spatial import cKDTree

    n = len(described)
    if n < 2:
        return np.zeros((0, 2), np.int64)
    cosines = _cosines()
    low = (cosines @ described.mean(1) @ cosines.T).reshape(n, -1) / SIDE
    _, index = cKDTree(low).query(low, k=min(n, _NEIGHBOURS), distance_upper_bound=NEAR * 1.0001)
    left = np.repeat(np.arange(n), index.shape[1])
    right = index.reshape(-1)
    keep = (right < n) & (left != right)
    pairs: np.ndarray = np.stack([left[keep], right[keep]], 1)
    pairs = pairs[np.abs(means[pairs[:, 0]] - means[pairs[:, 1]]) <= MEAN]
    if not len(pairs):
        return pairs
    chunks = np.array_split(pairs, max(1, len(pairs) // 4096))
    rms = [np.sqrt(np.square(described[p[:, 0]] - described[p[:, 1]]).mean((1, 2, 3))) for p in chunks]
    near: np.ndarray = pairs[np.concatenate(rms) <= NEAR]
    return near


def content_groups(dataset: Dataset) -> np.ndarray:
    """int64 [N]: for each picture the smallest position of those that must stay together with it.

    Joined are pictures with equal pixels, near duplicates, and pictures of one `group` of the dataset.
    """
    sets = Sets(len(dataset))
    _join_equal(sets, item_digests(dataset))
    positions = np.unique(sets.roots())
    while len(positions) > 1:
        described, means = descriptors(dataset, positions)
        pairs = positions[near_pairs(described, means)]
        # each picture knows eight neighbours; a larger family needs another round among its representatives
        if not sum([sets.join(int(i), int(j)) for i, j in pairs]):
            break
        positions = np.intersect1d(positions, sets.roots())
    if dataset.groups is not None:
        _join_equal(sets, dataset.groups)
    return sets.roots()
