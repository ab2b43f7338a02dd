"""Sparse denoising (Elad and Aharon 2006): patches coded in a dictionary learned from the picture itself."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from zeuxis.classic.decorrelation import from_opponent, opponent
from zeuxis.classic.dictionary import cosines, ksvd
from zeuxis.classic.grey_levels import GREY, levels_of
from zeuxis.classic.omp import batch_omp
from zeuxis.classic.overlapping_patches import choose, sweep, unfold
from zeuxis.draw import Draw


@dataclass(frozen=True)
class Sparse:
    """Settings of Elad and Aharon (2006, doi 10.1109/TIP.2006.881969)."""

    side: int = 8
    waves: int = 16  # atoms of the first dictionary along one axis: 256 in all
    sweeps: int = 15  # of K-SVD on the picture itself; 10 published
    patches: int = 40_000  # that K-SVD learns from, as in Rubinstein's toolbox
    gain: float = 1.15  # C: a patch is coded until its error is C sigma sqrt(n)
    closeness: float = 30.0  # the noisy pixel itself is averaged in with the weight closeness / sigma
    step: int = 1  # between patches; 2 costs a quarter


def code_to_noise(signals: Tensor, dictionary: Tensor, sigma: float, gain: float) -> Tensor:
    """Orthogonal matching pursuit until the error is gain * sigma * sqrt(d), at most d / 2 atoms; [n, K]."""
    d = signals.shape[1]
    return batch_omp(signals, dictionary, d // 2, gain * sigma * d**0.5)


def learned(planes: Tensor, sigma: float, draw: Draw, settings: Sparse) -> Tensor:
    """A dictionary [K, side^2] from the noisy planes [M, 1, H, W] themselves, in grey levels."""
    first = cosines(settings.side, settings.waves)
    signals = unfold(planes, settings.side)
    signals = choose(signals, settings.patches, draw.at("patches").permutation(len(signals)))
    signals = signals - signals.mean(1, keepdim=True)
    return ksvd(signals, first, partial(code_to_noise, sigma=sigma, gain=settings.gain), settings.sweeps)


def _sparse_one(image: Tensor, sigma: float, draw: Draw, dictionary: Tensor | None, settings: Sparse) -> Tensor:
    planes = opponent(image * GREY).transpose(0, 1)
    atoms = learned(planes, sigma, draw, settings) if dictionary is None else dictionary

    def work(patches: Tensor) -> tuple[Tensor, None]:
        mean = patches.mean(1, keepdim=True)
        return code_to_noise(patches - mean, atoms, sigma, settings.gain) @ atoms + mean, None

    canvas = sweep(planes, settings.side, settings.step, work)
    return from_opponent(canvas.mean(planes, settings.closeness / sigma).transpose(0, 1)) / GREY


def denoise(
    image: Tensor,
    sigma: float | Tensor,
    draw: Draw,
    dictionary: Tensor | None = None,
    settings: Sparse | None = None,
) -> Tensor:
    """Sparse denoising (Elad and Aharon 2006): patches coded in a dictionary learned from the picture itself.

    `dictionary` [K, side^2] of length 1 (grey patches; colours are turned to opponent channels and
    coded one by one) saves the learning. sigma 0 gives the picture back. Not clamped.
    """
    settings = settings or Sparse()
    levels = levels_of(sigma, len(image))
    done = [_sparse_one(x, s, draw, dictionary, settings) if s > 0 else x for x, s in zip(image.split(1), levels)]
    return torch.cat(done)
