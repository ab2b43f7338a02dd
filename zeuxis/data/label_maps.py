"""Pictures whose colours are names, such as label maps: a mixture of two of them would be a third."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from zeuxis.data.arrays import Arrays
from zeuxis.data.decode import Decoded, Shape
from zeuxis.data.loading import Loader, Taken, parallel, whites_in_use
from zeuxis.data.reader import candidates_of, found_at
from zeuxis.data.signatures import Unreadable
from zeuxis.data.trees import Where

MOST = 64
"""Colours that label maps have, at most."""
_LOOKED_AT = 12  # pictures, evenly spread
_INSIDE = 0.5
"""Share of pixels, of all but the most frequent colour, that lie within a region of theirs: lines have no inside."""


def colours_in(source: str | Path, where: Where, taken: Taken) -> tuple[str, ...]:
    """The colours of label maps, as #rrggbb or grey levels, the most frequent first; () where they are pictures.

    A few files are looked at. Raises BadInput as opening the source does.
    """
    listing = found_at(source, where)
    if isinstance(listing, Arrays):
        return ()
    candidates = candidates_of(listing, taken)
    if not candidates:
        return ()
    shape = taken.shaped(Shape())
    some = [candidates[i] for i in np.unique(np.linspace(0, len(candidates) - 1, _LOOKED_AT).astype(int))]
    counts: dict[tuple[int, ...], int] = {}
    decoded = [one for one in parallel(lambda one: _read(one.load, shape), some) if one]
    if whites := whites_in_use(decoded):  # labels in files of 16 bits are small numbers, which would all be black
        shape = replace(shape, whites=whites)
        decoded = [one for one in parallel(lambda one: _read(one.load, shape), some) if one]
    for found in map(_counts, decoded):
        for colour, n in found.items():
            counts[colour] = counts.get(colour, 0) + n
        if not found or len(counts) > MOST:
            return ()
    if len(counts) < 2:
        return ()
    return tuple(_name(colour) for colour in sorted(counts, key=lambda colour: (-counts[colour], colour)))


def _read(load: Loader, shape: Shape) -> Decoded | None:
    """None of what cannot be read."""
    try:
        return load(shape)
    except Unreadable:
        return None


def _counts(decoded: Decoded) -> dict[tuple[int, ...], int]:
    """How many pixels have which colour; {} of what is no label map."""
    pixels = decoded.pixels
    colours, labels, n = np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0, return_inverse=True, return_counts=True)
    if len(colours) > MOST or _share_inside(labels.reshape(pixels.shape[:2]), int(n.argmax())) < _INSIDE:
        return {}
    return {tuple(colour.tolist()): int(count) for colour, count in zip(colours, n, strict=True)}


def _share_inside(labels: np.ndarray, ground: int) -> float:
    """Of the pixels of [H, W] with another label than `ground`, those whose four neighbours have the same."""
    whole = np.pad(labels, 1, mode="edge")
    around = (whole[:-2, 1:-1], whole[2:, 1:-1], whole[1:-1, :-2], whole[1:-1, 2:])
    figures = labels != ground
    inside = np.logical_and.reduce([labels == x for x in around])
    return float(inside[figures].mean()) if figures.any() else 1.0


def _name(colour: tuple[int, ...]) -> str:
    return "#" + "".join(f"{value:02x}" for value in colour) if len(colour) > 1 else str(colour[0])
