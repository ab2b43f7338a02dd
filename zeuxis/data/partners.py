"""Two collections whose pictures belong together, by path and name without the ending."""

from pathlib import PurePosixPath

import numpy as np

from zeuxis.data.dataset import Dataset
from zeuxis.errors import BadInput, counted

_NAMED = 5
_NO_PAIRS = (
    "pairs have one path and name; `cut` and `cyclegan` need none, and `data show` takes one collection at a time"
)


def _key(source: str, top: str = "") -> str:
    return str(PurePosixPath(source.removeprefix(top)).with_suffix(""))


def _tops(first: Dataset, second: Dataset) -> tuple[str, str]:
    """The folder that all pictures of each lie in, as in a zip of one folder; "" where names agree without."""
    tops = []
    for dataset in (first, second):
        begins = {source.partition("/")[:2] for source in dataset.sources}
        tops.append("".join(begins.pop()) if len(begins) == 1 else "")
    agree = {_key(x) for x in first.sources} & {_key(x) for x in second.sources}
    one, other = (top if top.endswith("/") and not agree else "" for top in tops)
    return one, other


def _places(dataset: Dataset, what: str, top: str) -> dict[str, int]:
    """Position by path without the ending. Raises BadInput where two pictures have one."""
    positions: dict[str, int] = {}
    for i, source in enumerate(dataset.sources):
        name = _key(source, top)
        if name in positions:
            both = f"`{dataset.sources[positions[name]]}` and `{source}`"
            raise BadInput(f"{both} of {what} differ in the ending alone", "", "keep one, so that each has one partner")
        positions[name] = i
    return positions


def paired(first: Dataset, second: Dataset, names: tuple[str, str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Positions, int64, of the pictures of `first` in their order, and of their partners in `second`; and the names of
    those that are left out, since their partner is there and cannot be read.

    names: how the two are called where something is wrong. Raises BadInput where a picture of either has no partner.
    """
    tops = _tops(first, second)
    one, other = (_places(*given) for given in zip((first, second), names, tops, strict=True))
    left = []
    for mine, theirs, dataset, name, top in (
        (one, other, second, names[1], tops[1]),
        (other, one, first, names[0], tops[0]),
    ):
        unread = {_key(file, top) for file, _ in getattr(dataset, "skipped", [])}
        lacking = [key for key in mine if key not in theirs]
        left += [key for key in lacking if key in unread]
        if alone := [key for key in lacking if key not in unread]:
            what = f"{counted(len(alone), 'picture')} without a partner in {name}: {_some(alone)}"
            pairs = 2 * len(alone) < len(mine)
            mend = "give both under one path and name, or remove them" if pairs else _NO_PAIRS
            raise BadInput(what, "", mend)
    both = [key for key in one if key in other]
    if not both:
        raise BadInput("no picture has a partner that can be read", names[1], "mend or remove what is damaged")
    return np.array([one[key] for key in both], np.int64), np.array([other[key] for key in both], np.int64), left


_APART = 0.02
"""Of the shape, that reading a picture smaller than it is may round away."""


def check_shapes(first: Dataset, second: Dataset, order: tuple[np.ndarray, np.ndarray]) -> None:
    """Raises BadInput for pairs of which one has another shape: cropped each to one frame, they would not fit."""
    shapes = [getattr(dataset, "aspects", None) for dataset in (first, second)]
    if shapes[0] is None or shapes[1] is None:
        return
    pairs = [(first.sources[i], shapes[0][i], shapes[1][j]) for i, j in zip(*(x.tolist() for x in order), strict=True)]
    if off := [name for name, a, b in pairs if a and b and abs(a / b - 1) > _APART]:
        what = f"{counted(len(off), 'pair')} of pictures of different shape: {_some(off)}"
        raise BadInput(what, "", "cut both to what they share, or `--fit fit` where one is only squeezed")


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + ", ..." * (len(names) > _NAMED)
