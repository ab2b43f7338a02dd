"""SSIM, where a picture was enlarged of the luma, as super-resolution papers measure it."""

from zeuxis.metrics import bands
from zeuxis.metrics.fidelity import ALL, Protocol, on_y
from zeuxis.metrics.score import Compared, Score


def _protocol(scale: int) -> Protocol:
    return on_y(scale, "") if scale > 1 else ALL


def _measured(x: Compared) -> float | None:
    return bands.ssim(x.image, x.target, _protocol(x.scale))


SCORE = Score("SSIM", "", 4, True, 2, lambda scale: _protocol(scale).words, _measured)
