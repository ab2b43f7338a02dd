"""Euclidean distances in blocks, so that neither n x n nor a float64 copy of the data must fit in memory."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from zeuxis.errors import BadInput, counted

BLOCK = 1024
"""Rows on either side of one block: 8 MB of distances."""


def rows(samples: Any) -> Tensor:
    """Samples [n, ...] (array or tensor; plain numbers become [n, 1]) as a CPU tensor [n, d]. Raises BadInput."""
    x = torch.as_tensor(samples).detach().cpu()
    if x.ndim == 0 or x.numel() == 0:
        raise BadInput("no samples to measure", f"shape {tuple(x.shape)}")
    x = x.reshape(len(x), -1)
    if not torch.isfinite(x).all():
        raise BadInput("a sample is not finite", f"shape {tuple(x.shape)}", "leave it out")
    return x


def pair(fake: Any, real: Any, least: int = 1) -> tuple[Tensor, Tensor]:
    """Both sides as [n, d] and [m, d]. Raises BadInput for other widths or fewer than `least` samples."""
    a, b = rows(fake), rows(real)
    if a.shape[1] != b.shape[1]:
        raise BadInput("the two sides have different sizes", f"{a.shape[1]} and {b.shape[1]} numbers a sample")
    if min(len(a), len(b)) < least:
        raise BadInput(f"needs at least {counted(least, 'sample')} on each side", f"{len(a)} and {len(b)}")
    return a, b


def embed(images: Tensor, function: Callable[[Tensor], Tensor], batch: int = 256) -> Tensor:
    """Features [n, d] of images [n, C, H, W] in [-1, 1] by `function`, without gradient, batch by batch."""
    with torch.no_grad():
        return torch.cat([function(part).detach().cpu().reshape(len(part), -1) for part in torch.split(images, batch)])


def squared(a: Tensor, b: Tensor) -> Tensor:
    """Squared distances [n, m] of float64 [n, d] and [m, d]; 0 where rounding (1e-14 of the norms) is all there is."""
    norms = a.square().sum(1)[:, None] + b.square().sum(1)
    gaps = norms - 2 * (a @ b.T)
    return gaps.masked_fill_(gaps <= 1e-14 * norms, 0.0)


def blocks(a: Tensor, b: Tensor) -> Iterator[tuple[slice, slice, Tensor]]:
    """(rows of a, rows of b, their distances in float64), row block by row block, over [n, d] and [m, d]."""
    centre = b[:BLOCK].double().mean(0)  # distances do not move with it, rounding shrinks
    for i in range(0, len(a), BLOCK):
        left = a[i : i + BLOCK].double() - centre
        for j in range(0, len(b), BLOCK):
            right = b[j : j + BLOCK].double() - centre
            yield slice(i, i + len(left)), slice(j, j + len(right)), squared(left, right).sqrt_()


def _exact(a: Tensor, b: Tensor, index: Tensor) -> Tensor:
    """Distances between a[i] and b[index[i, :]] from differences, [n, k]: exactly 0 for equal samples."""
    step = max(1, (1 << 21) // (index.shape[1] * a.shape[1]))
    parts = []
    for i in range(0, len(a), step):
        gaps = b[index[i : i + step]].double() - a[i : i + step, None].double()
        parts.append(gaps.square().sum(2).sqrt())
    return torch.cat(parts)


def nearest(queries: Any, references: Any, k: int = 1) -> tuple[Tensor, Tensor]:
    """The k nearest references of every query: distances float64 [q, k] ascending, indices int64 [q, k].

    A query that is itself among the references is its own first neighbour. Raises BadInput.
    """
    a, b = pair(queries, references)
    if not 1 <= k <= len(b):
        raise BadInput(f"cannot find {counted(k, 'neighbour')}", f"among {counted(len(b), 'sample')}")
    best = torch.full((len(a), k), torch.inf, dtype=torch.float64)
    index = torch.zeros((len(a), k), dtype=torch.int64)
    for here, there, distance in blocks(a, b):
        places = torch.arange(there.start, there.stop).expand(len(distance), -1)
        merged = torch.cat([best[here], distance], 1)
        best[here], picked = merged.topk(k, 1, largest=False)
        index[here] = torch.cat([index[here], places], 1).gather(1, picked)
    distance, order = _exact(a, b, index).sort(dim=1, stable=True)
    return distance, index.gather(1, order)
