"""Noise taken out without a network. Pictures [N, C, H, W] in [-1, 1]; sigma on the 0..255 scale."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from zeuxis.classic.decorrelation import from_opponent, opponent
from zeuxis.classic.dictionary import cosines, ksvd
from zeuxis.classic.haar import shrunk
from zeuxis.classic.omp import batch_omp
from zeuxis.classic.overlapping_patches import choose, sweep, unfold
from zeuxis.draw import Draw

GREY = 127.5
"""Grey levels of 0..255 per unit of [-1, 1]."""


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


def levels_of(sigma: float | Tensor, n: int) -> list[float]:
    """One standard deviation per picture, from a number, [N] or [N, 1, 1, 1]."""
    values = torch.as_tensor(sigma, dtype=torch.float32).reshape(-1)
    return [float(v) for v in values.expand(n)]


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


def sparse(
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


def _each(image: Tensor, sigma: float | Tensor, one: Callable[[np.ndarray, float], np.ndarray]) -> Tensor:
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


def non_local_means(image: Tensor, sigma: float | Tensor, patch: int = 7, distance: int = 11) -> Tensor:
    """Non-local means (Buades, Coll and Morel 2005) through scikit-image, fast mode, h = 0.8 sigma as it advises."""
    from skimage.restoration import denoise_nl_means

    def one(x: np.ndarray, s: float) -> np.ndarray:
        result: np.ndarray = denoise_nl_means(
            x, patch_size=patch, patch_distance=distance, h=0.8 * s, sigma=s, fast_mode=True, channel_axis=-1
        )
        return result

    return _each(image, sigma, one)


def total_variation(image: Tensor, sigma: float | Tensor, weight: float = 1.0) -> Tensor:
    """Total variation (Chambolle 2004) through scikit-image; its weight is `weight` * sigma on [0, 1]: 0.1 at 25."""
    from skimage.restoration import denoise_tv_chambolle

    def one(x: np.ndarray, s: float) -> np.ndarray:
        result: np.ndarray = denoise_tv_chambolle(x, weight=weight * s, channel_axis=-1)
        return result

    return _each(image, sigma, one)


def wavelet(image: Tensor, sigma: float | Tensor, scales: int = 4) -> Tensor:
    """BayesShrink (Chang, Yu and Vetterli 2000) on Haar wavelets averaged over all shifts (Coifman and Donoho 1995).

    Colours are turned to opponent channels and shrunk one by one.
    """
    levels = torch.tensor(levels_of(sigma, len(image)), device=image.device)[:, None, None, None]
    done = from_opponent(shrunk(opponent(image), levels / GREY, scales))
    return torch.where(levels > 0, done, image)


Denoiser = Callable[[Tensor, float | Tensor, Draw], Tensor]

METHODS: dict[str, Denoiser] = {
    "sparse": sparse,
    "non-local-means": lambda image, sigma, draw: non_local_means(image, sigma),
    "total-variation": lambda image, sigma, draw: total_variation(image, sigma),
    "wavelet": lambda image, sigma, draw: wavelet(image, sigma),
}
"""name -> (image, sigma, draw) -> image."""
