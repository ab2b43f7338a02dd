"""Kinds of real damage: each a function of random numbers and a clean photograph, giving a damaged file and truth."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import convolve, gaussian_filter
from source import Pixels, Rng, to_bytes


@dataclass(frozen=True, eq=False)
class Damaged:
    """truth: uint8 [H, W] or [H, W, 3 or 4]; data: the file, of the format `suffix`."""

    truth: Pixels
    data: bytes
    suffix: str = ".png"


def saved(pixels: Pixels, **how: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, **(how or {"format": "PNG", "compress_level": 1}))  # type: ignore[arg-type]
    return buffer.getvalue()


def opened(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image)


def _noisy(x: Pixels, sigma: float, rng: Rng) -> Pixels:
    return to_bytes(x + rng.normal(0, sigma, x.shape))


def noise(low: float, high: float) -> Callable[[Rng, Pixels], Damaged]:
    return lambda rng, x: Damaged(x, saved(_noisy(x, rng.uniform(low, high), rng)))


def grey_noise(rng: Rng, x: Pixels) -> Damaged:
    grey = to_bytes(x.mean(2))
    return Damaged(grey, saved(_noisy(grey, rng.uniform(12, 40), rng)))


def jpeg(low: int, high: int) -> Callable[[Rng, Pixels], Damaged]:
    return lambda rng, x: Damaged(x, saved(x, format="JPEG", quality=int(rng.integers(low, high + 1))), ".jpg")


def jpeg_then_png(rng: Rng, x: Pixels) -> Damaged:
    """Saved as JPEG of 10 to 50, cut, saved as PNG."""
    top, left = rng.integers(0, 8, 2)
    cut = opened(saved(x, format="JPEG", quality=int(rng.integers(10, 51))))[top:, left:]
    return Damaged(np.ascontiguousarray(x[top:, left:]), saved(np.ascontiguousarray(cut)))


def double_jpeg(rng: Rng, x: Pixels) -> Damaged:
    """Saved at 15 to 45, and again at 85 to 95."""
    first = opened(saved(x, format="JPEG", quality=int(rng.integers(15, 46))))
    return Damaged(x, saved(first, format="JPEG", quality=int(rng.integers(85, 96))), ".jpg")


def cut_double_jpeg(rng: Rng, x: Pixels) -> Damaged:
    """As double_jpeg, a few rows and columns cut away between."""
    top, left = rng.integers(1, 8, 2)
    first = opened(saved(x, format="JPEG", quality=int(rng.integers(15, 46))))[top:, left:]
    again = saved(np.ascontiguousarray(first), format="JPEG", quality=int(rng.integers(88, 96)), subsampling=0)
    return Damaged(np.ascontiguousarray(x[top:, left:]), again, ".jpg")


def jpeg_then_shrunk(rng: Rng, x: Pixels) -> Damaged:
    size = tuple(round(n * rng.uniform(0.55, 0.9)) for n in x.shape[1::-1])
    small = [
        Image.fromarray(p).resize(size, Image.Resampling.BICUBIC)
        for p in (x, opened(saved(x, format="JPEG", quality=int(rng.integers(10, 30)))))
    ]  # type: ignore[arg-type]
    return Damaged(np.array(small[0]), saved(np.array(small[1])))


def noise_then_jpeg(rng: Rng, x: Pixels) -> Damaged:
    return Damaged(
        x, saved(_noisy(x, rng.uniform(12, 30), rng), format="JPEG", quality=int(rng.integers(80, 96))), ".jpg"
    )


def webp(rng: Rng, x: Pixels) -> Damaged:
    return Damaged(x, saved(x, format="WEBP", quality=int(rng.integers(5, 30))), ".webp")


def cut_out(rng: Rng, x: Pixels) -> Damaged:
    """Noise of 12 to 30 in a picture of which a tenth to a half is transparent, its colours there black."""
    y, across = np.mgrid[: x.shape[0], : x.shape[1]]
    a, b = rng.uniform(0.3, 0.7, 2) * x.shape[:2]
    seen = np.hypot(y - a, across - b) < rng.uniform(0.4, 0.6) * min(x.shape[:2])
    alpha = to_bytes(255 * gaussian_filter(seen.astype(float), rng.uniform(0, 1.0)))
    dull = _noisy(x, rng.uniform(12, 30), rng)
    dull[alpha == 0] = 0
    return Damaged(np.dstack([x, alpha]), saved(np.dstack([dull, alpha])))


def framed(rng: Rng, x: Pixels) -> Damaged:
    """Noise of 12 to 30 within a frame: black, white, coloured, or a smooth slope."""
    side = int(rng.uniform(0.08, 0.2) * min(x.shape[:2]))
    frame = np.zeros((x.shape[0] + 2 * side, x.shape[1] + 2 * side, 3))
    frame += rng.choice([0, 255]) if rng.random() < 0.4 else rng.integers(0, 256, 3)
    if rng.random() < 0.4:
        frame = frame * 0.5 + np.linspace(0, 120, frame.shape[1])[None, :, None]
    truth, dull = to_bytes(frame), to_bytes(frame)
    truth[side:-side, side:-side] = x
    dull[side:-side, side:-side] = _noisy(x, rng.uniform(12, 30), rng)
    return Damaged(truth, saved(dull))


def partly_smooth(rng: Rng, x: Pixels) -> Damaged:
    """Noise of 12 to 30 in all but a third, which a program smoothed."""
    dull, third = _noisy(x, rng.uniform(12, 30), rng), x.shape[0] // 3
    smooth = to_bytes(gaussian_filter(x[:third].astype(float), (6, 6, 0)))
    truth = x.copy()
    truth[:third] = dull[:third] = smooth
    return Damaged(truth, saved(dull))


def chroma_noise(rng: Rng, x: Pixels) -> Damaged:
    """Noise of 12 to 25 in the two colour differences alone."""
    z = rng.normal(0, rng.uniform(12, 25), x.shape)
    return Damaged(x, saved(to_bytes(x + z - z.mean(2, keepdims=True))))


def blotched_chroma(rng: Rng, x: Pixels) -> Damaged:
    """Noise of 6 to 16 in the colours alone, in blotches of 0.8 to 2.5 pixels."""
    spread = rng.uniform(0.8, 2.5)
    z = gaussian_filter(rng.normal(0, 1, x.shape), (spread, spread, 0))
    z *= rng.uniform(6, 16) / z.std()
    return Damaged(x, saved(to_bytes(x + z - (z @ [0.299, 0.587, 0.114])[..., None])))


def noise_then_fair_jpeg(rng: Rng, x: Pixels) -> Damaged:
    """Noise of 15 to 25, saved at 80 to 92."""
    dull = _noisy(x, rng.uniform(15, 25), rng)
    return Damaged(x, saved(dull, format="JPEG", quality=int(rng.integers(80, 93))), ".jpg")


def salt_and_pepper(rng: Rng, x: Pixels) -> Damaged:
    y, share = x.copy(), rng.uniform(0.01, 0.1)
    u = rng.random(x.shape[:2])
    y[u < share / 2], y[u > 1 - share / 2] = 0, 255
    return Damaged(x, saved(y))


def noise_then_enlarged(rng: Rng, x: Pixels) -> Damaged:
    small = Image.fromarray(x).resize((x.shape[1] // 2, x.shape[0] // 2), Image.Resampling.BICUBIC)
    size, dull = (
        (x.shape[1] // 2 * 2, x.shape[0] // 2 * 2),
        Image.fromarray(_noisy(np.array(small), rng.uniform(10, 25), rng)),
    )
    clean, dull = (image.resize(size, Image.Resampling.BICUBIC) for image in (small, dull))
    return Damaged(np.array(clean), saved(np.array(dull)))


def blur(low: float, high: float) -> Callable[[Rng, Pixels], Damaged]:
    def draw(rng: Rng, x: Pixels) -> Damaged:
        sigma = rng.uniform(low, high)
        return Damaged(x, saved(to_bytes(gaussian_filter(x.astype(float), (sigma, sigma, 0)))))

    return draw


_KERNELS = {
    "green": np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4,
    "other": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4,
    "green, Malvar": np.array([[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]])
    / 8,
}


def _demosaiced(raw: np.ndarray, better: bool) -> np.ndarray:
    """[H, W] of an RGGB sensor to [H, W, 3]; bilinear, or green by Malvar's filter and the others by differences."""
    y, x = np.mgrid[: raw.shape[0], : raw.shape[1]] % 2
    at = [(y == 0) & (x == 0), y != x, (y == 1) & (x == 1)]
    if not better:
        return np.dstack(
            [convolve(raw * a, _KERNELS["green" if k == 1 else "other"], mode="mirror") for k, a in enumerate(at)]
        )
    green = np.where(at[1], raw, convolve(raw, _KERNELS["green, Malvar"], mode="mirror"))
    rest = [green + convolve((raw - green) * a, _KERNELS["other"], mode="mirror") for a in (at[0], at[2])]
    return np.dstack([rest[0], green, rest[1]])


