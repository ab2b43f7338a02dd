"""Weights of other people at work: LPIPS, and the published nets that stand beside our own in comparisons."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from zeuxis.errors import BadInput, nearest
from zeuxis.metrics.perceptual import lpips
from zeuxis.metrics.result import Result
from zeuxis.nets import peers, vgg
from zeuxis.weights import foreign
from zeuxis.weights.store import content_hash

Distance = Callable[[Tensor, Tensor], Result]
"""(pictures, originals) [B, C, H, W] in [-1, 1] to their mean distance."""
Repair = Callable[[Tensor, Tensor | None], Tensor]
"""(pictures [B, C, H, W] in [-1, 1], level of their noise [B, 1, 1, 1] on the 0..255 scale or None) to pictures."""

TRUNKS = {"alex": ("lpips-alex", "Alex", vgg.alexnet), "vgg": ("lpips-vgg", "VGG", vgg.vgg16)}


def distance(trunk: str = "alex", device: str = "cpu") -> Distance:
    """LPIPS by AlexNet or VGG16 ("alex", "vgg"). Raises BadInput where the weights were not added."""
    name, said, build = TRUNKS[trunk]
    tensors, _ = foreign.opened(name)
    net = build(tensors).to(device)
    heads = [head.to(device) for head in vgg.heads(tensors)]
    hashed = content_hash(tensors)
    return lambda image, target: lpips(image.to(device), target.to(device), net, heads, said, hashed)


@dataclass(frozen=True)
class Peer:
    """A net of KNOWN that runs here. task: "denoise", told the level, or "upscale" by `scale`; channels: 1 or 3."""

    task: str
    build: Callable[[], nn.Module]
    scale: int = 1
    channels: int = 3
    faithful: bool = True


SRMD_DELTA = (
    0.0, 0.0, 0.0185638, 0.0, 0.0335293, 1e-07, -3e-07, -0.0316235, -0.0135169, 0.0, 0.0384754, 0.0, -0.2449168,
    -0.8022135, -0.5405498,
)  # fmt: skip
"""No blur before the bicubic shrink, in SRMD's coefficients: P (srmd_pca_matlab.mat of cszn/KAIR, MIT) of a delta."""


def _srmdnf(scale: int) -> Peer:
    return Peer("upscale", partial(peers.SRMDNF, scale, SRMD_DELTA), scale)


PEERS: dict[str, Peer] = {
    "ffdnet-color": Peer("denoise", partial(peers.FFDNet, 3, 96, 12)),
    "ffdnet-grey": Peer("denoise", partial(peers.FFDNet, 1, 64, 15, noise=True), channels=1),
    "srmdnf-x2": _srmdnf(2),
    "srmdnf-x3": _srmdnf(3),
    "srmdnf-x4": _srmdnf(4),
    "realesrgan-x4plus": Peer("upscale", peers.RRDBNet, 4, faithful=False),
    "realesrgan-x4plus-anime": Peer("upscale", partial(peers.RRDBNet, 6), 4, faithful=False),
    "realesr-animevideo-x4": Peer("upscale", peers.CompactSR, 4, faithful=False),
}
"""The nets that run here. faithful: trained for PSNR; the others invent detail, so their PSNR says little."""


def added() -> list[str]:
    """The names of PEERS whose weights are in the cache."""
    return [name for name in PEERS if foreign.is_here(name)]


def net_of(name: str) -> nn.Module:
    """The net with its weights, frozen, on the CPU. Raises BadInput where it is not known or was not added."""
    if name not in PEERS:
        raise BadInput(f"no net is known as `{name}`", mend=nearest(name, list(PEERS)))
    tensors, _ = foreign.opened(name)
    try:
        return peers.filled(PEERS[name].build, tensors)
    except (KeyError, RuntimeError) as error:
        mend = "add it again: zeuxis data weights add FILE"
        raise BadInput("these weights do not fit their net", f"{name}, {foreign.folder()}", mend) from error


def repair(name: str, device: str = "cpu") -> Repair:
    """A net of PEERS as a function; grey pictures run through a colour net as three equal channels. Raises BadInput."""
    peer, net = PEERS.get(name), net_of(name).to(device)

    @torch.no_grad()
    def run(image: Tensor, level: Tensor | None = None) -> Tensor:
        x = image.to(device)
        spread = peer is not None and peer.channels == 3 and x.shape[1] == 1
        x = x.expand(-1, 3, -1, -1) if spread else x
        if peer is not None and peer.task == "denoise":
            if level is None:
                raise BadInput(f"{name} must be told the level of the noise")
            y: Tensor = net(x, level.to(x))
        else:
            y = net(x)
        return (y.mean(1, keepdim=True) if spread else y).clamp(-1, 1)

    return run
