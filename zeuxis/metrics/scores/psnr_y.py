"""PSNR of the luma, where a picture was enlarged as super-resolution papers measure it."""

from zeuxis.metrics import bands
from zeuxis.metrics.fidelity import Protocol, on_y
from zeuxis.metrics.score import Compared, Score


def _protocol(scale: int) -> Protocol:
    return on_y(scale, "") if scale > 1 else Protocol("Y")


def _measured(x: Compared) -> float | None:
    return bands.psnr(x.image, x.target, _protocol(x.scale))


SCORE = Score("PSNR-Y", "dB", 2, True, 1, lambda scale: _protocol(scale).words, _measured)
