"""Third-party weights at work: LPIPS, and the published nets that stand beside our own in comparisons."""

from collections.abc import Callable

import torch
from torch import Tensor

from zeuxis.errors import BadInput
from zeuxis.metrics.perceptual import lpips
from zeuxis.metrics.result import Result
from zeuxis.nets import vgg
from zeuxis.nets.third_party import PUBLISHED, TRUNKS, net_of
from zeuxis.weights import packages
from zeuxis.weights.store import content_hash

Distance = Callable[[Tensor, Tensor], Result]
"""(pictures, originals) [B, C, H, W] in [-1, 1] to their mean distance."""
Repair = Callable[[Tensor, Tensor | None], Tensor]
"""(pictures [B, C, H, W] in [-1, 1], level of their noise [B, 1, 1, 1] on the 0..255 scale or None) to pictures."""

SAID = {"alex": "Alex", "vgg": "VGG"}
"""LPIPS's trunks, as people write them."""


def distance(trunk: str = "alex", device: str = "cpu") -> Distance:
    """LPIPS by AlexNet or VGG16 ("alex", "vgg"). Raises BadInput where the weights were not added."""
    name, said = f"lpips-{trunk}", SAID[trunk]
    tensors, _ = packages.opened(name)
    net = TRUNKS[name](tensors).to(device)
    heads = [head.to(device) for head in vgg.heads(tensors)]
    hashed = content_hash(tensors)
    return lambda image, target: lpips(image.to(device), target.to(device), net, heads, said, hashed)


def repair(name: str, device: str = "cpu") -> Repair:
    """A published net as a function; grey pictures run through a net of colours as three equal channels.

    Raises BadInput.
    """
    rival, net = PUBLISHED.get(name), net_of(name).to(device)

    @torch.no_grad()
    def run(image: Tensor, level: Tensor | None = None) -> Tensor:
        x = image.to(device)
        spread = rival is not None and rival.channels == 3 and x.shape[1] == 1
        x = x.expand(-1, 3, -1, -1) if spread else x
        if rival is not None and rival.task == "denoise":
            if level is None:
                raise BadInput(f"{name} must be told the level of the noise")
            y: Tensor = net(x, level.to(x))
        else:
            y = net(x)
        return (y.mean(1, keepdim=True) if spread else y).clamp(-1, 1)

    return run
