"""The catalog of operations: each takes a strength per sample from 0 (the identity, to the bit) to 1.

The strength sets how far an operation goes; direction, place and noise come from the draw. The
ends are those of TrivialAugment's wide space (Müller and Hutter 2021, arXiv 2103.10158, table of
search spaces; `aug_lib.py` of its authors) where it has the operation: rotation 135 degrees, shear
0.99, factors 0.01 to 1.99, posterize down to 2 bits, solarize every value. Its shift of 32 pixels is
the whole of a small picture, so shifts end at 10/32 of the side, as in its standard space.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from zeuxis.augmentation import geometry, photometric
from zeuxis.augmentation.rolls import Rolls, rolls
from zeuxis.draw import Draw

Size = tuple[int, int]
Place = Callable[[Tensor, Rolls, Size], Tensor]
Change = Callable[[Tensor, Tensor, Rolls], Tensor]

SHIFT = 10 / 32
CROP = 4 / 32


@dataclass(frozen=True)
class Operation:
    """One way to change a picture.

    Exactly one of `place` (strength [B], rolls, (H, W) -> affine map [B, 2, 3]) and `change` (colour
    channels, strength [B], rolls -> colour channels) is given. whole: the map is made of flips and whole
    shifts, so nothing is interpolated. coloured: needs R, G and B, does nothing to a grey picture.
    chance: the strength is the chance that it happens. full: has no strength of its own; between 0 and 1
    it is mixed with the picture. smooth: its gradient with respect to the image is not zero everywhere.
    """

    name: str
    place: Place | None = None
    change: Change | None = None
    whole: bool = False
    coloured: bool = False
    chance: bool = False
    full: bool = False
    smooth: bool = True

    @property
    def geometric(self) -> bool:
        return self.place is not None

    def apply(self, image: Tensor, strength: Tensor, draw: Draw, index: Tensor | None = None) -> Tensor:
        """`image` [B, C, H, W] in [-1, 1], `strength` [B] in [0, 1]; `index` int64 [B] names the samples."""
        dice = rolls(draw, image, index)
        if self.place is None:
            return self.recolour(image, strength, dice)
        matrix = self.place(strength, dice, (image.shape[-2], image.shape[-1]))
        return (geometry.warp_nearest if self.whole else geometry.warp)(image, matrix, fill=-1.0)

    def recolour(self, image: Tensor, strength: Tensor, dice: Rolls) -> Tensor:
        """A photometric operation on the colours of `image`, clamped to [-1, 1]; strength 0 keeps the bits."""
        if self.change is None or (self.coloured and image.shape[1] < 3):
            return image
        change = self.change

        def colours(x: Tensor) -> Tensor:
            changed = change(x, strength, dice).clamp(-1, 1)
            return torch.where(geometry.spread_flag(strength > 0, x), changed, x)

        return photometric.on_colours(image, colours)


def _rotate(strength: Tensor, dice: Rolls, size: Size) -> Tensor:
    return geometry.rotation(135 * strength * dice.sign("rotate"))


def _flip(name: str, horizontal: bool) -> Place:
    def place(strength: Tensor, dice: Rolls, size: Size) -> Tensor:
        factor = torch.where(dice.uniform(name) < strength, -1.0, 1.0)
        one = torch.ones_like(factor)
        return geometry.scaling(factor, one) if horizontal else geometry.scaling(one, factor)

    return place


def _translate(name: str, horizontal: bool) -> Place:
    def place(strength: Tensor, dice: Rolls, size: Size) -> Tensor:
        side = size[1] if horizontal else size[0]
        shift = torch.round(SHIFT * side * strength) * dice.sign(name)
        zero = torch.zeros_like(shift)
        return geometry.translation(shift, zero) if horizontal else geometry.translation(zero, shift)

    return place


def _crop(strength: Tensor, dice: Rolls, size: Size) -> Tensor:
    unit = dice.uniform("crop", 2, low=-1)
    margin = torch.round(strength[:, None] * CROP * unit.new_tensor([size[1], size[0]]))
    # every whole shift from -margin to margin with equal chance: 2 margin + 1 slots of equal width
    shift = (torch.floor((unit + 1) / 2 * (2 * margin + 1)) - margin).minimum(margin)
    return geometry.translation(shift[:, 0], shift[:, 1])


def _scale(strength: Tensor, dice: Rolls, size: Size) -> Tensor:
    factor = 2.0 ** (0.5 * strength * dice.sign("scale"))
    return geometry.scaling(factor, factor)


def _shear(name: str, horizontal: bool) -> Place:
    def place(strength: Tensor, dice: Rolls, size: Size) -> Tensor:
        factor = 0.99 * strength * dice.sign(name)
        zero = torch.zeros_like(factor)
        return geometry.shearing(factor, zero) if horizontal else geometry.shearing(zero, factor)

    return place


def _enhance(name: str, function: Callable[[Tensor, Tensor], Tensor]) -> Change:
    def change(colours: Tensor, strength: Tensor, dice: Rolls) -> Tensor:
        return function(colours, 1 + 0.99 * strength * dice.sign(name))

    return change


def _mixed(function: Callable[[Tensor], Tensor]) -> Change:
    def change(colours: Tensor, strength: Tensor, dice: Rolls) -> Tensor:
        share = geometry.spread_flag(strength, colours).to(colours.dtype)
        full = function(colours)
        return torch.where(share < 1, colours + share * (full - colours), full)

    return change


def _hue(colours: Tensor, strength: Tensor, dice: Rolls) -> Tensor:
    return photometric.hue(colours, 180 * strength * dice.sign("hue"))


def _noise(colours: Tensor, strength: Tensor, dice: Rolls) -> Tensor:
    normal = dice.normal("noise", *colours.shape[1:]).to(colours.dtype)
    return colours + 0.2 * geometry.spread_flag(strength, colours).to(colours.dtype) * normal


def _blur(colours: Tensor, strength: Tensor, dice: Rolls) -> Tensor:
    largest = 0.05 * min(colours.shape[-2:])
    return photometric.blur(colours, strength * largest, largest)


def _cutout(colours: Tensor, strength: Tensor, dice: Rolls) -> Tensor:
    height, width = colours.shape[-2:]
    side = torch.round(0.5 * min(height, width) * strength).long()
    middle = dice.uniform("cutout", 2)
    row, column = (torch.floor(middle[:, k] * n).long() - side // 2 for k, n in enumerate((height, width)))
    return photometric.cover(colours, row, column, side, side)


def _posterize(colours: Tensor, strength: Tensor, dice: Rolls) -> Tensor:
    return photometric.posterize(colours, 8 - torch.round(6 * strength))


def _solarize(colours: Tensor, strength: Tensor, dice: Rolls) -> Tensor:
    return photometric.solarize(colours, 1 - 2 * strength)


OPERATIONS: dict[str, Operation] = {
    o.name: o
    for o in (
        Operation("rotate", place=_rotate),
        Operation("flip_horizontal", place=_flip("flip_horizontal", True), whole=True, chance=True),
        Operation("flip_vertical", place=_flip("flip_vertical", False), whole=True, chance=True),
        Operation("translate_x", place=_translate("translate_x", True), whole=True),
        Operation("translate_y", place=_translate("translate_y", False), whole=True),
        Operation("crop", place=_crop, whole=True),
        Operation("scale", place=_scale),
        Operation("shear_x", place=_shear("shear_x", True)),
        Operation("shear_y", place=_shear("shear_y", False)),
        Operation("brightness", change=_enhance("brightness", photometric.brightness)),
        Operation("contrast", change=_enhance("contrast", photometric.contrast)),
        Operation("saturation", change=_enhance("saturation", photometric.saturation), coloured=True),
        Operation("sharpness", change=_enhance("sharpness", photometric.sharpness)),
        Operation("hue", change=_hue, coloured=True),
        Operation("noise", change=_noise),
        Operation("blur", change=_blur),
        Operation("posterize", change=_posterize, smooth=False),
        Operation("solarize", change=_solarize),
        Operation("autocontrast", change=_mixed(photometric.autocontrast), full=True),
        Operation("equalize", change=_mixed(photometric.equalize), full=True, smooth=False),
        Operation("cutout", change=_cutout),
    )
}
"""Every operation by name. Meaning of strength 1 and, in between, of strength s:

rotate 135 s degrees either way; flip_* with chance s; translate_* by 10/32 s of the side either way, in
whole pixels; crop: padded by 4/32 s of the side and cropped at random, a whole shift; scale by 2^(s/2) or its
inverse; shear_* by 0.99 s either way; brightness, contrast, saturation, sharpness: factor 1 + 0.99 s or
1 - 0.99 s; hue by 180 s degrees either way; noise: Gaussian of standard deviation 0.2 s; blur: Gaussian of 0.05 s
of the shorter side; posterize to 8 - 6 s bits; solarize at and above 1 - 2 s; autocontrast and equalize mixed in by
s; cutout: one grey square of half the shorter side times s around a random place (DeVries and Taylor 2017,
arXiv 1708.04552). What moves in from outside is black (transparent black where there is alpha), or what the
policy's `beyond` says.
"""
