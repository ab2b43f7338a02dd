"""Pictures of any number of channels as colour, or as another number of them, to be looked at beside others."""

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue in what is light (ITU-R BT.601), as Pillow makes grey."""


def luma(image: Tensor) -> Tensor:
    """[n, 1, H, W] of colours [n, 3, H, W]."""
    return (image * image.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)


def in_colour(image: Tensor) -> Tensor:
    """[n, 1 to 4, H, W] in [-1, 1] as colour: grey three times, alpha laid on white."""
    if image.shape[1] in (2, 4):
        share = (image[:, -1:] + 1) / 2
        image = image[:, :-1] * share + (1 - share)
    return image.expand(-1, 3, -1, -1)


def with_channels(image: Tensor, channels: int) -> Tensor:
    """[n, 1 to 4, H, W] in [-1, 1] with 1 to 4 channels: grey is the mean of colours, and alpha opaque."""
    if image.shape[1] == channels:
        return image
    colour = in_colour(image)
    colour = colour.mean(1, keepdim=True) if channels < 3 else colour
    return torch.cat([colour, torch.ones_like(colour[:, :1])], 1) if channels in (2, 4) else colour
