"""What is the matter with a picture: its noise, blur, JPEG quality and levels.

Pictures [N, C, H, W] in [-1, 1], as decoded from 8 bits or more. Above about a megapixel each measure
looks at a share of the picture that is spread over it, so none takes longer for a large one.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from zeuxis.classic.decorrelation import luma, opponent, opponent_shares
from zeuxis.classic.jpeg_traces import (
    ORDER,
    JpegTraces,
    Tables,
    cosine_transform,
    jpeg_blockiness,
    jpeg_quality_of_tables,
)
from zeuxis.classic.overlapping_patches import equal_neighbours, places, windows

__all__ = [
    "Blur", "JpegTraces", "Noise", "Tables", "blur_sigma", "jpeg_blockiness", "jpeg_quality_of_tables", "levels",
    "noise_sigma", "rough_noise",
]  # fmt: skip

GREY = 127.5
BLOCKS = 24_000
"""Blocks that the noise is sought in."""
SHARE, FEWEST = 0.01, 100
"""The calmest blocks that the noise is read from: a share of all, and at least so many."""
PART = 0.15
"""Of what is seen, the share that must not be flat; less is a photograph on a page or screen."""
SATURATED = (0.2, 0.5)
"""The share of a block that may be saturated; the second where the first leaves too few blocks."""
SEEN = 0.8
"""Blocks whose noise would lose more than a fifth of its variance to clipping are left out while others are there."""
FLAT, LOUD = 0.3, 3.0
"""A block in which more neighbours than this share are equal cannot hold noise that matters; nor can one whose high
frequencies are below so many grey levels, by which the rest of a picture is told from a part that was smoothed."""
UNEVEN, TAILED, WIDE = (0.25, 0.15), (4.5, 4.0), 0.7
"""Own: how far the power of high frequencies may vary (its deviation over its mean), how heavy the tails of their
coefficients may be (a normal value: 3), for all blocks and for the loud ones; and how far the logarithm of a loud
block's power may spread (white noise: 0.27). Texture, patterns and letters lie well above."""
COARSE, FINE_LEFT = 1.35, 2.2
"""By how much noise of the colours may grow from the calmest blocks to the calmer tenth, and from high frequencies to
middle ones in one of the differences; texture grows more, and smooth relief falls faster."""
_LOW, _MIDDLE, _HIGH = ((ORDER > 0) & (ORDER <= 5), (ORDER >= 6) & (ORDER <= 8), ORDER >= 8)
_BAND = (ORDER >= 4) & (ORDER <= 7)


@dataclass(frozen=True, eq=False)
class Noise:
    """Standard deviations on the 0..255 scale, per picture [N]."""

    sigma: Tensor  # per channel: root of the mean square over channels
    luma: Tensor  # in (R+G+B)/sqrt 3; equals sigma where the noise is independent per channel
    chroma: Tensor  # in the two differences of colours; 0 for pictures of one channel
    confidence: Tensor  # 0..1: how far it looks like white noise and not like texture
    coarse: Tensor  # of the colour differences in middle frequencies, whatever their spectrum; 0 where it is no noise
    most_luma: Tensor  # the most that the luma can have in middle frequencies; infinite where that was not measured


def kept_variance(mean: Tensor, sigma: Tensor) -> Tensor:
    """Variance of a normal value clipped to 0..255, as a share of sigma^2; `mean` before clipping."""
    low, high = (0.0 - mean) / sigma, (255.0 - mean) / sigma
    density = [torch.exp(-0.5 * t.square()) / math.sqrt(2 * math.pi) for t in (low, high)]
    below, above = torch.special.ndtr(low), torch.special.ndtr(-high)
    first = density[0] - density[1] + low * below + high * above
    second = 1 - below - above + low * density[0] - high * density[1] + low.square() * below + high.square() * above
    share: Tensor = (second - first.square()).clamp(0, 1)
    return share


def _median_variance(coefficients: Tensor, which: Tensor, kept: Tensor) -> float:
    """Variance of the noise from coefficients [n, 64]: the median over blocks, freed from its bias.

    The median of a chi-squared mean of k terms is about (1 - 2 / 9 k)^3 (Wilson and Hilferty 1931).
    """
    terms = int(which.sum())
    middle = (coefficients[:, which].square().mean(1) / kept).median()
    return float(middle) / (1 - 2 / (9 * terms)) ** 3


