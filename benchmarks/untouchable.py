"""Kinds of pictures that nobody should touch, each a function of its own random numbers and of a source of photographs.

Every function gives pixels uint8, [H, W] or [H, W, 3 or 4]. Photographs, what becomes of them, and textures are here;
what programs draw is in `graphics.py`; `KINDS` holds all by name.
"""

from collections.abc import Callable

import numpy as np
from graphics import (
    bar_code,
    chart,
    icon,
    line_art,
    logo,
    map_of_lands,
    pixel_art,
    qr_code,
    scan_of_text,
    screenshot,
    sheet_music,
    text_black,
    word,
)
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import gaussian_filter
from source import Pixels, Rng, Source, to_bytes

Drawer = Callable[[Rng, Source], Pixels]


def halftone(rng: Rng, source: Source) -> Pixels:
    grey = source.photograph(rng).mean(2) / 255
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    a, period = rng.uniform(0, np.pi / 2), rng.uniform(4, 9)
    u, v = x * np.cos(a) + y * np.sin(a), y * np.cos(a) - x * np.sin(a)
    screen = (np.cos(2 * np.pi * u / period) + np.cos(2 * np.pi * v / period)) / 4 + 0.5
    soft = rng.choice([30.0, 6.0])
    return to_bytes(255 / (1 + np.exp(-soft * (grey - screen))))


def chessboard(rng: Rng, source: Source) -> Pixels:
    a, b = rng.integers(0, 256, 2)
    y, x = np.mgrid[:256, :256] // int(rng.choice([2, 3, 4, 5, 8, 16, 32]))
    return np.where((x + y) % 2, a, b).astype(np.uint8)


_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])


