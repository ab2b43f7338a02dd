import math

import pytest
import torch

from zeuxis.classic.dictionary import cosines, ksvd, ksvd_sweep, replace_idle
from zeuxis.classic.omp import batch_omp
from zeuxis.classic.terms import unit
from zeuxis.draw import Draw


def made_of(n=400, d=16, atoms=24, count=3):
    """Signals of `count` atoms each, and the atoms."""
    truth = unit(Draw(5).at("truth").normal(atoms, d))
    codes = torch.zeros(n, atoms)
    which = Draw(5).at("which").uniform(n, atoms).argsort(1)[:, :count]
    codes.scatter_(1, which, Draw(5).at("weights").normal(n, count) + 2.0)
    return codes @ truth, truth


def first_atoms(signals, atoms, draw):
    """Some of the signals, at length 1."""
    return unit(signals[draw.at("atoms").permutation(len(signals))[:atoms]])


def three(signals, dictionary):
    return batch_omp(signals, dictionary, 3)


def test_cosines():
    atoms = cosines(8, 16)
    assert atoms.shape == (256, 64) and torch.allclose(atoms.norm(dim=1), torch.ones(256), atol=1e-6)
    assert torch.allclose(atoms[0], torch.full((64,), 1 / 8))
    assert atoms[1:].sum(1).abs().max() < 1e-5
    line = torch.tensor([math.cos(math.pi * i * 3 / 16) for i in range(8)])
    line = (line - line.mean()) / (line - line.mean()).norm()
    assert torch.allclose(atoms[3].reshape(8, 8)[0], line / 8**0.5, atol=1e-6)
    assert torch.linalg.matrix_rank(cosines(4, 7)) == 16


def test_a_sweep_never_raises_the_error_and_keeps_the_support():
    signals, _ = made_of()
    dictionary = first_atoms(signals, 24, Draw(1))
    codes = three(signals, dictionary)
    support, error = codes != 0, (signals - codes @ dictionary).square().sum()
    for _ in range(6):
        dictionary, codes = ksvd_sweep(signals, dictionary, codes)
        now = (signals - codes @ dictionary).square().sum()
        assert now <= error * (1 + 1e-5) and torch.equal(codes != 0, support)
        assert torch.allclose(dictionary.norm(dim=1), torch.ones(24), atol=1e-5)
        error = now


def test_a_sweep_solves_one_atom_exactly():
    """With one atom for all, alternations end at the first singular vector."""
    signals = Draw(2).at("signals").normal(50, 6)
    dictionary = unit(Draw(2).at("first").normal(1, 6))
    codes = signals @ dictionary.T
    for _ in range(200):
        dictionary, codes = ksvd_sweep(signals, dictionary, codes)
    first = torch.linalg.svd(signals)[2][0]
    assert abs(float(first @ dictionary[0])) == pytest.approx(1, abs=1e-4)


def test_idle_atoms_and_twins_become_what_is_worst_represented():
    signals = torch.eye(4) * torch.tensor([1.0, 2.0, 5.0, 4.0])[:, None]
    dictionary = torch.eye(4)[[0, 0, 1]]
    codes = torch.tensor([[1.0, 0, 0], [0, 0, 2], [0, 0, 0], [0, 0, 0]])
    result = replace_idle(signals, dictionary, codes, least_users=1)
    assert torch.equal(result, torch.eye(4)[[0, 2, 1]])
    assert torch.equal(replace_idle(signals[:1], dictionary, codes[:1], least_users=0)[0], dictionary[0])


def test_ksvd_finds_the_atoms():
    signals, truth = made_of(n=1500)
    found = ksvd(signals, first_atoms(signals, 24, Draw(0)), three, 25)
    assert ((found @ truth.T).abs().amax(0) > 0.98).float().mean() >= 0.8
