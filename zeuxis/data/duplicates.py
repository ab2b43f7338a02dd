"""Which pictures are the same one: equal, nearly equal, mirrored, turned, cut out; of one group; copies by their note.

Nearly equal is judged on descriptors: the picture averaged down to 16x16, less its mean, over its
standard deviation (at least FLOOR grey levels, so that blank pictures stay apart by their noise).
Two pictures are near duplicates when the root mean square difference of their descriptors is at
most NEAR and their means differ by at most MEAN grey levels. Candidates come from a k-d tree over
the 16 lowest coefficients of an orthonormal cosine transform: leaving coefficients out never makes
a distance longer, so no pair within NEAR is lost. Each picture is looked up in all eight orientations of a square.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from zeuxis.data import crops
from zeuxis.data.crops import Cut, cut_pairs
from zeuxis.data.dataset import Dataset
from zeuxis.data.memory import item_digests
from zeuxis.data.origin import Origin
from zeuxis.errors import BadInput, nearest

JOINS = {
    "near": "equal and nearly equal pictures, mirrored and turned ones, and parts of one another",
    "exact": "pictures of equal pixels",
    "off": "nothing by looks",
}
"""What `--join` takes. Pictures of one group and copies of one picture stay together in any case."""
MOST = 0.1  # of a class, that looks alone may join without being asked about
FEW = 5
SMALLEST = 48  # pixels: in smaller pictures there is too little detail to tell a part of another one

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


def _equal(keys: Iterable[object]) -> Iterator[tuple[int, int]]:
    """(first position of a key, another one of the same key)."""
    first: dict[object, int] = {}
    for i, key in enumerate(keys):
        if first.setdefault(key, i) != i:
            yield first[key], i


def descriptors(dataset: Dataset, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32 [n, channels, 16, 16] descriptors, and the means [n] in grey levels that were taken off."""
    standardized, means = [], []
    for start in range(0, len(positions), 1024):
        batch = dataset.images(positions[start : start + 1024])
        small = functional.adaptive_avg_pool2d(batch.float(), SIDE)
        mean = small.mean((1, 2, 3), keepdim=True)
        spread = (small - mean).square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(FLOOR)
        standardized.append((small - mean) / spread)
        means.append(mean.flatten())
    return torch.cat(standardized).numpy(), torch.cat(means).numpy()


def _cosines() -> np.ndarray:
    """float32 [4, 16]: the first rows of the orthonormal DCT-II."""
    k, n = np.arange(_LOW)[:, None], np.arange(SIDE)[None]
    rows = np.sqrt(2 / SIDE) * np.cos(np.pi * (2 * n + 1) * k / (2 * SIDE))
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)


_TURNS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "nearly equal": lambda a: a,
    "mirrored": lambda a: a[..., ::-1],
    "upside down": lambda a: a[..., ::-1, :],
    "turned by 180 degrees": lambda a: a[..., ::-1, ::-1],
    "turned and mirrored": lambda a: a.swapaxes(-1, -2),
    "turned by 90 degrees": lambda a: a.swapaxes(-1, -2)[..., ::-1],
    "turned by 270 degrees": lambda a: a.swapaxes(-1, -2)[..., ::-1, :],
    "turned, mirrored, upside down": lambda a: a.swapaxes(-1, -2)[..., ::-1, ::-1],
}
"""The eight ways in which a square falls onto itself, of descriptors [..., 16, 16]."""


