"""Distances between an answer and the truth, for nets that give pictures back. All take [B, C, H, W] in [-1, 1]."""

from collections.abc import Callable

import torch
from torch import Tensor


def l1(answer: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference."""
    return (answer - truth).abs().mean()


def mse(answer: Tensor, truth: Tensor) -> Tensor:
    """Mean squared difference."""
    return (answer - truth).square().mean()


def charbonnier(answer: Tensor, truth: Tensor, eps: float = 1e-3) -> Tensor:
    """Mean of sqrt(d^2 + eps^2), d the difference (Lai et al. 2017, arXiv 1704.03915, eq. 3)."""
    return torch.sqrt((answer - truth).square() + eps * eps).mean()


def fft_l1(answer: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference of real and imaginary parts of the spectra (MIMO-UNet, arXiv 2108.05054, eq. 5).

    The transform is orthonormal, so that the figure does not grow with the size of the picture.
    """
    difference = answer - truth
    if difference.dtype in (torch.float16, torch.bfloat16):  # for which there is no transform
        difference = difference.float()
    spectrum = torch.fft.rfft2(difference, norm="ortho")
    return torch.view_as_real(spectrum).abs().mean().to(answer.dtype)


DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"charbonnier": charbonnier, "l1": l1, "mse": mse}
"""Distances of pixels by name."""


def to_8_bits(image: Tensor) -> Tensor:
    """Grey levels 0 to 255, rounded and cut, as a file would hold them."""
    return ((image + 1) * 127.5).round().clamp(0, 255)


def psnr8(answer: Tensor, truth: Tensor) -> Tensor:
    """PSNR in dB of each picture [B] over all channels, both rounded to 8 bits; 100 where they are equal."""
    error = (to_8_bits(answer) - to_8_bits(truth)).double().square().mean((1, 2, 3))
    return (10 * torch.log10(255.0**2 / error.clamp_min(255.0**2 * 1e-10))).to(torch.float32)
