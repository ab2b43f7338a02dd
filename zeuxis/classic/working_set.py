"""First codes for the l1 penalty: coordinate descent among the few atoms of each signal that can matter.

The atoms in use and those that break the optimality conditions most are the working set of a signal, as in CELER
(Massias et al. 2018, arXiv 1802.07481). Sweeps over it touch a small Gram matrix alone, for thousands of signals side
by side; then the gap to the least objective is taken over all atoms, and signals below it leave.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zeuxis.classic.terms import duality_gap, kept

STAGES = ((2, 4), (2, 8), (4, 12))
"""Own: working sets that a signal gets in a stage, and sweeps over each. What a stage leaves over is pooled."""
LEAST = 8
"""Own: atoms of a working set."""
SPARE = 6
"""Own: atoms of it beyond those that nine in ten signals use already."""
TOGETHER = 4096
"""Own: signals side by side; fewer, and the calls take longer than their arithmetic."""


@dataclass(frozen=True)
class _State:
    """The signals that are not done."""

    place: Tensor  # [n] rows of the result
    y: Tensor  # [n, d]
    codes: Tensor  # [n, K]
    slope: Tensor  # [n, K] residual times dictionary


def most(score: Tensor, count: int) -> Tensor:
    """int32 [count, n]: where each row of `score` [n, K], nowhere negative, is largest, in no order.

    Up to a relative 2^-15 where K is 256: on the CPU each number carries its place in its last bits, so that numpy
    can partition the numbers alone, twenty times as fast as torch finds them with their places.
    """
    if not score.is_cpu:
        return score.topk(count, 1, sorted=False).indices.T.int()
    whole = {4: torch.int32, 8: torch.int64}[score.element_size()]
    places = score.shape[1]
    mask = (1 << (places - 1).bit_length()) - 1
    keys = (score.contiguous().view(whole) & ~mask) | torch.arange(places, dtype=whole)
    largest = np.partition(keys.numpy(), places - count, 1)[:, places - count :]
    return torch.from_numpy(np.bitwise_and(largest.T, mask, order="C").astype(np.int32, copy=False))


def _sweep(codes: Tensor, slope: Tensor, gram: Tensor, penalty: float, sweeps: int) -> None:
    """Coordinate descent, in place: codes and slope [m, n], gram [m, m, n]; each weight in turn goes to its best."""
    move, inner = torch.empty_like(codes[0]), torch.empty_like(codes[0])
    for _ in range(sweeps):
        for code, own, row in zip(codes, slope, gram, strict=True):
            torch.add(own, code, out=move)
            torch.clamp(move, -penalty, penalty, out=inner)
            move.sub_(inner).sub_(code)
            code.add_(move)
            slope.addcmul_(row, move, value=-1)


def _improve(s: _State, gram: Tensor, penalty: float, sweeps: int) -> None:
    """`sweeps` sweeps over a fresh working set of each signal; codes in place."""
    used, total = s.codes != 0, len(gram)
    enough = int(used.sum(1).float().quantile(0.9)) + SPARE
    count = min(max(LEAST, enough), total)
    atoms = most(s.slope.abs().masked_fill_(used, torch.inf), count)
    pairs = (atoms[:, None] * total + atoms).reshape(-1)
    small = gram.reshape(-1).index_select(0, pairs).reshape(count, count, -1)
    place = atoms.T.long()
    codes, slope = (x.gather(1, place).T.contiguous() for x in (s.codes, s.slope))
    _sweep(codes, slope, small, penalty, sweeps)
    s.codes.scatter_(1, place, codes.T)


def _stage(
    s: _State, result: Tensor, dictionary: Tensor, turned: Tensor, gram: Tensor, penalty: float, tolerance: float,
    sets: int, sweeps: int,
) -> Tensor:  # fmt: skip
    """Rows whose gap is still open after `sets` working sets; their codes, and those of the others, are in `result`."""
    for left in reversed(range(sets + 1)):
        residual = torch.addmm(s.y, s.codes, dictionary, alpha=-1) if s.codes.any() else s.y
        slope = residual @ turned
        value, gap = duality_gap(s.y, residual, slope.abs().amax(1), s.codes, penalty)
        result[s.place] = s.codes
        s = kept(_State(s.place, s.y, s.codes, slope), gap > tolerance * value)
        if not left or not len(s.place):
            break
        _improve(s, gram, penalty, sweeps)
    return s.place


def by_working_sets(
    signals: Tensor,
    dictionary: Tensor,
    penalty: float,
    tolerance: float,
    stages: tuple[tuple[int, int], ...] = STAGES,
) -> tuple[Tensor, Tensor]:
    """Codes [n, K], and the rows whose duality gap is still above `tolerance` of the objective.

    signals: [n, d]; dictionary: [K, d], atoms of length 1; penalty: in the units of the signals. No sweep raises the
    objective.
    """
    gram, turned = dictionary @ dictionary.T, dictionary.T.contiguous()
    result = signals.new_zeros(len(signals), len(dictionary))
    rows = torch.arange(len(signals), device=signals.device)
    for sets, sweeps in stages:
        open_ = []
        for place in rows.split(TOGETHER):
            s = _State(place, signals[place], result[place], result[:0])
            open_.append(_stage(s, result, dictionary, turned, gram, penalty, tolerance, sets, sweeps))
        rows = torch.cat(open_) if open_ else rows
    return result, rows
