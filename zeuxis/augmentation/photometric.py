"""Changes of value with explicit parameters per sample; none moves a pixel.

Images are float [B, C, H, W] in [-1, 1]: grey, grey and alpha, RGB, or RGB and alpha. Alpha is
never touched. Parameters are tensors [B]. Results are not clamped unless said. Where Pillow has
the same word (brightness, contrast, saturation, sharpness, solarize, posterize, autocontrast,
equalize), the formula is Pillow's, without its rounding to 8 bits in between.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from zeuxis.augmentation.rolls import spread
from zeuxis.pictures.in_colour import LUMA


def on_colours(image: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Applies `change` to the colour channels; the alpha of 2 or 4 channels stays."""
    if image.shape[1] % 2:
        return change(image)
    return torch.cat([change(image[:, :-1]), image[:, -1:]], 1)


def grey(colours: Tensor) -> Tensor:
    """Luma of [B, 1 or 3, H, W], as [B, 1, H, W]."""
    if colours.shape[1] == 1:
        return colours
    r, g, b = colours.split(1, 1)
    luma: Tensor = LUMA[0] * r + LUMA[1] * g + LUMA[2] * b
    return luma


def brightness(colours: Tensor, factor: Tensor) -> Tensor:
    """Multiplies the value in [0, 1] by `factor`; 1 changes nothing, 0 is black."""
    return (colours + 1) * spread(factor, colours) - 1


def contrast(colours: Tensor, factor: Tensor) -> Tensor:
    """Distance to the mean luma of the image, times `factor`."""
    mean = grey(colours).mean((1, 2, 3), keepdim=True)
    return mean + (colours - mean) * spread(factor, colours)


def saturation(colours: Tensor, factor: Tensor) -> Tensor:
    """Distance of each pixel to its own luma, times `factor`; 0 is grey. One channel has none."""
    luma = grey(colours)
    return luma + (colours - luma) * spread(factor, colours)


def mix_channels(colours: Tensor, matrix: Tensor) -> Tensor:
    """Multiplies the colour of each pixel of [B, 3, H, W] by `matrix` [B, 3, 3]."""
    matrix = matrix.to(colours.dtype)[..., None, None]
    parts = [matrix[:, :, k] * colours[:, k : k + 1] for k in range(3)]
    return parts[0] + parts[1] + parts[2]


def turn_about_grey(angle: Tensor) -> Tensor:
    """[B, 3, 3]: turns colours about the axis R = G = B by `angle` [B] in radians (formula of Rodrigues)."""
    third, root = 1 / 3, math.sqrt(1 / 3)
    cos, sin = torch.cos(angle), torch.sin(angle)
    same, up, down = cos + third * (1 - cos), third * (1 - cos) + root * sin, third * (1 - cos) - root * sin
    return torch.stack([same, down, up, up, same, down, down, up, same], -1).reshape(-1, 3, 3)


def hue(colours: Tensor, degrees: Tensor) -> Tensor:
    """Turns the colours about the grey axis; R goes to G at 120 degrees. One channel has none."""
    if colours.shape[1] == 1:
        return colours
    return mix_channels(colours, turn_about_grey(degrees * (math.pi / 180)))


def sharpness(colours: Tensor, factor: Tensor) -> Tensor:
    """Distance to the smoothed image, times `factor`: 0 is smooth, 2 is sharp; the outermost pixels stay.

    Smooth is the mean over 3x3 with weight 5 in the middle (Pillow's SMOOTH).
    """
    rows = colours[..., :-2, :] + colours[..., 1:-1, :] + colours[..., 2:, :]
    box = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    inner = colours[..., 1:-1, 1:-1]
    detail = inner - (box + 4 * inner) / 13
    return colours + F.pad(detail, (1, 1, 1, 1)) * (spread(factor, colours) - 1)


def blur(colours: Tensor, sigma: Tensor, largest: float) -> Tensor:
    """Gaussian of standard deviation `sigma` [B] pixels, at most `largest`; the border is mirrored."""
    radius = max(1, math.ceil(3 * largest))
    height, width = colours.shape[-2:]
    radius = min(radius, height - 1, width - 1)
    offset = torch.arange(-radius, radius + 1, device=colours.device, dtype=colours.dtype)
    weight = torch.exp(-0.5 * (offset / sigma.to(colours.dtype).clamp(min=1e-3)[:, None]) ** 2)
    taps = (weight / weight.sum(1, keepdim=True))[:, :, None, None, None].unbind(1)
    padded = F.pad(colours, (radius, radius, radius, radius), mode="reflect")
    rows = torch.zeros_like(padded[:, :, :height])
    for k, tap in enumerate(taps):
        rows = rows + tap * padded[:, :, k : k + height]
    out = torch.zeros_like(colours)
    for k, tap in enumerate(taps):
        out = out + tap * rows[..., k : k + width]
    return out


def solarize(colours: Tensor, threshold: Tensor) -> Tensor:
    """Inverts values at or above `threshold` (in [-1, 1])."""
    return torch.where(colours >= spread(threshold, colours), -colours, colours)


def posterize(colours: Tensor, bits: Tensor) -> Tensor:
    """Keeps the highest `bits` (1 to 8, whole) of the 8-bit value. Its gradient is zero."""
    step = spread(2.0 ** (8 - bits), colours)
    return torch.floor(_bytes(colours) / step) * step / 127.5 - 1


def autocontrast(colours: Tensor) -> Tensor:
    """Stretches each channel of each image to [-1, 1]; a flat channel stays."""
    low, high = colours.amin((2, 3), keepdim=True), colours.amax((2, 3), keepdim=True)
    flat = high <= low
    stretched = (colours - low) * (2 / torch.where(flat, torch.ones_like(high), high - low)) - 1
    return torch.where(flat, colours, stretched)


def equalize(colours: Tensor) -> Tensor:
    """Flattens the 8-bit histogram of each channel of each image, to Pillow's bit. Its gradient is zero."""
    values = _bytes(colours).long().flatten(2)
    counts = torch.zeros(*values.shape[:2], 256, dtype=torch.int64, device=colours.device)
    counts = counts.scatter_add(2, values, torch.ones_like(values))
    last = counts.gather(2, values.amax(2, keepdim=True))
    step = (values.shape[2] - last) // 255
    before = counts.cumsum(2) - counts
    safe = step.clamp(min=1)
    table = ((before + safe // 2) // safe).clamp(max=255)
    table = torch.where(step > 0, table, torch.arange(256, device=colours.device))
    return (table.gather(2, values).to(colours.dtype) / 127.5 - 1).reshape(colours.shape)


def cover(image: Tensor, row: Tensor, column: Tensor, height: Tensor, width: Tensor, fill: float = 0.0) -> Tensor:
    """Sets a rectangle to `fill`: first row and column and size, int64 [B] each; outside parts are cut."""
    return torch.where(rectangle(image, row, column, height, width), torch.full_like(image, fill), image)


def rectangle(image: Tensor, row: Tensor, column: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """bool [B, 1, H, W], true inside the rectangle with that first row, first column and size, int64 [B] each."""
    y = torch.arange(image.shape[-2], device=image.device)[:, None]
    x = torch.arange(image.shape[-1], device=image.device)
    row, column, height, width = (v.reshape(-1, 1, 1, 1) for v in (row, column, height, width))
    return (y >= row) & (y < row + height) & (x >= column) & (x < column + width)


def _bytes(colours: Tensor) -> Tensor:
    return torch.round((colours.detach().clamp(-1, 1) + 1) * 127.5)
