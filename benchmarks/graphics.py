"""Kinds of pictures that nobody should touch and that programs draw: icons, codes, charts, text, screens, maps.

Each is a function of its own random numbers and of a source of photographs; pixels are uint8, [H, W] or [H, W, 3 or 4].
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter
from source import Pixels, Rng, Source, to_bytes


def _font(rng: Rng, low: int = 9, high: int = 22) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(int(rng.integers(low, high)))


def word(rng: Rng) -> str:
    return "".join(rng.choice(list("etaoinshrdlucmwfgypbvk"), int(rng.integers(2, 10))))


def _colour(rng: Rng) -> tuple[int, ...]:
    return tuple(int(v) for v in rng.integers(0, 256, 3))


def _text(draw: ImageDraw.ImageDraw, rng: Rng, box: tuple[int, int, int, int], size: int, fill: object) -> None:
    font = ImageFont.load_default(size)
    for y in range(box[1], box[3] - size, round(size * 1.4)):
        line = " ".join(word(rng) for _ in range(30))
        draw.text((box[0], y), line[: int((box[2] - box[0]) / size * 2)], fill=fill, font=font)  # type: ignore[arg-type]


def icon(rng: Rng, source: Source) -> Pixels:
    size, big = int(rng.choice([16, 22, 32, 48, 64, 96, 128])), 512
    image = Image.new("RGBA", (big, big))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((30, 30, 480, 480), int(rng.integers(20, 200)), _colour(rng), _colour(rng), 20)
    for _ in range(5):
        x, y, r = rng.integers(80, 430, 3) // (1, 1, 3)
        (draw.ellipse if rng.random() < 0.5 else draw.rectangle)((x - r, y - r, x + r, y + r), _colour(rng))
    shade = np.array(image.resize((size, size), Image.Resampling.LANCZOS)).astype(float)
    shade[..., :3] *= np.linspace(1.1, 0.7, size)[:, None, None]
    return to_bytes(shade)


def qr_code(rng: Rng, source: Source) -> Pixels:
    n, cell = int(rng.choice([21, 25, 29, 33, 45])), int(rng.integers(3, 10))
    x = rng.integers(0, 2, (n, n))
    eye = np.pad(np.pad(np.pad(np.ones((3, 3)), 1), 1, constant_values=1), 1)
    x[:8, :8], x[:8, -8:], x[-8:, :8] = eye[1:, 1:], eye[1:, :-1], eye[:-1, 1:]
    x = np.pad(x, int(rng.integers(1, 5)))
    return (255 * (1 - x)).astype(np.uint8).repeat(cell, 0).repeat(cell, 1)


def bar_code(rng: Rng, source: Source) -> Pixels:
    bars = np.repeat(np.arange(80) % 2 * 255, rng.integers(1, 5, 80) * int(rng.integers(1, 4)))
    x = np.full((int(rng.integers(60, 160)) + 40, len(bars) + 40), 255)
    x[15:-25, 20:-20] = bars
    image = Image.fromarray(x.astype(np.uint8))
    ImageDraw.Draw(image).text(
        (40, x.shape[0] - 22), " ".join(map(str, rng.integers(0, 10, 13))), 0, _font(rng, 12, 16)
    )
    return np.array(image)


def sheet_music(rng: Rng, source: Source) -> Pixels:
    image = Image.new("L", (640, 640), 255)
    draw, gap = ImageDraw.Draw(image), int(rng.integers(10, 16))
    for top in range(40, 560, gap * 10):
        for k in range(5):
            draw.line((30, top + k * gap, 610, top + k * gap), 0, 2)
        for x in range(60, 600, int(rng.integers(25, 50))):
            y = top + int(rng.integers(0, 9)) * gap // 2
            draw.ellipse((x, y - gap // 2, x + gap * 1.3, y + gap // 2), 0 if rng.random() < 0.8 else 255, 0, 2)
            draw.line((x + gap * 1.3, y, x + gap * 1.3, y - 3 * gap), 0, 2)
    return np.array(image.resize((320, 320), Image.Resampling.LANCZOS) if rng.random() < 0.5 else image)


def chart(rng: Rng, source: Source) -> Pixels:
    image = Image.new("RGB", (800, 600), "white")
    draw = ImageDraw.Draw(image)
    for y in range(60, 560, 80):
        draw.line((80, y, 760, y), (210, 210, 210), 2)
        draw.text((20, y - 12), str(y), "black", ImageFont.load_default(24))
    if rng.random() < 0.5:
        for x in range(100, 740, 70):
            draw.rectangle((x, int(rng.integers(80, 540)), x + 44, 560), _colour(rng))
    for _ in range(3):
        walk = 300 + np.cumsum(rng.normal(0, 20, 66))
        draw.line([(80 + 10 * i, float(v)) for i, v in enumerate(walk)], _colour(rng), 4)
    return np.array(image.resize((400, 300), Image.Resampling.LANCZOS) if rng.random() < 0.5 else image)


def screenshot(rng: Rng, source: Source) -> Pixels:
    image = Image.new("RGB", (480, 360), _colour(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(3):
        x, y = int(rng.integers(0, 250)), int(rng.integers(0, 180))
        draw.rectangle((x, y, x + 220, y + 170), (250, 250, 250), (90, 90, 90))
        draw.rectangle((x, y, x + 220, y + 18), _colour(rng))
        _text(draw, rng, (x + 8, y + 24, x + 200, y + 165), int(rng.integers(9, 14)), (20, 20, 20))
    if rng.random() < 0.4:
        image.paste(Image.fromarray(source.photograph(rng, 120)), (300, 220))
    return np.array(image)


def scan_of_text(rng: Rng, source: Source) -> Pixels:
    image = Image.new("L", (800, 800), 255)
    _text(ImageDraw.Draw(image), rng, (50, 50, 760, 760), int(rng.integers(20, 34)), 20)
    small = np.array(
        image.rotate(rng.uniform(-2, 2), Image.Resampling.BICUBIC, fillcolor=255).resize(
            (400, 400), Image.Resampling.BOX
        )
    ).astype(float)
    small = gaussian_filter(small, rng.uniform(0, 0.6)) * rng.uniform(0.85, 0.97)
    paper = gaussian_filter(rng.normal(0, 1, small.shape), 0.7)
    return to_bytes(small + paper * rng.uniform(0.5, 2.0) / paper.std() - np.linspace(0, 12, 400)[None])


def text_black(rng: Rng, source: Source) -> Pixels:
    image = Image.new("1" if rng.random() < 0.5 else "L", (400, 300), 1)
    image = image if image.mode == "1" else Image.new("L", (400, 300), 255)
    _text(ImageDraw.Draw(image), rng, (10, 10, 390, 290), int(rng.integers(10, 18)), 0)
    return np.array(image.convert("L"))


def line_art(rng: Rng, source: Source) -> Pixels:
    image = Image.new("L", (800, 800), 255)
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        points = np.cumsum(rng.normal(0, 50, (8, 2)), 0) + rng.integers(100, 700, 2)
        draw.line([tuple(p) for p in points.tolist()], 0, int(rng.integers(2, 6)), "curve")
    for _ in range(12):
        x, y, r = rng.integers(50, 700, 3) // (1, 1, 4)
        draw.arc((x, y, x + r, y + r), 0, int(rng.integers(90, 360)), 0, 4)
    return np.array(image.resize((400, 400), Image.Resampling.LANCZOS) if rng.random() < 0.7 else image)


def pixel_art(rng: Rng, source: Source) -> Pixels:
    n, cell, colours = int(rng.choice([16, 24, 32, 48])), int(rng.integers(3, 12)), rng.integers(0, 256, (8, 3))
    x = np.zeros((n, n), int)
    for k in range(1, 8):
        for _ in range(3):
            a, b, h, w = rng.integers(0, n, 2).tolist() + rng.integers(1, n // 3, 2).tolist()
            x[a : a + h, b : b + w] = k
    x[:, n // 2 :] = x[:, : n // 2][:, ::-1]
    return colours[x].astype(np.uint8).repeat(cell, 0).repeat(cell, 1)


def map_of_lands(rng: Rng, source: Source) -> Pixels:
    y, x = np.mgrid[:400, :400]
    places, wobble = rng.uniform(0, 400, (25, 2)), gaussian_filter(rng.normal(0, 1, (2, 400, 400)), (0, 8, 8)) * 160
    nearest = np.argmin([(y + wobble[0] - a) ** 2 + (x + wobble[1] - b) ** 2 for a, b in places], 0)
    land = rng.integers(150, 255, (25, 3))[nearest].astype(np.uint8)
    edge = (np.diff(nearest, axis=0, append=nearest[-1:]) != 0) | (
        np.diff(nearest, axis=1, append=nearest[:, -1:]) != 0
    )
    land[edge] = 90
    image = Image.fromarray(land)
    draw = ImageDraw.Draw(image)
    for a, b in places[:14]:
        draw.text((b, a), word(rng).title(), (10, 10, 10), _font(rng, 9, 15))
        draw.line((b, a, *rng.uniform(0, 400, 2)), (200, 80, 60), 2)
    return np.array(image)


def logo(rng: Rng, source: Source) -> Pixels:
    """Letters on transparency: what lies under it is noise left by a careless program."""
    image = Image.new("RGBA", (256, 256), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((20, 40), word(rng)[:4].upper(), _colour(rng), ImageFont.load_default(80))
    pixels = np.array(image)
    pixels[pixels[..., 3] == 0, :3] = rng.integers(0, 256, ((pixels[..., 3] == 0).sum(), 3))
    return pixels
