"""Augmentation in front of a discriminator: DiffAugment, and the adaptive one of StyleGAN2-ADA.

Everything is differentiable, twice where a gradient penalty needs it, and takes its parameters from
the draw and the sample's index alone: give real and fake the same draw and they get the same ones.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from zeuxis.augmentation import geometry, photometric
from zeuxis.augmentation.rolls import Rolls, rolls, spread
from zeuxis.draw import Draw
from zeuxis.errors import BadInput, nearest


def _colour(image: Tensor, dice: Rolls) -> Tensor:
    u = dice.uniform("diff/colour", 3)

    def change(x: Tensor) -> Tensor:
        x = x + spread(u[:, 0] - 0.5, x)
        if x.shape[1] > 1:
            mean = x.mean(1, keepdim=True)
            x = (x - mean) * spread(2 * u[:, 1], x) + mean
        mean = x.mean((1, 2, 3), keepdim=True)
        return (x - mean) * spread(u[:, 2] + 0.5, x) + mean

    return photometric.on_colours(image, change)


def _translation(image: Tensor, dice: Rolls) -> Tensor:
    u = dice.uniform("diff/translation", 2)
    reach = [int(side * 0.125 + 0.5) for side in (image.shape[-1], image.shape[-2])]
    x, y = (torch.floor(u[:, k] * (2 * r + 1)) - r for k, r in enumerate(reach))
    return geometry.warp_nearest(image, geometry.translation(x, y), fill=0.0)


def _cutout(image: Tensor, dice: Rolls) -> Tensor:
    u = dice.uniform("diff/cutout", 2)
    sizes = [int(side * 0.5 + 0.5) for side in image.shape[-2:]]
    starts = [
        torch.floor(u[:, k] * (side + 1 - size % 2)).long() - size // 2
        for k, (side, size) in enumerate(zip(image.shape[-2:], sizes, strict=True))
    ]
    height, width = (torch.full_like(start, size) for start, size in zip(starts, sizes, strict=True))
    return photometric.cover(image, starts[0], starts[1], height, width)


DIFF_OPERATIONS: dict[str, Callable[[Tensor, Rolls], Tensor]] = {
    "color": _colour,
    "translation": _translation,
    "cutout": _cutout,
}


def diff_augment(
    image: Tensor, draw: Draw, policy: str = "color,translation,cutout", index: Tensor | None = None
) -> Tensor:
    """DiffAugment (Zhao et al. 2020, arXiv 2006.10738; the formulas of its PyTorch code), in the order of `policy`.

    image [B, C, H, W] in [-1, 1]; the result is not clamped. color: brightness + U(-0.5, 0.5); saturation, distance
    to the mean of the channels times U(0, 2); contrast, distance to the mean of the image times U(0.5, 1.5); alpha
    stays, one channel has no saturation. translation: whole shifts up to an eighth of the side, zeros move in.
    cutout: a rectangle of half the sides becomes zero. "" changes nothing. Raises BadInput for an unknown name.
    """
    dice = rolls(draw, image, index)
    for name in filter(None, (part.strip() for part in policy.split(","))):
        if name not in DIFF_OPERATIONS:
            raise BadInput(f"DiffAugment has no `{name}`", "", nearest(name, list(DIFF_OPERATIONS)))
        image = DIFF_OPERATIONS[name](image, dice)
    return image


@dataclass(frozen=True)
class _Numbers:
    """What one operation may use: u uniform and z normal, [B, 2] each; size (height, width)."""

    u: Tensor
    z: Tensor
    size: tuple[int, int]


Make = Callable[[_Numbers], Tensor]


def _xflip(n: _Numbers) -> Tensor:
    sign = 1 - 2 * torch.floor(2 * n.u[:, 0])
    return geometry.scaling(sign, torch.ones_like(sign))


def _rotate90(n: _Numbers) -> Tensor:
    turns = torch.floor(4 * n.u[:, 0])
    cos, sin = (turns == 0).float() - (turns == 2).float(), (turns == 1).float() - (turns == 3).float()
    zero = torch.zeros_like(cos)
    return geometry.affine(cos, sin, zero, -sin, cos, zero)


def _shift(n: _Numbers, share: Tensor) -> Tensor:
    return share * share.new_tensor([n.size[1], n.size[0]])


def _xint(n: _Numbers) -> Tensor:
    return geometry.translation(*torch.round(_shift(n, (2 * n.u - 1) * 0.125)).unbind(1))


def _xfrac(n: _Numbers) -> Tensor:
    return geometry.translation(*_shift(n, n.z * 0.125).unbind(1))


def _scale(n: _Numbers) -> Tensor:
    factor = 2.0 ** (0.2 * n.z[:, 0])
    return geometry.scaling(factor, factor)


def _aniso(n: _Numbers) -> Tensor:
    factor = 2.0 ** (0.2 * n.z[:, 0])
    return geometry.scaling(factor, 1 / factor)


def _rotate(n: _Numbers) -> Tensor:
    return geometry.rotation((2 * n.u[:, 0] - 1) * 180)


_GEOMETRIC: tuple[tuple[str, Make], ...] = (
    ("xflip", _xflip),
    ("rotate90", _rotate90),
    ("xint", _xint),
    ("scale", _scale),
    ("rotate", _rotate),
    ("aniso", _aniso),
    ("rotate", _rotate),
    ("xfrac", _xfrac),
)


def _brightness(x: Tensor, n: _Numbers) -> Tensor:
    return x + spread(0.2 * n.z[:, 0], x)


def _contrast(x: Tensor, n: _Numbers) -> Tensor:
    return x * spread(2.0 ** (0.5 * n.z[:, 0]), x)


def _lumaflip(x: Tensor, n: _Numbers) -> Tensor:
    return x - spread(2 * torch.floor(2 * n.u[:, 0]), x) * x.mean(1, keepdim=True)


def _hue(x: Tensor, n: _Numbers) -> Tensor:
    return photometric.hue(x, (2 * n.u[:, 0] - 1) * 180)


def _saturation(x: Tensor, n: _Numbers) -> Tensor:
    mean = x.mean(1, keepdim=True)
    return mean + (x - mean) * spread(2.0 ** n.z[:, 0], x)


_PHOTOMETRIC: tuple[tuple[str, Callable[[Tensor, _Numbers], Tensor]], ...] = (
    ("brightness", _brightness),
    ("contrast", _contrast),
    ("lumaflip", _lumaflip),
    ("hue", _hue),
    ("saturation", _saturation),
)
_COLOURED = ("hue", "saturation")

ADA_OPS: tuple[str, ...] = tuple(dict.fromkeys(name for name, _ in (*_GEOMETRIC, *_PHOTOMETRIC)))
"""The operations of the pipe "bgc", in the order in which they are done."""

_GLYPHS = tuple(name for name in ADA_OPS if name not in ("xflip", "rotate90", "rotate"))
_ADA_OPS_OF = {"digits": _GLYPHS, "text": _GLYPHS}


def ada_ops(domain: str = "photo") -> tuple[str, ...]:
    """The operations for this kind of picture: digits and text are not flipped or rotated, which would change them."""
    return _ADA_OPS_OF.get(domain, ADA_OPS)


def ada_pipe(
    image: Tensor, draw: Draw, p: float | Tensor, ops: tuple[str, ...] = ADA_OPS, index: Tensor | None = None
) -> Tensor:
    """The pipe "bgc" of StyleGAN2-ADA (Karras et al. 2020, arXiv 2006.06676, appendix B), each part with chance p.

    image [B, C, H, W] in [-1, 1]; the result is not clamped. p: a number or a 0-d tensor in [0, 1]; 0 is the identity
    to the bit. xflip; rotate90; xint, whole shifts up to 1/8; scale 2^N(0, 0.2); rotate by any angle, before and after
    aniso with chance 1 - sqrt(1 - p) each, so p for either; aniso 2^N(0, 0.2); xfrac N(0, 1/8); brightness + N(0, 0.2);
    contrast 2^N(0, 0.5); lumaflip; hue by any angle; saturation 2^N(0, 1). Grey pictures skip the last two; alpha
    only moves. What moves in is mirrored. Unlike the source, the one resampling is bilinear at the picture's own
    size, without its wavelet filter. A subset of `ops` leaves the numbers of the others as they are. Raises BadInput
    for an unknown op.
    """
    for name in ops:
        if name not in ADA_OPS:
            raise BadInput(f"ADA has no operation `{name}`", "", nearest(name, list(ADA_OPS)))
    dice = rolls(draw, image, index)
    count = len(_GEOMETRIC) + len(_PHOTOMETRIC)
    chance, u, z = dice.uniform("ada/chance", count), dice.uniform("ada/u", count, 2), dice.normal("ada/z", count, 2)
    p = torch.as_tensor(p, dtype=torch.float32, device=image.device)
    size = (image.shape[-2], image.shape[-1])
    numbers = [_Numbers(u[:, k], z[:, k], size) for k in range(count)]
    image = _move(image, chance, numbers, p, ops)

    def change(x: Tensor) -> Tensor:
        for k, (name, function) in enumerate(_PHOTOMETRIC, len(_GEOMETRIC)):
            if name in ops and not (name in _COLOURED and x.shape[1] == 1):
                x = torch.where(geometry.spread_flag(chance[:, k] < p, x), function(x, numbers[k]), x)
        return x

    return photometric.on_colours(image, change)


def _move(image: Tensor, chance: Tensor, numbers: list[_Numbers], p: Tensor, ops: tuple[str, ...]) -> Tensor:
    chosen = [(k, name, make) for k, (name, make) in enumerate(_GEOMETRIC) if name in ops]
    if not chosen:
        return image
    still = geometry.identity(len(image), chance)
    matrix = still
    for k, name, make in chosen:
        likely = 1 - torch.sqrt((1 - p).clamp(0, 1)) if name == "rotate" else p
        one = torch.where((chance[:, k] < likely)[:, None, None], make(numbers[k]), still)
        matrix = geometry.compose(one, matrix)
    return geometry.warp(image, matrix, padding="reflection")


def ada_update(
    p: float | Tensor,
    sign_mean: float | Tensor,
    batch: int,
    target: float = 0.6,
    speed_images: int = 500_000,
    every: int = 4,
) -> Tensor:
    """The next probability, 0-d float32 (Karras et al. 2020, section 3.1): one step up or down, kept in [0, 1].

    sign_mean: mean of sign D(real) over the last `every` batches of `batch` images, in [-1, 1]. Call it every `every`
    steps; p then needs `speed_images` images from 0 to 1. Leaks become likely above about 0.8.
    """
    device = p.device if isinstance(p, Tensor) else None
    p = torch.as_tensor(p, dtype=torch.float32, device=device)
    error = torch.as_tensor(sign_mean, dtype=torch.float32, device=device) - target
    return (p + torch.sign(error) * (batch * every / speed_images)).clamp(0, 1)
