"""PSNR of all channels."""

from zeuxis.metrics import bands
from zeuxis.metrics.fidelity import ALL
from zeuxis.metrics.score import Compared, Score


def _measured(x: Compared) -> float | None:
    return bands.psnr(x.image, x.target, ALL)


SCORE = Score("PSNR", "dB", 2, True, 0, lambda scale: ALL.words, _measured)
