"""PSNR and SSIM of pictures of any size, a band of rows at a time, so that memory does not grow with it."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf, log10

from torch import Tensor

from zeuxis.metrics.fidelity import ALL, WINDOW, Protocol, psnr_each, ssim_each

_AT_ONCE = 4_000_000  # pixels of a band


def _inside(image: Tensor, crop: int) -> Tensor:
    height, width = image.shape[2:]
    return image[..., crop : height - crop, crop : width - crop]


def _bands(first: Tensor, second: Tensor, overlap: int) -> Iterator[tuple[Tensor, Tensor, int]]:
    """(rows of both, how many of them count): each band holds `overlap` rows more, which the next begins with."""
    count, rows = first.shape[2] - overlap, max(64, _AT_ONCE // first.shape[3])
    for top in range(0, count, rows):
        end = min(top + rows, count)
        yield first[:, :, top : end + overlap], second[:, :, top : end + overlap], end - top


def psnr(image: Tensor, target: Tensor, protocol: Protocol = ALL) -> float | None:
    """PSNR in dB of [1, C, H, W] in [-1, 1]; infinite for equal pictures, None where the crop leaves nothing."""
    whole, (first, second) = replace(protocol, crop=0), (_inside(x, protocol.crop) for x in (image, target))
    if not first.numel() or min(image.shape[2:]) <= 2 * protocol.crop:
        return None
    total, height = 0.0, first.shape[2]
    for a, b, rows in _bands(first, second, 0):
        total += rows / height * 10 ** (-float(psnr_each(a, b, whole)) / 10)
    return -10 * log10(total) if total else inf


def ssim(image: Tensor, target: Tensor, protocol: Protocol = ALL) -> float | None:
    """SSIM of [1, C, H, W] in [-1, 1]; None where the picture is below 11 pixels inside the crop."""
    whole, (first, second) = replace(protocol, crop=0), (_inside(x, protocol.crop) for x in (image, target))
    if min(image.shape[2:]) - 2 * protocol.crop < WINDOW:
        return None
    count = first.shape[2] - WINDOW + 1
    return sum(float(ssim_each(a, b, whole)) * rows / count for a, b, rows in _bands(first, second, WINDOW - 1))
