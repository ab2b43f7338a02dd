"""How differently lively the parts of a picture are: things differ, and a texture is alike all over."""

import torch
import torch.nn.functional as F
from torch import Tensor

from zeuxis.classic.decorrelation import opponent
from zeuxis.classic.jpeg_traces import ORDER, cosine_transform
from zeuxis.classic.overlapping_patches import equal_neighbours, places

SCALES = (4, 2, 1)
"""Pixels whose mean is looked at, so that noise weighs little; the first that leaves enough blocks."""
FEWEST, MOST = 16, 6000
"""Blocks that do not overlap, at least; places that are looked at."""
FLAT = 0.06
"""A block in which more neighbours than this share are equal was drawn, and does not count."""
_LOW = ((ORDER > 0) & (ORDER <= 5)).nonzero()[:, 0]
_SPREAD = 2.563  # from the lower to the upper tenth of a normal distribution, in deviations


def variety(image: Tensor, seen: Tensor | None = None) -> float:
    """Deviation of the logarithm of the energy in blocks of one picture [1, C, H, W] in [-1, 1]; 0 where too little
    can tell.

    seen: [1, 1, H, W] bool, the pixels that count; None: all. Low frequencies of 8x8 blocks of (R+G+B)/sqrt 3, by
    the tenths. Own measure: 0.3 for white noise, to 0.7 for rough relief, 0.8 to 3 for photographs.
    """
    grey = (image[0] + 1) * 127.5
    equal = equal_neighbours(grey)
    hidden = torch.zeros_like(equal) if seen is None else 1.0 - seen[0, 0].to(equal)
    planes = torch.stack([opponent(grey[None])[0, 0], equal, hidden])
    for scale in SCALES:
        if min(planes.shape[1:]) >= 8 * scale:
            spread = _spread(F.avg_pool2d(planes, scale))
            if spread is not None:
                return spread
    return 0.0


def _spread(planes: Tensor) -> float | None:
    """Of [3, H, W]: luma, the share of equal neighbours, the share that is hidden. None: too few blocks."""
    height, width = planes.shape[1:]
    step = max(1, round((height * width / MOST) ** 0.5)) | 1
    rows, columns = (places(n, 8, step) for n in (height, width))
    blocks = planes.unfold(1, 8, 1)[:, rows].unfold(2, 8, 1)[:, :, columns].flatten(3).flatten(1, 2)
    counts = (blocks[1].mean(1) < FLAT) & (blocks[2].amax(1) < 1e-6)
    if int(counts.sum()) * min(step, 8) ** 2 < 64 * FEWEST:
        return None
    energy = (blocks[0][counts] @ cosine_transform()[_LOW].T).square().sum(1)
    low, high = (float(v) for v in energy.clamp_min(1.0).log().quantile(torch.tensor([0.1, 0.9])))
    return (high - low) / _SPREAD
