"""Colours turned so that most of the picture is in one channel and white noise stays white."""

import torch
from torch import Tensor

_TURN = torch.tensor(
    [[3**-0.5, 3**-0.5, 3**-0.5], [2**-0.5, 0.0, -(2**-0.5)], [6**-0.5, -2 * 6**-0.5, 6**-0.5]], dtype=torch.float64
)


def opponent(image: Tensor) -> Tensor:
    """[N, 3, H, W] by an orthonormal matrix to (R+G+B)/sqrt 3, (R-B)/sqrt 2, (R-2G+B)/sqrt 6; others as they are.

    Independent noise of one standard deviation in all channels keeps it, and stays independent.
    """
    return torch.einsum("ij,njhw->nihw", _TURN.to(image.dtype), image) if image.shape[1] == 3 else image


def from_opponent(image: Tensor) -> Tensor:
    """The inverse of `opponent`."""
    return torch.einsum("ji,njhw->nihw", _TURN.to(image.dtype), image) if image.shape[1] == 3 else image


def luma(image: Tensor) -> Tensor:
    """Full-range BT.601 luma, the Y of JPEG files, [N, 1, H, W]; a picture that is not of 3 channels: their mean."""
    if image.shape[1] != 3:
        return image.mean(1, keepdim=True)
    weights = image.new_tensor([0.299, 0.587, 0.114])
    return (image * weights[:, None, None]).sum(1, keepdim=True)


def opponent_shares(channels: int) -> Tensor:
    """How much of each channel's variance goes into each plane of `opponent`, float32 [channels, channels]."""
    return _TURN.square().to(torch.float32) if channels == 3 else torch.eye(channels)
