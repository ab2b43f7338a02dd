"""A photograph in the manner of a painting, without a network: its patches become the painting's.

From coarse to fine, in each round every patch of the picture becomes the one of the painting that is most like it, and
overlapping patches are averaged (Granot et al. 2022, "Drop the GAN: In defense of patches nearest neighbors as single
image generative models", arXiv 2103.15545, algorithm 1 and eq. 2). What the photograph shows stays by beginning with
it, in the painting's colours, and by its edges, which come back at every scale.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from zeuxis.classic.transport import colours_of, recoloured
from zeuxis.draw import Draw
from zeuxis.pictures.in_colour import luma
from zeuxis.pictures.resizing import resized


@dataclass(frozen=True)
class StyleSettings:
    """patch: side in pixels; stride: pixels from one patch to the next; kept: principal directions in which patches are
    compared; complete: the smaller, the more every patch of the painting is used (alpha of eq. 2); rounds: of each
    scale; coarsest: shorter side of the first scale; ratio: of one scale to the next finer; edges:
    share of the photograph's detail that comes back at a scale; pull: how far a round goes back to the photograph at
    strength 0. Own measurement.
    """

    patch: int = 7
    stride: int = 2
    kept: int = 24
    complete: float = 0.5
    rounds: int = 3
    coarsest: int = 140
    ratio: float = 0.7
    edges: float = 1.0
    pull: float = 0.5


USUAL = StyleSettings()
_PATCHES = 1 << 13  # of a painting, at a scale
_SOME = 1 << 12  # patches of the picture, from which how often one of the painting is wanted is read
_ROWS = 1 << 10  # patches that are compared at once
_AT_ONCE = 1 << 16  # patches of the picture in memory together


def _sizes(height: int, width: int, s: StyleSettings) -> list[tuple[int, int]]:
    """Of the scales, the coarsest first."""
    sizes, share = [(height, width)], s.ratio
    while min(height, width) * share >= s.coarsest:
        sizes.append((round(height * share), round(width * share)))
        share *= s.ratio
    return sizes[::-1]


@dataclass(frozen=True)
class _Target:
    """Patches [n, d] of the paintings at one scale, and the same along their principal axes."""

    patches: Tensor
    axes: Tensor
    seen: Tensor


def _target(styles: Sequence[tuple[Tensor, float]], share: float, s: StyleSettings, draw: Draw) -> _Target:
    """Of several paintings each gives as many patches as it counts."""
    total = sum(weight for _, weight in styles)
    found = []
    for k, (painting, weight) in enumerate(styles):
        sides = [max(s.patch, round(side * share)) for side in painting.shape[2:]]
        small = resized(painting, (sides[0], sides[1]))
        count = (small.shape[2] - s.patch + 1) * (small.shape[3] - s.patch + 1)
        wanted = max(1, round(_PATCHES * weight / total))
        found.append(_patches(small, draw.at(f"patches/{k}").integers(min(wanted, count), high=count), s.patch, 1))
    patches = torch.cat(found)
    centred = patches - patches.mean(0)
    axes = torch.linalg.eigh(centred.T @ centred)[1][:, -s.kept :].T
    return _Target(patches, axes, patches @ axes.T)


def _patches(image: Tensor, at: Tensor, patch: int, stride: int) -> Tensor:
    """[n, d]: those of [1, C, H, W] at these places, counted in rows of every `stride`-th one."""
    unfolded = image[0].unfold(1, patch, stride).unfold(2, patch, stride)
    columns = unfolded.shape[2]
    return unfolded[:, at // columns, at % columns].transpose(0, 1).flatten(1)


def _moved(image: Tensor, target: _Target, s: StyleSettings, draw: Draw) -> Tensor:
    """One round: patches at every `stride`-th place, of another grid each time, each the painting's most like it."""
    top, left = draw.at("grid").integers(2, high=s.stride).tolist()
    margin = s.patch - 1
    whole = F.pad(image, (margin + left, margin + s.stride, margin + top, margin + s.stride), mode="replicate")
    rows, columns = ((side - s.patch) // s.stride + 1 for side in whole.shape[2:])
    some = _patches(whole, torch.arange(0, rows * columns, max(1, rows * columns // _SOME)), s.patch, s.stride)
    nearest = _nearest(some, target, s)
    one = _window(s.patch).to(image)
    window = (one[:, None] * one).flatten().repeat(image.shape[1])[:, None]
    total, at_once = torch.zeros_like(whole), max(1, _AT_ONCE // columns)
    for first in range(0, rows, at_once):
        last = min(rows, first + at_once) - 1
        band = slice(first * s.stride, last * s.stride + s.patch)
        here = F.unfold(whole[:, :, band], s.patch, stride=s.stride)[0].T
        size = (band.stop - band.start, whole.shape[3])
        total[:, :, band] += F.fold((nearest(here).T * window)[None], size, s.patch, stride=s.stride)
    down, across = (_covered(one, n, side, s.stride) for n, side in zip((rows, columns), whole.shape[2:], strict=True))
    mean = total / (down[:, None] * across).clamp_min(1e-6)
    y, x = margin + top, margin + left
    return mean[:, :, y : y + image.shape[2], x : x + image.shape[3]]


def _window(patch: int) -> Tensor:
    return torch.exp(-0.5 * ((torch.arange(patch) - (patch - 1) / 2) / (patch / 4)) ** 2)


def _covered(window: Tensor, count: int, side: int, stride: int) -> Tensor:
    """[side]: how much windows at `count` places along it weigh together."""
    return F.fold(window[:, None].expand(-1, count)[None], (side, 1), (len(window), 1), stride=(stride, 1))[0, 0, :, 0]


def _nearest(some: Tensor, target: _Target, s: StyleSettings) -> Callable[[Tensor], Tensor]:
    """For each of patches [n, d] that of the painting that is most like it, where none may serve far more than others.

    some: patches of the picture, from which is read how much each of the painting's is wanted (eq. 2).
    """
    theirs = target.seen
    near = [torch.cdist(rows, theirs).amin(0) for rows in (some @ target.axes.T).split(_ROWS)]
    # (a^2 - 2 a b + b^2) * scale_b, in one product: the square of a stands beside it as one more number
    scale = (1 / (s.complete + torch.stack(near).amin(0).square())).unsqueeze(0)
    square = theirs.square().sum(1) * scale
    turned = torch.cat([-2 * theirs.T * scale, scale])

    def of(patches: Tensor) -> Tensor:
        seen = patches @ target.axes.T
        beside = torch.cat([seen, seen.square().sum(1, keepdim=True)], 1)
        return target.patches[torch.cat([torch.addmm(square, rows, turned).argmin(1) for rows in beside.split(_ROWS)])]

    return of


def plainly(photo: Tensor, styles: Sequence[tuple[Tensor, float]], draw: Draw) -> Tensor:
    """[1, 3, H, W] of a photograph, in the colours alone of paintings ([1, 3, h, w], weight)."""
    total = sum(weight for _, weight in styles)
    colours = [colours_of(x, draw, max(64, round(_PATCHES * weight / total))) for x, weight in styles]
    return recoloured(photo, torch.cat(colours), draw)


def styled(
    photo: Tensor,
    styles: Sequence[tuple[Tensor, float]],
    draw: Draw,
    strength: float = 1.0,
    settings: StyleSettings = USUAL,
    told: Callable[[float], None] | None = None,
) -> Tensor:
    """[1, 3, H, W] in [-1, 1] of a photograph [1, 3, H, W], in the manner of paintings ([1, 3, h, w], weight).

    strength: 0 changes its colours alone, 1 its texture wholly. A painting is seen at its own scale: give it as large
    as the photograph. told: gets the share that is done.
    """
    plain = plainly(photo, styles, draw)
    if strength == 0:
        return plain
    sizes = _sizes(photo.shape[2], photo.shape[3], settings)
    work = [h * w for h, w in sizes]
    image, done = resized(plain, sizes[0]), 0
    for k, size in enumerate(sizes):
        there = resized(plain, size)
        if k:
            coarse = resized(resized(plain, sizes[k - 1]), size)
            image = resized(image, size) + settings.edges * (there - coarse)
        target = _target(styles, size[0] / photo.shape[2], settings, draw)
        for r in range(settings.rounds):
            image = _moved(image, target, settings, Draw(draw.seed, step=r, phase=f"{draw.phase}/{k}"))
            image = image + (1 - strength) * settings.pull * (there - image)
            if told is not None:
                told((done + size[0] * size[1] * (r + 1) / settings.rounds) / sum(work))
        done += size[0] * size[1]
    return image.clamp(-1, 1)


def with_colours_of(image: Tensor, photo: Tensor) -> Tensor:
    """[1, 3, H, W]: light of `image`, colours of `photo`."""
    return (photo + luma(image) - luma(photo)).clamp(-1, 1)
