"""Larger pictures without a network: coupled dictionaries over a plain resize, and back-projection.

`resize(image, factor)` is the caller's: [N, C, H, W] to [N, C, factor H, factor W], factor above or below 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from zeuxis.classic.decorrelation import luma
from zeuxis.classic.dictionary import from_signals, ksvd
from zeuxis.classic.omp import batch_omp
from zeuxis.classic.overlapping_patches import Canvas, sweep, unfold
from zeuxis.classic.terms import unit
from zeuxis.draw import Draw
from zeuxis.errors import BadInput

Resize = Callable[[Tensor, float], Tensor]
WINDOW = 3
"""Side of a patch in pixels of the small picture (Zeyde, Elad and Protter 2010)."""


def back_projection(large: Tensor, small: Tensor, resize: Resize, steps: int = 3, rate: float = 1.0) -> Tensor:
    """`large` made to shrink to `small` (Irani and Peleg 1991): x + rate * up(small - down(x)), `steps` times.

    rate 1 suits smooth estimates; 0.5 those with ringing or invented detail.
    """
    factor = large.shape[-1] / small.shape[-1]
    for _ in range(steps):
        large = large + rate * resize(small - resize(large, 1 / factor), factor)
    return large


@dataclass(frozen=True)
class Coupling:
    """Settings of the training, as published for x3 by Zeyde 2010 and Timofte 2014 (A+) unless marked."""

    atoms: int = 1024
    patches: int = 100_000  # own; A+ reads five million
    sweeps: int = 10  # own; 40 in the authors' code
    sparsity: int = 3
    energy: float = 0.999  # of the features, kept by the principal components
    neighbours: int = 2048
    ridge: float = 0.1


@dataclass(frozen=True, eq=False)
class Coupled:
    """What was learned for one scale; h = (3 scale)^2 pixels of a large patch, p components."""

    scale: int
    projection: Tensor  # [4 h, p] features to principal components
    low: Tensor  # [K, p] atoms of length 1
    high: Tensor  # [K, h] their large patches, less the plain resize
    regressors: Tensor  # [K, p, h] components to large patch, around each atom

    def tensors(self) -> dict[str, Tensor]:
        """Everything as named tensors, for a file."""
        names = ("projection", "low", "high", "regressors")
        return {"scale": torch.tensor(self.scale), **{name: getattr(self, name) for name in names}}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> "Coupled":
        return cls(int(tensors["scale"]), *(tensors[n] for n in ("projection", "low", "high", "regressors")))


def features(plain: Tensor, scale: int) -> Tensor:
    """First and second differences of the enlarged luma [N, 1, H, W], both ways, over `scale` pixels: [N, 4, H, W]."""
    first, second = torch.zeros(2 * scale + 1), torch.zeros(4 * scale + 1)
    first[0], first[-1] = -1.0, 1.0
    second[0], second[2 * scale], second[-1] = 0.5, -1.0, 0.5
    first, second = first.to(plain.dtype), second.to(plain.dtype)
    margin = 2 * scale
    wide = F.pad(plain, (margin, margin, 0, 0), "replicate")
    tall = F.pad(plain, (0, 0, margin, margin), "replicate")
    inner = slice(scale, -scale)
    return torch.cat(
        [
            F.conv2d(wide[..., inner], first[None, None, None]),
            F.conv2d(tall[..., inner, :], first[None, None, :, None]),
            F.conv2d(wide, second[None, None, None]),
            F.conv2d(tall, second[None, None, :, None]),
        ],
        1,
    )


def _pairs(pictures: Sequence[Tensor], scale: int, resize: Resize, most: int, draw: Draw) -> tuple[Tensor, Tensor]:
    """Features [n, 4 h] and missing detail [n, h] of patches of the pictures, as many from each."""
    side, share = WINDOW * scale, -(-most // max(1, len(pictures)))
    low, high = [], []
    for place, picture in enumerate(pictures):
        truth = luma(picture)
        truth = truth[..., : truth.shape[2] // scale * scale, : truth.shape[3] // scale * scale]
        plain = resize(resize(truth, 1 / scale), scale)
        signals, detail = unfold(features(plain, scale), side, scale), unfold(truth - plain, side, scale)
        lively = (signals.square().mean(1).sqrt() > 1e-3).nonzero()[:, 0]
        rows = lively[draw.at(f"picture {place}").permutation(len(lively))[:share]]
        low.append(signals[rows])
        high.append(detail[rows])
    return torch.cat(low), torch.cat(high)


def _components(signals: Tensor, energy: float) -> Tensor:
    """Principal directions [d, p] that keep the share `energy` of the signals' squares."""
    values, vectors = torch.linalg.eigh(signals.T @ signals / len(signals))
    kept = values.flip(0).cumsum(0) / values.sum()
    directions: Tensor = vectors.flip(1)[:, : int((kept < energy).sum()) + 1]
    return directions


