"""Grey levels of 0..255: their scale, and one of noise for each picture."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

GREY = 127.5
"""Grey levels of 0..255 per unit of [-1, 1]."""


def levels_of(sigma: float | Tensor, n: int) -> list[float]:
    """One standard deviation per picture, from a number, [N] or [N, 1, 1, 1]."""
    values = torch.as_tensor(sigma, dtype=torch.float32).reshape(-1)
    return [float(v) for v in values.expand(n)]


def each_picture(image: Tensor, sigma: float | Tensor, one: Callable[[np.ndarray, float], np.ndarray]) -> Tensor:
    """`one` on each picture as float32 HWC in [0, 1], with its sigma on that scale."""
    done = []
    for x, s in zip(image, levels_of(sigma, len(image))):
        if s <= 0:
            done.append(x)
            continue
        array = ((x + 1) / 2).permute(1, 2, 0).contiguous().numpy()
        result = np.ascontiguousarray(one(array, s / 255), dtype=np.float32).reshape(array.shape)
        done.append(torch.from_numpy(result).permute(2, 0, 1) * 2 - 1)
    return torch.stack(done)
