"""Sparse inpainting (Mairal, Elad and Sapiro 2008): patches at the rim coded over their known pixels, by rings."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from zeuxis.classic.decorrelation import from_opponent, opponent
from zeuxis.classic.dictionary import cosines, ksvd
from zeuxis.classic.grey_levels import GREY
from zeuxis.classic.masked import known_of
from zeuxis.classic.omp import batch_omp
from zeuxis.classic.sparse_codes import fista
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


def fill(
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
    for x, mask in zip(image, known_of(image, known)):
        filled = x if bool(mask.all()) else _sparse_one(x, mask[0], draw, dictionary, settings)
        done.append(torch.where(mask, x, filled))
    return torch.stack(done)
