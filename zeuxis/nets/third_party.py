"""Third-party nets, with the weights that a person added: rivals, teachers, and trunks that features come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from zeuxis.errors import BadInput, nearest
from zeuxis.nets import peers, vgg
from zeuxis.weights import packages

TRUNKS: dict[str, Callable[[Mapping[str, Tensor]], nn.Module]] = {"lpips-alex": vgg.alexnet, "lpips-vgg": vgg.vgg16}
"""Feature stacks by name of their weights."""


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
    return [name for name in PEERS if packages.is_here(name)]


def net_of(name: str) -> nn.Module:
    """The net with its weights, frozen, on the CPU; of LPIPS the trunk. Raises BadInput: unknown, or not added."""
    if name not in PEERS and name not in TRUNKS:
        raise BadInput(f"no net is known as `{name}`", mend=nearest(name, [*PEERS, *TRUNKS]))
    tensors, _ = packages.opened(name)
    try:
        return TRUNKS[name](tensors) if name in TRUNKS else peers.filled(PEERS[name].build, tensors)
    except (KeyError, RuntimeError) as error:
        mend = "add it again: zeuxis data weights add FILE"
        raise BadInput("these weights do not fit their net", f"{name}, {packages.folder()}", mend) from error
