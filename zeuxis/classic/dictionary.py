"""Dictionaries of patches: fixed (overcomplete cosines), learned by K-SVD.

Atoms are rows [K, d] of length 1, as in zeuxis.classic.sparse_codes; signals are rows [n, d].
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from zeuxis.classic.terms import unit

Coder = Callable[[Tensor, Tensor], Tensor]
"""Signals [n, d] and a dictionary [K, d] to codes [n, K]."""

TWINS = 0.99
"""Two atoms with a larger |cosine| say the same (Aharon, Elad and Bruckstein 2006)."""


def cosines(side: int, waves: int) -> Tensor:
    """The overcomplete discrete cosine dictionary, float32 [waves^2, side^2] (Elad and Aharon 2006).

    Along one axis: cos(pi i k / waves), k = 0 .. waves - 1, without their mean but for k = 0; atoms
    are the products of two. Atom 0 is constant. waves >= side; 16 for patches of 8.
    """
    i, k = torch.arange(side, dtype=torch.float64), torch.arange(waves, dtype=torch.float64)[:, None]
    line = torch.cos(math.pi * i * k / waves)
    line[1:] -= line[1:].mean(1, keepdim=True)
    line = unit(line)
    return torch.kron(line, line).to(torch.float32)


def ksvd_sweep(signals: Tensor, dictionary: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
    """Each atom in turn moved to fit the signals that use it, their codes with it; (dictionary, codes).

    Approximate K-SVD (Rubinstein, Zibulevsky and Elad 2008, Technion CS-2008-08, figure 5): instead of
    the singular vectors of the error without the atom one alternation, d = E'g / |E'g|, g = E d. The
    support of the codes stays and the squared error never grows.
    """
    dictionary, weights = dictionary.clone(), codes.T.contiguous()
    residual = signals - codes @ dictionary
    for k in range(len(dictionary)):
        users = weights[k].nonzero()[:, 0]
        if not len(users):
            continue
        weight = weights[k, users]
        error = residual[users] + weight[:, None] * dictionary[k]
        direction = weight @ error
        length = direction.norm()
        if length <= 1e-12:
            continue
        dictionary[k] = direction / length
        weights[k, users] = error @ dictionary[k]
        residual[users] = error - weights[k, users][:, None] * dictionary[k]
    return dictionary, weights.T.contiguous()


def replace_idle(signals: Tensor, dictionary: Tensor, codes: Tensor, least_users: int = 2) -> Tensor:
    """Atoms that few signals use, or that have a twin, become the signals that are worst represented."""
    cosine = (dictionary @ dictionary.T).abs().tril(-1)
    idle = (codes != 0).sum(0) < least_users
    idle |= (cosine > TWINS).any(1)
    error = (signals - codes @ dictionary).square().sum(1)
    worst = error.argsort(descending=True, stable=True)[: int(idle.sum())]
    worst = worst[error[worst] > 1e-6 * signals[worst].square().sum(1).clamp(min=1e-12)]
    result, places = dictionary.clone(), idle.nonzero()[: len(worst), 0]
    result[places] = unit(signals[worst])
    return result


def ksvd(signals: Tensor, dictionary: Tensor, code: Coder, sweeps: int = 10) -> Tensor:
    """A dictionary [K, d] fitted to the signals by K-SVD (Aharon, Elad and Bruckstein 2006), from the one given."""
    for _ in range(sweeps):
        dictionary, codes = ksvd_sweep(signals, dictionary, code(signals, dictionary))
        dictionary = replace_idle(signals, dictionary, codes)
    return dictionary
