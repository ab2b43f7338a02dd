"""What JPEG left: the quality that a file's tables mean, and the quality of a picture whose file is lost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from zeuxis.classic.decorrelation import luma
from zeuxis.errors import BadInput

# ITU-T T.81 (1992), annex K, tables K.1 (luma) and K.2 (chroma), row by row
_LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, *(99,) * 32,
)  # fmt: skip


ORDER = (torch.arange(8)[:, None] + torch.arange(8)).flatten()
"""Row and column, added, of the 64 coefficients of a block: how fine their waves are."""


def cosine_transform(side: int = 8) -> Tensor:
    """The orthonormal DCT-II of blocks as a matrix, float32 [side^2, side^2]: coefficients = matrix @ block."""
    i = torch.arange(side, dtype=torch.float64)
    line = torch.cos(math.pi * (2 * i + 1) * i[:, None] / (2 * side)) * math.sqrt(2 / side)
    line[0] /= math.sqrt(2)
    return torch.kron(line, line).to(torch.float32)


def tables(qualities: Tensor, base: Sequence[int] = _LUMA) -> Tensor:
    """The Independent JPEG Group's quantisation tables, [n, 64] row by row, for whole qualities 1..100 [n].

    jcparam.c: scale = 5000 / q below 50, else 200 - 2 q, in whole numbers; (base scale + 50) / 100
    rounded down, held in 1..255.
    """
    scale = torch.where(qualities < 50, 5000 // qualities, 200 - 2 * qualities)
    steps = (torch.tensor(base)[None] * scale[:, None] + 50) // 100
    return steps.clamp(1, 255)


@dataclass(frozen=True)
class Tables:
    """The nearest quality of the Independent JPEG Group's scale."""

    quality: int  # 1..100
    exact: bool  # every entry agrees; other programs have tables of their own


def jpeg_quality_of_tables(quantization: Mapping[int, Sequence[int]]) -> Tables:
    """The quality of a file from its tables, as Pillow's `Image.quantization` gives them (row by row, luma first).

    The nearest by the mean |log ratio| of the entries. Raises BadInput where no table of 64 entries is there.
    """
    qualities = torch.arange(1, 101)
    distance, exact, used = torch.zeros(100, dtype=torch.float64), torch.ones(100, dtype=torch.bool), 0
    for place, base in zip(sorted(quantization)[:2], (_LUMA, _CHROMA)):
        own = torch.tensor(list(quantization[place]), dtype=torch.float64)
        if own.numel() != 64:
            continue
        candidates = tables(qualities, base).double()
        distance += (own.clamp(min=1).log() - candidates.log()).abs().mean(1)
        exact &= (candidates == own).all(1)
        used += 1
    if not used:
        raise BadInput("the file has no quantisation table of 64 entries")
    best = int(distance.argmin())
    return Tables(best + 1, bool(exact[best]))


PROBED = (1, 2, 3, 4, 8, 9, 10, 11, 12, 16, 17, 18, 19, 24, 25, 26, 32, 33, 34, 40)
"""The low frequencies whose coefficients are looked at, by place in the block."""
BINS, FINE = 512, 2
"""Coefficients are counted to 1 / FINE, below BINS / FINE; larger ones say little of the lattice and are left out."""
MOST_BLOCKS, FEWEST_BLOCKS = 1536, 48
"""Blocks that are looked at in each of the 64 positions of the grid: what bounds the time; and how few are too few."""
SURE, SHARP = 8.0, 0.3
"""Own: standard deviations above chance, and mean cosine, from which a lattice is believed (docs/classic.md)."""
COARSE, CLEAR, ASTRAY = 65, 0.7, 0.1
"""Own: up to this quality the steps are far wider than any rounding. So the mean cosine must be higher, and of all
coefficients, those that became 0 included, at most a share may lie nearer to the middle between two multiples."""
WITHOUT = 5.0, 12.0
"""Own: of a coarse lattice and of a finer one, standard deviations above chance that remain without the waves of rows
alone, and without those of columns. Of 246 true lattices 6.6 and 31 at the least; of stripes across drawings, which
are one wave of one height all over, 1 and 6 at most.
"""
AGREE = 3
"""Frequencies that must show the lattice each by itself."""
RICH = 3
"""Own: from so many of the probed coefficients of 1 grey level and more a block is not equal to another by chance."""


