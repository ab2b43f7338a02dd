"""Holes filled without a network. Pictures [N, C, H, W] in [-1, 1]; known [N, 1, H, W]: 1 known, 0 hole.

Known pixels come out bit for bit as they went in.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from zeuxis.classic.decorrelation import from_opponent, opponent
from zeuxis.classic.denoise import GREY
from zeuxis.classic.dictionary import cosines, ksvd
from zeuxis.classic.omp import batch_omp
from zeuxis.classic.sparse import fista
from zeuxis.draw import Draw
from zeuxis.errors import BadInput

Masked = Callable[[Tensor, Tensor, Tensor, float], Tensor]
"""(signals [n, d], dictionary [K, d], known [n, d], sigma) to codes [n, K]."""


def _by_omp(signals: Tensor, dictionary: Tensor, known: Tensor, sigma: float) -> Tensor:
    most = signals.shape[1] // 4
    return batch_omp(signals, dictionary, most, 1.15 * sigma * known.sum(1).sqrt(), known)


def _by_fista(signals: Tensor, dictionary: Tensor, known: Tensor, sigma: float) -> Tensor:
    return fista(signals, dictionary, 1.5 * sigma, known)


CODERS: dict[str, Masked] = {"omp": _by_omp, "fista": _by_fista}


@dataclass(frozen=True)
class Filling:
    """Settings of sparse inpainting; own, after Mairal, Elad and Sapiro (2008, doi 10.1109/TIP.2007.911828)."""

    side: int = 8
    waves: int = 16
    sweeps: int = 5  # of K-SVD on the patches that are wholly known; 0: the cosines
    patches: int = 10_000
    sigma: float = 2.0  # noise left in the known pixels, 0..255: how closely they are coded
    share: float = 0.5  # of a patch that must be known at first; lowered where a hole leaves nothing else
    coder: str = "omp"


RIDGE = 0.05
"""Own: weight against the slopes of a patch, whose known pixels give them at most 1."""


def _checked(image: Tensor, known: Tensor) -> Tensor:
    """`known` as bool; BadInput where a picture has no known pixel."""
    mask = known > 0.5
    if not mask.flatten(1).any(1).all():
        raise BadInput("no pixel of the picture is known", mend="the mask is white where the hole is")
    return mask.expand(len(image), 1, *image.shape[2:])


RIM = 16
"""Own: pixels from the rim of a hole inwards that are always solved at full size."""
DEEP = 30_000
"""Own: pixels of one hole farther in than that, from which on they come from half the size. Time and memory of
scikit-image's solve grow faster than the hole: squares of 128, 256 and 400 pixels a side took 0.2, 1 and 7 seconds,
the last 0.8 GB."""
MARGIN = 64
"""Own: known pixels around a very wide hole that its halves still see; they are halved with it."""
RING = 6
"""Own: pixels around a hole whose range bounds what is filled in."""


def biharmonic(image: Tensor, known: Tensor) -> Tensor:
    """Biharmonic inpainting (Damelin and Hoang 2018) through scikit-image, each hole solved by itself.

    Own: what is filled in stays in the range of the known pixels around, since broad holes overshoot it in each colour
    apart; the inner part of very wide holes is filled at half the size.
    """
    done = []
    for x, mask in zip(image, _checked(image, known)):
        hole = ~mask[0]
        if not hole.any():
            done.append(x)
            continue
        array, holes = x.permute(1, 2, 0).double().numpy(), hole.numpy()
        filled = _within(_solved(array, holes), array, holes)
        new = torch.from_numpy(filled).to(x.dtype).permute(2, 0, 1).clamp(-1, 1)
        done.append(torch.where(hole, new, x))
    return torch.stack(done)


def _solved(array: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """[H, W, C] of float64, since at single precision wide holes lose tens of grey levels; hole: bool [H, W]."""
    from skimage.restoration import inpaint_biharmonic

    array, hole = array.copy(), hole.copy()
    for rows, columns, deep in _deep_parts(hole):
        small, small_hole = _halved(array[rows, columns], hole[rows, columns])
        guess = _doubled(_solved(small, small_hole), deep.shape)
        array[rows, columns][deep] = guess[deep]
        hole[rows, columns] &= ~deep
    solved: np.ndarray = inpaint_biharmonic(array, hole, split_into_regions=True, channel_axis=-1)
    return solved


def _around(some: np.ndarray, margin: int) -> tuple[slice, slice]:
    """The rows and columns of all that is true, and `margin` more on every side."""
    rows, columns = (np.flatnonzero(some.any(axis)) for axis in (1, 0))
    return _stretch(rows, margin), _stretch(columns, margin)


def _stretch(places: np.ndarray, margin: int) -> slice:
    return slice(max(0, int(places[0]) - margin), int(places[-1]) + 1 + margin)


def _deep_parts(hole: np.ndarray) -> list[tuple[slice, slice, np.ndarray]]:
    """For each very wide hole where it lies with a margin, and which pixels there are far inside of it."""
    from scipy import ndimage

    deep = ndimage.distance_transform_edt(hole) > RIM
    if deep.sum() <= DEEP:
        return []
    labels = ndimage.label(hole, np.ones((3, 3)))[0]
    counts = np.bincount(labels[deep], minlength=labels.max() + 1)
    found = []
    for k in np.flatnonzero(counts > DEEP):
        rows, columns = _around(labels == k, MARGIN)
        found.append((rows, columns, deep[rows, columns] & (labels[rows, columns] == k)))
    return found


def _halved(array: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At half the size: means of what is known of four pixels, and a hole where not all of them are known."""
    more = [(0, n % 2) for n in hole.shape]
    array, known = np.pad(array, [*more, (0, 0)], "edge"), np.pad(~hole, more, "edge")[..., None]

    def fours(x: np.ndarray) -> np.ndarray:
        total: np.ndarray = x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2, -1).sum((1, 3))
        return total

    count = fours(known)
    least = 4 if (count == 4).any() else 1
    return fours(np.where(known, array, 0.0)) / count.clip(1), (count < least)[..., 0]


