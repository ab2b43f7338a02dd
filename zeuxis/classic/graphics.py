"""Whether a picture was drawn rather than taken: by the values that it uses."""

import torch
from torch import Tensor

GAPS = 0.5
"""Own: a picture is drawn where less than this share of the values between its dark and its bright end is used."""
PALETTE, SPAN = 256, 64
"""Colours that a palette holds; levels from the dark to the bright end from which so few are no dark photograph's."""
_ROUNDED, _NEARLY_ALL = 0.03, 0.9
"""How far 8 bits and a little smoothing move a vector's length; the share of all pixels that must be so near."""
_FEWEST = 4096  # pixels from which so few colours are no chance


def drawn(image: Tensor, seen: Tensor | None = None) -> bool:
    """Whether one picture [1, C, H, W] in [-1, 1] was drawn or computed.

    seen: bool [1, 1, H, W], the pixels that count; None: all. It was where it has few levels, the colours of a palette,
    or colours that are vectors of length 1, as a map of normals has. The levels of a photograph lie close, dark or pale
    as it may be; letters, codes, charts, dithers and posters leave most of them out. Noise and JPEG cannot be told in
    such a picture, and it was meant as it is.
    """
    values = ((image[0] + 1) * 127.5).round().clamp(0, 255).to(torch.int64).flatten(1)
    if seen is not None:
        values = values[:, seen.flatten()]
    if not values.numel():
        return True
    if all(_gaps(channel) for channel in values) or _normals(values):
        return True
    grey = len(values) == 1 or bool((values == values[:1]).all())
    if grey or values.shape[1] < _FEWEST or int(values.amax() - values.amin()) < SPAN:
        return False
    return len(torch.unique(values[0] * 65536 + values[1] * 256 + values[2])) <= PALETTE


def _normals(values: Tensor) -> bool:
    """Whether colours [C, n] are vectors of length 1; those of a photograph fill the space."""
    if len(values) != 3:
        return False
    length = (values / 127.5 - 1).square().sum(0).sqrt()
    return float(((length - 1).abs() < _ROUNDED).float().mean()) > _NEARLY_ALL


def _gaps(values: Tensor) -> bool:
    counts = torch.bincount(values, minlength=256)
    share = counts.cumsum(0) / len(values)
    low, high = int((share < 0.01).sum()), int((share < 0.99).sum())
    return int((counts[low : high + 1] > 0).sum()) < GAPS * (high - low + 1) and high > low
