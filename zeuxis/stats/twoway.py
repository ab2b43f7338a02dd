"""The interval of a study: repeats and test pictures are both samples, and both have luck.

All repeats of a study are examined on one sealed test part. What that part happens to favour is in every repeat
alike, so no spread over repeats shows it. Two crossed random effects do: x[r, i] is what repeat r did on test
picture i, and the variance of its mean is that over repeats, plus that over pictures, less what both count twice
(Searle, Casella and McCulloch, Variance Components, 1992, section 4.3; two-way layout without replication).
Balanced accuracy makes the classes strata, and pictures of one family (`groups`) one unit.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zeuxis.errors import BadInput, counted

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Examined:
    """The test part, int64 [pictures] each: the class of every picture (from 0), and its group.

    Pictures of one group (frames of one film, near copies) are one unit: they are not independent.
    Raises BadInput unless every class from 0 to the largest has two units or more.
    """

    classes: Ints
    groups: Ints

    @classmethod
    def of(cls, classes: Any, groups: Any = None) -> "Examined":
        """groups: None where every picture stands for itself."""
        labels = np.asarray(classes, dtype=np.int64)
        own = np.arange(len(labels)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        return cls(labels, np.asarray(own, dtype=np.int64).reshape(len(labels)))

    def __post_init__(self) -> None:
        if self.classes.ndim != 1 or self.classes.shape != self.groups.shape or not len(self.classes):
            raise BadInput("needs a class and a group for every test picture", f"{self.classes.shape}")
        lonely = np.flatnonzero(self.units_by_class < 2)
        if len(lonely):
            there = counted(int(self.units_by_class[lonely[0]]), "independent test picture")
            what = f"class {lonely[0]} has {there}, not 2"
            raise BadInput(what, "", "give more pictures of it")

    @property
    def units_by_class(self) -> Ints:
        """int64 [classes]: in how many groups the pictures of a class are."""
        pairs = np.unique(np.stack([self.classes, self.groups]), axis=1)
        return np.bincount(pairs[0], minlength=int(self.classes.max(initial=0)) + 1)

    @property
    def units(self) -> int:
        """How many groups there are."""
        return len(np.unique(self.groups))

    @property
    def weights(self) -> Array:
        """float64 [pictures], sum 1: 1 / (classes x pictures of the class), so that the mean is balanced accuracy."""
        counts = np.bincount(self.classes)
        return np.asarray(1.0 / (len(counts) * counts[self.classes]), dtype=np.float64)

    @property
    def effective(self) -> float:
        """How many equal units carry as much as these: 1 / sum of squared weights of the groups."""
        return 1.0 / float((np.bincount(self.groups, weights=self.weights) ** 2).sum())


LEAN = 0.1
"""How far single test pictures lean to either arm, sd of the share of repeats: 0.07 to 0.2 between the arms of a study
of Fashion-MNIST (docs/statistics.md). What a plan reckons with before anything is trained."""


def least_effect(examined: Examined, lean: float = LEAN) -> float:
    """The smallest effect in points that is found four times in five with any number of repeats, if pictures lean so.

    2.8 standard errors, 100 lean / sqrt(effective) each.
    """
    return 280.0 * lean / math.sqrt(examined.effective)


@dataclass(frozen=True)
class TwoWay:
    """A mean over repeats and test pictures, and how sure it is; in points, as x is.

    rows: the mean of each repeat; repeats, pictures: the share of the variance that comes from either, so that
    error^2 = repeats + pictures; df: degrees of freedom (Satterthwaite 1946); effective: see `Examined`.
    """

    mean: float
    rows: Array
    repeats: float
    pictures: float
    df: float
    effective: float

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return math.sqrt(self.repeats + self.pictures)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Student's interval of the mean. Where nothing varies, what pictures that were not drawn may hold.

        A share q of pictures that behave otherwise stays unseen among n with probability (1 - q)^n, below (1 - level)
        / 2 from q = log(2 / (1 - level)) / n on (the rule of three, 3 / n, is that of one side at 95 %): so far the
        mean may lie from what was seen, on either side.
        """
        from scipy.special import stdtrit

        half = float(stdtrit(self.df, 0.5 + level / 2)) * self.error
        if self.error == 0:
            half = 100.0 * min(1.0, math.log(2 / (1 - level)) / self.effective)
        ends = self.mean - half, self.mean + half
        # an end that is 0 but for rounding must not count as on one side of 0
        slack = 1e-12 * max(1.0, abs(self.mean))
        return (0.0 if abs(ends[0]) <= slack else ends[0], 0.0 if abs(ends[1]) <= slack else ends[1])


