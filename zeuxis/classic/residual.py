"""What a denoiser took away, held to what noise can be: as strong in detail as in calm parts of equal brightness."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from zeuxis.classic.decorrelation import from_opponent, opponent
from zeuxis.classic.overlapping_patches import windows

GREY = 127.5
BRIGHTNESSES, CALM = 8, 0.1
"""Own: into how many classes of brightness the pixels are sorted, and the share of each that counts as calm."""
LEAST, LESS = 0.05, 0.25
"""Own: where less is taken away than this share of the usual, of all and of equal brightness, something was smoothed
or drawn, and says nothing of noise."""
SIDE, FINE = 9, 5
"""Pixels of the windows that energy is measured in, and of those that what is finer is told from."""
REACH = SIDE // 2
"""Pixels from which a place of `held` may be touched."""
_ROWS = 512


@dataclass(frozen=True, eq=False)
class Limits:
    """How much may be taken away. bounds: ascending brightness [n - 1], in the first plane of `opponent`, 0..255 times
    its scale; energy: mean square in grey levels, per class and plane [n, C]."""

    bounds: Tensor
    energy: Tensor


def limits(given: Tensor, mended: Tensor, quiet: float = 1.0) -> Limits:
    """From a picture [1, C, H, W] in [-1, 1] with sides of 9 and more, and what a denoiser made of it.

    Noise of a sensor depends on the brightness, not on what is seen. So among pixels of equal brightness, what was
    taken away where the picture is calmest is noise, and more where it has detail is detail. quiet: how strong the
    noise of the first plane is beside that of the others, where that is known to be less. Calm is told by the detail
    that `mended` still has: what a denoiser took wholly, everywhere, is not missed.
    """
    light, detail, energy = _looked_at(windows(given[0]), windows(mended[0]))
    every = energy.sum(0)
    alive = every > LEAST * every.median()
    shares = torch.arange(1, BRIGHTNESSES) / BRIGHTNESSES
    ordered = light.sort().values
    bounds = ordered[(shares * (len(ordered) - 1)).long()]
    kind = torch.bucketize(light, bounds)
    calm_energy = torch.zeros(BRIGHTNESSES, len(energy))
    for k in range(BRIGHTNESSES):
        mine = ((kind == k) & alive).nonzero()[:, 0]
        if len(mine):
            mine = mine[every[mine] > LESS * every[mine].median()]
            calm = mine[detail[mine].argsort()[: max(1, int(CALM * len(mine)))]]
            calm_energy[k] = energy[:, calm].median(1).values
    if len(energy) == 3 and quiet < 1:
        calm_energy[:, 0] = torch.minimum(calm_energy[:, 0], quiet**2 * calm_energy[:, 1:].mean(1))
    return Limits(bounds, calm_energy)


def held(given: Tensor, mended: Tensor, most: Limits) -> Tensor:
    """`mended` with what was taken away lessened, plane by plane and place by place, to what `most` allows.

    given, mended: [1, C, H, W] in [-1, 1] with sides of 5 and more.
    """
    result, height = torch.empty_like(mended), given.shape[2]
    for top in range(0, height, _ROWS):
        low, high = max(0, top - REACH), min(height, top + _ROWS + REACH)
        part = _held(given[:, :, low:high], mended[:, :, low:high], most)
        count = min(_ROWS, height - top)
        result[:, :, top : top + count] = part[:, :, top - low : top - low + count]
    return result


def _held(given: Tensor, mended: Tensor, most: Limits) -> Tensor:
    taken = opponent((given - mended) * GREY)
    kind = torch.bucketize(_mean(opponent((mended + 1) * GREY)[:, :1])[0, 0], most.bounds)
    allowed = most.energy[kind].permute(2, 0, 1)[None]
    share = (allowed / _mean(taken.square()).clamp_min(1e-6)).clamp(max=1).sqrt()
    return (given - from_opponent(taken * share) / GREY).clamp(-1, 1)


def _looked_at(given: Tensor, mended: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each pixel of [N, C, H, W]: brightness [n], fine detail left [n], and what was taken away [C, n], squared."""
    planes, taken = opponent((mended + 1) * GREY), opponent((given - mended) * GREY)
    fine = _mean((planes - _mean(planes, FINE)).square()).sum(1)
    return _mean(planes[:, :1]).flatten(), fine.flatten(), _mean(taken.square()).transpose(0, 1).flatten(1)


def _mean(x: Tensor, side: int = SIDE) -> Tensor:
    """[N, C, H, W]: means over squares, those at the border over what lies within."""
    return F.avg_pool2d(x, side, 1, side // 2, count_include_pad=False)
