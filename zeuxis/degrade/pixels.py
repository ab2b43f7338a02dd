"""Damage for one picture of 8 bits."""

import numpy as np
import torch

from zeuxis.degrade.degradation import Degradation
from zeuxis.degrade.noise import round_bytes
from zeuxis.draw import Draw
from zeuxis.errors import BadInput


def apply_to_pixels(pixels: np.ndarray, degradation: Degradation, seed: int, name: str) -> np.ndarray:
    """`pixels` uint8 [H, W, C], C 1 to 4, after the damage; cut and rounded to 8 bits.

    The numbers depend on (seed, name) alone, so a picture is damaged alike in whatever folder or order. Alpha (the
    second of two channels, the fourth of four) stays as it is. BadInput for other arrays, and where the damage
    changes the size of a picture with alpha.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or not 1 <= pixels.shape[2] <= 4 or pixels.size == 0:
        raise BadInput(f"damage wants uint8 pixels [H, W, 1 to 4], not {pixels.dtype} {list(pixels.shape)}")
    colours = 3 if pixels.shape[2] >= 3 else 1
    image = torch.from_numpy(pixels[:, :, :colours].copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.no_grad():
        seen = round_bytes(degradation(image, Draw(seed=seed, phase=f"degrade/{name}")).image)
    levels = ((seen[0] + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
    if pixels.shape[2] == colours:
        return np.ascontiguousarray(levels)
    if levels.shape[:2] != pixels.shape[:2]:
        raise BadInput("a picture with alpha cannot change its size here", name, "save it without alpha first")
    return np.ascontiguousarray(np.concatenate([levels, pixels[:, :, colours:]], 2))
