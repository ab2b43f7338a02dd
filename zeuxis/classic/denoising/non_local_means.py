"""Non-local means (Buades, Coll and Morel 2005) through scikit-image, in its fast mode."""

import numpy as np
from torch import Tensor

from zeuxis.classic.grey_levels import each_picture
from zeuxis.draw import Draw


def denoise(
    image: Tensor, sigma: float | Tensor, draw: Draw | None = None, patch: int = 7, distance: int = 11
) -> Tensor:
    """Non-local means (Buades, Coll and Morel 2005) through scikit-image, fast mode, h = 0.8 sigma as it advises."""
    from skimage.restoration import denoise_nl_means

    def one(x: np.ndarray, s: float) -> np.ndarray:
        result: np.ndarray = denoise_nl_means(
            x, patch_size=patch, patch_distance=distance, h=0.8 * s, sigma=s, fast_mode=True, channel_axis=-1
        )
        return result

    return each_picture(image, sigma, one)
