"""Third-party nets, with the weights that a person added: rivals, teachers, and trunks that features come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from zeuxis.errors import BadInput, nearest
from zeuxis.nets import published, vgg
from zeuxis.weights import packages

TRUNKS: dict[str, Callable[[Mapping[str, Tensor]], nn.Module]] = {"lpips-alex": vgg.alexnet, "lpips-vgg": vgg.vgg16}
"""Feature stacks by name of their weights."""


@dataclass(frozen=True)
class PublishedNet:
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


def _srmdnf(scale: int) -> PublishedNet:
    return PublishedNet("upscale", partial(published.SRMDNF, scale, SRMD_DELTA), scale)


PUBLISHED: dict[str, PublishedNet] = {
    "ffdnet-color": PublishedNet("denoise", partial(published.FFDNet, 3, 96, 12)),
    "ffdnet-grey": PublishedNet("denoise", partial(published.FFDNet, 1, 64, 15, noise=True), channels=1),
    "srmdnf-x2": _srmdnf(2),
    "srmdnf-x3": _srmdnf(3),
    "srmdnf-x4": _srmdnf(4),
    "realesrgan-x4plus": PublishedNet("upscale", published.RRDBNet, 4, faithful=False),
    "realesrgan-x4plus-anime": PublishedNet("upscale", partial(published.RRDBNet, 6), 4, faithful=False),
    "realesr-animevideo-x4": PublishedNet("upscale", published.CompactSR, 4, faithful=False),
}
"""The nets that run here. faithful: trained for PSNR; the others invent detail, so their PSNR says little."""


def added() -> list[str]:
    """The names of PUBLISHED whose weights are in the cache."""
    return [name for name in PUBLISHED if packages.is_here(name)]


def net_of(name: str) -> nn.Module:
    """The net with its weights, frozen, on the CPU; of LPIPS the trunk. Raises BadInput: unknown, or not added."""
    if name not in PUBLISHED and name not in TRUNKS:
        raise BadInput(f"no net is known as `{name}`", mend=nearest(name, [*PUBLISHED, *TRUNKS]))
    tensors, _ = packages.opened(name)
    try:
        return TRUNKS[name](tensors) if name in TRUNKS else published.filled(PUBLISHED[name].build, tensors)
    except (KeyError, RuntimeError) as error:
        mend = "add it again: zeuxis data weights add FILE"
        raise BadInput("these weights do not fit their net", f"{name}, {packages.folder()}", mend) from error
