"""First codes for the l1 penalty: greedy coordinate descent, and Newton steps among the atoms that it found.

Most signals that few atoms explain are finished by it, at a fraction of the cost of gradient steps:
a step touches one atom, so it needs no matrix product.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from zeuxis.classic.terms import duality_gap, kept

STEPS = 8
"""Own: coordinates that move between two looks at the gap."""
WIDEST = 32
"""Own: atoms of a signal that one Newton step moves: those with the largest weights."""
_LANE = 16


def largest(x: Tensor) -> Tensor:
    """int64 [n]: where each row of `x` [n, K] is largest; in two short searches, for torch's long one is slow."""
    n, k = x.shape
    if k % _LANE:
        return x.argmax(1)
    lanes = x.reshape(n, k // _LANE, _LANE)
    lane = lanes.amax(1).argmax(1)
    block = lanes.gather(2, lane[:, None, None].expand(n, k // _LANE, 1))[..., 0].argmax(1)
    return block * _LANE + lane


@dataclass(frozen=True)
class _State:
    """The signals that are not done."""

    place: Tensor  # [n] rows of the result
    y: Tensor  # [n, d]
    codes: Tensor  # [n, K]
    slope: Tensor  # [n, K] residual times dictionary


def _descend(s: _State, gram: Tensor, penalty: float) -> None:
    """STEPS times, in place: the atom whose weight is furthest from its best goes there (Li and Osher 2009)."""
    for _ in range(STEPS):
        aim = s.slope + s.codes
        move = aim.sub_(aim.clamp(-penalty, penalty)).sub_(s.codes)
        atom = largest(move.abs())[:, None]
        chosen = move.gather(1, atom)
        s.codes.scatter_add_(1, atom, chosen)
        s.slope.addcmul_(gram.index_select(0, atom[:, 0]), chosen, value=-1)


def _settle(s: _State, gram: Tensor, penalty: float) -> None:
    """The active weights to the least objective with their signs held, as far as none crosses zero; codes in place."""
    count = int((s.codes != 0).sum(1).amax().clamp(1, WIDEST))
    atoms = s.codes.abs().topk(min(count, s.codes.shape[1]), 1).indices
    old = s.codes.gather(1, atoms)
    sign = old.sign()
    inside = sign.abs()
    square = gram[atoms[:, :, None], atoms[:, None, :]] * inside[:, :, None] * inside[:, None]
    ridge = 1 - inside + 16 * torch.finfo(gram.dtype).eps  # twins must not be singular
    factor, failed = torch.linalg.cholesky_ex(square + torch.diag_embed(ridge))
    wanted = (s.slope.gather(1, atoms) - penalty * sign) * inside
    move = torch.cholesky_solve(wanted[..., None], factor)[..., 0]
    move = torch.where((failed == 0)[:, None] & move.isfinite().all(1, keepdim=True), move, 0.0)
    crosses = (old + move) * sign < 0
    share = torch.where(crosses, -old / move, 2.0)
    first = share.amin(1, keepdim=True)
    new = old + first.clamp(max=1.0) * move
    s.codes.scatter_(1, atoms, torch.where(crosses & (share <= first), 0.0, new))


def descent(
    signals: Tensor, dictionary: Tensor, penalty: float, tolerance: float, rounds: int
) -> tuple[Tensor, Tensor]:
    """Codes [n, K] after at most `rounds` rounds, and the rows whose gap is still above `tolerance` of the objective.

    A round is STEPS coordinates and, from the second on, a Newton step among the active atoms; neither
    raises the objective. Atoms must have length 1.
    """
    gram, turned = dictionary @ dictionary.T, dictionary.T.contiguous()
    result = signals.new_zeros(len(signals), len(dictionary))
    s = _State(torch.arange(len(signals)), signals, result.clone(), result)
    for round_ in range(rounds + 1):
        if round_:
            _descend(s, gram, penalty)
        if round_ > 1:
            _settle(s, gram, penalty)
        residual = torch.addmm(s.y, s.codes, dictionary, alpha=-1)
        slope = residual @ turned
        value, gap = duality_gap(s.y, residual, slope.abs().amax(1), s.codes, penalty)
        open_ = gap > tolerance * value
        result[s.place] = s.codes
        s = kept(_State(s.place, s.y, s.codes, slope), open_)
        if not len(s.place):
            break
    return result, s.place
