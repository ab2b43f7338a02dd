"""Whether what a picture shows is still where it was: its edges beside those of another."""

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, pad

from zeuxis.pictures.in_colour import with_channels


def edge_strength(image: Tensor) -> Tensor:
    """[n, 1, h, w] of pictures [n, C, H, W]: length of Sobel's gradient of the channels' mean, over 2x2 pixels."""
    grey = with_channels(image, 1)
    kernel = grey.new_tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    both = conv2d(pad(grey, (1, 1, 1, 1), mode="replicate"), torch.stack([kernel, kernel.T])[:, None])
    return avg_pool2d(both.square().sum(1, keepdim=True).sqrt(), 2)


def edge_correlation(first: Tensor, second: Tensor) -> Tensor:
    """[n] of pairs [n, C, H, W], [n, C', H, W]: correlation of the strength of their edges, -1 to 1; 0 of flat ones."""
    a, b = (edge_strength(x).flatten(1).double() for x in (first, second))
    a, b = (x - x.mean(1, keepdim=True) for x in (a, b))
    scale = (a.square().sum(1) * b.square().sum(1)).sqrt()
    return torch.where(scale > 1e-12, (a * b).sum(1) / scale.clamp_min(1e-12), 0.0)


FARTHEST = 1 / 8
"""Of a side, that a shift is looked for."""


def shift_between(first: Tensor, second: Tensor) -> Tensor:
    """[n, 2] of pairs [n, C, H, W], [n, C', H, W]: pixels down and to the right that the second is moved by, even ones.

    By phase correlation of the strength of their edges (Kuglin and Hines 1975), low frequencies alone, since what two
    kinds of pictures share are no single pixels. The maximum always lies somewhere: whether the edges agree better once
    it is undone says whether it means something.
    """
    a, b = (edge_strength(x)[:, 0] for x in (first, second))
    height, width = a.shape[1:]
    window = torch.outer(torch.hann_window(height, periodic=False), torch.hann_window(width, periodic=False)).to(a)
    a, b = (torch.fft.rfft2((x - x.mean((1, 2), keepdim=True)) * window) for x in (a, b))
    cross = b * a.conj()
    rows, columns = torch.fft.fftfreq(height).to(window), torch.fft.rfftfreq(width).to(window)
    low = torch.exp(-(rows[:, None].square() + columns.square()) / (2 * 0.1**2))
    found = torch.fft.irfft2(cross / cross.abs().clamp_min(1e-9) * low, s=(height, width))
    far = [math.floor(side * FARTHEST) for side in (height, width)]
    near = found.roll(far, (1, 2))[:, : 2 * far[0] + 1, : 2 * far[1] + 1]
    peaks = near.flatten(1).argmax(1)
    return 2 * torch.stack([peaks // near.shape[2] - far[0], peaks % near.shape[2] - far[1]], 1)