def _doubled(array: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """At twice the size by cubic splines, cut to `size`."""
    from scipy import ndimage

    planes = [ndimage.zoom(array[..., c], 2, mode="nearest", grid_mode=True) for c in range(array.shape[2])]
    return np.stack(planes, -1)[: size[0], : size[1]]


def _within(filled: np.ndarray, array: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """`filled` with each hole in the range, for each channel, of the known pixels up to `RING` around it.

    Only those near a place count, so that a crack across the picture is not bounded by all of its colours: as near as
    the hole is deep and `RING` more, so that its middle sees both sides.
    """
    from scipy import ndimage

    labels, count = ndimage.label(hole, np.ones((3, 3)))
    depth = ndimage.maximum(ndimage.distance_transform_edt(hole), labels, np.arange(1, count + 1))
    power = np.concatenate([[-1], np.ceil(np.log2(depth))])[labels]  # holes of like width at once: there may be many
    held = filled.copy()
    for p in np.unique(power[hole]):
        reach, some = 2 ** int(p) + RING, power == p
        soft = reach // 2  # bounds are means over so many pixels, so that they end nowhere abruptly
        rows, columns = _around(some, reach + 2 * soft)
        part = some[rows, columns]
        ring = ndimage.maximum_filter(part, 2 * RING + 1) & ~hole[rows, columns]
        for c in range(array.shape[2]):
            values, now = array[rows, columns, c], held[rows, columns, c]
            low = ndimage.minimum_filter(np.where(ring, values, np.inf), 2 * (reach + soft) + 1)
            high = ndimage.maximum_filter(np.where(ring, values, -np.inf), 2 * (reach + soft) + 1)
            now[part] = now[part].clip(_means(low, soft)[part], _means(high, soft)[part])
    return held


def _means(values: np.ndarray, reach: int) -> np.ndarray:
    """Means over squares of 2 `reach` + 1 pixels of what is finite there."""
    from scipy import ndimage

    finite = np.isfinite(values)
    sums = ndimage.uniform_filter(np.where(finite, values, 0.0), 2 * reach + 1, mode="nearest")
    found: np.ndarray = sums / ndimage.uniform_filter(finite.astype(float), 2 * reach + 1, mode="nearest").clip(1e-9)
    return found


def _gather(planes: Tensor, corners: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Patches [n, M, side^2] of `planes` [M, H, W] at `corners` [n, 2], and their flat places [n, side^2]."""
    offset = torch.arange(side)
    rows, columns = corners[:, :1] + offset, corners[:, 1:] + offset
    flat = (rows[:, :, None] * planes.shape[2] + columns[:, None, :]).flatten(1)
    return planes.flatten(1)[:, flat].transpose(0, 1), flat


def _share_known(have: Tensor, side: int) -> Tensor:
    """Share of known pixels of the patch at each corner, [H - side + 1, W - side + 1]."""
    return F.avg_pool2d(have[None, None], side, stride=1)[0, 0]


def _dictionary(planes: Tensor, have: Tensor, draw: Draw, settings: Filling) -> Tensor:
    """Learned from the patches without a hole, or the cosines where there are fewer than four per atom."""
    first = cosines(settings.side, settings.waves)
    corners = (_share_known(have, settings.side) > 1 - 1e-4).nonzero()
    if not settings.sweeps or len(corners) < 4 * len(first):
        return first
    chosen = corners[draw.at("patches").permutation(len(corners))[: settings.patches]]
    signals = _gather(planes, chosen, settings.side)[0].flatten(0, 1)
    signals = signals - signals.mean(1, keepdim=True)
    sigma = max(settings.sigma, 1.0)

    def code(x: Tensor, dictionary: Tensor) -> Tensor:
        return batch_omp(x, dictionary, x.shape[1] // 4, 1.15 * sigma * x.shape[1] ** 0.5)

    return ksvd(signals, first, code, settings.sweeps)


def _planes(signals: Tensor, mask: Tensor, side: int) -> Tensor:
    """The plane a + b x + c y that fits the known pixels of each patch, [n, side^2], its slopes held back a little.

    Taking only the mean away would end every slope at the rim of the hole.
    """
    line = torch.arange(side, dtype=signals.dtype) - (side - 1) / 2
    x, y = line.repeat(side), line.repeat_interleave(side)
    basis = torch.stack([torch.ones_like(x), x, y])
    basis = basis / basis.norm(dim=1, keepdim=True)
    gram = torch.einsum("id,nd,jd->nij", basis, mask, basis) + torch.diag(signals.new_tensor([1e-4, RIDGE, RIDGE]))
    aim = (signals * mask) @ basis.T
    plane: Tensor = torch.linalg.solve(gram, aim[..., None])[..., 0] @ basis
    return plane


def _ring(planes: Tensor, have: Tensor, dictionary: Tensor, share: float, settings: Filling) -> tuple[Tensor, Tensor]:
    """One ring of the hole filled from the patches that are known to at least `share`; (planes, have)."""
    touching = _share_known(have, settings.side)
    corners = ((touching < 1 - 1e-4) & (touching >= share)).nonzero()
    total, cover = torch.zeros_like(planes).flatten(1), torch.zeros(have.numel())
    for some in corners.split(4096):
        patches, flat = _gather(planes, some, settings.side)
        known = have.flatten()[flat]
        mask = known[:, None].expand_as(patches).flatten(0, 1)
        signals = patches.flatten(0, 1)
        plane = _planes(signals, mask, settings.side)
        codes = CODERS[settings.coder]((signals - plane) * mask, dictionary, mask, settings.sigma)
        guess = (codes @ dictionary + plane).reshape(patches.shape)
        weight = known.mean(1, keepdim=True).square().expand_as(flat)  # own: trust grows with what was seen
        total.index_add_(1, flat.flatten(), (guess * weight[:, None]).transpose(0, 1).flatten(1))
        cover.index_add_(0, flat.flatten(), weight.flatten())
    new = (have.flatten() < 0.5) & (cover > 0)
    mean_of = (total / cover.clamp(min=1e-12)).reshape(planes.shape)
    new = new.reshape(have.shape)
    low, high = planes[:, have > 0.5].amin(1), planes[:, have > 0.5].amax(1)
    held = mean_of.clamp(low[:, None, None], high[:, None, None])
    return torch.where(new, held, planes), torch.where(new, 1.0, have)


def _sparse_one(x: Tensor, mask: Tensor, draw: Draw, dictionary: Tensor | None, settings: Filling) -> Tensor:
    planes, have = opponent(x[None] * GREY)[0], mask.to(x.dtype)
    planes = planes * have
    atoms = _dictionary(planes, have, draw, settings) if dictionary is None else dictionary
    share = settings.share
    while bool((have < 0.5).any()):
        left = int((have < 0.5).sum())
        planes, have = _ring(planes, have, atoms, share, settings)
        share = settings.share if int((have < 0.5).sum()) < left else share / 2
    return (from_opponent(planes[None])[0] / GREY).clamp(-1, 1)


def sparse(
    image: Tensor, known: Tensor, draw: Draw, dictionary: Tensor | None = None, settings: Filling | None = None
) -> Tensor:
    """Sparse inpainting: patches at the rim of a hole coded over their known pixels, ring after ring inwards.

    Codes by masked orthogonal matching pursuit or masked FISTA (`Filling.coder`); `dictionary`
    [K, side^2] of length 1, or learned from the picture's own whole patches. Raises BadInput where
    nothing is known or the picture is smaller than a patch.
    """
    settings = settings or Filling()
    if min(image.shape[2:]) < settings.side:
        size = f"{image.shape[3]}x{image.shape[2]} px"
        raise BadInput(f"a picture of {size} is smaller than a patch of {settings.side} px")
    done = []
    for x, mask in zip(image, _checked(image, known)):
        filled = x if bool(mask.all()) else _sparse_one(x, mask[0], draw, dictionary, settings)
        done.append(torch.where(mask, x, filled))
    return torch.stack(done)


Inpainter = Callable[[Tensor, Tensor, Draw], Tensor]

METHODS: dict[str, Inpainter] = {
    "sparse": sparse,
    "fista": lambda image, known, draw: sparse(image, known, draw, settings=replace(Filling(), coder="fista")),
    "biharmonic": lambda image, known, draw: biharmonic(image, known),
}
"""name -> (image, known, draw) -> image."""