def balanced(values: Any, examined: Examined) -> Array:
    """The balanced mean of each row of values [rows, pictures]; not by BLAS, whose bits depend on its threads."""
    return np.asarray((np.asarray(values, dtype=np.float64) * examined.weights).sum(1), dtype=np.float64)


def _sums(values: Array, keys: Ints) -> Array:
    """Sums of the columns of each key, [rows, keys], in the order of the keys."""
    order = np.argsort(keys, kind="stable")
    return np.add.reduceat(values[:, order], np.flatnonzero(np.diff(keys[order], prepend=-1)), axis=1)


def _freedom(cells: Array, examined: Examined) -> float:
    """Degrees of freedom of the variance over pictures: that of a sum over classes (Welch 1947, Satterthwaite 1946)."""
    key = examined.classes * (int(examined.groups.max()) + 1) + examined.groups
    kinds, unit = np.unique(key, return_inverse=True)
    squares = np.bincount(unit, weights=cells) ** 2
    by_class = np.bincount(kinds // (int(examined.groups.max()) + 1), weights=squares)
    return float(by_class.sum() ** 2 / (by_class**2 / (examined.units_by_class - 1)).sum())


def two_way(x: Any, examined: Examined) -> TwoWay:
    """The balanced mean of x [repeats, pictures], in points, and its variance over repeats and over test pictures.

    With w the weights of `examined`, m_c(r) the mean of class c in repeat r, g_c its units, and
    z[r, u] = sum over pictures i of unit u of w_i sqrt(g_c / (g_c - 1)) (x[r, i] - m_c(r)):
    VR = var_r(sum_i w_i x[r, i]) / R;  VP = sum_u (mean_r z[r, u])^2;  VE = sum_u var_r(z[r, u]) / R;
    variance = max(VR, VE) + max(VP - VE, 0): no component counts as less than 0, without which slightly more than 5 %
    would be called, and an interval could be a point where repeats happen to agree. With one class and no groups these
    are MR, MI and ME of the two-way table, each divided by R n. Degrees of freedom
    (VR + VP - VE)^2 / (VR^2 / (R - 1) + VP^2 / k + VE^2 / ((R - 1) k)), with max(VR, VE) for VR, and k those of VP over
    its classes; R - 1 where VP <= VE, rounding aside: where one repeat alone is not 0 they are equal.
    Raises BadInput below two repeats.
    """
    values = np.asarray(x, dtype=np.float64)
    repeats = len(values)
    if values.ndim != 2 or values.shape[1] != len(examined.classes) or repeats < 2:
        raise BadInput("needs two repeats or more, each with every test picture", f"shape {values.shape}")
    labels, weights, units = examined.classes, examined.weights, examined.units_by_class
    rows = balanced(values, examined)
    centred = values - (_sums(values, labels) / np.bincount(labels))[:, labels]
    spread = centred * (weights * np.sqrt(units / (units - 1))[labels])
    z = _sums(spread, examined.groups)
    dust = 1e-24 * max(1.0, float(np.abs(values).max()) ** 2)
    over_repeats = float(rows.var(ddof=1)) / repeats
    over_repeats = over_repeats if over_repeats > dust else 0.0
    over_pictures = float((z.mean(0) ** 2).sum())
    both = float(z.var(0, ddof=1).sum()) / repeats
    over_repeats = max(over_repeats, both if both > dust else 0.0)
    if over_pictures - both <= dust + 1e-12 * both:
        return TwoWay(float(rows.mean()), rows, over_repeats, 0.0, repeats - 1.0, examined.effective)
    k = _freedom(spread.mean(0), examined)
    whole = over_repeats + over_pictures - both
    df = whole**2 / (over_repeats**2 / (repeats - 1) + over_pictures**2 / k + both**2 / ((repeats - 1) * k))
    return TwoWay(float(rows.mean()), rows, over_repeats, over_pictures - both, df, examined.effective)
