"""LPIPS by AlexNet, where its weights were added."""

from zeuxis.metrics.perceptual import LEAST
from zeuxis.metrics.score import Compared, Score

_MOST = 16_000_000  # pixels; the first maps of AlexNet take some 100 bytes for each


def _measured(x: Compared) -> float | None:
    """None for pictures that are too small or too large for it."""
    sides = x.image.shape[2:]
    if x.distance is None or min(sides) < LEAST or sides.numel() > _MOST:
        return None
    return x.distance(x.image, x.target).value


SCORE = Score("LPIPS", "", 4, False, 3, lambda scale: "0.1 Alex, RGB, crop 0, 8-bit", _measured, "distance")
