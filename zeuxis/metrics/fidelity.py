"""How near a picture comes to its original, pixel by pixel: PSNR and SSIM, with the protocol in every result.

A PSNR without its channel, crop and rounding compares with nothing: Y in place of RGB is worth
about 1.5 dB on one and the same picture, full-range luma in place of BT.601's another 1.3 dB.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from zeuxis.errors import BadInput, counted
from zeuxis.metrics.result import Result

PEAK = 255.0
WINDOW, SIGMA = 11, 1.5
"""SSIM's Gaussian window (Wang et al. 2004)."""
STABLE = ((0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2)
"""SSIM's C1 and C2."""

LUMA = (65.481 / 255, 128.553 / 255, 24.966 / 255)
"""Weights of R, G, B in 0..255; with 16 added, Y runs from 16 to 235 (ITU-R BT.601)."""


@dataclass(frozen=True)
class Protocol:
    """What a fidelity score was measured on.

    channel: "all" (every channel that the picture has) or "Y" (BT.601, 16..235; a grey picture is
    its own Y, unscaled, as the published means of Set14 take it). crop: pixels left out on each
    side. rounded: both pictures clamped and rounded to 8 bits first; Y itself is not rounded.
    kernel: how the low-resolution picture was made, for the words alone.
    """

    channel: str = "all"
    crop: int = 0
    rounded: bool = True
    kernel: str = ""

    @property
    def words(self) -> str:
        """Such as "Y of BT.601, crop 4, 8-bit, bicubic a=-0.5"."""
        channel = {"all": "all channels", "Y": "Y of BT.601"}[self.channel]
        bits = "8-bit" if self.rounded else "unrounded"
        return ", ".join(word for word in (channel, f"crop {self.crop}", bits, self.kernel) if word)


ALL = Protocol()
"""Denoising, JPEG repair and inpainting: every channel, whole picture, 8-bit."""
KERNEL = "bicubic a=-0.5, antialiased"
"""The kernel of the published super-resolution benchmarks: MATLAB's imresize."""


def on_y(scale: int, kernel: str = KERNEL) -> Protocol:
    """The protocol of published super-resolution scores: Y, crop = scale, 8-bit."""
    return Protocol("Y", scale, True, kernel)


def levels(image: Tensor, rounded: bool = True) -> Tensor:
    """[-1, 1] to 0..255 in float64; `rounded` clamps and rounds to whole levels."""
    x = (image.detach().double() + 1) * (PEAK / 2)
    return x.round().clamp(0, PEAK) if rounded else x


def luma(pixels: Tensor) -> Tensor:
    """Y of BT.601 in studio swing, float64 [B, 1, H, W] in 16..235, of RGB [B, 3, H, W] in 0..255.

    A picture of one channel is returned as it is. Raises BadInput for other numbers of channels.
    """
    if pixels.shape[1] == 1:
        return pixels.double()
    if pixels.shape[1] != 3:
        raise BadInput("luma is defined for pictures of 1 or 3 channels", f"{counted(pixels.shape[1], 'channel')}")
    weights = torch.tensor(LUMA, dtype=torch.float64, device=pixels.device).reshape(1, 3, 1, 1)
    return 16 + (pixels.double() * weights).sum(1, keepdim=True)


def _judged(image: Tensor, target: Tensor, protocol: Protocol) -> tuple[Tensor, Tensor]:
    """Both pictures as the protocol wants them, float64 in 0..255."""
    if image.shape != target.shape or image.ndim != 4 or not image.numel():
        raise BadInput("a picture and its original must be of one size", f"{tuple(image.shape)}, {tuple(target.shape)}")
    height, width = image.shape[-2:]
    c = protocol.crop
    if min(height, width) <= 2 * c:
        raise BadInput("nothing is left inside the crop", f"{width}x{height}, crop {c}")
    both = (levels(x, protocol.rounded) for x in (image, target))
    first, second = (luma(x) if protocol.channel == "Y" else x for x in both)
    return first[..., c : height - c, c : width - c], second[..., c : height - c, c : width - c]


def psnr_each(image: Tensor, target: Tensor, protocol: Protocol = ALL) -> Tensor:
    """PSNR of every picture [B] in dB, float64: 10 log10(255^2 / MSE) over its channels; infinite for equal pictures.

    image, target: [B, C, H, W] in [-1, 1]. Raises BadInput where their sizes differ.
    """
    first, second = _judged(image, target, protocol)
    return 10 * torch.log10(PEAK**2 / (first - second).square().mean((1, 2, 3)))


def psnr(image: Tensor, target: Tensor, protocol: Protocol = ALL) -> Result:
    """Mean of the pictures' PSNR in dB, not the PSNR of their mean error. Raises BadInput."""
    return _mean(psnr_each(image, target, protocol), protocol)


def psnr_y(image: Tensor, target: Tensor, scale: int) -> Result:
    """PSNR as super-resolution papers print it: BT.601 Y, `scale` pixels cropped, 8-bit. Raises BadInput."""
    return psnr(image, target, on_y(scale))


def _smooth(x: Tensor) -> Tensor:
    """Gaussian means over the valid area: [B, C, H, W] to [B, C, H - 10, W - 10]."""
    at = torch.arange(WINDOW, dtype=x.dtype, device=x.device) - WINDOW // 2
    kernel = torch.exp(-0.5 * (at / SIGMA).square())
    kernel = (kernel / kernel.sum()).reshape(1, 1, 1, WINDOW)
    flat = x.reshape(-1, 1, *x.shape[-2:])
    flat = conv2d(conv2d(flat, kernel), kernel.transpose(2, 3))
    return flat.reshape(*x.shape[:2], *flat.shape[-2:])


def ssim_map(first: Tensor, second: Tensor) -> Tensor:
    """SSIM around each pixel [B, C, H - 10, W - 10], of pixels in 0..255 (Wang et al. 2004, eq. 13).

    11x11 Gaussian window of sigma 1.5, population moments, only windows that lie inside. Raises
    BadInput for a picture below 11 pixels.
    """
    if min(first.shape[-2:]) < WINDOW:
        raise BadInput("SSIM needs pictures of 11 pixels and more a side", f"{first.shape[-1]}x{first.shape[-2]}")
    (c1, c2), (m1, m2) = STABLE, (_smooth(first), _smooth(second))
    v1, v2 = _smooth(first * first) - m1 * m1, _smooth(second * second) - m2 * m2
    shared = _smooth(first * second) - m1 * m2
    return (2 * m1 * m2 + c1) * (2 * shared + c2) / ((m1 * m1 + m2 * m2 + c1) * (v1 + v2 + c2))


def ssim_each(image: Tensor, target: Tensor, protocol: Protocol = ALL, where: Tensor | None = None) -> Tensor:
    """SSIM of every picture [B], float64, the mean over its channels; 1 for equal pictures.

    where: [B, 1, H, W]; then the mean is taken over the windows whose centre lies where it is above
    0.5, and is NaN for a picture without one. Raises BadInput.
    """
    similarity = ssim_map(*_judged(image, target, protocol)).mean(1, keepdim=True)
    if where is None:
        return similarity.mean((1, 2, 3))
    edge = protocol.crop + WINDOW // 2
    inside = where[..., edge : where.shape[-2] - edge, edge : where.shape[-1] - edge].to(similarity.device) > 0.5
    return (similarity * inside).sum((1, 2, 3)) / inside.sum((1, 2, 3))


def ssim(image: Tensor, target: Tensor, protocol: Protocol = ALL, where: Tensor | None = None) -> Result:
    """Mean SSIM of the pictures; `where` as in `ssim_each`. Raises BadInput."""
    mean_ssim = _mean(ssim_each(image, target, protocol, where), protocol)
    return mean_ssim if where is None else mean_ssim.measured_in(f"{mean_ssim.features}, inside the hole")


def averaged(results: Sequence[Result]) -> Result:
    """The mean of scores of one protocol, each picture counting once. Raises BadInput for a mixture or for none."""
    if len({(r.features, r.weights_hash) for r in results}) != 1:
        raise BadInput("scores of several protocols have no mean", "; ".join(sorted({r.features for r in results})))
    n = sum(r.n for r in results)
    value = math.fsum(r.value * r.n for r in results) / n
    return Result(value, n, features=results[0].features, weights_hash=results[0].weights_hash)


def _mean(each: Tensor, protocol: Protocol) -> Result:
    return Result(float(each.mean()), len(each), features=protocol.words)
