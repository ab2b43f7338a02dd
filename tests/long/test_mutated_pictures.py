"""Ten thousand damaged files through the path of `restore`: read and mended, or refused in words, never a fault."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zeuxis.data.signatures import Unreadable
from zeuxis.draw import Stream, key_of
from zeuxis.errors import BadInput
from zeuxis.jobs.restoring.restore import RestoreConfig, work_on

HELD_OUT = Path(__file__).resolve().parents[1] / "pictures" / "held-out"
FILES = 10_000
TURNED = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06" + bytes(7)  # orientation 6
SAVED = {
    "photo.jpg": {"format": "JPEG", "quality": 80, "exif": TURNED},
    "progressive.jpg": {"format": "JPEG", "quality": 40, "progressive": True},
    "photo.png": {"format": "PNG"},
    "photo.webp": {"format": "WEBP", "quality": 70},
    "photo.tif": {"format": "TIFF", "compression": "tiff_lzw"},
    "photo.bmp": {"format": "BMP"},
    "photo.gif": {"format": "GIF"},
    "photo.ppm": {"format": "PPM"},
}  # fmt: skip


def seeds() -> list[tuple[str, bytes]]:
    """Small files of every kind: colour, grey, alpha, palette, 16 bits."""
    with Image.open(HELD_OUT / "city1.webp") as image:
        colour = image.convert("RGB").resize((40, 32))
    pictures = {"RGB": colour, "L": colour.convert("L"), "P": colour.quantize(16), "RGBA": colour.convert("RGBA")}
    pictures["I;16"] = Image.fromarray(np.asarray(colour.convert("L")).astype(np.uint16) * 257)
    found = []
    for name, settings in SAVED.items():
        for picture in pictures.values():
            buffer = io.BytesIO()
            try:
                picture.save(buffer, **settings)
            except (OSError, ValueError):
                continue  # this format has no such mode
            found.append((name, buffer.getvalue()))
    return found


def mutated(data: bytes, number: int) -> bytes:
    """One of: some bytes changed, a stretch cut out, doubled or zeroed, the end cut off, most of it near the head."""
    stream = Stream(key_of("mutation", number))
    kind, where, size, count = stream.integers(1, 4, high=1 << 30)[0].tolist()
    near = where % max(1, min(len(data), 200 if number % 2 else len(data)))
    length = 1 + size % 64
    if kind % 5 == 0:
        spoiled = bytearray(data)
        places = Stream(key_of("places", number)).integers(1, 1 + count % 8, high=len(data))[0].tolist()
        for i, place in enumerate(places):
            spoiled[near if i == 0 else place] = (size >> i) & 255
        return bytes(spoiled)
    return {
        1: data[:near] + data[near + length :],
        2: data[:near] + data[near : near + length] + data[near:],
        3: data[:near] + bytes(length) + data[near + length :],
        4: data[: max(1, where % len(data))],
    }[kind % 5]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # decoders remark on what they meet
def test_no_fault_in_ten_thousand_damaged_files() -> None:
    originals, read, refused = seeds(), 0, 0
    assert len(originals) >= 20
    for number in range(FILES):
        name, data = originals[number % len(originals)]
        try:
            made, _ = work_on(mutated(data, number), name, RestoreConfig(), ".png")
            Image.open(io.BytesIO(made)).load()
            read += 1
        except (Unreadable, BadInput) as error:
            assert str(error) and "\n" not in str(error)
            refused += 1
    print(f"{read} read, {refused} refused")
    assert read > 500 and refused > 500