@cache
def _lattice() -> tuple[Tensor, Tensor, Tensor]:
    """Per table: cosine of each counted value with the step as period; whether it is not rounded to 0; and whether
    it lies nearer to the middle between two multiples than to either.

    Three tensors [200, len(PROBED) * BINS]: the qualities 1 to 100, then the same with rows for columns, since a
    picture may have been turned after it was decoded. Mirroring changes the signs of coefficients alone.
    """
    upright = tables(torch.arange(1, 101))
    turned = upright.unflatten(1, (8, 8)).transpose(1, 2).flatten(1)
    steps = torch.cat((upright, turned))[:, list(PROBED), None].to(torch.float32)
    value = torch.arange(BINS, dtype=torch.float32) / FINE
    beyond = (value > steps / 2).to(torch.float32)
    wave = torch.cos(2 * math.pi * value / steps)
    return (wave * beyond).flatten(1), beyond.flatten(1), (wave < 0).to(torch.float32).flatten(1)


def blocks_of(plane: Tensor, grid: tuple[int, int]) -> Tensor:
    """[..., H, W] to the whole blocks [..., rows, columns, 8, 8] on the grid that starts at (row, column), a view."""
    inner = plane[..., grid[0] :, grid[1] :]
    rows, columns = inner.shape[-2] // 8, inner.shape[-1] // 8
    return inner[..., : 8 * rows, : 8 * columns].unfold(-2, 8, 8).unfold(-2, 8, 8)


def _distinct(blocks: Tensor) -> Tensor:
    """The probed coefficients of blocks [n, 64] in grey levels, but of rich ones that are equal when rounded one each.

    A coarse JPEG leaves hardly a coefficient in smooth blocks, so that many are equal by chance; rich ones are equal
    in patterns, letters and frames alone.
    """
    odd = 2 * torch.arange(1, 65).pow(9) + 1
    mark, order = (blocks.round().long() * odd).sum(1).sort()
    coefficients = blocks[order] @ cosine_transform()[list(PROBED)].T
    again = torch.cat((mark[:1] != mark[:1], mark[1:] == mark[:-1]))
    return coefficients[~(again & ((coefficients.abs() > 1).sum(1) >= RICH))]


