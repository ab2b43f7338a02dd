"""Two collections whose pictures belong together, by path and name without the ending."""

from pathlib import PurePosixPath

import numpy as np

from zeuxis.data.dataset import Dataset
from zeuxis.errors import BadInput, counted

_NAMED = 5


def _places(dataset: Dataset, what: str) -> dict[str, int]:
    """Position by path without the ending. Raises BadInput where two pictures have one."""
    positions: dict[str, int] = {}
    for i, source in enumerate(dataset.sources):
        name = str(PurePosixPath(source).with_suffix(""))
        if name in positions:
            both = f"`{dataset.sources[positions[name]]}` and `{source}`"
            raise BadInput(f"{both} of {what} differ in the ending alone", "", "keep one, so that each has one partner")
        positions[name] = i
    return positions


def paired(first: Dataset, second: Dataset, names: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Positions, int64, of the pictures of `first` in their order, and of their partners in `second`.

    names: how the two are called where something is wrong. Raises BadInput where a picture of either has no partner.
    """
    one, other = (_places(dataset, name) for dataset, name in zip((first, second), names, strict=True))
    for mine, theirs, name in ((one, other, names[1]), (other, one, names[0])):
        lacking = [key for key in mine if key not in theirs]
        if lacking:
            listed = ", ".join(lacking[:_NAMED]) + ", ..." * (len(lacking) > _NAMED)
            what = f"{counted(len(lacking), 'picture')} without a partner in {name}: {listed}"
            raise BadInput(what, "", "give both under one path and name, or remove them")
    return np.array(list(one.values()), np.int64), np.array([other[key] for key in one], np.int64)
