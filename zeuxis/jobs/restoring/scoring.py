"""How near a picture comes to its original, a band of rows at a time, so that memory does not grow with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import fsum, inf, isfinite, log10

from torch import Tensor

from zeuxis.errors import BadInput
from zeuxis.jobs.published_nets import Distance, distance
from zeuxis.metrics.fidelity import ALL, WINDOW, Protocol, on_y, psnr_each, ssim_each
from zeuxis.metrics.perceptual import LEAST

ALPHA = "psnr_alpha"
NAMES = {"psnr": "PSNR dB", "psnr_y": "PSNR-Y dB", "ssim": "SSIM", "lpips": "LPIPS", ALPHA: "PSNR-alpha dB"}
DIGITS = {"psnr": 2, "psnr_y": 2, "ssim": 4, "lpips": 4, ALPHA: 2}
_AT_ONCE = 4_000_000  # pixels of a band
_LPIPS_MOST = 16_000_000  # pixels; the first maps of AlexNet take some 100 bytes for each


def protocols(scale: int) -> dict[str, Protocol]:
    """What PSNR, PSNR-Y and SSIM are measured on: as super-resolution papers do it where the picture was enlarged."""
    luma = on_y(scale, "") if scale > 1 else Protocol("Y")
    return {"psnr": ALL, "psnr_y": luma, "ssim": luma if scale > 1 else ALL}


def protocol_words(scale: int, with_lpips: bool, with_alpha: bool = False) -> dict[str, str]:
    """The protocols in words, by the name of the score."""
    words = {name: protocol.words for name, protocol in protocols(scale).items()}
    words |= {"lpips": "0.1 Alex, RGB, crop 0, 8-bit"} if with_lpips else {}
    seen = {name: f"{what}, on white where transparent" if with_alpha else what for name, what in words.items()}
    return seen | ({ALPHA: "alpha itself, crop 0, 8-bit"} if with_alpha else {})


def lpips_alex() -> Distance:
    """LPIPS by AlexNet. Raises BadInput, with how to add its weights, where they were not."""
    return distance("alex")


def alike(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Two pictures with as many channels: a grey one beside one in colours is repeated."""
    channels = max(first.shape[1], second.shape[1])
    return first.expand(-1, channels, -1, -1), second.expand(-1, channels, -1, -1)


def _inside(image: Tensor, crop: int) -> Tensor:
    height, width = image.shape[2:]
    return image[..., crop : height - crop, crop : width - crop]


def _bands(first: Tensor, second: Tensor, overlap: int) -> Iterator[tuple[Tensor, Tensor, int]]:
    """(rows of both, how many of them count): each band holds `overlap` rows more, which the next begins with."""
    count, rows = first.shape[2] - overlap, max(64, _AT_ONCE // first.shape[3])
    for top in range(0, count, rows):
        end = min(top + rows, count)
        yield first[:, :, top : end + overlap], second[:, :, top : end + overlap], end - top


def psnr(image: Tensor, target: Tensor, protocol: Protocol = ALL) -> float | None:
    """PSNR in dB of [1, C, H, W] in [-1, 1]; infinite for equal pictures, None where the crop leaves nothing."""
    whole, (first, second) = replace(protocol, crop=0), (_inside(x, protocol.crop) for x in (image, target))
    if not first.numel() or min(image.shape[2:]) <= 2 * protocol.crop:
        return None
    total, height = 0.0, first.shape[2]
    for a, b, rows in _bands(first, second, 0):
        total += rows / height * 10 ** (-float(psnr_each(a, b, whole)) / 10)
    return -10 * log10(total) if total else inf


def ssim(image: Tensor, target: Tensor, protocol: Protocol = ALL) -> float | None:
    """SSIM of [1, C, H, W] in [-1, 1]; None where the picture is below 11 pixels inside the crop."""
    whole, (first, second) = replace(protocol, crop=0), (_inside(x, protocol.crop) for x in (image, target))
    if min(image.shape[2:]) - 2 * protocol.crop < WINDOW:
        return None
    count = first.shape[2] - WINDOW + 1
    return sum(float(ssim_each(a, b, whole)) * rows / count for a, b, rows in _bands(first, second, WINDOW - 1))


def lpips(image: Tensor, target: Tensor, measure: Distance) -> float | None:
    """LPIPS of [1, C, H, W] in [-1, 1]; None for pictures that are too small or too large for it."""
    sides = image.shape[2:]
    if min(sides) < LEAST or sides.numel() > _LPIPS_MOST:
        return None
    return measure(image, target).value


def scores(
    image: Tensor,
    target: Tensor,
    scale: int,
    measure: Distance | None,
    alphas: tuple[Tensor, Tensor] | None = None,
) -> dict[str, float | None]:
    """Every score of a picture against its original, [1, C, H, W] of one size; None where one cannot be taken.

    Both as they are seen; alphas: those of both, [1, 1, H, W] in [-1, 1], where something is transparent.
    Raises BadInput where the sizes differ.
    """
    if image.shape[2:] != target.shape[2:]:
        raise BadInput("a picture and its original must be of one size", f"{tuple(image.shape)}, {tuple(target.shape)}")
    image, target = alike(image, target)
    wanted = protocols(scale)
    found = {
        "psnr": psnr(image, target, wanted["psnr"]),
        "psnr_y": psnr(image, target, wanted["psnr_y"]),
        "ssim": ssim(image, target, wanted["ssim"]),
    }
    found |= {"lpips": lpips(image, target, measure)} if measure is not None else {}
    return found | ({ALPHA: psnr(*alphas)} if alphas is not None else {})


def means(found: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """The mean of each score over the pictures that have it and do not equal their original."""
    result: dict[str, float | None] = {}
    for name in dict.fromkeys(name for one in found for name in one):
        values = [v for one in found if (v := one.get(name)) is not None and isfinite(v)]
        result[name] = fsum(values) / len(values) if values else None
    return result
