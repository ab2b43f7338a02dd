"""Finds scratches and specks on scanned prints: what is thin, and brighter or darker than both of its sides."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

THIN = 7
"""Pixels: what is narrower in some direction is thin."""
CAP = 40.0
"""Grey levels from which on a line's contrast counts no further, so that one bright dot makes no line."""
ARM = 10
"""Pixels: a line must go on for so far on both sides of a place, and is told from what lies `SIDE` pixels beside it."""
SIDE = 5
DIRECTIONS = 16
AROUND = 15
"""Pixels: the texture of a place is read from squares of this reach."""
LARGE = 1200
"""Pixels: of longer pictures halves are searched too, since their scratches are wider."""


LENGTH = 30.0
"""Pixels: shorter lines are left."""
EVIDENCE = {1: 9.1, -1: 10.1}
"""What bright and dark lines must reach; more of dark ones, which lips, collars and gaps between boards are too."""
SPECK, SPECK_CONTRAST, SPECK_AREA, SPECK_DENSITY = 30.0, 8.0, 60, 0.012
"""A speck's least top-hat, how many times that around it, its most pixels, and the largest share of such around it."""
SEEN = 640
"""Pixels of the longer side at which a picture is asked whether it is worn."""
TONED, TONE = 0.3, 5.0
"""Of a toned picture, such as a sepia print: what its brightness leaves unsaid of its colours, at most, as a share of
them; and the grey levels by which its channels differ at least."""
WORN_LINES, WORN_SPECKS, PLAIN = 0.5, 100.0, 5.0
"""A toned picture is worn with lines as long together as this share of its diagonal, or so many specks per million
pixels; any other with a line of so much more evidence than is asked for, as no clean photograph was found to have."""
SHADES, PAPER = 64, 0.5
"""Steps of brightness, of which five are one shade; and the share of it from which a picture may be writing. Of four
old prints that have scratches at most 0.46; of scans of text, contours, a spectrogram and drawings 0.56 and more."""
FRAME, FRAME_SHARE = 6, 0.02
"""A line that runs mostly so near to the frame (pixels, or share of the short side) is the print's own edge."""


def scratches(image: Tensor, eager: float = 0.0) -> Tensor:
    """1 on scratches and bright specks, 0 elsewhere: image [B, C, H, W] in [-1, 1], 1 or 3 colours, to [B, 1, H, W].

    A top-hat of each polarity (Serra 1982) keeps what is thinner than `THIN` pixels in every colour; means along
    lines in `DIRECTIONS` directions, less those beside them, tell lines from texture; joined places above a low
    threshold stay where as a whole they are long, thin and strong: see `evidence`. Pictures longer than `LARGE` are
    searched at half their size too. Dark specks are not looked for, since pupils are some.

    eager: by so much less evidence suffices for lines. Of 48 clean photographs 720 pixels wide 0.4 % of the pixels
    are taken at 0, with 61 % of the visible pixels of long scratches drawn on them; at 1 it is 0.8 % and 72 %, and
    broad cracks of small scans are found, which are 6 pixels and more across.
    """
    return torch.cat([_found(one[None].detach().float(), eager) for one in image])


def on_paper(image: Tensor) -> bool:
    """Whether most of [1, C, H, W] in [-1, 1] is of one shade, as writing and drawings are: there thin lines belong.

    So are 3 % of 500 photographs: plain skies, snow and black backgrounds.
    """
    grey = ((image.mean(1) + 1) * 127.5).flatten()
    shades = torch.histc(grey, SHADES, 0, 256)
    alike = F.avg_pool1d(F.pad(shades[None, None], (2, 2)), 5, 1)[0, 0] * 5
    return float(alike.max()) > PAPER * len(grey)


