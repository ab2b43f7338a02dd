"""All randomness: pure functions of (seed, attempt, step, phase, name, global sample index).

A counter-based generator: every number is a hash of its key, its sample and its
place, so a sample's numbers depend neither on the batch it stands in, nor on the
process that computes it, nor on anything drawn before. The mixing function is the
finaliser of SplitMix64 (Steele, Lea, Flood 2014, doi 10.1145/2714064.2660195, with
Stafford's constants 13), run in wrapping 64-bit integers, so integers are the same
on every device.
"""

import hashlib
import math
from dataclasses import dataclass

import torch
from torch import Tensor

_WEYL = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed integer: SplitMix64's increment
_MIX1, _MIX2 = -4658895280553007687, -7723592293110705685  # 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def key_of(*parts: object) -> int:
    """A signed 64-bit key from any printable parts: a hash, never a sum, so seeds do not collide."""
    digest = hashlib.blake2b("\x1f".join(map(repr, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _mix(x: Tensor) -> Tensor:
    x = (x ^ ((x >> 30) & 0x3FFFFFFFF)) * _MIX1
    x = (x ^ ((x >> 27) & 0x1FFFFFFFFF)) * _MIX2
    return x ^ ((x >> 31) & 0x1FFFFFFFF)


@dataclass(frozen=True)
class Stream:
    """Numbers of one name. `rows` below is a count of local samples or a tensor of global indices."""

    key: int
    rank: int = 0
    world: int = 1
    device: str = "cpu"
    chosen: Tensor | None = None

    def index(self, rows: int | Tensor) -> Tensor:
        """Global sample indices: local row i of this shard is row i * world + rank of the whole batch.

        Where the draw was made for chosen samples, they stand for any count of rows.
        """
        if isinstance(rows, Tensor) or self.chosen is not None:
            given = rows if isinstance(rows, Tensor) else self.chosen
            assert given is not None
            return given.to(device=self.device, dtype=torch.int64)
        return torch.arange(rows, device=self.device) * self.world + self.rank

    def bits(self, rows: int | Tensor, *shape: int) -> Tensor:
        """int64 hashes, [rows, *shape]."""
        start = _mix(self.key + (self.index(rows) + 1) * _WEYL)
        counter = torch.arange(1, math.prod(shape) + 1, device=self.device) * _WEYL
        return _mix(start[:, None] + counter).reshape(-1, *shape)

    def uniform(self, rows: int | Tensor, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """float32 in [low, high), [rows, *shape]."""
        u = ((self.bits(rows, *shape) >> 40) & 0xFFFFFF).to(torch.float32) * 2.0**-24
        return low + (high - low) * u

    def normal(self, rows: int | Tensor, *shape: int) -> Tensor:
        """float32 standard normal by Box and Muller (1958), computed in float64, [rows, *shape]."""
        n = math.prod(shape)
        half = (n + 1) // 2
        u = ((self.bits(rows, 2 * half) >> 11) & 0x1FFFFFFFFFFFFF).to(torch.float64).add_(0.5).mul_(2.0**-53)
        radius, angle = torch.sqrt(-2.0 * torch.log(u[:, :half])), (2.0 * math.pi) * u[:, half:]
        z = torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)], 1)[:, :n]
        return z.to(torch.float32).reshape(-1, *shape)

    def integers(self, rows: int | Tensor, *shape: int, high: int) -> Tensor:
        """int64 in [0, high), [rows, *shape]; the bias of the remainder is below high / 2^63."""
        return ((self.bits(rows, *shape) >> 1) & 0x7FFFFFFFFFFFFFFF) % high

    def keep(self, p: float, rows: int | Tensor, *shape: int) -> Tensor:
        """bool, true with probability p, [rows, *shape]."""
        return self.uniform(rows, *shape) < p

    def permutation(self, n: int) -> Tensor:
        """A permutation of range(n), int64 [n], the same in every process."""
        return torch.argsort(Stream(self.key, device=self.device).bits(1, n)[0], stable=True)


def some_of(n: int, most: int, *name: object) -> Tensor:
    """Positions in range(n) by chance, int64 [min(n, most)]: a collection's first are of one class.

    name: what they are drawn for, and a seed where there is one.
    """
    return Stream(key_of(*name)).permutation(n)[:most]


@dataclass(frozen=True)
class Draw:
    """The randomness of one phase of one step; `at(name)` gives the numbers of one purpose.

    `rank` and `world` say which strided shard of the global batch this process (or
    micro-batch) holds: a draw of `rows` local samples equals those rows of the draw
    that one process would make for the whole batch.
    """

    seed: int
    attempt: int = 0
    step: int = 0
    phase: str = ""
    rank: int = 0
    world: int = 1
    device: str = "cpu"
    chosen: Tensor | None = None

    def at(self, name: str) -> Stream:
        key = key_of(self.seed, self.attempt, self.step, self.phase, name)
        return Stream(key, self.rank, self.world, self.device, self.chosen)