def _histogram(y: Tensor, telling: Tensor, row: int, column: int) -> Tensor:
    """Counts of |coefficient| of the blocks of `y` [H, W] on the grid that starts at (row, column), flat.

    telling: [H, W], where a pixel can tell. A block that is constant or holds one that cannot is left out.
    Equal rich blocks, as those of a pattern, count once.
    """
    grids = [blocks_of(plane, (row, column)) for plane in (y, telling)]
    columns, count = grids[0].shape[1], grids[0].shape[0] * grids[0].shape[1]
    chosen = torch.arange(0, count, max(1, count // MOST_BLOCKS))
    pixels, there = (grid[chosen // columns, chosen % columns].flatten(1) for grid in grids)
    there = there.all(1)
    there &= pixels.amax(1) - pixels.amin(1) > 1e-3
    coefficients = _distinct(pixels[there])
    bins = (coefficients.abs() * FINE).round().long()
    places = (bins + torch.arange(len(PROBED)) * BINS)[bins < BINS]
    return torch.bincount(places, minlength=len(PROBED) * BINS).to(torch.float32)


@dataclass(frozen=True, eq=False)
class JpegTraces:
    """Per picture, [N] each."""

    quality: Tensor  # float: 1..100, or NaN where no lattice was found
    row: Tensor  # int64 0..7: where the grid of blocks starts; that of the highest score where none was found
    column: Tensor
    certainty: Tensor  # mean cosine of the coefficients with the lattice of steps: 1 fresh from the decoder, 0 chance
    score: Tensor  # the same in standard deviations of chance
    blocking: Tensor  # mean excess of |difference| across the grid's lines, in grey levels of 0..255
    judged: Tensor  # bool: whether enough blocks could tell; without, a lattice that is there is not found


def _excess(y: Tensor, first: int) -> float:
    """Mean of |difference| across columns 8 k + first, less the mean of its neighbours', along the last axis."""
    y = y[:: max(1, y.numel() // 1_000_000)]
    step = (y[:, 1:] - y[:, :-1]).abs()
    more = (step[:, 1:-1] - (step[:, :-2] + step[:, 2:]) / 2).clamp(-8, 8).mean(0)
    there = (torch.arange(len(more)) + 2) % 8 == first
    return float(more[there].mean() - more[~there].mean()) if bool(there.any()) and not bool(there.all()) else 0.0


@dataclass(frozen=True, eq=False)
class _Evidence:
    """For a lattice, per position of the grid and table, upright and turned, [P, 200] each."""

    score: Tensor  # standard deviations above chance
    certainty: Tensor  # mean cosine of what was not rounded to 0
    astray: Tensor  # share of all coefficients that lie nearer to the middle between two multiples
    agreeing: Tensor  # frequencies of which each shows the lattice
    without: Tensor  # the score without the waves of rows alone, or those of columns alone, whichever is less
    enough: Tensor  # [P, 1]: blocks that can tell


def _evidence(counts: Tensor) -> _Evidence:
    """From histograms [P, len(PROBED) * BINS]."""
    wave, beyond, off = _lattice()
    total, several = counts @ wave.T, counts @ beyond.T
    each = counts.unflatten(1, (len(PROBED), BINS))
    sums, numbers = (torch.einsum("pfb,qfb->pqf", each, x.unflatten(1, (len(PROBED), BINS))) for x in (wave, beyond))
    agreeing = ((numbers >= 3) & (sums > 0.5 * numbers)).sum(2)
    place = torch.tensor(PROBED)
    kinds = (place % 8 > 0, place >= 8)
    scores = [sums[..., kind].sum(2) / (numbers[..., kind].sum(2) / 2).clamp(min=1.0).sqrt() for kind in kinds]
    every = counts.sum(1, keepdim=True)
    enough = every >= FEWEST_BLOCKS * len(PROBED)
    score = torch.where(enough, total / (several / 2).clamp(min=1.0).sqrt(), 0.0)
    without = torch.minimum(*scores)
    certainty, astray = total / several.clamp(min=1.0), counts @ off.T / every.clamp(min=1.0)
    return _Evidence(score, certainty, astray, agreeing, without, enough)


def _best(y: Tensor, telling: Tensor, phases: list[tuple[int, int]]) -> tuple[float, int, int, float, float, bool]:
    """(quality or NaN, row, column, certainty, score, judged) of the best of the positions of the grid.

    A coarse lattice is believed before a fine one: a file that was saved again at a high quality holds both.
    """
    e = _evidence(torch.stack([_histogram(y, telling, row, column) for row, column in phases]))
    good = (e.score > SURE) & (e.agreeing >= AGREE)
    coarse = good & (e.certainty > CLEAR) & (e.without > WITHOUT[0]) & (e.astray < ASTRAY)
    quality = torch.arange(1, 101).repeat(2)
    coarse &= quality <= COARSE
    fine = good & (e.certainty > SHARP) & (e.without > WITHOUT[1]) & (quality > COARSE)
    there = coarse if bool(coarse.any()) else fine
    score = torch.where(there, e.score, -1.0) if bool(there.any()) else e.score
    phase = int(score.amax(1).argmax())
    top = float(score[phase].max())
    alike = quality * (score[phase] >= top - 1e-3)  # low frequencies of two qualities, or turns, can be the same
    table = int(alike.argmax())
    estimate = float(quality[table]) if bool(there.any()) else math.nan
    return estimate, *phases[phase], float(e.certainty[phase, table]), top, bool(e.enough.any())


def _traces(y: Tensor, telling: Tensor) -> tuple[float, int, int, float, float, bool, float]:
    """The fields of JpegTraces for one luma plane [H, W] in grey levels about 0."""
    best = _best(y, telling, [(0, 0)])  # a picture that was not cut
    if not best[0] <= COARSE:
        every = _best(y, telling, [(row, column) for row in range(8) for column in range(8)])
        best = every if math.isnan(best[0]) or every[0] <= COARSE else best
    _, row, column, *_ = best
    return (*best, (_excess(y, column) + _excess(y.T, row)) / 2)


def jpeg_blockiness(image: Tensor, seen: Tensor | None = None) -> JpegTraces:
    """Traces of JPEG in pictures [N, C, H, W] in [-1, 1] that were saved again, in another format or as a finer JPEG.

    A decoder gives back coefficients that are whole multiples of the table's steps. For each of the 64
    positions of the grid and each quality, upright and turned by 90 degrees, the mean cosine of the luma's
    coefficients, with the step as period, is taken (the idea of Fan and de Queiroz 2003, doi
    10.1109/TIP.2002.807361, with a characteristic function instead of a likelihood); the largest wins. Own: several
    frequencies must show it, and of a coarse lattice hardly a coefficient may lie between the multiples, as those of
    graphics do. Blocks with a pixel at the end of the range, which clipping moved off the lattice, say nothing, nor do
    those that are not wholly `seen` ([N, 1, H, W] bool; None: all). Where several qualities fit the coarser one is
    told. Anything else done after the decoding (noise, resizing) takes the lattice away. Pictures under 16 px give
    NaN, and are not judged.
    """
    if min(image.shape[2:]) < 16:
        rows = [(math.nan, 0, 0, 0.0, 0.0, False, 0.0)] * len(image)
    else:
        telling = ((image > -1 + 1e-3) & (image < 1 - 1e-3)).all(1)
        telling = telling if seen is None else telling & seen[:, 0]
        rows = [_traces(y, t) for y, t in zip(luma(image)[:, 0] * 127.5 - 0.5, telling)]  # 0..255 less JPEG's 128
    quality, row, column, certainty, score, judged, blocking = zip(*rows)
    whole = [torch.tensor(v, dtype=torch.int64) for v in (row, column)]
    return JpegTraces(torch.tensor(quality), *whole, *(torch.tensor(v) for v in (certainty, score, blocking, judged)))