def looks_worn(image: Tensor) -> bool:
    """Whether a picture [1, C, H, W] in [-1, 1] looks like a print with scratches or specks.

    In a toned picture, which is seldom anything but an old print, little suffices; elsewhere one long bright line must
    stand out that texture does not explain. Of 62 clean photographs none is taken, in colours or in grey, and 16 where
    they were toned brown; what is found of faint scratches on photographs in colours is little.
    """
    longest = max(image.shape[-2:])
    if longest > SEEN:
        image = _shrunk(image, SEEN / longest)
    grey = (image + 1) * 127.5
    lines, specks = [], 0
    for sign, least in EVIDENCE.items():
        hat = top_hat(sign * grey)
        around = _mean(hat.clamp(max=CAP), AROUND)
        _, length, score = _candidates(hat, around)
        lines += list(zip(length, score - least, strict=True))
        if sign > 0:
            specks = len(_labelled(torch.from_numpy(_specks(hat, around))[None, None].float())[1])
    if any(more > PLAIN for _, more in lines):
        return True
    height, width = grey.shape[-2:]
    long = sum(length for length, more in lines if more > -1) / math.hypot(height, width)
    return bool(_is_toned(grey) and (long >= WORN_LINES or specks * 1e6 / (height * width) >= WORN_SPECKS))


def _shrunk(image: Tensor, factor: float) -> Tensor:
    """Means over areas; a side keeps one pixel at least, however narrow the picture is."""
    height, width = (max(1, int(side * factor)) for side in image.shape[-2:])
    return F.interpolate(image, size=(height, width), mode="area")


