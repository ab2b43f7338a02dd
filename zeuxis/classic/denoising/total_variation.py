"""Total variation (Chambolle 2004) through scikit-image."""

import numpy as np
from torch import Tensor

from zeuxis.classic.grey_levels import each_picture
from zeuxis.draw import Draw


def denoise(image: Tensor, sigma: float | Tensor, draw: Draw | None = None, weight: float = 1.0) -> Tensor:
    """Total variation (Chambolle 2004) through scikit-image; its weight is `weight` * sigma on [0, 1]: 0.1 at 25."""
    from skimage.restoration import denoise_tv_chambolle

    def one(x: np.ndarray, s: float) -> np.ndarray:
        result: np.ndarray = denoise_tv_chambolle(x, weight=weight * s, channel_axis=-1)
        return result

    return each_picture(image, sigma, one)
