"""Where the pictures of `untouchable.py` and `damages.py` come from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

Pixels = np.ndarray
Rng = np.random.Generator


@dataclass(frozen=True)
class Source:
    """Where photographs and other files come from. photographs are shrunk to about `side`, by 3 at most."""

    photographs: tuple[Path, ...]
    side: int = 320
    files: tuple[tuple[str, tuple[Path, ...]], ...] = ()  # further kinds: files as they are

    def photograph(self, rng: Rng, side: int | None = None) -> Pixels:
        """uint8 [side, side, 3] at most, cut from one photograph, shrunk so that it has no trace of a codec."""
        side = side or self.side
        with Image.open(self.photographs[self.turn % len(self.photographs)]) as image:
            factor = min(3.0, min(image.size) / side)
            if factor > 1.4:
                image.draft("RGB", (int(image.width / factor), int(image.height / factor)))
            whole = image.convert("RGB")
            factor = min(3.0, min(whole.size) / side)
            if factor > 1:
                size = (max(side, round(whole.width / factor)), max(side, round(whole.height / factor)))
                whole = whole.resize(size, Image.Resampling.BOX)
        left, top = (int(rng.integers(0, n - side + 1)) if n > side else 0 for n in whole.size)
        return np.array(whole.crop((left, top, min(whole.width, left + side), min(whole.height, top + side))))

    turn: int = 0


def to_bytes(x: np.ndarray) -> Pixels:
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)
