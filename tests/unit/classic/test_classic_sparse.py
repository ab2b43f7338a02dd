import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import sparse_encode
from sklearn.linear_model import orthogonal_mp_gram

from zeuxis.classic.omp import batch_omp
from zeuxis.classic.sparse_codes import Stop, fista, lasso, objective
from zeuxis.classic.terms import duality_gap, largest_eigenvalue, soft, unit
from zeuxis.classic.working_set import by_working_sets, most
from zeuxis.draw import Draw


def normal(name, n, *shape, dtype=torch.float64):
    return Draw(4).at(name).normal(n, *shape).to(dtype)


def problem(n=40, d=16, atoms=48, dtype=torch.float64):
    return normal("signals", n, d, dtype=dtype), unit(normal("atoms", atoms, d, dtype=dtype))


def test_soft_and_eigenvalue():
    assert soft(torch.tensor([-3.0, -0.5, 0.0, 2.0]), 1.0).tolist() == [-2, 0, 0, 1]
    d = normal("atoms", 30, 8)
    for matrix in (d, d.T):
        assert largest_eigenvalue(matrix) == pytest.approx(float(torch.linalg.matrix_norm(d, 2)) ** 2)
    assert torch.equal(unit(torch.zeros(2, 3)), torch.zeros(2, 3))


@pytest.mark.parametrize("solver", [fista, lasso])
@pytest.mark.parametrize("penalty", [0.05, 0.3, 1.0])
def test_fista_has_the_objective_of_scikit_learn(solver, penalty):
    signals, atoms = problem()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sparse_encode(signals.numpy(), atoms.numpy(), algorithm="lasso_cd", alpha=penalty, max_iter=5000)
    best = objective(signals, atoms, torch.from_numpy(theirs), penalty).sum()
    ours = solver(signals, atoms, penalty)
    assert float(objective(signals, atoms, ours, penalty).sum()) == pytest.approx(float(best), rel=1e-4)


def test_fista_keeps_its_promise_for_each_signal():
    signals, atoms = problem(dtype=torch.float32)
    exact = fista(signals.double(), atoms.double(), 0.2, stop=Stop(1e-9, 20_000))
    least = objective(signals.double(), atoms.double(), exact, 0.2)
    found = [fista(signals, atoms, 0.2), fista(signals, atoms, 0.2, stop=Stop(greedy=0))]
    found += [lasso(signals, atoms, 0.2)]
    for codes in found:
        above = objective(signals, atoms, codes, 0.2).double() / least - 1
        assert above.max() < 1.1e-4 and above.min() > -1e-5


def test_the_conditions_of_the_lasso_hold():
    signals, atoms = problem()
    codes = fista(signals, atoms, 0.3, stop=Stop(1e-10, 20_000))
    slope = (signals - codes @ atoms) @ atoms.T
    assert slope.abs().max() <= 0.3 + 1e-4
    active = codes.abs() > 1e-6
    assert torch.allclose(slope[active], 0.3 * codes[active].sign(), atol=1e-4)


def test_orthonormal_atoms_have_a_closed_form():
    q = torch.linalg.qr(normal("q", 12, 12))[0]
    signals = normal("signals", 9, 12)
    expected = soft(signals @ q.T, 0.4)
    for solver in (fista, lasso):
        assert torch.allclose(solver(signals, q, 0.4, stop=Stop(1e-12)), expected, atol=1e-5)
        assert not solver(signals, q, 100.0).any()


def test_zero_empty_and_many_signals():
    _, atoms = problem()
    assert not fista(torch.zeros(3, 16, dtype=torch.float64), atoms, 0.1).any()
    assert not lasso(torch.zeros(3, 16, dtype=torch.float64), atoms, 0.1).any()
    assert fista(torch.zeros(0, 16), atoms.float(), 0.1).shape == (0, 48)
    assert lasso(torch.zeros(0, 16), atoms.float(), 0.1).shape == (0, 48)
    assert batch_omp(torch.zeros(0, 16), atoms.float(), 2).shape == (0, 48)
    many, stop = normal("many", 1100, 16), Stop(1e-9, 20_000)
    for solver in (fista, lasso):
        part = solver(many[1000:], atoms, 0.5, stop=stop)
        assert torch.allclose(solver(many, atoms, 0.5, stop=stop)[1000:], part, atol=1e-3)


def test_fista_with_a_mask_sees_only_what_is_known():
    signals, atoms = problem()
    known = (Draw(2).at("known").uniform(40, 16) < 0.6).double()
    stop = Stop(1e-9, 20_000)
    codes = fista(signals, atoms, 0.2, known, stop=stop)
    other = fista(torch.where(known > 0, signals, 99.0), atoms, 0.2, known, stop=stop)
    assert torch.equal(codes, other)
    for k in (0, 7):
        seen = known[k] > 0
        alone = fista(signals[k : k + 1, seen], atoms[:, seen], 0.2, stop=stop)
        values = [objective(signals[k : k + 1, seen], atoms[:, seen], c, 0.2) for c in (codes[k : k + 1], alone)]
        assert float(values[0]) == pytest.approx(float(values[1]), rel=1e-6)


def test_gap_bounds_the_distance_to_the_least_objective():
    signals, atoms = problem()
    least = objective(signals, atoms, fista(signals, atoms, 0.3, stop=Stop(1e-10, 20_000)), 0.3)
    for few in (1, 5, 20):
        codes = fista(signals, atoms, 0.3, stop=Stop(most=few))
        rest = signals - codes @ atoms
        value, gap = duality_gap(signals, rest, (rest @ atoms.T).abs().amax(1), codes, 0.3)
        assert torch.allclose(value, objective(signals, atoms, codes, 0.3))
        assert (value - gap <= least + 1e-9).all()


