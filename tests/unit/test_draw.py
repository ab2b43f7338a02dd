"""The randomness: the same number for the same sample wherever and however it is asked for."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from zeuxis.draw import Draw, Stream, _mix, key_of

KINDS = {
    "bits": lambda s, rows: s.bits(rows, 3),
    "uniform": lambda s, rows: s.uniform(rows, 3, low=-2.0, high=5.0),
    "normal": lambda s, rows: s.normal(rows, 3),
    "integers": lambda s, rows: s.integers(rows, 3, high=7),
    "keep": lambda s, rows: s.keep(0.4, rows, 3),
}
GOLDEN_KEY = -6830679817921678079
GOLDEN_BITS = [[8722134224938811162, 8840226312135568518], [-8750627725267310692, -786419082093850198]]
GOLDEN_UNIFORM = [0.4728277921676636, 0.47922956943511963]
GOLDEN_NORMAL = [-1.201757, -0.538305, -0.232007]
GOLDEN_INTEGERS = [1, 2, 2, 2, 9]
GOLDEN_PERMUTATION = [2, 4, 3, 5, 7, 6, 0, 1]
SEEDS = st.integers(0, 2**63 - 1)


def stream(seed: int = 3, **shard: int) -> Stream:
    return Draw(seed, step=5, phase="critic", **shard).at("z")


def test_known_bits() -> None:
    """Frozen: another value here means that no run of an earlier version can be repeated."""
    s = stream()
    assert s.key == GOLDEN_KEY
    assert s.bits(2, 2).tolist() == GOLDEN_BITS
    assert s.uniform(1, 2)[0].tolist() == GOLDEN_UNIFORM
    assert s.normal(1, 3)[0].tolist() == pytest.approx(GOLDEN_NORMAL, abs=1e-6)
    assert s.integers(5, high=10).tolist() == GOLDEN_INTEGERS
    assert s.permutation(8).tolist() == GOLDEN_PERMUTATION


def test_the_mixer_is_splitmix64() -> None:
    """First outputs of SplitMix64 started at 1234567, as published with its reference code."""
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    weyl, start = 0x9E3779B97F4A7C15, 1234567
    states = [(start + (i + 1) * weyl) % 2**64 for i in range(4)]
    signed = torch.tensor([s - 2**64 if s >= 2**63 else s for s in states])
    assert [x % 2**64 for x in _mix(signed).tolist()] == known


@given(seed=SEEDS, world=st.integers(1, 16), local=st.integers(1, 4), kind=st.sampled_from(sorted(KINDS)))
def test_shards_equal_the_whole(seed: int, world: int, local: int, kind: str) -> None:
    whole = KINDS[kind](stream(seed), world * local)
    for rank in range(world):
        assert torch.equal(KINDS[kind](stream(seed, rank=rank, world=world), local), whole[rank::world])


@given(seed=SEEDS, rows=st.lists(st.integers(0, 10**9), min_size=1, max_size=16), kind=st.sampled_from(sorted(KINDS)))
def test_a_sample_does_not_know_its_neighbours(seed: int, rows: list[int], kind: str) -> None:
    index = torch.tensor(rows)
    together = KINDS[kind](stream(seed), index)
    alone = [KINDS[kind](stream(seed), index[i : i + 1])[0] for i in range(len(rows))]
    assert torch.equal(together, torch.stack(alone))


@given(seed=SEEDS, n=st.integers(1, 300))
def test_a_permutation_is_one(seed: int, n: int) -> None:
    p = stream(seed).permutation(n)
    assert p.dtype == torch.int64
    assert sorted(p.tolist()) == list(range(n))
    assert torch.equal(p, stream(seed, rank=3, world=4).permutation(n)), "the same in every process"


@given(seed=SEEDS, n=st.integers(1, 40), high=st.integers(1, 1000))
def test_ranges_and_types(seed: int, n: int, high: int) -> None:
    s = stream(seed)
    u, k = s.uniform(n, 2, 3, low=-1.5, high=2.0), s.integers(n, high=high)
    assert u.dtype == torch.float32 and u.shape == (n, 2, 3)
    assert float(u.min()) >= -1.5 and float(u.max()) <= 2.0
    assert k.dtype == torch.int64 and k.shape == (n,) and int(k.min()) >= 0 and int(k.max()) < high
    assert s.normal(n, 5).shape == (n, 5) and s.normal(n).shape == (n,)
    assert bool(s.normal(n, 5).isfinite().all())
    assert s.keep(1.0, n).all() and not s.keep(0.0, n).any()


@given(
    seed=st.integers(0, 2**32),
    other=st.tuples(st.integers(0, 2**32), st.integers(0, 3), st.integers(0, 9), st.sampled_from("abc")),
    name=st.sampled_from(["z", "noise"]),
)
def test_each_part_of_the_key_matters(seed: int, other: tuple[int, int, int, str], name: str) -> None:
    mine, theirs = Draw(seed, 0, 0, "a").at("z"), Draw(*other).at(name)
    same = (seed, 0, 0, "a", "z") == (*other, name)
    assert torch.equal(mine.bits(4, 4), theirs.bits(4, 4)) == same


def test_parts_do_not_run_together() -> None:
    keys = [key_of(1, 23), key_of(12, 3), key_of("1", 23), key_of("a", "b"), key_of("ab"), key_of("ab", ""), key_of(0)]
    assert len(set(keys)) == len(keys)
    assert all(-(2**63) <= k < 2**63 for k in keys)


def test_the_global_generator_is_neither_read_nor_moved() -> None:
    torch.manual_seed(1)
    before, first = torch.get_rng_state(), stream().normal(3, 3)
    torch.manual_seed(2)
    assert torch.equal(stream().normal(3, 3), first)
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_moments_of_the_normal(seed: int) -> None:
    """200,000 numbers: the mean within 4 standard errors, as the variance, and the shape by Kolmogorov and Smirnov."""
    z = stream(seed).normal(2000, 100).double().flatten()
    assert abs(float(z.mean())) < 4 / math.sqrt(z.numel())
    assert abs(float(z.var()) - 1) < 4 * math.sqrt(2 / z.numel())
    assert stats.kstest(z.numpy(), "norm").pvalue > 1e-3


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_uniform_and_integers_are_level(seed: int) -> None:
    s = stream(seed)
    counts = torch.bincount(s.integers(2000, 50, high=97).flatten(), minlength=97)
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3
    cells = (s.uniform(2000, 50) * 64).long().flatten()
    assert stats.chisquare(torch.bincount(cells, minlength=64).numpy()).pvalue > 1e-3
    assert abs(float(s.keep(0.3, 100_000).float().mean()) - 0.3) < 4 * math.sqrt(0.21 / 100_000)


def test_neighbours_are_not_correlated() -> None:
    """Neighbouring samples, places, steps and seeds: each correlation of 100,000 pairs within 4 standard errors."""
    base = stream(7).normal(1000, 101)
    pairs = {
        "samples": (base[:-1], base[1:]),
        "places": (base[:, :-1], base[:, 1:]),
        "seeds": (base, stream(8).normal(1000, 101)),
        "steps": (base, Draw(7, step=6, phase="critic").at("z").normal(1000, 101)),
    }
    for name, (a, b) in pairs.items():
        r = torch.corrcoef(torch.stack([a.flatten(), b.flatten()]).double())[0, 1]
        assert abs(float(r)) < 4 / math.sqrt(a.numel()), name


def test_all_orders_of_three_are_as_likely() -> None:
    orders = [tuple(stream(seed).permutation(3).tolist()) for seed in range(3000)]
    counts = [orders.count(o) for o in sorted(set(orders))]
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > 1e-3