def _regressors(low: Tensor, high: Tensor, anchors: Tensor, settings: Coupling) -> Tensor:
    """Ridge regression from the nearest training patches of each anchor, [K, p, h] (Timofte et al. 2014, A+)."""
    length = low.norm(dim=1, keepdim=True).clamp(min=1e-8)
    directions, detail = low / length, high / length
    neighbours = min(settings.neighbours, len(low))
    ridge = settings.ridge * torch.eye(low.shape[1], dtype=low.dtype)
    done = []
    for anchor in anchors:
        near = (directions @ anchor).abs().topk(neighbours).indices
        x, y = directions[near], detail[near]
        done.append(torch.linalg.solve(x.T @ x + ridge, x.T @ y))
    return torch.stack(done)


def learn(
    pictures: Sequence[Tensor], scale: int, resize: Resize, draw: Draw, settings: Coupling | None = None
) -> Coupled:
    """Coupled dictionaries from pictures [1, C, H, W] in [-1, 1], for one whole `scale`.

    Features to principal components, K-SVD on them, the large atoms by least squares (Zeyde, Elad and
    Protter 2010, doi 10.1007/978-3-642-27413-8_47); a ridge regressor around each atom (A+). Raises
    BadInput where the pictures have too few patches that are not flat.
    """
    settings = settings or Coupling()
    raw, high = _pairs(pictures, scale, resize, settings.patches, draw)
    if len(raw) < 2 * settings.atoms:
        what = f"{len(raw)} patches are too few for {settings.atoms} atoms"
        raise BadInput(what, mend="give more or larger pictures")
    projection = _components(raw, settings.energy)
    low = raw @ projection

    def code(signals: Tensor, dictionary: Tensor) -> Tensor:
        return batch_omp(signals, dictionary, settings.sparsity)

    atoms = ksvd(low, from_signals(low, settings.atoms, draw), code, settings.sweeps)
    codes = code(low, atoms)
    gram = codes.T @ codes + 1e-4 * torch.eye(len(atoms), dtype=low.dtype)
    large = torch.linalg.solve(gram, codes.T @ high)
    return Coupled(scale, projection, unit(atoms), large, _regressors(low, high, unit(atoms), settings))


def _by_codes(signals: Tensor, coupled: Coupled) -> Tensor:
    """Zeyde: the codes of the small patch, used with the large atoms."""
    return batch_omp(signals, coupled.low, 3) @ coupled.high


def _by_anchors(signals: Tensor, coupled: Coupled) -> Tensor:
    """A+: the regressor of the nearest atom."""
    anchor = (signals @ coupled.low.T).abs().argmax(1)
    result = signals.new_empty(len(signals), coupled.high.shape[1])
    for k in anchor.unique():
        rows = (anchor == k).nonzero()[:, 0]
        result[rows] = signals[rows] @ coupled.regressors[k]
    return result


METHODS: dict[str, Callable[[Tensor, Coupled], Tensor]] = {"anchors": _by_anchors, "codes": _by_codes}


def coupled_dictionaries(
    image: Tensor, coupled: Coupled, resize: Resize, method: str = "anchors", steps: int = 0
) -> Tensor:
    """`image` [N, C, H, W] enlarged by `coupled.scale`; not clamped.

    The plain resize, and the detail that the dictionaries predict for the luma in every channel alike,
    so that the chroma stays that of the plain resize; then `steps` of back-projection.
    """
    if min(image.shape[2:]) < WINDOW:
        raise BadInput(f"a picture of {image.shape[3]}x{image.shape[2]} px is smaller than a patch of {WINDOW} px")
    plain = resize(image, coupled.scale)
    y = luma(plain)

    def work(patches: Tensor) -> tuple[Tensor, None]:
        return METHODS[method](patches @ coupled.projection, coupled), None

    canvas = Canvas((len(y), 1, *y.shape[2:]), y.dtype)
    sweep(features(y, coupled.scale), WINDOW * coupled.scale, coupled.scale, work, canvas)
    large = plain + canvas.mean(torch.zeros_like(y))
    return back_projection(large, image, resize, steps) if steps else large