def _block_means(image: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """[C, H, W] to the means of the 8x8 blocks at `rows` x `columns`, [C, n]."""
    summed = F.pad(image.double().cumsum(1).cumsum(2), (1, 0, 1, 0))
    down = summed[:, rows + 8] - summed[:, rows]
    return ((down[:, :, columns + 8] - down[:, :, columns]) / 64).flatten(1).to(image.dtype)


def _blocks(plane: Tensor, corner: Tensor) -> Tensor:
    """8x8 blocks of `plane` [H, W] at `corner` [n, 2] as DCT coefficients [n, 64]."""
    i = torch.arange(8)
    pixels = plane[(corner[:, :1] + i)[:, :, None], (corner[:, 1:] + i)[:, None, :]]
    return pixels.flatten(1) @ cosine_transform().T


def _lively(levels_: Tensor, seen: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Which 8x8 blocks are wholly seen and not flat, bool [n], and which share of each is saturated, [n]."""
    equal = equal_neighbours(levels_)
    clipped = ((levels_ < 0.6) | (levels_ > 254.4)).to(levels_.dtype)
    hidden, flat = _block_means(torch.stack([1 - seen.to(equal), equal]), rows, columns)
    return (hidden < 1e-6) & (flat < FLAT), _block_means(clipped, rows, columns).amax(0)


_NOTHING = (0.0, 0.0, 0.0, 0.0, 0.0, math.inf)


def _noise_one(image: Tensor, seen: Tensor) -> tuple[float, float, float, float, float, float]:
    """The fields of Noise for one picture [C, H, W] of which the pixels `seen` [H, W] count."""
    height, width = image.shape[1:]
    step = max(1, math.ceil(math.sqrt(height * width / BLOCKS))) | 1  # odd, so that all places of JPEG's grid come up
    rows, columns = places(height, 8, step), places(width, 8, step)
    levels_ = (image + 1) * GREY
    lively, saturated = _lively(levels_, seen, rows, columns)
    apart = min(step, 8) ** 2 / 64  # of a block that no other covers
    shares = (lively & (saturated < most) for most in SATURATED)
    usable = next((x for x in shares if int(x.sum()) * apart >= FEWEST), None)
    if usable is None or float(lively.float().mean()) < PART * float(seen.float().mean()):
        return _NOTHING
    corner, mean = torch.cartesian_prod(rows, columns)[usable], _block_means(levels_, rows, columns)[:, usable]
    planes = opponent(levels_[None])[0]
    first = _blocks(planes[0], corner)
    coarse, most_luma = _coarse(planes[1:], corner), _calmest(first, SHARE)
    estimate = _read_blocks(planes, first, corner, mean)
    loud = first[:, _HIGH].square().mean(1) > LOUD**2
    if not bool(loud.all()) and estimate[0] < LOUD and int(loud.sum()) * apart >= FEWEST:
        other = _read_blocks(planes, first[loud], corner[loud], mean[:, loud], loud=True)
        if other[3] > 0:
            estimate, most_luma = other, _calmest(first[loud], SHARE)
    return (*estimate, coarse, most_luma)


def _calmest(own: Tensor, share: float, which: Tensor = _BAND) -> float:
    """Deviation of the coefficients `which` in the calmest of blocks [n, 64]."""
    rank = own[:, _LOW].square().sum(1).argsort()
    calm = own[rank[: max(FEWEST, int(share * len(rank)))]]
    return math.sqrt(_median_variance(calm, which, torch.ones(len(calm))))


def _coarse(planes: Tensor, corner: Tensor) -> float:
    """Noise of both colour differences [2, H, W], by the calmest blocks of each; 0 where it looks like texture.

    What a camera makes of a sensor's noise is neither white nor alike in all frequencies; but it is there in
    both differences, and as strong where the picture is calm as where it is a little less so.
    """
    least, falls = math.inf, math.inf
    for plane in planes:
        own = _blocks(plane, corner)
        sigma, wide = (_calmest(own, share) for share in (SHARE, 10 * SHARE))
        if wide > COARSE * sigma:
            return 0.0
        fine = _calmest(own, SHARE, _HIGH)
        least, falls = min(least, sigma), min(falls, sigma / max(fine, 1e-9))
    return least if falls < FINE_LEFT else 0.0


def _whiteness(wide: Tensor, kept: Tensor, loud: bool) -> bool:
    """Whether the high frequencies of blocks [n, 64] can be white noise: as strong in all, and not heavy-tailed."""
    high = wide[:, _HIGH] / kept.sqrt()[:, None]
    each, power = high.square().mean(0), high.square().mean(1)
    tails = float(high.pow(4).mean() / high.square().mean().square().clamp_min(1e-12))
    uneven = float(each.std() / each.mean().clamp_min(1e-12))
    spread = float(power.clamp_min(1e-12).log().std())
    return uneven < UNEVEN[loud] and tails < TAILED[loud] and (not loud or spread < WIDE)


def _read_blocks(
    planes: Tensor, first: Tensor, corner: Tensor, mean: Tensor, loud: bool = False
) -> tuple[float, float, float, float]:
    """sigma, luma, chroma, confidence from blocks: DCT of plane 0 [n, 64], corners [n, 2], means by channel [C, n]."""
    c = len(planes)
    shares, unrest = opponent_shares(c), first[:, _LOW].square().sum(1)
    sigma, variances, rank, kept = 1.0, [1.0], unrest.argsort(), torch.ones_like(mean)
    for _ in range(8):  # the clipping depends on the noise, which depends on the clipping
        kept = (shares @ kept_variance(mean, torch.tensor(max(sigma, 0.01)))).clamp(min=0.05)
        open_ = (kept[0] >= min(SEEN, float(kept[0].quantile(0.9)))).nonzero()[:, 0]
        rank = open_[(unrest[open_] / kept[0, open_]).argsort()]
        calm = rank[: max(FEWEST, int(SHARE * len(rank)))]
        own = [first[calm], *(_blocks(plane, corner[calm]) for plane in planes[1:])]
        variances = [_median_variance(x, _HIGH, kept[k, calm]) for k, x in enumerate(own)]
        before, sigma = sigma, math.sqrt(sum(variances) / c)
        if abs(sigma - before) < 0.005 * sigma or sigma < 1:
            break
    calm, more = rank[: max(FEWEST, int(SHARE * len(rank)))], rank[: max(FEWEST, int(10 * SHARE * len(rank)))]
    middle = _median_variance(first[calm], _MIDDLE, kept[0, calm])
    wide = _median_variance(first[more], _HIGH, kept[0, more])
    alike = min(math.sqrt(variances[0] / max(v, variances[0], 1e-12)) for v in (wide, middle))
    rest = sum(variances[1:]) / max(1, c - 1)
    sure = max(0.0, 2 * alike - 1) if _whiteness(first[more], kept[0, more], loud) else 0.0
    return sigma, math.sqrt(variances[0]), math.sqrt(rest), sure


def noise_sigma(image: Tensor, seen: Tensor | None = None) -> Noise:
    """The noise of each picture, on the 0..255 scale, 0 with confidence 0 where too little can show any.

    seen: [N, 1, H, W] bool, the pixels that count; None: all.

    After Ponomarenko et al. (2007): the 8x8 blocks with the least energy in low frequencies, the median
    of their energy in high ones, in opponent colours. White noise has the same energy in both and the
    two are independent, so that the choice does not bias the measure. Own: blocks that are partly
    saturated, flat or not wholly seen are left out, a hundred that do not overlap are the least, and what clipping
    takes from the rest is given back by the variance of a clipped normal. Where that finds nothing, the blocks that
    do hold something fine are read alone, since a smoothed part must not hide the noise of the others. The confidence
    falls where the energy grows with the unrest of the blocks or falls with frequency, as texture does and white noise
    does not, and is 0 where some high frequencies are stronger than others, or their coefficients far from normal.
    """
    small = min(image.shape[2:]) < 16
    masks = torch.ones_like(image[:, :1], dtype=torch.bool) if seen is None else seen
    rows = [_NOTHING if small else _noise_one(x, m[0]) for x, m in zip(image, masks)]
    return Noise(*(torch.tensor(v) for v in zip(*rows)))


def rough_noise(image: Tensor) -> Tensor:
    """[N]: the noise there may be in pictures [N, C, H, W] with sides of 3 and more, on the 0..255 scale.

    The median size of second differences across and down together, which smooth shading does not reach (the mask
    of Immerkaer 1996, doi 10.1006/cviu.1996.0060, with a median in place of the mean). Texture counts as
    noise, and a clean picture is seldom 0: for a person who has said that there is noise.
    """
    mask = torch.tensor([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]]).to(image)
    n, c = image.shape[:2]
    second = F.conv2d(image.flatten(0, 1)[:, None] * GREY, mask[None, None]).abs().flatten(1)
    return second.median(1).values.reshape(n, c).square().mean(1).sqrt() / (6 * 0.6745)


@dataclass(frozen=True, eq=False)
class Blur:
    """Per picture [N]."""

    sigma: Tensor  # standard deviation of the blur of the strongest edges, in pixels; 0: sharper than can be measured
    edge: Tensor  # the gradient of the weakest edge that was used, in grey levels per pixel


FINE, COARSE = 1.0, 2.0
"""Standard deviations of the two Gaussians that the edges are looked at through."""
EDGES = 0.005
"""Share of the pixels that counts as strong edges."""


def _smoothed(x: Tensor, sigma: float) -> Tensor:
    """[N, 1, H, W] blurred by a Gaussian, the border repeated; in sums of shifts, for speed."""
    radius = math.ceil(3 * sigma)
    weight = torch.exp(-torch.arange(radius + 1).float().square() / (2 * sigma**2))
    weight = weight / (2 * weight.sum() - 1)
    for axis, pad in ((3, (radius, radius, 0, 0)), (2, (0, 0, radius, radius))):
        length, wide = x.shape[axis], F.pad(x, pad, "replicate")
        x = wide.narrow(axis, radius, length) * weight[0]
        for r in range(1, radius + 1):
            both = wide.narrow(axis, radius - r, length) + wide.narrow(axis, radius + r, length)
            x = x.add_(both, alpha=float(weight[r]))
    return x


def _gradient(x: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences across and down, [N, 1, H - 2, W - 2] each."""
    return (x[..., 1:-1, 2:] - x[..., 1:-1, :-2]) / 2, (x[..., 2:, 1:-1] - x[..., :-2, 1:-1]) / 2


def _blur_one(y: Tensor) -> tuple[float, float]:
    """(sigma, edge) of one luma plane [H, W] in grey levels."""
    fine = _smoothed(windows(y[None]), FINE)
    across, down = _gradient(fine)
    size = torch.sqrt(across.square() + down.square())
    there = _gradient(_smoothed(fine, math.sqrt(COARSE**2 - FINE**2)))
    coarse = torch.sqrt(there[0].square() + there[1].square())
    middle, left, right = size[..., 1:-1, 1:-1], size[..., 1:-1, :-2], size[..., 1:-1, 2:]
    above, below = size[..., :-2, 1:-1], size[..., 2:, 1:-1]
    level = (across.abs() > down.abs())[..., 1:-1, 1:-1]
    peak = torch.where(level, (middle >= left) & (middle > right), (middle >= above) & (middle > below))
    sharp, dull = middle[peak], coarse[..., 1:-1, 1:-1][peak]
    count = min(len(sharp), max(50, int(EDGES * y.numel())))
    if not count:
        return 0.0, 0.0
    strong = sharp.topk(count).indices
    ratio = (sharp[strong] / dull[strong].clamp(min=1e-6)).clamp(min=1 + 1e-4).square()
    variance = ((COARSE**2 - ratio * FINE**2) / (ratio - 1)).median()
    return math.sqrt(max(0.0, float(variance))), float(sharp[strong].min())


def blur_sigma(image: Tensor) -> Blur:
    """The Gaussian blur of the strongest edges of each picture, in pixels; pictures under 16 px give 0.

    Zhuo and Sim (2011, doi 10.1016/j.patcog.2011.03.009) with two Gaussians: a step blurred by s has the
    gradient A / sqrt(2 pi (s^2 + t^2)) through a Gaussian t, so the ratio R of the gradients through
    t1 < t2 gives s^2 = (t2^2 - R^2 t1^2) / (R^2 - 1). The median over the strongest half per cent of
    the pixels, at the ridges of the gradient. Sharp photographs say 0 to 0.8.
    """
    small = min(image.shape[2:]) < 16
    rows = [(0.0, 0.0) if small else _blur_one(y) for y in luma(image)[:, 0] * GREY]
    return Blur(*(torch.tensor(v) for v in zip(*rows)))


def levels(image: Tensor, low: float = 0.005, high: float = 0.995) -> Tensor:
    """Black and white point of each channel, [N, C, 2] in [-1, 1]: the `low` and `high` quantiles."""
    step = max(1, math.isqrt(image.shape[2] * image.shape[3] // 1_000_000))
    flat = image[..., ::step, ::step].flatten(2)
    at = [min(flat.shape[2], max(1, round(q * flat.shape[2]))) for q in (low, high)]
    return torch.stack([flat.kthvalue(k, dim=2).values for k in at], 2)