def sensor(iso: int) -> Callable[[Rng, Pixels], Damaged]:
    """Shot and read noise of a sensor, demosaiced, white balanced, with gamma; the truth goes the same way without."""

    def developed(mosaic: np.ndarray, gains: np.ndarray, better: bool) -> Pixels:
        x = np.clip(_demosaiced(mosaic, better) * gains, 0, 1)
        return to_bytes(255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-9) ** (1 / 2.4) - 0.055))

    def draw(rng: Rng, x: Pixels) -> Damaged:
        linear = np.where(x <= 10, x / 255 / 12.92, ((x / 255 + 0.055) / 1.055) ** 2.4)
        gains, better = np.array([rng.uniform(1.5, 2.2), 1, rng.uniform(1.3, 1.8)]), bool(rng.random() < 0.5)
        y, across = np.mgrid[: x.shape[0], : x.shape[1]] % 2
        mosaic = np.take_along_axis(linear / gains, (y + across)[..., None], 2)[..., 0]
        deviation = np.sqrt(iso * 1e-6 * mosaic + (iso * 6e-6) ** 2)
        dull = mosaic + deviation * rng.normal(0, 1, mosaic.shape)
        return Damaged(developed(mosaic, gains, better), saved(developed(dull, gains, better)))

    return draw


