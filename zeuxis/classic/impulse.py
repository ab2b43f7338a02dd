"""Impulse noise, salt and pepper: told from what a picture shows, and replaced by the median of what it spared."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from zeuxis.classic.overlapping_patches import windows

GREY = 127.5
ROOM = 0.03
"""Own: the share of calm windows from which a channel is judged."""
RANGE = 40.0
APART, NEAREST, SPANS = 40.0, 16.0, 3.0
"""Own: a window is calm where its values span no more grey levels than `RANGE`, and lie so far from either end; the
narrower they lie together, the nearer, down to `NEAREST`: no noise takes one so many spans away, and paper is light."""
SPARED = 4
"""Neighbours of a calm window that are not at either end, at least."""
LEAST, ALIKE = 0.002, 0.25
"""Own: the share of impulses from which they are told; how many of the rarer kind there are to one of the other."""
TILES, EXPECTED, UNEVEN, CHANCE = 4, 4.0, 3.0, 1e-4
"""Tiles across and down; impulses that one must be expected to hold to count; and how far their numbers may differ from
those of chance (mean of the chi-squared terms, 1 by chance; and its probability), either way: a screen is too even."""
ISOLATED = (2.0, 0.2)
"""How many neighbours may be like an impulse: a multiple of what chance gives, and so many more."""
FAR = 30.0
"""Own: grey levels from the median of its neighbours, from which a value at an end is an impulse."""
SURE = 4.0
"""Own: standard deviations by which more values of a kind around one than chance gives show that it is the picture."""
_SIDES, _ENOUGH = (3, 5, 7), 3  # windows of the median; values that one must hold
_AT_ONCE = 1 << 17  # windows
_END = 0.5  # grey levels
_NOWHERE, _UNLIKE_CHANCE = (0.0, 0.0), (-1.0, -1.0)


@dataclass(frozen=True)
class Impulses:
    """Shares of the values that are the lowest (pepper) and the highest (salt) though the picture was not, 0 to 1; both
    0 where there is none."""

    pepper: float
    salt: float

    @property
    def share(self) -> float:
        return self.pepper + self.salt


def impulses(image: Tensor, seen: Tensor | None = None) -> Impulses | None:
    """The salt and pepper of one picture [1, C, H, W] in [-1, 1]; None where it cannot be told from the picture.

    seen: bool [1, 1, H, W], the pixels that count; None: all. Own measure: in windows of 3x3 that are calm and far
    from black and white, how often the middle is black or white. By impulses it is so as often as elsewhere, by both
    in like numbers, each by itself and as often in every part of the picture as chance has it: unlike stars, snow,
    letters, screens and the glitter of leaves. All channels must show it in which there are enough such windows;
    their mean is given. It is not told where values at an end are many, but there is no such window in any channel, as
    in writing on white, they lie otherwise than by chance, or those at the other are too few: dust or stars.
    """
    if min(image.shape[2:]) < 4 * TILES:
        return None
    counts = torch.ones_like(image[:, :1]) if seen is None else seen.to(image)
    parts = windows(torch.cat((image, counts), 1)[0])
    hidden = F.max_pool2d(1 - parts[:, -1:], 3, 1, 1) > 0
    per_channel = [_told(parts[:, c : c + 1] * GREY + GREY, hidden) for c in range(image.shape[1])]
    if _NOWHERE in per_channel:
        return Impulses(*_NOWHERE)
    measured = [pair for pair in per_channel if pair is not None]
    if not measured or _UNLIKE_CHANCE in measured:
        return None
    return Impulses(*(sum(shares) / len(measured) for shares in zip(*measured, strict=True)))


def _told(values: Tensor, hidden: Tensor) -> tuple[float, float] | None:
    """Shares of pepper and salt in one channel [n, 1, h, w] of 0..255; `_NOWHERE`, `_UNLIKE_CHANCE`; or None where too
    few windows are calm."""
    ends = values < _END, values > 2 * GREY - _END
    if max(float(end.float().mean()) for end in ends) < LEAST / 2:
        return _NOWHERE  # as most pictures
    extreme = ends[0] | ends[1]
    high = F.max_pool2d(values.masked_fill(extreme, -math.inf), 3, 1, 1)
    low = -F.max_pool2d((-values).masked_fill(extreme, -math.inf), 3, 1, 1)
    span, apart = high - low, torch.minimum(low, 2 * GREY - high)
    calm = (span <= RANGE) & (apart >= (SPANS * span).clamp(NEAREST, APART)) & ~hidden
    spared = F.avg_pool2d((~extreme).to(values), 3, 1, 1) * 9 - (~extreme).to(values)
    calm &= spared > SPARED - 0.5
    if float(calm.float().mean()) < ROOM:
        return None
    shares = [float((calm & end).sum() / calm.sum()) for end in ends]
    if sum(shares) < LEAST:
        return _NOWHERE
    by_chance = min(shares) >= ALIKE * max(shares) and all(
        _apart(end, calm, share) and _even(end, calm, share) for end, share in zip(ends, shares, strict=True)
    )
    return (shares[0], shares[1]) if by_chance else _UNLIKE_CHANCE


def _apart(end: Tensor, calm: Tensor, share: float) -> bool:
    """Whether the impulses of one kind have no more neighbours of their kind than chance gives."""
    around = F.avg_pool2d(end.float(), 3, 1, 1) * 9 - 1
    return float(around[calm & end].mean()) <= ISOLATED[0] * 8 * share + ISOLATED[1]


def _even(end: Tensor, calm: Tensor, share: float) -> bool:
    """Whether the tiles hold as many impulses of one kind as chance gives, by their calm windows."""
    side = end.shape[2] // TILES, end.shape[3] // TILES
    number, places = (F.avg_pool2d(x.float(), side) * side[0] * side[1] for x in (end & calm, calm))
    expected = (places * share)[places * share >= EXPECTED]
    if len(expected) < TILES:
        return False
    terms = (number[places * share >= EXPECTED] - expected).square() / expected
    half = torch.tensor(len(terms) / 2), terms.sum() / 2
    below, above = float(torch.special.gammainc(*half)), float(torch.special.gammaincc(*half))
    return below > CHANCE and (float(terms.mean()) < UNEVEN or above > CHANCE)


def despeckled(image: Tensor, shares: Impulses) -> Tensor:
    """One picture [1, C, H, W] in [-1, 1] with its impulses replaced; every other value keeps its bits.

    A value at an end is suspected where the 24 around it hold no more like it than impulses would, which spares what
    is truly black or white. It is replaced where it lies `FAR` from the median of those around it that are not
    suspected, in the smallest window that holds some: first detection, then a mend of what was detected alone, as
    Chan, Ho and Nikolova have it (2005, doi 10.1109/TIP.2005.852196), by the adaptive median of Hwang and Haddad
    (1995, doi 10.1109/83.370679). A pixel at one end in all channels is replaced in all where it is in one; where most
    of the suspected are such, the specks struck whole pixels, and a channel that is clipped by itself is the picture.
    """
    values = (image + 1) * GREY
    suspected, whole = torch.zeros_like(values, dtype=torch.bool), torch.zeros_like(values[:, :1], dtype=torch.bool)
    for end, share in ((values < _END, shares.pepper), (values > 2 * GREY - _END, shares.salt)):
        usual = 24 * share
        around = F.avg_pool2d(end.float(), 5, 1, 2) * 25 - 1
        mine = end & (around <= usual + SURE * math.sqrt(usual) + 1)
        suspected |= mine
        whole |= end.all(1, keepdim=True) & mine.any(1, keepdim=True)
    if 2 * int(whole.sum()) > int(suspected.any(1).sum()):
        suspected &= whole
    suspected |= whole
    median = torch.stack([_medians(v, s) for v, s in zip(image[0], suspected[0])])[None]
    known = suspected & median.isfinite()
    far = known & ((median - image).abs() * GREY > FAR)
    return torch.where(known & (far | (whole & far.any(1, keepdim=True))), median, image)


def _medians(plane: Tensor, suspected: Tensor) -> Tensor:
    """For the suspected of [H, W], the lower median of those around them that are not; NaN elsewhere."""
    result, reach = torch.full_like(plane, math.nan), _SIDES[-1] // 2
    wide = F.pad(plane.masked_fill(suspected, math.inf), (reach,) * 4, value=math.inf)
    for corner in suspected.nonzero().split(_AT_ONCE):
        left = corner
        for side in _SIDES:
            i = torch.arange(side) + reach - side // 2
            around = wide[(left[:, :1] + i)[:, :, None], (left[:, 1:] + i)[:, None, :]].flatten(1).sort().values
            number = around.isfinite().sum(1)
            enough = number >= _ENOUGH
            middle = around.gather(1, ((number - 1).clamp_min(0) // 2)[:, None])[:, 0]
            result[left[enough, 0], left[enough, 1]] = middle[enough]
            left = left[~enough]
    return result
