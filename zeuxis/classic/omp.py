"""Orthogonal matching pursuit of many signals at once: codes of a given count of atoms or a given error.

Signals are rows [n, d], atoms are rows [K, d] of length 1, codes are [n, K].
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zeuxis.classic.terms import kept

GROUP = 2048
"""Signals that step together."""

SMALLEST = {torch.float32: 1e-6, torch.float64: 1e-10}
"""Below this share of its squared length, an atom's part outside the chosen ones is rounding."""


@dataclass(frozen=True)
class _Pursuit:
    """The signals that still choose: each of them has chosen the same number s of atoms."""

    place: Tensor  # [n] rows of the result
    residual: Tensor  # [n, d]
    limit: Tensor  # [n] squared error at which to stop
    chosen: Tensor  # [n, s] atoms
    basis: Tensor  # [n, s, d] the chosen atoms made orthonormal: Q of the QR factors
    factor: Tensor  # [n, s, s] upper triangular R; its transpose is the Cholesky factor of the atoms' Gram matrix
    inner: Tensor  # [n, s] signal times basis
    known: Tensor | None
    lengths: Tensor | None  # [n, K] of the atoms where known

    def codes(self) -> Tensor:
        """Least-squares weights [n, s] of the chosen atoms."""
        weights: Tensor = torch.linalg.solve_triangular(self.factor, self.inner[..., None], upper=True)
        return weights[..., 0]


def _start(signals: Tensor, dictionary: Tensor, limit: Tensor, known: Tensor | None) -> _Pursuit:
    n, d = signals.shape
    lengths = None if known is None else (known @ dictionary.square().T).sqrt().clamp(min=1e-6)
    return _Pursuit(
        torch.arange(n), signals if known is None else signals * known, limit,
        torch.zeros(n, 0, dtype=torch.int64), signals.new_zeros(n, 0, d), signals.new_zeros(n, 0, 0),
        signals.new_zeros(n, 0), known, lengths,
    )  # fmt: skip


def _grow(p: _Pursuit, dictionary: Tensor) -> tuple[_Pursuit, Tensor]:
    """One more atom for each signal, and bool [n]: the atom was not already in the span of the others."""
    correlation = p.residual @ dictionary.T
    correlation = correlation if p.lengths is None else correlation / p.lengths
    atom = correlation.abs().argmax(1)
    new = dictionary[atom] if p.known is None else dictionary[atom] * p.known
    length = new.square().sum(1)
    along = torch.bmm(p.basis, new[..., None])[..., 0]
    rest = new - torch.bmm(along[:, None], p.basis)[:, 0]
    again = torch.bmm(p.basis, rest[..., None])[..., 0]  # a second pass: Gram-Schmidt loses digits in one
    rest, along = rest - torch.bmm(again[:, None], p.basis)[:, 0], along + again
    height = rest.square().sum(1)
    fresh = height > SMALLEST[height.dtype] * length.clamp(min=1e-12)
    size = height.sqrt().clamp(min=1e-12)
    q = rest / size[:, None]
    value = (p.residual * q).sum(1)
    s = p.chosen.shape[1]
    factor = p.factor.new_zeros(len(q), s + 1, s + 1)
    factor[:, :s, :s], factor[:, :s, s], factor[:, s, s] = p.factor, along, size
    grown = _Pursuit(
        p.place, p.residual - value[:, None] * q, p.limit, torch.cat([p.chosen, atom[:, None]], 1),
        torch.cat([p.basis, q[:, None]], 1), factor, torch.cat([p.inner, value[:, None]], 1), p.known, p.lengths,
    )  # fmt: skip
    return grown, fresh


def _omp(signals: Tensor, dictionary: Tensor, most: int, limit: Tensor, known: Tensor | None) -> Tensor:
    result = signals.new_zeros(len(signals), len(dictionary))

    def finish(done: _Pursuit) -> None:
        if len(done.place) and done.chosen.shape[1]:
            result[done.place[:, None], done.chosen] = done.codes()

    state = _start(signals, dictionary, limit, known)
    for _ in range(most):
        going = state.residual.square().sum(1) > state.limit
        finish(kept(state, ~going))
        state = kept(state, going)
        if not len(state.place):
            return result
        grown, fresh = _grow(state, dictionary)
        finish(kept(state, ~fresh))
        state = kept(grown, fresh)
    finish(state)
    return result


def batch_omp(
    signals: Tensor,
    dictionary: Tensor,
    atoms: int | None = None,
    error: float | Tensor = 0.0,
    known: Tensor | None = None,
) -> Tensor:
    """Orthogonal matching pursuit (Pati et al. 1993): codes [n, K] of at most `atoms` atoms per signal.

    Stops a signal as soon as its residual's length is at most `error` (a number or [n]); atoms: None
    means up to min(d, K). All signals step together and leave when done, as in Batch-OMP (Rubinstein,
    Zibulevsky and Elad 2008, Technion CS-2008-08), with the Cholesky factor grown by Gram-Schmidt:
    with a whole batch the residual's product with the dictionary is cheaper than gathering rows of the
    Gram matrix, and a mask per signal costs nothing more. Atoms must have length 1; with `known`, an
    atom competes at its length over the known entries.
    """
    most = min(atoms if atoms is not None else math.inf, *dictionary.shape)
    limit = torch.as_tensor(error, dtype=signals.dtype).square().expand(len(signals))
    parts = []
    for at in range(0, len(signals), GROUP):
        mask = None if known is None else known[at : at + GROUP].to(signals.dtype)
        group = signals[at : at + GROUP]
        parts.append(_omp(group, dictionary, int(most), limit[at : at + GROUP], mask))
    return torch.cat(parts) if parts else signals.new_zeros(0, len(dictionary))
