"""What a mask marks: all of it that differs from its background, soft rims included."""

from dataclasses import dataclass

import numpy as np

from zeuxis.errors import BadInput, nearest
from zeuxis.pictures.picture import Picture

MEANINGS = ("hole", "keep")
"""What is painted in a mask: what is missing, or what is there."""
MOST = 0.5
"""Share of a picture: a mask that marks more may be meant the other way round, and is asked about."""
FAINT, FAINT_LOSSY = 3.0, 12.0
"""Levels of 255 that a place must be from the background: without loss, and after a codec that rings beside edges."""
FEW = 32
"""Colours: where a file without loss holds no more, each was chosen, and what is not background is paint."""
_TINT = 40.0  # levels between its colours up to which a mask counts as grey: the codec of a JPEG tints too
_SAME = 4.0  # times as far, a colour is still the paint: brushes seldom reach their full strength everywhere
_WIDE = 128.0  # levels: in masks of less range, such as numbers of classes, every step counts


@dataclass(frozen=True, eq=False)
class _Mask:
    """values [H, W, C] as they are in the file, and the two ends [C]: what is not painted, and what is."""

    values: np.ndarray
    ground: np.ndarray
    paint: np.ndarray
    least: float

    def apart(self, colour: np.ndarray, times: float = 1.0) -> np.ndarray:
        """bool [H, W]: where it is another colour, by `times` what it must at least."""
        differs: np.ndarray = np.abs(self.values - colour).max(2) > times * self.least
        return differs


def check_meaning(mask_is: str | None, has_mask: bool) -> None:
    """Raises BadInput for an unknown meaning, and for one without a mask."""
    if mask_is is not None and mask_is not in MEANINGS:
        raise BadInput(f"a mask is not `{mask_is}`", "--mask-is", nearest(mask_is, list(MEANINGS)))
    if mask_is is not None and not has_mask:
        raise BadInput("there is no mask", "--mask-is", "add --mask, or leave it away")


def _commonest(colours: np.ndarray) -> tuple[np.ndarray, int]:
    """The commonest of whole colours [N, C] of up to 16 bits, and how many there are."""
    base = 1 << 16
    packed = sum(colours[:, i].astype(np.int64) * base**i for i in range(colours.shape[1]))
    values, counts = np.unique(packed, return_counts=True)
    commonest = int(values[counts.argmax()])
    return np.array([commonest // base**i % base for i in range(colours.shape[1])], np.int32), len(values)


def _opened(mask: Picture) -> _Mask | None:
    """By its transparency where that varies, else by its colours; None: it is all one colour.

    The background is the commonest colour, the paint the commonest of those far from it. In a grey mask the brighter
    of the two is the paint, whichever is commoner: white is what is marked.
    """
    alpha = mask.alpha
    through = alpha is not None and alpha.min() < alpha.max()
    shown = alpha[..., None] if alpha is not None and through else mask.pixels
    shown = shown[..., :1] if (shown == shown[..., :1]).all() else shown
    values, unit = shown.astype(np.int32), mask.white / 255
    flat = values.reshape(-1, values.shape[2])
    ground, count = _commonest(flat)
    if count == 1:
        return None
    apart = np.abs(flat - ground).max(1)
    far, lossless = float(apart.max()), mask.kept.lossless or through
    paint, _ = _commonest(flat[apart > far / 2])
    grey = float((flat.max(1) - flat.min(1)).max()) <= _TINT * unit
    if grey and paint.mean() < ground.mean():
        ground, paint = paint, ground
    chosen = lossless and (count <= FEW or far < _WIDE * unit)
    return _Mask(values, ground, paint, 0.0 if chosen else (FAINT if lossless else FAINT_LOSSY) * unit)


def hole_of(mask: Picture, size: tuple[int, int], mask_is: str | None = None, name: str = "") -> np.ndarray:
    """bool [H, W]: where the picture of this size is to be filled.

    mask_is: "hole": what is painted is missing; "keep": what has the paint's colour is there, and the rest is missing;
    None: as "hole", as long as that is no more than half. Raises BadInput for another size, for more than half without
    a word, and where nothing would be left to fill from.
    """
    if mask.size != size:
        (h, w), (mh, mw) = size, mask.size
        raise BadInput(f"the mask is {mw}x{mh} and the picture {w}x{h}", name, "make them one size")
    opened = _opened(mask)
    if opened is None:
        return _all_or_nothing(mask, mask_is, name)
    hole = opened.apart(opened.paint, _SAME) if mask_is == "keep" else opened.apart(opened.ground)
    if mask_is is None and hole.mean() > MOST:
        whole = f"{hole.mean():.0%}"
        mend = (
            f"`--mask-is hole` if these {whole} are missing, `--mask-is keep` if they are there and the rest is missing"
        )
        raise BadInput(f"the mask marks {hole.mean():.0%} of the picture as missing", name, mend)
    if hole.all():
        raise BadInput("the mask marks the whole picture as missing", name, "leave something to fill it from")
    return hole


def _all_or_nothing(mask: Picture, mask_is: str | None, name: str) -> np.ndarray:
    """A mask of one colour marks nothing; but a white one says that all is missing, or all is there."""
    white = bool((mask.pixels == mask.white).all()) and (mask.alpha is None or bool(mask.alpha.any()))
    if white and mask_is != "keep":
        raise BadInput("the mask is white all over: nothing is left to fill from", name, "paint the hole alone white")
    if not white and mask_is == "keep":
        raise BadInput("the mask is one colour: nothing of the picture would be kept", name, "paint what is there")
    return np.zeros(mask.size, bool)
