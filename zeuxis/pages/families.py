"""The page of `data show`: which pictures stay together in every split, and why, so that one can see it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import zeuxis
from zeuxis.data.dataset import Dataset
from zeuxis.data.duplicates import Families
from zeuxis.data.files import write_text
from zeuxis.errors import counted
from zeuxis.pages.page import render
from zeuxis.pages.pictures import encode, on_white, uri

MOST = 40
"""Families on the page, the largest first."""
EACH = 24
"""Pictures of one family."""
SIDE = 96
"""Pixels of the longer side of a picture on the page."""


@dataclass(frozen=True)
class Thumbnail:
    """A picture of the page: where it is, its pixels, and its name."""

    uri: str
    width: int
    height: int
    name: str


def sentence_of(grouping: Families, n: int) -> str:
    """What was joined, in one sentence."""
    members = grouping.members()
    if not members:
        return f"None of the {counted(n, 'picture')} belongs to another: any may be trained on, any held out."
    whole, families = sum(map(len, members)), counted(len(members), "family")
    return (
        f"{whole:,} of the {counted(n, 'picture')} belong to {families} that no split takes apart; the largest has "
        f"{counted(len(members[0]), 'picture')}."
    )


def write_families(path: Path, name: str, dataset: Dataset, grouping: Families, join: str) -> None:
    """Writes one self-contained HTML file. Raises BadInput and MachineGaveOut as writing does."""
    members = grouping.members()
    notes = [
        f"What counts by looks: {join}. Pictures of one group and, by the notes in their files, of one picture or "
        "one group, stay together in any case. If pictures here have nothing to do with each other, use --join exact "
        "or off."
    ]
    if len(members) > MOST:
        notes.append(f"The {MOST} largest of {len(members):,} families are shown.")
    html = render(
        "families",
        zeuxis=zeuxis.__version__,
        kicker=name,
        title="What belongs together",
        sentence=sentence_of(grouping, len(dataset)),
        notes=notes,
        families=[_family(dataset, grouping, one) for one in members[:MOST]],
    )
    write_text(path, html)


def _family(dataset: Dataset, grouping: Families, positions: np.ndarray) -> dict[str, Any]:
    why = grouping.why.get(int(grouping.roots[positions[0]]), [])
    shown = positions[:EACH]
    pixels = dataset.images(shown).permute(0, 2, 3, 1).numpy()
    return {
        "title": counted(len(positions), "picture"),
        "why": "Joined because: " + ", ".join(why) + ".",
        "pictures": [small(one, dataset.sources[i]) for one, i in zip(pixels, shown.tolist(), strict=True)],
        "more": len(positions) - len(shown),
    }


def small(pixels: np.ndarray, name: str) -> Thumbnail:
    """Of uint8 pixels [H, W, C], by name."""
    image = on_white(Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))
    image.thumbnail((SIDE, SIDE))
    return Thumbnail(uri(encode(image)), image.width, image.height, name)
