"""Mixing pictures of one batch together with their labels: mixup and CutMix.

Both pair samples by a permutation of the local batch, so they couple samples: what becomes of one
depends on its neighbours in the batch. All else here works sample by sample.
"""

from functools import lru_cache

import torch
from torch import Tensor

from zeuxis.augmentation.photometric import rectangle
from zeuxis.augmentation.rolls import Rolls, rolls, spread
from zeuxis.draw import Draw

_KNOTS = 4096


@lru_cache(maxsize=8)
def _quantiles(alpha: float) -> tuple[float, ...]:
    import numpy as np
    from scipy.special import betaincinv

    return tuple(betaincinv(alpha, alpha, np.linspace(0, 1, _KNOTS + 1)).tolist())


def symmetric_beta(uniform: Tensor, alpha: float) -> Tensor:
    """Beta(alpha, alpha) from `uniform` [B] in [0, 1): its quantile function, linear between 4097 knots."""
    table = torch.tensor(_quantiles(alpha), dtype=torch.float32, device=uniform.device)
    place = uniform * _KNOTS
    low = place.floor().long().clamp(max=_KNOTS - 1)
    return torch.lerp(table[low], table[low + 1], place - low)


def _share(dice: Rolls, name: str, image: Tensor, alpha: float) -> Tensor:
    """How much of itself each sample keeps, [B]; alpha 0 keeps all."""
    if alpha <= 0:
        return torch.ones(len(image), device=image.device)
    return symmetric_beta(dice.uniform(name), alpha)


def _blend(x: Tensor, other: Tensor, share: Tensor) -> Tensor:
    own = spread(share, x)
    return torch.where(own == 1, x, own * x + (1 - own) * other)


def mixup(image: Tensor, one_hot: Tensor, draw: Draw, alpha: float = 0.2) -> tuple[Tensor, Tensor]:
    """Convex mixtures of pairs (Zhang et al. 2018, arXiv 1710.09412, eq. 1), share Beta(alpha, alpha) per sample.

    image [B, C, H, W], one_hot float [B, K]; returns both mixed. alpha 0 changes nothing. Couples samples.
    """
    dice = rolls(draw, image)
    share = _share(dice, "mixup", image, alpha)
    pair = dice.at("mixup/pair").permutation(len(image))
    return _blend(image, image[pair], share), _blend(one_hot, one_hot[pair], share)


def cutmix(image: Tensor, one_hot: Tensor, draw: Draw, alpha: float = 1.0) -> tuple[Tensor, Tensor]:
    """Pastes a rectangle of another sample (Yun et al. 2019, arXiv 1905.04899, eq. 1 and 2).

    The rectangle has the image's aspect and the share 1 - Beta(alpha, alpha) of its area, around a random
    place, cut at the border; labels are mixed by the pixels that were really pasted. Shapes as in mixup.
    """
    dice = rolls(draw, image)
    height, width = image.shape[-2:]
    side = torch.sqrt(1 - _share(dice, "cutmix", image, alpha))
    rows, columns = torch.floor(side * height).long(), torch.floor(side * width).long()
    middle = dice.uniform("cutmix/middle", 2)
    row = torch.floor(middle[:, 0] * height).long() - rows // 2
    column = torch.floor(middle[:, 1] * width).long() - columns // 2
    pasted = rectangle(image, row, column, rows, columns)
    pair = dice.at("cutmix/pair").permutation(len(image))
    share = 1 - pasted.to(torch.float32).mean((1, 2, 3))
    return torch.where(pasted, image[pair], image), _blend(one_hot, one_hot[pair], share)
