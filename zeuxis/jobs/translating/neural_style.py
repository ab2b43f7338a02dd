"""A photograph in the manner of paintings by a net that knows pictures: the statistics of its maps become theirs.

After Gatys et al. 2016, "Image style transfer using convolutional neural networks" (CVPR), over VGG16, from half of the
size to the whole.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn

from zeuxis.classic.style import plainly
from zeuxis.draw import Draw
from zeuxis.nets import vgg
from zeuxis.pictures.resizing import resized
from zeuxis.weights import packages
from zeuxis.weights.store import content_hash

NET = "lpips-vgg"
_STYLE, _CONTENT = (0, 2, 4, 7, 10), 8
"""ReLUs of VGG16 counted from 0: relu1_1, 2_1, 3_1, 4_1 and 5_1, whose statistics are the painting's, and relu4_2,
which stays the photograph's; as in the paper."""
_BETA = 30.0
"""Weight of the painting's statistics at strength 1, both in shares of what is wanted: by eye."""
_STEPS = (80, 40)
"""Evaluations by L-BFGS at half of the size, and at the whole."""
_LEAST, _NET_LEAST = 64, 16
"""Pixels of the shorter side, below which no half is made, and below which the net's last maps are empty."""


@lru_cache(maxsize=1)
def net() -> tuple[nn.Module, str]:
    """VGG16 with its taps, and its hash. Raises BadInput where it was not added."""
    tensors, _ = packages.opened(NET)
    return vgg.vgg16(tensors, tuple(sorted((*_STYLE, _CONTENT)))), content_hash(tensors)


def styled_by_net(
    photo: Tensor,
    styles: Sequence[tuple[Tensor, float]],
    draw: Draw,
    strength: float = 1.0,
    told: Callable[[float], None] | None = None,
) -> Tensor:
    """As `classic.style.styled`."""
    image = plain = plainly(photo, styles, draw)
    if strength == 0:
        return plain
    rounds = [(0.5, _STEPS[0]), (1.0, _STEPS[1])] if min(photo.shape[2:]) // 2 >= _LEAST else [(1.0, sum(_STEPS))]
    work, done = sum(share**2 * steps for share, steps in rounds), 0.0
    for share, steps in rounds:
        here, *there = (_shrunk(x, share) for x in (plain, *(painting for painting, _ in styles)))
        wanted = _Wanted(here, [(x, weight) for x, (_, weight) in zip(there, styles, strict=True)])
        begun = done

        def evaluated(count: int, begun: float = begun, cost: float = share**2) -> None:
            if told is not None:
                told(min(1.0, (begun + count * cost) / work))

        image = _moved(resized(image, here.shape[2:]), wanted, _BETA * strength, steps, evaluated)
        done += share**2 * steps
    return image.clamp(-1, 1)


def _shrunk(image: Tensor, share: float) -> Tensor:
    return resized(image, [max(_NET_LEAST, round(side * share)) for side in image.shape[2:]])


class _Wanted:
    """The photograph's map that is to stay, and the paintings' statistics, of several as much as each counts."""

    def __init__(self, photo: Tensor, styles: Sequence[tuple[Tensor, float]]) -> None:
        total = sum(weight for _, weight in styles)
        with torch.no_grad():
            self.content = _maps(photo)[1]
            each = [[w / total * gram for gram in _maps(x)[0]] for x, w in styles]
        self.grams = [torch.stack(of_layer).sum(0) for of_layer in zip(*each, strict=True)]

    def off(self, image: Tensor, beta: float) -> Tensor:
        """What is to become small: squared distances, in shares of what is wanted."""
        grams, content = _maps(image)
        style = [_share(gram, wanted) for gram, wanted in zip(grams, self.grams, strict=True)]
        return _share(content, self.content) + beta * torch.stack(style).mean()


def _share(found: Tensor, wanted: Tensor) -> Tensor:
    return (found - wanted).square().sum() / wanted.square().sum().clamp_min(1e-12)


def _maps(image: Tensor) -> tuple[list[Tensor], Tensor]:
    """Gram matrices [C, C] of the maps that tell style, and the map that tells content."""
    maps = dict(zip(sorted((*_STYLE, _CONTENT)), net()[0](image), strict=True))
    flat = [maps[k][0].flatten(1) for k in _STYLE]
    return [x @ x.T / x.shape[1] for x in flat], maps[_CONTENT]


def _moved(image: Tensor, wanted: _Wanted, beta: float, steps: int, told: Callable[[int], None]) -> Tensor:
    """told: gets how often the image was evaluated."""
    image, count = image.clone().requires_grad_(), 0
    best = torch.optim.LBFGS([image], max_iter=steps, max_eval=steps, tolerance_grad=0, tolerance_change=0)

    def evaluated() -> Tensor:
        nonlocal count
        best.zero_grad()
        off = wanted.off(image, beta)
        off.backward()
        count += 1
        told(count)
        return off

    best.step(evaluated)
    return image.detach()