def near_pairs(described: np.ndarray, means: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """How they are alike, and int64 [m, 2]: near duplicates among the nearest eight neighbours, in each orientation."""
    from scipy.spatial import cKDTree

    if len(described) < 2:
        return []
    cosines = _cosines()

    def low(turned: np.ndarray) -> np.ndarray:
        return np.asarray(cosines @ turned.mean(1) @ cosines.T).reshape(len(turned), -1) / SIDE

    tree = cKDTree(low(described))
    return [(why, _near(described, means, turn(described), low(turn(described)), tree)) for why, turn in _TURNS.items()]


def _near(described: np.ndarray, means: np.ndarray, turned: np.ndarray, low: np.ndarray, tree: Any) -> np.ndarray:
    n = len(described)
    _, index = tree.query(low, k=min(n, _NEIGHBOURS), distance_upper_bound=NEAR * 1.0001)
    left = np.repeat(np.arange(n), index.shape[1])
    right = index.reshape(-1)
    keep = (right < n) & (left != right)
    pairs: np.ndarray = np.stack([left[keep], right[keep]], 1)
    pairs = pairs[np.abs(means[pairs[:, 0]] - means[pairs[:, 1]]) <= MEAN]
    if not len(pairs):
        return pairs
    chunks = np.array_split(pairs, max(1, len(pairs) // 4096))
    rms = [np.sqrt(np.square(turned[p[:, 0]] - described[p[:, 1]]).mean((1, 2, 3))) for p in chunks]
    near: np.ndarray = pairs[np.concatenate(rms) <= NEAR]
    return near


# ------------------------------------------------------------------ families


@dataclass(frozen=True, eq=False)
class Families:
    """roots: int64 [N], for each picture the smallest position of those that must stay together with it.

    alike: the same by looks alone; known: the same by equal pixels, groups and notes alone; why: by root, what
    joined its pictures, each reason once.
    """

    roots: np.ndarray
    alike: np.ndarray
    known: np.ndarray
    why: dict[int, list[str]]

    def members(self) -> list[np.ndarray]:
        """Positions of each family of two pictures or more, the largest first."""
        order = np.argsort(self.roots, kind="stable")
        by_family = np.split(order, np.flatnonzero(np.diff(self.roots[order])) + 1)
        return sorted((one for one in by_family if len(one) > 1), key=lambda one: (-len(one), int(one[0])))


def merged(one: Families, other: Families) -> Families:
    """What stays together where pictures at the same positions belong together, and so what either is joined to."""
    why: dict[int, list[str]] = {}
    roots, alike, known = (_united(getattr(one, x), getattr(other, x)) for x in ("roots", "alike", "known"))
    for families_ in (one, other):
        for root, reasons in families_.why.items():
            there = why.setdefault(int(roots[root]), [])
            there += [reason for reason in reasons if reason not in there]
    return Families(roots, alike, known, why)


def _united(*roots: np.ndarray) -> np.ndarray:
    sets = Sets(len(roots[0]))
    for each in roots:
        for i, root in enumerate(each.tolist()):
            sets.join(i, root)
    return sets.roots()


def families(dataset: Dataset, join: str = "near") -> Families:
    """Which pictures must stay together in every split. join: what counts by looks, a word of `JOINS`.

    Joined in any case are pictures of one `group` of the dataset, and those that the notes in their files call copies
    of one picture. Raises BadInput for another word.
    """
    if join not in JOINS:
        raise BadInput(f"--join cannot be `{join}`", "", nearest(join, list(JOINS)))
    n = len(dataset)
    looks, known, together = Sets(n), Sets(n), Sets(n)
    reasons: list[tuple[int, str]] = []

    def joined(sets: Sets, i: int, j: int, why: str) -> bool:
        together.join(i, j)
        new = sets.join(i, j)
        reasons.extend([(i, why)] if new else [])
        return new

    if join != "off":
        for i, j in _equal(item_digests(dataset)):
            known.join(i, j)
            joined(looks, i, j, "equal pixels")
    if join == "near":
        _join_near(dataset, looks, joined)
    for why, keys in _told(dataset):
        for i, j in _equal(keys):
            joined(known, i, j, why)
    why_by_root: dict[int, list[str]] = {}
    for i, why in reasons:
        family_reasons = why_by_root.setdefault(together.root(i), [])
        if why not in family_reasons:
            family_reasons.append(why)
    return Families(together.roots(), looks.roots(), known.roots(), why_by_root)


def _told(dataset: Dataset) -> Iterator[tuple[str, list[object]]]:
    """What the source itself says belongs together: a key for each picture, one of its own where it says nothing."""
    if dataset.groups is not None:
        yield "one group", list(dataset.groups)
    if sides := _halves(dataset.sources):
        yield "left and right of one, by their names", sides
    origins: list[Origin] | None = getattr(dataset, "origins", None)
    if origins is not None and any(one.family for one in origins):
        yield (
            "one picture or one group by their notes",
            [one.family or own.hex() for one, own in zip(origins, item_digests(dataset), strict=True)],
        )


_SIDE_IN_NAME = re.compile(r"(.+)[-_ ](l|left|r|right)", re.IGNORECASE)


def _halves(names: Sequence[str]) -> list[object]:
    """A key for each name, the same for `x-l.jpg` and `x-r.jpg` of a folder, and of `_left` and `_right`; [] where no
    name has both.
    """
    sides = [_SIDE_IN_NAME.fullmatch(str(PurePosixPath(name).with_suffix(""))) for name in names]
    found: dict[str, set[str]] = {}
    for side in filter(None, sides):
        found.setdefault(side[1], set()).add(side[2][0].lower())
    whole = {name for name, letters in found.items() if len(letters) > 1}
    if not whole:
        return []
    return [(side[1],) if side and side[1] in whole else name for name, side in zip(names, sides, strict=True)]


def kept_apart(parts: Sequence[tuple[Dataset, Dataset | None]]) -> list[np.ndarray]:
    """Positions, int64, of what each collection may train on, of parts trained on and held out: all but pictures of
    groups of which another collection holds some out, and other halves, by their names, of what it holds out."""
    names = [source for part in parts for x in part if x is not None for source in x.sources]
    sides = dict(zip(names, _halves(names), strict=False))
    held = [set().union(*_kin(x, sides)) for _, x in parts]
    found = []
    for k, (train, _) in enumerate(parts):
        others = set().union(*(kin for i, kin in enumerate(held) if i != k))
        mine = _kin(train, sides)
        found.append(np.array([i for i, kin in enumerate(mine) if others.isdisjoint(kin)], np.int64))
    return found


def _kin(dataset: Dataset | None, sides: Mapping[str, object]) -> list[set[object]]:
    """For each picture what it must not be divided from: its group, and what it is a half of, where it is one."""
    if dataset is None:
        return []
    found: list[set[object]] = [{side} if isinstance(side := sides.get(x), tuple) else set() for x in dataset.sources]
    for kin, group in zip(found, getattr(dataset, "groups", None) or [], strict=False):
        kin.add(group)
    return found


def _join_near(dataset: Dataset, looks: Sets, joined: Callable[[Sets, int, int, str], bool]) -> None:
    positions = np.unique(looks.roots())
    while len(positions) > 1:
        described, means = descriptors(dataset, positions)
        # each picture knows eight neighbours; a larger family needs another round among its representatives
        new = [
            joined(looks, int(positions[i]), int(positions[j]), why)
            for why, pairs in near_pairs(described, means)
            for i, j in pairs
        ]
        if not any(new):
            break
        positions = np.intersect1d(positions, looks.roots())
    if min(dataset.spec.height, dataset.spec.width) >= SMALLEST:
        for cut in cut_pairs(_small(dataset, positions, (crops.SIDE, crops.SIDE)), np.arange(len(positions))):
            whole, part = int(positions[cut.whole]), int(positions[cut.part])
            if looks.root(whole) != looks.root(part) and _same_detail(dataset, whole, part, cut):
                joined(looks, whole, part, "the same outlines: a part of the other, or in other tones")


def _same_detail(dataset: Dataset, whole: int, part: int, cut: Cut) -> bool:
    from zeuxis.data import texture  # loads scipy

    spec = dataset.spec
    size = min(spec.height, texture.SIDE), min(spec.width, texture.SIDE)
    one, other = _small(dataset, np.array([whole, part]), size)
    agree = texture.agreement(one[:, ::-1] if cut.mirrored else one, other, cut.window)
    return agree >= texture.needed(min(size))


def _small(dataset: Dataset, positions: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """float32 [n, *size]: the pictures grey and as small."""
    thumbnails = np.empty((len(positions), *size), np.float32)
    for start in range(0, len(positions), 256):
        grey = dataset.images(positions[start : start + 256])[:, : min(dataset.spec.channels, 3)].float().mean(1, True)
        thumbnails[start : start + 256] = functional.interpolate(grey, size=size, mode="area")[:, 0].numpy()
    return thumbnails


def check_bound(dataset: Dataset, families: Families) -> None:
    """Raises BadInput where looks alone join more than a tenth of the pictures of a class (and more than five).

    Pictures that are equal, of one group, or copies by their notes count once.
    """
    labels = np.zeros(len(dataset), np.int64) if dataset.labels is None else np.asarray(dataset.labels)
    once = np.unique(np.stack([families.known, labels, families.alike], 1), axis=0)
    of_class = np.bincount(once[:, 1])
    pairs, counts = np.unique(once[:, 1:], axis=0, return_counts=True)
    over = counts - np.maximum(of_class[pairs[:, 0]] * MOST, FEW)
    if not len(over) or over.max() <= 0:
        return
    worst = int(over.argmax())
    label, root = pairs[worst].tolist()
    name = f"class `{dataset.spec.classes[label]}`" if dataset.labels is not None else "the set"
    raise BadInput(
        f"{counts[worst]} of the {of_class[label]} pictures of {name} look alike, so a split could not take them apart",
        f"as {dataset.sources[root]}",
        "look at them with `zeuxis data show DATA --page PAGE.html`, then say `--join exact` where they are different "
        "pictures (`off`: equal ones may be divided, too), or `--join near` where they are versions of one and must "
        "stay in one part",
    )
