"""`data show A B`: whether the two pictures of each pair really lie on each other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zeuxis.data.memory import Subset
from zeuxis.data.tables import is_table, names_partners
from zeuxis.engine.batches import to_image
from zeuxis.engine.progress import pictures_done
from zeuxis.errors import BadInput, counted
from zeuxis.jobs.sources import Source, divided, partners
from zeuxis.metrics.edges import edge_correlation, shift_between
from zeuxis.pages.overlaid import write_overlaid

LISTED = 20
_SIDE = 256  # pixels of a side at which pairs are compared, where no size is given
_GAIN = 0.1  # of the correlation of edges, from which on a shift is believed
_AT_ONCE = 16


@dataclass(frozen=True)
class _Pair:
    """Shares of height and width that the second is moved by, and how edges agree as they are and with it undone."""

    name: str
    down: float
    right: float
    edges: float
    undone: float

    @property
    def moved(self) -> bool:
        return (self.down, self.right) != (0, 0) and self.undone > self.edges + _GAIN

    def to_json(self) -> dict[str, Any]:
        shift = {"down": round(self.down, 4), "right": round(self.right, 4)} if self.moved else {}
        return {"pair": self.name, "edges": round(self.edges, 3), **shift}


def is_pairs(sources: Sequence[Source]) -> bool:
    """Two collections, halves of each file, or a table whose column `target` names files."""
    one = sources[0]
    return len(sources) > 1 or one.side_by_side or (is_table(Path(one.source)) and names_partners(Path(one.source)))


def aligned(sources: Sequence[Source], page: Path | None = None) -> dict[str, Any]:
    """How many pairs lie on each other, how far the others are moved, and those of which the edges agree least.

    edges: mean correlation of the edges of two partners, and beside it of pictures that are none: where both are alike,
    the pairs share no edges, or are no pairs. Raises BadInput where there are no two collections, or a picture has no
    partner.
    """
    if len(sources) > 2:
        raise BadInput(f"pairs are of two collections, not of {len(sources)}", "DATA", "give one collection, or two")
    for source in sources:
        asked = {
            "--classes-at": source.where.classes,
            "--group-at": source.where.groups,
            "--part-at": source.where.parts,
            "--join": source.join,
        }
        idle = [flag for flag, value in asked.items() if value is not None]
        if source.side_by_side and len(sources) > 1:
            raise BadInput(
                "nothing reads `--side-by-side` of two collections", "", "give the one whose files hold pairs"
            )
        if idle:
            raise BadInput(f"nothing reads {idle[0]} where pairs are laid on each other", "", "leave it out")
    sides = divided(sources[0]) if len(sources) == 1 else list(sources)
    fixed = [replace(side, size=side.size or _SIDE, fit=side.fit if side.size else "stretch") for side in sides]
    datasets = [side.open() for side in fixed]
    ordered = partners(datasets, sides)
    pairs, others = _measured(ordered[0], ordered[1])
    worst = sorted(pairs, key=lambda pair: (not pair.moved, pair.edges))
    moved = sum(pair.moved for pair in pairs)
    found: dict[str, Any] = {
        "sources": [side.source for side in sides],
        "pairs": len(pairs),
        "moved": moved,
        "edges": round(float(np.mean([pair.edges for pair in pairs])), 3),
        "edges of others": None if others is None else round(others, 3),
        "said": _said(len(pairs), moved, float(np.mean([pair.edges for pair in pairs])), others),
        "worst": [pair.to_json() for pair in worst[:LISTED]],
    }
    if page is not None:
        place = {pair.name: i for i, pair in enumerate(pairs)}
        rows = np.array([place[pair.name] for pair in worst[:LISTED]])
        shown = [x.images(rows).permute(0, 2, 3, 1).numpy() for x in ordered]
        words = [_words(pair) for pair in worst[:LISTED]]
        write_overlaid(page, found["said"], found["sources"], words, shown)
    return found


def _measured(first: Subset, second: Subset) -> tuple[list[_Pair], float | None]:
    pairs, others = [], []
    with pictures_done(len(first)) as told:
        for rows in np.array_split(np.arange(len(first)), -(-len(first) // _AT_ONCE)):
            a, b = to_image(first.images(rows)), to_image(second.images(rows))
            shifts, edges = shift_between(a, b), edge_correlation(a, b)
            undone = edge_correlation(a, _moved(b, -shifts))
            size = (a.shape[2], a.shape[3])
            for row, shift, now, then in zip(
                rows.tolist(), shifts.tolist(), edges.tolist(), undone.tolist(), strict=True
            ):
                pairs.append(_Pair(first.sources[row], shift[0] / size[0], shift[1] / size[1], now, then))
            if len(rows) > 1:
                others += edge_correlation(a, b.roll(1, 0)).tolist()
            told(len(pairs))
    return pairs, float(np.mean(others)) if others else None


def _moved(images: Tensor, shifts: Tensor) -> Tensor:
    """Each picture moved by its pixels down and to the right, around the rim."""
    return torch.stack([x.roll(shift, (1, 2)) for x, shift in zip(images, shifts.tolist(), strict=True)])


def _said(n: int, moved: int, edges: float, others: float | None) -> str:
    pairs = counted(n, "pair")
    if others is not None and edges < others + _GAIN / 2:
        return f"the edges of the {pairs} agree no better than those of pictures that do not belong together"
    if moved:
        return f"{moved} of {pairs} {'are' if moved > 1 else 'is'} moved against each other, {n - moved} not"
    return f"no shift was found between the two pictures of the {pairs}"


def _words(pair: _Pair) -> str:
    shift = f"moved down {pair.down:+.1%} of its height, right {pair.right:+.1%} of its width; " if pair.moved else ""
    return f"{pair.name}: {shift}edges agree {pair.edges:.2f}"
