"""BayesShrink (Chang, Yu and Vetterli 2000) on Haar wavelets averaged over all shifts (Coifman and Donoho 1995)."""

import torch
from torch import Tensor

from zeuxis.classic.decorrelation import from_opponent, opponent
from zeuxis.classic.grey_levels import GREY, levels_of
from zeuxis.classic.haar import shrunk
from zeuxis.draw import Draw


def denoise(image: Tensor, sigma: float | Tensor, draw: Draw | None = None, scales: int = 4) -> Tensor:
    """BayesShrink (Chang, Yu and Vetterli 2000) on Haar wavelets averaged over all shifts (Coifman and Donoho 1995).

    Colours are turned to opponent channels and shrunk one by one.
    """
    levels = torch.tensor(levels_of(sigma, len(image)), device=image.device)[:, None, None, None]
    done = from_opponent(shrunk(opponent(image), levels / GREY, scales))
    return torch.where(levels > 0, done, image)