def ordered_dither(rng: Rng, source: Source) -> Pixels:
    photo, levels = source.photograph(rng).astype(float), int(rng.choice([2, 4, 6]))
    photo = photo if rng.random() < 0.5 else photo.mean(2, keepdims=True)
    h, w = photo.shape[:2]
    t = np.tile((_BAYER + 0.5) / 16, (h // 4 + 1, w // 4 + 1))[:h, :w, None]
    return to_bytes(np.clip(np.floor(photo / 255 * (levels - 1) + t), 0, levels - 1) * (255 / (levels - 1))).squeeze()


def error_diffusion(rng: Rng, source: Source) -> Pixels:
    image = Image.fromarray(source.photograph(rng))
    return np.array(
        image.convert("1").convert("L")
        if rng.random() < 0.5
        else image.quantize(int(rng.choice([8, 16, 64])), dither=1).convert("RGB")
    )


def palette_photograph(rng: Rng, source: Source) -> Pixels:
    return np.array(Image.fromarray(source.photograph(rng)).quantize(256).convert("RGB"))


def posterised(rng: Rng, source: Source) -> Pixels:
    step = int(rng.choice([16, 32, 64]))
    return (source.photograph(rng) // step * step + step // 2).astype(np.uint8)


def _fractal(rng: Rng, side: int, power: float, planes: int = 1) -> np.ndarray:
    """Noise whose amplitude falls with frequency^power, of mean 0 and deviation 1, [planes, side, side]."""
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    f[0, 0] = 1
    x = np.fft.ifft2(np.fft.fft2(rng.normal(0, 1, (planes, side, side))) * f**-power).real
    return (x - x.mean((1, 2), keepdims=True)) / x.std((1, 2), keepdims=True)


def normal_map(rng: Rng, source: Source) -> Pixels:
    height = gaussian_filter(rng.normal(0, 1, (320, 320)), rng.uniform(2, 6)) * 60 + _fractal(rng, 320, 2.0)[0] * 4
    dy, dx = np.gradient(height * rng.uniform(0.5, 2))
    normal = np.stack([-dx, dy, np.ones_like(dx)], -1) / np.sqrt(dx**2 + dy**2 + 1)[..., None]
    return to_bytes((normal + 1) * 127.5)


def fractal_normal_map(rng: Rng, source: Source) -> Pixels:
    """Of a rough surface, its finest detail there; some shrunk, after which no vector has length 1."""
    dy, dx = np.gradient(_fractal(rng, 288, rng.uniform(1.1, 2.2))[0] * rng.choice([4, 8, 16]))
    normal = np.stack([-dx, dy, np.full_like(dx, rng.uniform(0.5, 3))], -1)
    pixels = to_bytes((normal / np.linalg.norm(normal, axis=-1, keepdims=True) + 1) * 127.5)
    return np.array(Image.fromarray(pixels).resize((200, 200))) if rng.random() < 0.5 else pixels


def rough_height_map(rng: Rng, source: Source) -> Pixels:
    grey = to_bytes(128 + rng.uniform(10, 40) * _fractal(rng, 288, rng.uniform(0.5, 1.5))[0])
    return np.dstack([grey] * 3) if rng.random() < 0.5 else grey


def mapped_noise(rng: Rng, source: Source) -> Pixels:
    """Measurements, nearly or wholly white, through a map of colours; some enlarged, some with a margin and words."""
    x = rng.random((240, 240)) if rng.random() < 0.5 else np.clip(0.5 + 0.2 * _fractal(rng, 240, 0.5)[0], 0, 1)
    ends = rng.integers(0, 256, (5, 3))
    image = Image.fromarray(to_bytes(np.stack([np.interp(4 * x, np.arange(5), ends[:, k]) for k in range(3)], -1)))
    if rng.random() < 0.5:
        image = image.resize((340, 340), Image.Resampling.LANCZOS)
    if rng.random() < 0.4:
        page = Image.new("RGB", (image.width + 80, image.height + 60), "white")
        page.paste(image, (50, 30))
        ImageDraw.Draw(page).text((60, 8), word(rng), "black")
        image = page
    return np.array(image)


def tiles_enlarged(rng: Rng, source: Source) -> Pixels:
    tile = rng.integers(0, 256, (12, 3))[rng.integers(0, 12, (16, 16))].astype(np.uint8)
    image = Image.fromarray(np.tile(np.concatenate([tile, tile[:, ::-1]], 1), (12, 6, 1)))
    kernel = Image.Resampling.BILINEAR if rng.random() < 0.5 else Image.Resampling.BICUBIC
    return np.array(image.resize((image.width * 3 // 2, image.height * 3 // 2), kernel))


def height_map(rng: Rng, source: Source) -> Pixels:
    return to_bytes(128 + 40 * _fractal(rng, 320, rng.uniform(1.6, 2.4))[0])


def bokeh(rng: Rng, source: Source) -> Pixels:
    y, x = np.mgrid[:320, :320]
    image = np.ones((320, 320, 3)) * rng.integers(5, 60, 3) + 10 * _fractal(rng, 320, 2.5, 3).transpose(1, 2, 0)
    for _ in range(40):
        a, b, r, soft = *rng.uniform(0, 320, 2), rng.uniform(8, 40), rng.uniform(0.7, 4)
        disc = 1 / (1 + np.exp((np.hypot(y - a, x - b) - r) / soft))
        image += disc[..., None] * rng.uniform(5, 70, 3)
    return to_bytes(image)


def depth_of_field(rng: Rng, source: Source) -> Pixels:
    photo = source.photograph(rng).astype(float)
    soft = gaussian_filter(photo, (rng.uniform(2, 6),) * 2 + (0,))
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    a, b, r = rng.uniform(0.3, 0.7) * photo.shape[0], rng.uniform(0.3, 0.7) * photo.shape[1], rng.uniform(30, 70)
    sharp = 1 / (1 + np.exp((np.hypot(y - a, x - b) - r) / 12))[..., None]
    return to_bytes(sharp * photo + (1 - sharp) * soft)


def out_of_focus(rng: Rng, source: Source) -> Pixels:
    """A background that is wholly out of focus, by a disc of 4 to 9 pixels."""
    from scipy.ndimage import convolve

    r = rng.uniform(4, 9)
    y, x = np.mgrid[-10:11, -10:11]
    disc = np.clip(r + 0.5 - np.hypot(x, y), 0, 1)
    return to_bytes(convolve(source.photograph(rng).astype(float), (disc / disc.sum())[..., None], mode="mirror"))


def wallpaper(rng: Rng, source: Source) -> Pixels:
    return np.array(Image.fromarray(source.photograph(rng)).filter(ImageFilter.GaussianBlur(rng.uniform(6, 20))))


def clouds(rng: Rng, source: Source) -> Pixels:
    x = _fractal(rng, 320, rng.uniform(1.3, 1.9))[0]
    share = np.clip(x * 0.5 + rng.uniform(0.2, 0.6), 0, 1)[..., None]
    return to_bytes(share * np.array([245, 245, 248]) + (1 - share) * np.array([90, 140, 210]))


def gradient(rng: Rng, source: Source) -> Pixels:
    y, x = np.mgrid[:256, :256] / 255
    a, t = rng.uniform(0, 2 * np.pi), rng.integers(0, 256, (2, 3))
    u = np.hypot(y - 0.5, x - 0.5) if rng.random() < 0.4 else (np.cos(a) * x + np.sin(a) * y) / 1.5 % 1
    return to_bytes(u[..., None] * t[0] + (1 - u[..., None]) * t[1])


def _enlarged(kernel: Image.Resampling) -> Drawer:
    def draw(rng: Rng, source: Source) -> Pixels:
        factor = rng.choice([1.5, 2.0, 3.0, 4.0])
        image = Image.fromarray(source.photograph(rng))
        small = image.resize((round(image.width / factor), round(image.height / factor)), Image.Resampling.BICUBIC)
        return np.array(small.resize(image.size, kernel))

    return draw


def shrunk(rng: Rng, source: Source) -> Pixels:
    image = Image.fromarray(source.photograph(rng))
    kernel = rng.choice(
        [Image.Resampling.LANCZOS, Image.Resampling.BOX, Image.Resampling.NEAREST, Image.Resampling.BICUBIC]
    )
    return np.array(image.resize((image.width // 2, image.height // 2), Image.Resampling(kernel)))


def film_grain(rng: Rng, source: Source) -> Pixels:
    """Grey grain of 3 to 6 levels, white or of up to 0.8 pixels, strongest in the middle tones for half of them."""
    photo = source.photograph(rng).astype(float)
    grain = gaussian_filter(rng.normal(0, 1, photo.shape[:2]), rng.choice([0, 0.5, 0.8]))
    light = photo.mean(2) / 255
    strength = 2 * np.sqrt(light * (1 - light)) if rng.random() < 0.5 else 1.0
    return to_bytes(photo + (grain / grain.std() * rng.uniform(3, 6) * strength)[..., None])


def cloth(rng: Rng, source: Source) -> Pixels:
    y, x = np.mgrid[:320, :320]
    a, p = rng.uniform(0, np.pi), rng.uniform(3, 8)
    u, v = x * np.cos(a) + y * np.sin(a), y * np.cos(a) - x * np.sin(a)
    weave = np.sin(2 * np.pi * u / p) * np.sign(np.sin(2 * np.pi * v / p / 2)) * 25
    rough = gaussian_filter(rng.normal(0, 1, (320, 320)), 0.8) * 20 + _fractal(rng, 320, 1.0)[0] * 12
    return to_bytes((weave + rough)[..., None] + rng.integers(60, 190, 3))


def wood(rng: Rng, source: Source) -> Pixels:
    grain = gaussian_filter(rng.normal(0, 1, (320, 320)), (rng.uniform(8, 30), 0.7))
    rings = np.sin(np.mgrid[:320, :320][1] / rng.uniform(4, 12) + 3 * _fractal(rng, 320, 2.0)[0])
    return to_bytes((grain / grain.std() * 14 + rings * 16)[..., None] * [1, 0.8, 0.6] + np.array([150, 105, 60]))


def stones(rng: Rng, source: Source) -> Pixels:
    x = gaussian_filter(rng.normal(0, 1, (320, 320)), rng.uniform(0.8, 1.6))
    return to_bytes(
        (x / x.std() * rng.uniform(15, 35))[..., None]
        + rng.integers(90, 160, 3)
        + 10 * _fractal(rng, 320, 1.2)[0][..., None]
    )


def night_sky(rng: Rng, source: Source) -> Pixels:
    x = np.zeros((320, 320))
    x[rng.integers(0, 320, 300), rng.integers(0, 320, 300)] = rng.pareto(1.2, 300) * 60
    sky = gaussian_filter(x, rng.uniform(0.5, 0.9)) + 14 + 5 * _fractal(rng, 320, 1.8)[0]
    return to_bytes(np.clip(sky, 0, 255)[..., None] * rng.uniform(0.85, 1, 3) + [0, 2, 8])


def x_ray(rng: Rng, source: Source) -> Pixels:
    y, x = np.mgrid[:320, :320] / 320
    image = 60 + 90 * np.exp(-(((x - 0.5) / 0.3) ** 2)) + 8 * _fractal(rng, 320, 1.9)[0]
    for k in range(8):
        image += 28 * np.exp(-(((y - 0.1 - 0.11 * k - 0.25 * (x - 0.5) ** 2) / 0.018) ** 2))
    return to_bytes(gaussian_filter(image, rng.uniform(0.8, 2)))


def heat_map(rng: Rng, source: Source) -> Pixels:
    x = np.clip(0.5 + 0.25 * _fractal(rng, 320, rng.uniform(1.8, 2.6))[0], 0, 1)[..., None]
    return to_bytes(
        255 * np.clip(np.concatenate([1.5 - abs(4 * x - 3), 1.5 - abs(4 * x - 2), 1.5 - abs(4 * x - 1)], 2), 0, 1)
    )


def zone_plate(rng: Rng, source: Source) -> Pixels:
    y, x = np.mgrid[:256, :256] - rng.uniform(0, 256, 2)[:, None, None]
    return to_bytes(127.5 + 100 * np.cos((x**2 + y**2) * rng.uniform(0.002, 0.01)))


def photograph(rng: Rng, source: Source) -> Pixels:
    return source.photograph(rng)


def grey_photograph(rng: Rng, source: Source) -> Pixels:
    return np.array(Image.fromarray(source.photograph(rng)).convert("L"))


_ENLARGED = {
    f"enlarged, {name}": _enlarged(kernel)
    for name, kernel in (
        ("nearest", Image.Resampling.NEAREST), ("bilinear", Image.Resampling.BILINEAR),
        ("bicubic", Image.Resampling.BICUBIC), ("Lanczos", Image.Resampling.LANCZOS), ("area", Image.Resampling.BOX),
    )
}  # fmt: skip

KINDS: dict[str, Drawer] = {
    f.__name__.replace("_", " "): f
    for f in (
        icon, logo, qr_code, bar_code, sheet_music, halftone, chessboard, ordered_dither, error_diffusion,
        palette_photograph, posterised, chart, screenshot, scan_of_text, text_black, line_art, pixel_art, map_of_lands,
        normal_map, fractal_normal_map, height_map, rough_height_map, mapped_noise, tiles_enlarged, bokeh,
        depth_of_field, out_of_focus, wallpaper, clouds, gradient, shrunk, film_grain,
        cloth, wood, stones, night_sky, x_ray, heat_map, zone_plate, photograph, grey_photograph,
    )
} | _ENLARGED  # fmt: skip
