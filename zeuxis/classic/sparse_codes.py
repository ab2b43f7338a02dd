"""Sparse codes of many signals at once, with the l1 penalty: FISTA, and FISTA for what working sets leave over.

Signals are rows [n, d], atoms are rows [K, d] (as in scikit-learn), codes are [n, K]: a signal is
about codes @ dictionary. `known` [n, d] (1 known, 0 not) leaves entries of a signal out of account.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zeuxis.classic.omp import batch_omp
from zeuxis.classic.terms import GROUP, duality_gap, kept, largest_eigenvalue, objective, soft, unit
from zeuxis.classic.working_set import by_working_sets

__all__ = ["Stop", "batch_omp", "fista", "lasso", "objective", "unit"]


GREED = 1.3
"""The greedy scheme's step in units of 1 / L, as published."""


@dataclass(frozen=True)
class Stop:
    """When FISTA ends: the duality gap is below `tolerance` of the objective, or after `most` steps."""

    tolerance: float = 1e-4
    most: int = 2000
    every: int = 10  # own: steps between two looks at the gap
    greedy: int = 200  # own: steps of the greedy scheme before the one that is sure to converge


@dataclass(frozen=True)
class _State:
    """The signals that are not done, and where each stands."""

    place: Tensor  # [n] rows of the result
    y: Tensor  # [n, d]
    codes: Tensor  # [n, K]
    ahead: Tensor  # [n, K] the extrapolated codes, where the gradient is taken
    momentum: Tensor  # [n, 1] t of the paper
    known: Tensor | None


def _residual(y: Tensor, codes: Tensor, dictionary: Tensor, known: Tensor | None) -> Tensor:
    rest = torch.addmm(y, codes, dictionary, alpha=-1)
    return rest if known is None else rest * known


def _stepped(s: _State, dictionary: Tensor, turned: Tensor, threshold: float, greedy: bool) -> _State:
    """One step; `turned` is the transposed dictionary times the step length. Restarts where momentum points uphill."""
    new = soft(torch.addmm(s.ahead, _residual(s.y, s.ahead, dictionary, s.known), turned), threshold)
    moved = new - s.codes
    uphill = torch.linalg.vecdot(s.ahead - new, moved)[:, None] > 0
    if greedy:
        return replace(s, codes=new, ahead=torch.addcmul(new, moved, (~uphill).to(new.dtype)))
    before = torch.where(uphill, 1.0, s.momentum)
    after = 0.5 * (1 + torch.sqrt(1 + 4 * before.square()))
    return replace(s, codes=new, ahead=torch.addcmul(new, moved, (before - 1) / after), momentum=after)


def _fista(
    y: Tensor, dictionary: Tensor, penalty: float, known: Tensor | None, start: Tensor, step: float, stop: Stop
) -> Tensor:
    """FISTA on one group of signals; those that are done leave it."""
    result = start.clone()
    s = _State(torch.arange(len(y)), y, start, start, y.new_ones(len(y), 1), known)
    turned = dictionary.T.contiguous()
    scaled = {greedy: turned * step * (GREED if greedy else 1.0) for greedy in (True, False)}
    for count in range(stop.most):
        if not len(s.place):
            return result
        greedy = count < stop.greedy
        s = _stepped(s, dictionary, scaled[greedy], penalty * step * (GREED if greedy else 1.0), greedy)
        if (count + 1) % stop.every:
            continue
        rest = _residual(s.y, s.codes, dictionary, s.known)
        value, gap = duality_gap(s.y, rest, (rest @ turned).abs().amax(1), s.codes, penalty)
        open_ = gap > stop.tolerance * value
        if not open_.all():
            result[s.place] = s.codes
            s = kept(s, open_)
    result[s.place] = s.codes
    return result


def fista(
    signals: Tensor,
    dictionary: Tensor,
    penalty: float,
    known: Tensor | None = None,
    start: Tensor | None = None,
    stop: Stop | None = None,
) -> Tensor:
    """Codes [n, K] that minimise 1/2 ||known (y - a D)||^2 + penalty ||a||_1 for each signal [n, d].

    FISTA (Beck and Teboulle 2009, doi 10.1137/080716542), restarted where the gradient says so
    (O'Donoghue and Candes 2015, arXiv 1204.3982), each signal by itself; a signal leaves when its
    duality gap is small enough. The first steps are those of greedy FISTA (Liang, Luo and Schönlieb
    2018, arXiv 1811.01430). `penalty` is in the units of the signals, positive; `start` [n, K] are the
    first codes, zero where None. Atoms need not have length 1.
    """
    stop = stop or Stop()
    step = 1 / max(largest_eigenvalue(dictionary) * 1.0001, 1e-30)
    hidden = signals if known is None else signals * known
    parts = []
    for at in range(0, len(signals), GROUP):
        group = slice(at, at + GROUP)
        mask = None if known is None else known[group].to(signals.dtype)
        first = hidden.new_zeros(len(hidden[group]), len(dictionary)) if start is None else start[group]
        parts.append(_fista(hidden[group], dictionary, penalty, mask, first, step, stop))
    return torch.cat(parts) if parts else signals.new_zeros(0, len(dictionary))


def lasso(signals: Tensor, dictionary: Tensor, penalty: float, stop: Stop | None = None) -> Tensor:
    """The codes of `fista`, sooner: by working sets first (zeuxis.classic.working_set), FISTA for what is left.

    Signals [n, d], atoms [K, d] of length 1; to the same duality gap.
    """
    stop = stop or Stop()
    result, rows = by_working_sets(signals, dictionary, penalty, stop.tolerance)
    if len(rows):
        result[rows] = fista(signals[rows], dictionary, penalty, None, result[rows], stop)
    return result