def _is_toned(grey: Tensor) -> bool:
    """Whether the colours of [1, C, H, W] in grey levels are those of one tone: a cubic of the brightness."""
    if grey.shape[1] == 1:
        return False
    colours = grey[0].flatten(1)[:, :: max(1, grey[0, 0].numel() // 20_000)].double().numpy()
    bright, apart = colours.mean(0), np.stack([colours[0] - colours[1], colours[1] - colours[2]], 1)
    powers = np.vander((bright - bright.mean()) / (bright.std() + 1e-9), 4)
    left = apart - powers @ np.linalg.lstsq(powers, apart, rcond=None)[0]
    tone = float(np.abs(apart).mean())
    return tone >= TONE and math.sqrt(float(np.square(left).mean())) <= TONED * tone


def _found(image: Tensor, eager: float) -> Tensor:
    grey = (image + 1) * 127.5
    worn = np.zeros(tuple(image.shape[-2:]), dtype=bool)
    for sign, least in EVIDENCE.items():
        hat = top_hat(sign * grey)
        around = _mean(hat.clamp(max=CAP), AROUND)
        worn |= _lines(hat, around, least - eager)
        if sign > 0:
            worn |= _specks(hat, around)
    mask = _largest(torch.from_numpy(worn)[None, None].float(), 3)  # the soft rim belongs to it
    if max(image.shape[-2:]) > LARGE:
        half = _found(_shrunk(image, 0.5), eager)
        mask = torch.maximum(mask, F.interpolate(half, size=tuple(image.shape[-2:]), mode="nearest"))
    return mask


def _largest(x: Tensor, side: int) -> Tensor:
    rows = F.max_pool2d(x, (side, 1), 1, (side // 2, 0))
    return F.max_pool2d(rows, (1, side), 1, (0, side // 2))


def top_hat(grey: Tensor, side: int = THIN) -> Tensor:
    """How far [B, 1, H, W] every channel of [B, C, H, W] stands out of its opening by a square: x - dilate(erode(x)).

    Not 0 where no square of `side` pixels fits into what is bright; the least of the channels.
    """
    return (grey - _largest(-_largest(-grey, side), side)).amin(1, keepdim=True)


def _mean(x: Tensor, reach: int) -> Tensor:
    side = 2 * reach + 1
    rows = F.avg_pool2d(F.pad(x, (reach,) * 4, mode="replicate"), (side, 1), 1)
    return F.avg_pool2d(rows, (1, side), 1)


def _moved(padded: Tensor, margin: int, dy: int, dx: int) -> Tensor:
    """The picture that was padded by `margin`, seen from (dy, dx)."""
    height, width = padded.shape[2] - 2 * margin, padded.shape[3] - 2 * margin
    return padded[:, :, margin + dy : margin + dy + height, margin + dx : margin + dx + width]


def line_response(hat: Tensor) -> Tensor:
    """How much more of a top-hat [B, 1, H, W] lies along the best line through a place than beside it.

    Along: the lesser of the means over both arms of `ARM` pixels; beside: the larger of the means over both arms at
    once, `SIDE` pixels to either side.
    """
    padded = F.pad(hat, (ARM,) * 4, mode="replicate")
    best = torch.full_like(hat, -math.inf)
    for k in range(DIRECTIONS):
        dy, dx = math.sin(math.pi * k / DIRECTIONS), math.cos(math.pi * k / DIRECTIONS)
        arms = [
            torch.stack([_moved(padded, ARM, round(s * t * dy), round(s * t * dx)) for t in range(ARM + 1)]).mean(0)
            for s in (1, -1)
        ]
        both = F.pad((arms[0] + arms[1]) / 2, (SIDE,) * 4, mode="replicate")
        across = round(SIDE * dx), -round(SIDE * dy)
        beside = torch.maximum(_moved(both, SIDE, *across), _moved(both, SIDE, -across[0], -across[1]))
        best = torch.maximum(best, torch.minimum(*arms) - beside)
    return best


def _labelled(mask: Tensor) -> tuple[np.ndarray, list[Any]]:
    """Joined places [H, W], numbered from 1, corners joining; and the box of each."""
    from scipy import ndimage

    numbered, _ = ndimage.label(mask[0, 0].numpy(), np.ones((3, 3)))
    return numbered, ndimage.find_objects(numbered)


def evidence(hat: np.ndarray, around: np.ndarray, length: np.ndarray, area: np.ndarray) -> np.ndarray:
    """4 ln(hat / (around + 1)) + 3 ln(length) - 2 ln(area): how much joined places look like a scratch.

    hat, around: their mean top-hat and that of what is around them, in grey levels; length and area in pixels. The
    signs and sizes are those of a logistic regression of scratches drawn on photographs against what the same
    photographs have that is thin, rounded.
    """
    score: np.ndarray = 4 * np.log(np.maximum(hat, 1e-6) / (around + 1)) + 3 * np.log(length) - 2 * np.log(area)
    return score


def _candidates(hat: Tensor, around: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joined places [H, W] that look like a line somewhat, numbered from 1; their lengths; the evidence for each.

    The evidence is -inf for what is short, or runs along the frame.
    """
    numbered, boxes = _labelled((line_response(hat.clamp(max=CAP)) - 0.5 * around > 4) & (hat > 6))
    area = np.maximum(np.bincount(numbered.ravel()), 1)[1:]

    def mean(x: Tensor) -> np.ndarray:
        means: np.ndarray = np.bincount(numbered.ravel(), x[0, 0].numpy().ravel())[1:] / area
        return means

    length = np.array([math.hypot(*(s.stop - s.start for s in box)) for box in boxes])
    good = (length > LENGTH) & (mean(_near_frame(hat)) < 0.5)
    score = np.full(len(length), -np.inf)
    score[good] = evidence(mean(hat)[good], mean(around)[good], length[good], area[good])
    return numbered, length, score


def _lines(hat: Tensor, around: Tensor, least: float) -> np.ndarray:
    """bool [H, W]: joined places that look like a line as a whole."""
    numbered, _, score = _candidates(hat, around)
    kept: np.ndarray = np.concatenate([[False], score > least])[numbered]
    return kept


def _near_frame(like: Tensor) -> Tensor:
    height, width = like.shape[-2:]
    margin = max(FRAME, round(FRAME_SHARE * min(height, width)))
    near = torch.ones_like(like)
    near[..., margin : height - margin, margin : width - margin] = 0
    return near


def _specks(hat: Tensor, around: Tensor) -> np.ndarray:
    """bool [H, W]: small joined places of high contrast, where there are not many."""
    mask = (hat > SPECK) & (hat > SPECK_CONTRAST * (around + 1))
    numbered, _ = _labelled(mask & (_mean(mask.float(), AROUND) < SPECK_DENSITY))
    area = np.bincount(numbered.ravel())
    area[0] = 0
    kept: np.ndarray = ((area >= 3) & (area <= SPECK_AREA))[numbered]
    return kept