@given(st.integers(1, 5), st.integers(2, 300), st.sampled_from([torch.float32, torch.float64]))
def test_most_finds_the_largest_of_each_row(n, k, dtype):
    x = normal(f"x {n} {k}", n, k).abs().to(dtype)
    x[:, 0] = torch.inf
    count = 1 + k // 3
    found = most(x, count)
    assert found.shape == (count, n) and found.dtype == torch.int32
    assert all(len(set(row)) == count and 0 in row for row in found.T.tolist())
    least = x.gather(1, found.T.long()).amin(1)
    assert (least >= x.topk(count, 1).values[:, -1] * (1 - 2**-13)).all()


def test_no_working_set_raises_the_objective_and_many_are_exact():
    signals, atoms = problem()
    before = objective(signals, atoms, torch.zeros(40, 48, dtype=torch.float64), 0.1)
    for sets in range(12):
        codes, _ = by_working_sets(signals, atoms, 0.1, 0.0, ((sets, 1),))
        now = objective(signals, atoms, codes, 0.1)
        assert (now <= before + 1e-9).all()
        before = now
    exact = objective(signals, atoms, fista(signals, atoms, 0.1, stop=Stop(1e-10, 20_000)), 0.1)
    codes, left = by_working_sets(signals, atoms, 0.1, 1e-6, ((3, 4), (200, 10)))
    done = torch.ones(40, dtype=torch.bool).index_fill(0, left, False)
    assert done.sum() >= 36  # those with more atoms than nine in ten are left to FISTA
    assert torch.allclose(objective(signals, atoms, codes, 0.1)[done], exact[done], rtol=1e-6)
    none, all_ = by_working_sets(signals, atoms, 0.1, 1e-8, ())
    assert not none.any() and len(all_) == 40
    nothing, rows = by_working_sets(signals[:0], atoms, 0.1, 1e-8)
    assert nothing.shape == (0, 48) and not len(rows)


def test_lasso_with_twins():
    signals, atoms = problem(dtype=torch.float32)
    twins = torch.cat([atoms, atoms, -atoms])
    codes, once = lasso(signals, twins, 0.2), lasso(signals, atoms, 0.2)
    values = [objective(signals, d, c, 0.2) for d, c in ((twins, codes), (atoms, once))]
    assert torch.allclose(*values, rtol=3e-4)


@settings(max_examples=25)
@given(st.integers(2, 20), st.integers(4, 40), st.integers(1, 8))
def test_omp_equals_scikit_learn(d, k, atoms):
    signals, dictionary = normal(f"y {d}", 12, d), unit(normal(f"d {d} {k}", k, d))
    atoms = min(atoms, d - 1, k)
    gram, inner = (dictionary @ dictionary.T).numpy(), (signals @ dictionary.T).T.numpy()
    expected = orthogonal_mp_gram(gram, inner, n_nonzero_coefs=atoms)
    expected = np.asarray(expected).reshape(k, -1).T
    assert np.allclose(batch_omp(signals, dictionary, atoms).numpy(), expected, atol=1e-8)


def test_omp_stops_at_the_error():
    signals, dictionary = problem()
    codes = batch_omp(signals, dictionary, error=1.5)
    gram, inner = (dictionary @ dictionary.T).numpy(), (signals @ dictionary.T).T.numpy()
    squares = signals.square().sum(1).numpy()
    expected = orthogonal_mp_gram(gram, inner, tol=1.5**2, norms_squared=squares).T
    assert np.allclose(codes.numpy(), expected, atol=1e-8)
    assert ((signals - codes @ dictionary).norm(dim=1) <= 1.5).all()
    each = torch.linspace(0.5, 3, 40)
    assert ((signals - batch_omp(signals, dictionary, error=each) @ dictionary).norm(dim=1) <= each + 1e-9).all()
    assert not batch_omp(signals, dictionary, error=100.0).any()


def test_omp_with_twins_and_with_fewer_dimensions_than_asked_for():
    signals, dictionary = problem(d=6, atoms=10)
    twins = torch.cat([dictionary, dictionary])
    codes = batch_omp(signals, twins, 20)
    assert torch.allclose(codes @ twins, signals, atol=1e-8) and (codes != 0).sum(1).max() <= 6
    line = unit(torch.ones(3, 6, dtype=torch.float64))
    assert (batch_omp(signals, line, 3) != 0).sum(1).max() == 1


def test_omp_with_a_mask_is_omp_on_the_known_entries():
    signals, dictionary = problem()
    known = torch.ones(40, 16, dtype=torch.float64)
    known[:, 10:] = 0
    codes = batch_omp(signals, dictionary, 4, known=known)
    part = dictionary[:, :10]
    alone = batch_omp(signals[:, :10], unit(part), 4) / part.norm(dim=1)
    assert torch.allclose(codes, alone, atol=1e-8)


def test_omp_finds_the_atoms_that_made_a_signal():
    dictionary = unit(normal("big", 40, 64))
    truth = torch.zeros(5, 40, dtype=torch.float64)
    for k in range(5):
        truth[k, Draw(k).at("rows").permutation(40)[:3]] = torch.tensor([3.0, -2.0, 1.5], dtype=torch.float64)
    assert torch.allclose(batch_omp(truth @ dictionary, dictionary, 3), truth, atol=1e-8)