KINDS: dict[str, Callable[[Rng, Pixels], Damaged]] = {
    "noise 10": noise(9, 11), "noise 15": noise(14, 16), "noise 25": noise(23, 27), "noise 50": noise(45, 55),
    "grey noise": grey_noise, "sensor, ISO 1600": sensor(1600), "sensor, ISO 3200": sensor(3200),
    "sensor, ISO 6400": sensor(6400), "JPEG 5 to 15": jpeg(5, 15), "JPEG 20 to 40": jpeg(20, 40),
    "JPEG 45 to 60": jpeg(45, 60), "JPEG, cut, PNG": jpeg_then_png, "double JPEG": double_jpeg,
    "JPEG, cut, JPEG": cut_double_jpeg, "JPEG, shrunk": jpeg_then_shrunk, "noise, JPEG": noise_then_jpeg,
    "noise, JPEG 80 to 92": noise_then_fair_jpeg, "blotched chroma noise": blotched_chroma, "WebP": webp,
    "noise, cut-out": cut_out, "noise, framed": framed, "noise, partly smooth": partly_smooth,
    "chroma noise": chroma_noise, "salt and pepper": salt_and_pepper, "noise, enlarged": noise_then_enlarged,
    "blur 1.1 to 1.6": blur(1.1, 1.6), "blur 1.8 to 3": blur(1.8, 3),
}  # fmt: skip
