"""PSNR of the transparency, as a picture of its own."""

from zeuxis.metrics import bands
from zeuxis.metrics.score import Compared, Score


def _measured(x: Compared) -> float | None:
    return None if x.alphas is None else bands.psnr(*x.alphas)


SCORE = Score("PSNR-alpha", "dB", 2, True, 4, lambda scale: "alpha itself, crop 0, 8-bit", _measured, "alphas")
