"""Whether what a picture shows is still where it was: its edges beside those of another."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, pad


def edge_strength(image: Tensor) -> Tensor:
    """[n, 1, h, w] of pictures [n, C, H, W]: length of Sobel's gradient of the channels' mean, over 2x2 pixels."""
    grey = image.mean(1, keepdim=True)
    kernel = grey.new_tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    both = conv2d(pad(grey, (1, 1, 1, 1), mode="replicate"), torch.stack([kernel, kernel.T])[:, None])
    return avg_pool2d(both.square().sum(1, keepdim=True).sqrt(), 2)


def edge_correlation(first: Tensor, second: Tensor) -> Tensor:
    """[n] of pairs [n, C, H, W], [n, C', H, W]: correlation of the strength of their edges, -1 to 1; 0 of flat ones."""
    a, b = (edge_strength(x).flatten(1).double() for x in (first, second))
    a, b = (x - x.mean(1, keepdim=True) for x in (a, b))
    scale = (a.square().sum(1) * b.square().sum(1)).sqrt()
    return torch.where(scale > 1e-12, (a * b).sum(1) / scale.clamp_min(1e-12), 0.0)
