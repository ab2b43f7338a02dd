"""The page of `data show A B`: pairs, those that lie on each other least first, and each laid over the other."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import zeuxis
from zeuxis.data.decode import with_channels
from zeuxis.data.files import write_text
from zeuxis.pages.families import small
from zeuxis.pages.page import render


def write_overlaid(
    path: Path, sentence: str, names: Sequence[str], words: Sequence[str], pairs: Sequence[np.ndarray]
) -> None:
    """Writes one self-contained HTML file. pairs: of both collections, uint8 [n, H, W, C]; words: on each pair.

    Raises BadInput and MachineGaveOut as writing does.
    """
    families = []
    for title, first, second in zip(words, *pairs, strict=True):
        both = [with_channels(_opaque(x), 3) for x in (first, second)]
        over = (both[0].astype(np.uint16) + both[1] + 1) // 2
        pictures = [small(x, name) for x, name in zip((first, second, over.astype(np.uint8)), _CELLS, strict=True)]
        families.append({"title": title, "why": "", "pictures": pictures, "more": 0})
    html = render(
        "families",
        zeuxis=zeuxis.__version__,
        kicker=" and ".join(names),
        title="How pairs lie on each other",
        sentence=sentence[0].upper() + sentence[1:] + ".",
        notes=["Each row: the picture, its partner, and both over each other; where they fit least comes first."],
        families=families,
    )
    write_text(path, html)


_CELLS = ("the picture", "its partner", "both over each other")


def _opaque(pixels: np.ndarray) -> np.ndarray:
    """Without alpha, where there is one."""
    return pixels[..., :-1] if pixels.shape[2] in (2, 4) else pixels
